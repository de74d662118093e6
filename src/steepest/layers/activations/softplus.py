"""The smooth rectifier."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class Softplus(Elementwise):
    r"""``H = log(1 + e^Z)``, a smooth rectifier.

    Notes
    -----
    ::

        f(z)  = log(1 + e^z)
        f'(z) = e^z / (1 + e^z) = 1 / (1 + e^-z)       chain rule; the sigmoid

    ``logaddexp(0, z)`` does not overflow.

    Examples
    --------
    >>> Softplus().value(np.array([1000.0]))
    array([1000.])
    """

    formula: ClassVar[str] = "H = log(1 + exp(Z))"
    latex: ClassVar[str] = r"H = \log(1 + e^Z)"

    def value(self, Z: Array) -> Array:
        r"""Return ``log(1 + e^Z)``."""
        return np.logaddexp(Z.dtype.type(0), Z)

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return the sigmoid of ``Z``."""
        return np.asarray(expit(Z))
