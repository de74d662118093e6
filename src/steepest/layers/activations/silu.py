"""The sigmoid-weighted linear unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array


@dataclass(frozen=True)
class SiLU(Elementwise):
    r"""``H = Z s(Z)`` with the sigmoid s; also called swish.

    Notes
    -----
    With s = 1 / (1 + e^-z), s' = s (1 - s)::

        f(z)  = z s
        f'(z) = s + z s (1 - s)        product rule
              = s + H (1 - s)

    Source: S. Elfwing et al., Sigmoid-weighted linear units (2017).

    Examples
    --------
    >>> SiLU().value(np.array([0.0, 100.0]))
    array([  0., 100.])
    """

    formula: ClassVar[str] = "H = Z / (1 + exp(-Z))"
    latex: ClassVar[str] = r"H = Z / (1 + e^{-Z})"

    def value(self, Z: Array) -> Array:
        r"""Return ``Z s(Z)``."""
        return np.asarray(Z * expit(Z))

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return ``s + H (1 - s)``."""
        s = expit(Z)
        return np.asarray(s + H * (1 - s))
