"""The rectifier and its leaky form."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.layers.activations.elementwise import Elementwise
from steepest.typing import Array
from steepest.validation import check_number


@dataclass(frozen=True)
class ReLU(Elementwise):
    r"""Rectified linear unit, ``H = max(Z, 0)``.

    Notes
    -----
    ::

        f(z)  = z for z > 0, 0 otherwise
        f'(z) = 1 for z > 0, 0 otherwise      at the kink z = 0 every slope in [0, 1] is a subgradient, 0 is taken

    A unit whose input is negative for every sample passes no gradient and never changes again: it is dead.

    Examples
    --------
    >>> ReLU().value(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    formula: ClassVar[str] = "H = max(Z, 0)"
    latex: ClassVar[str] = r"H = \max(Z, 0)"

    def value(self, Z: Array) -> Array:
        r"""Return ``max(Z, 0)``."""
        return np.maximum(Z, Z.dtype.type(0))

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1 where ``Z > 0``, else 0."""
        return (Z > 0).astype(Z.dtype)


@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    r"""Rectifier that lets a share of the negative side through.

    Parameters
    ----------
    slope : float, default 0.01
        Slope on the negative side.

    Notes
    -----
    ::

        f(z)  = z for z > 0, slope z otherwise
        f'(z) = 1 for z > 0, slope otherwise      at the kink z = 0, slope is taken

    Source: A. Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013).

    Examples
    --------
    >>> LeakyReLU(0.1).value(np.array([-1.0, 2.0]))
    array([-0.1,  2. ])
    """

    slope: float = 0.01
    formula: ClassVar[str] = "H = max(Z, 0) + slope min(Z, 0)"
    latex: ClassVar[str] = r"H = \max(Z, 0) + s \min(Z, 0)"

    def __post_init__(self) -> None:
        """Refuse a slope that is no number."""
        check_number("slope", self.slope)

    def value(self, Z: Array) -> Array:
        r"""Return ``Z`` where positive, else ``slope Z``."""
        return np.where(Z > 0, Z, self.slope * Z)

    def derivative(self, Z: Array, H: Array) -> Array:
        r"""Return 1 where ``Z > 0``, else ``slope``."""
        return np.where(Z > 0, 1.0, self.slope).astype(Z.dtype)
