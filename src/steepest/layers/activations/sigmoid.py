"""The sigmoid and its piecewise linear form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    r"""``H = 1 / (1 + e^-Z)``.

    Notes
    -----
    ::

        f(z)  = 1 / (1 + e^-z)
        f'(z) = e^-z / (1 + e^-z)^2 = H (1 - H) <= 1/4        as 1 - H = e^-z / (1 + e^-z)

    The factor of at most 1/4 a layer is why gradients vanish in deep sigmoid networks. ``expit`` does not overflow.

    Examples
    --------
    >>> Sigmoid().value(np.array([0.0, 800.0]))
    array([0.5, 1. ])
    """

    formula: ClassVar[str] = "H = 1 / (1 + exp(-Z))"
    latex: ClassVar[str] = r"H = 1 / (1 + e^{-Z})"

    def value(self, Z: Array) -> Array:
        r"""Return ``1 / (1 + e^-Z)``."""
        return np.asarray(expit(Z))

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return ``H (1 - H)``."""
        return H * (1 - H)


@dataclass(frozen=True)
class HardSigmoid(Elementwise):
    r"""The sigmoid as three straight lines.

    Notes
    -----
    ::

        f(z)  = z / 6 + 1/2 clipped to [0, 1]
        f'(z) = 1/6 for |z| < 3, 0 otherwise       at the kinks |z| = 3, 0 is taken

    Examples
    --------
    >>> HardSigmoid().value(np.array([0.0, 5.0]))
    array([0.5, 1. ])
    """

    formula: ClassVar[str] = "H = clip(Z / 6 + 1/2, 0, 1)"
    latex: ClassVar[str] = r"H = \mathrm{clip}(Z / 6 + 1/2, 0, 1)"

    def value(self, Z: Array) -> Array:
        r"""Return ``Z / 6 + 1/2``, clipped."""
        return np.clip(Z / 6 + Z.dtype.type(0.5), 0, 1)

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1/6 between -3 and 3, else 0."""
        return np.where(np.abs(Z) < 3, 1.0 / 6.0, 0.0).astype(Z.dtype)
