"""The identity."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class Identity(Elementwise):
    r"""``H = Z``.

    Notes
    -----
    ::

        f(z)  = z
        f'(z) = 1

    Examples
    --------
    >>> Identity().value(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    formula: ClassVar[str] = "H = Z"
    latex: ClassVar[str] = r"H = Z"

    def value(self, Z: Array) -> Array:
        r"""Return ``Z``."""
        return Z

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1."""
        return np.ones_like(Z)
