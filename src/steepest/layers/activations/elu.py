"""The exponential linear unit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array
from steepest.validation import check_number


@dataclass(frozen=True)
class ELU(Elementwise):
    r"""Exponential linear unit: smooth where the rectifier has its kink.

    Parameters
    ----------
    alpha : float, default 1.0
        Minus the limit for large negative input.

    Notes
    -----
    ::

        f(z)  = z for z > 0, alpha (e^z - 1) otherwise
        f'(z) = 1 for z > 0, alpha e^z = H + alpha otherwise

    Continuous at 0, and so is f' for alpha = 1. ``expm1`` keeps the digits of e^z - 1 near 0.
    Source: D.-A. Clevert et al., Fast and Accurate Deep Network Learning by ELUs, ICLR 2016.

    Examples
    --------
    >>> ELU().value(np.array([0.0, 2.0]))
    array([0., 2.])
    """

    alpha: float = 1.0
    formula: ClassVar[str] = "H = Z for Z > 0, alpha (exp(Z) - 1) otherwise"
    latex: ClassVar[str] = r"H = Z \text{ for } Z > 0,\ \alpha (e^Z - 1) \text{ otherwise}"

    def __post_init__(self) -> None:
        """Refuse a limit that is no number."""
        check_number("alpha", self.alpha)

    def value(self, Z: Array) -> Array:
        r"""Return ``Z`` where positive, else ``alpha (e^Z - 1)``."""
        return np.where(Z > 0, Z, self.alpha * np.expm1(np.minimum(Z, 0)))

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1 where ``Z > 0``, else ``alpha e^Z``."""
        return np.where(Z > 0, 1.0, H + self.alpha).astype(Z.dtype)
