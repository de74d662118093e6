"""Images into vectors."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.layers.layer import Layer, Parameters, Shape
from steepest.typing import Array


@dataclass(frozen=True)
class Flatten(Layer):
    r"""Lay out every sample as a vector, ``Y (N, C H W)`` from ``X (N, C, H, W)``, in C order.

    Notes
    -----
    Y is X under other names of its entries, so ``dX`` is ``dY`` under the old ones.

    Examples
    --------
    >>> Flatten().output_shape((3, 4, 5))
    (60,)
    """

    formula: ClassVar[str] = "Y = X laid out as vectors"
    latex: ClassVar[str] = r"Y = \mathrm{vec}(X)"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the number of entries of a sample."""
        return (int(np.prod(input_shape)),)

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, Shape]:
        """Return ``X`` as (N, entries); the cache is its shape."""
        return X.reshape(len(X), int(np.prod(X.shape[1:]))), X.shape

    def backward(self, dY: Array, cache: Shape) -> tuple[Array, dict[str, Array]]:
        """Return ``dY`` in the shape of ``X``."""
        return dY.reshape(cache), {}
