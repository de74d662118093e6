"""The Gaussian error linear unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class GELU(Elementwise):
    r"""``H = Z Phi(Z)`` with the standard normal distribution function Phi.

    Notes
    -----
    ::

        f(z)  = z Phi(z)
        f'(z) = Phi(z) + z phi(z)        product rule; Phi' = phi = e^{-z^2/2} / sqrt(2 pi)

    This is the exact form, through the error function, not the tanh approximation.
    Source: D. Hendrycks and K. Gimpel, Gaussian Error Linear Units (2016).

    Examples
    --------
    >>> GELU().value(np.array([0.0, 10.0]))
    array([ 0., 10.])
    """

    formula: ClassVar[str] = "H = Z Phi(Z)"
    latex: ClassVar[str] = r"H = Z \, \Phi(Z)"

    def value(self, Z: Array) -> Array:
        r"""Return ``Z Phi(Z)``."""
        return np.asarray(Z * ndtr(Z))

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return ``Phi(Z) + Z phi(Z)``."""
        density = np.exp(-0.5 * Z * Z) * Z.dtype.type(1.0 / np.sqrt(2.0 * np.pi))
        return np.asarray(ndtr(Z) + Z * density)
