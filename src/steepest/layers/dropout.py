"""Dropout."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.layer import Layer, Parameters
from steepest.typing import Array


@dataclass(frozen=True)
class Dropout(Layer):
    r"""Set every entry to zero with probability ``rate`` while training, and scale the others up.

    Parameters
    ----------
    rate : float, default 0.5
        Probability of dropping; at least 0, below 1.

    Notes
    -----
    With a random mask M, independent of X, of entries 0 (probability rate) or 1 / (1 - rate)::

        Y  = M X        E[Y] = X, so nothing needs scaling in prediction, where Y = X
        dX = M dY

    Source: N. Srivastava et al., Dropout, JMLR 15 (2014); here inverted: scaled in training instead of in prediction.

    Examples
    --------
    >>> Y, _ = Dropout(0.5).forward(np.ones((1, 6)), {}, generator=np.random.default_rng(0))
    >>> Y
    array([[2., 0., 0., 0., 2., 2.]])
    """

    rate: float = 0.5
    formula: ClassVar[str] = "Y = M X with a random mask M of 0 and 1 / (1 - rate)"
    latex: ClassVar[str] = r"Y = M \odot X"

    def __post_init__(self) -> None:
        """Refuse a rate outside [0, 1)."""
        if not 0.0 <= self.rate < 1.0:
            raise InvalidInputError(f"rate={self.rate!r}: must be at least 0 and below 1")

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, Array | None]:
        """Return ``M X`` in training, ``X`` in prediction; the cache is the mask."""
        if generator is None:
            return X, None
        kept = generator.random(X.shape) >= self.rate
        mask = (kept / (1.0 - self.rate)).astype(X.dtype)
        return X * mask, mask

    def backward(self, dY: Array, cache: Array | None) -> tuple[Array, dict[str, Array]]:
        """Return ``M dY``."""
        return (dY if cache is None else dY * cache), {}
