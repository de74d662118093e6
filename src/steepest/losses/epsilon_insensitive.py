"""The epsilon-insensitive losses of support vector regression."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class EpsilonInsensitive:
    r"""Absolute error beyond ``epsilon``, nothing within.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With r = z - y::

        l(z)   = max(0, |r| - epsilon)
        l'(z)  = sign(r)  where |r| > epsilon,   0 where |r| < epsilon
        l''(z) = 0        off the kinks at |r| = epsilon, where 0 is taken

    Examples
    --------
    >>> import numpy as np
    >>> EpsilonInsensitive(0.5).value(np.zeros(2), np.array([0.25, -2.0]))
    array([0. , 1.5])
    """

    epsilon: float = 0.1
    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "the epsilon-insensitive loss"
    smoothness: ClassVar[float] = np.inf

    def __post_init__(self) -> None:
        """Refuse a negative ``epsilon``."""
        check_positive("epsilon", self.epsilon, zero=True)

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``max(0, |z - y| - epsilon)``."""
        return np.maximum(0.0, np.abs(z - y) - self.epsilon)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``sign(z - y)`` beyond ``epsilon``, 0 within."""
        residual = z - y
        return np.where(np.abs(residual) > self.epsilon, np.sign(residual), 0.0).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 0."""
        return np.zeros_like(z)


@dataclass(frozen=True)
class SquaredEpsilonInsensitive:
    r"""Squared error beyond ``epsilon``, nothing within.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With r = z - y and the excess s = max(0, |r| - epsilon)::

        l(z)   = s^2
        l'(z)  = 2 s sign(r)       chain rule: d|r|/dz = sign(r); the factor s removes the kinks
        l''(z) = 2 where |r| > epsilon, else 0;  so l' is 2-Lipschitz

    Examples
    --------
    >>> import numpy as np
    >>> SquaredEpsilonInsensitive(0.5).gradient(np.zeros(2), np.array([0.25, -2.0]))
    array([ 0., -3.])
    """

    epsilon: float = 0.1
    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "the squared epsilon-insensitive loss"
    smoothness: ClassVar[float] = 2.0

    def __post_init__(self) -> None:
        """Refuse a negative ``epsilon``."""
        check_positive("epsilon", self.epsilon, zero=True)

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``max(0, |z - y| - epsilon)^2``."""
        return np.asarray(np.maximum(0.0, np.abs(z - y) - self.epsilon) ** 2)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return twice the excess, with the residual's sign."""
        residual = z - y
        excess = np.maximum(0.0, np.abs(residual) - self.epsilon)
        return (2.0 * excess * np.sign(residual)).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 2 beyond ``epsilon``, 0 within."""
        return np.where(np.abs(z - y) > self.epsilon, 2.0, 0.0).astype(z.dtype)
