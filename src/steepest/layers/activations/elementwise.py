"""What elementwise activations share."""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from steepest.layers.layer import Layer, Parameters
from steepest.typing import Array


class ElementwiseCache(NamedTuple):
    """The input and the output of an activation."""

    Z: Array
    H: Array


class Elementwise(Layer):
    r"""``H = f(Z)``, entry by entry.

    Notes
    -----
    H_i depends on Z_i alone, so the chain rule gives ``dZ_i = dH_i f'(Z_i)``. Derivatives may be written with the value
    H where that is shorter; they are always those at the input Z.
    """

    @abstractmethod
    def value(self, Z: Array) -> Array:
        """Return ``f(Z)``."""

    @abstractmethod
    def derivative(self, Z: Array, H: Array) -> Array:
        """Return ``f'(Z)``, given also ``H = f(Z)``."""

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, ElementwiseCache]:
        """Return ``f(X)``."""
        H = self.value(X)
        return H, ElementwiseCache(X, H)

    def backward(self, dY: Array, cache: ElementwiseCache) -> tuple[Array, dict[str, Array]]:
        """Return ``dY f'(X)``."""
        return dY * self.derivative(cache.Z, cache.H), {}
