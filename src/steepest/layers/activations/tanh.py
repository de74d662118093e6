"""The hyperbolic tangent and its piecewise linear form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class Tanh(Elementwise):
    r"""``H = tanh Z``.

    Notes
    -----
    ::

        f(z)  = (e^z - e^-z) / (e^z + e^-z)
        f'(z) = 1 - H^2         quotient rule: ((e^z + e^-z)^2 - (e^z - e^-z)^2) / (e^z + e^-z)^2

    Examples
    --------
    >>> Tanh().value(np.array([0.0, 100.0]))
    array([0., 1.])
    """

    formula: ClassVar[str] = "H = tanh(Z)"
    latex: ClassVar[str] = r"H = \tanh Z"

    def value(self, Z: Array) -> Array:
        r"""Return ``tanh Z``."""
        return np.tanh(Z)

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return ``1 - H^2``."""
        return 1 - H * H


@dataclass(frozen=True)
class HardTanh(Elementwise):
    r"""The hyperbolic tangent as three straight lines.

    Notes
    -----
    ::

        f(z)  = z clipped to [-1, 1]
        f'(z) = 1 for |z| < 1, 0 otherwise         at the kinks |z| = 1, 0 is taken

    Examples
    --------
    >>> HardTanh().value(np.array([0.5, -3.0]))
    array([ 0.5, -1. ])
    """

    formula: ClassVar[str] = "H = clip(Z, -1, 1)"
    latex: ClassVar[str] = r"H = \mathrm{clip}(Z, -1, 1)"

    def value(self, Z: Array) -> Array:
        r"""Return ``Z`` clipped to [-1, 1]."""
        return np.clip(Z, -1, 1)

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1 between -1 and 1, else 0."""
        return (np.abs(Z) < 1).astype(Z.dtype)
