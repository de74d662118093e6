"""Huber's loss."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class HuberLoss:
    r"""Half squared error near the target, absolute error beyond ``delta``.

    Parameters
    ----------
    delta : float, default 1.0
        Where the parabola becomes a line, in units of ``y``; positive. scikit-learn calls it ``epsilon``.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With r = z - y::

        l(z)   = r^2 / 2                       where |r| <= delta
               = delta (|r| - delta / 2)       beyond
        l'(z)  = r  or  delta sign(r)          that is, r clipped to [-delta, delta]: continuous at |r| = delta
        l''(z) = 1  or  0                      so l' is 1-Lipschitz
        l*(u)  = u^2 / 2 + u y  for |u| <= delta, infinite beyond (l grows no faster than delta |z|)

    Source: P. J. Huber, Robust Estimation of a Location Parameter, Ann. Math. Statist. 35 (1964), eq. 2.8.

    Examples
    --------
    >>> import numpy as np
    >>> HuberLoss(delta=1.0).value(np.zeros(2), np.array([0.5, 3.0]))
    array([0.125, 2.5  ])
    """

    delta: float = 1.0
    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "Huber's loss"
    smoothness: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        """Refuse a ``delta`` that is not positive."""
        check_positive("delta", self.delta)

    def value(self, y: Array, z: Array) -> Array:
        r"""Return half the square within ``delta``, a line beyond."""
        size = np.abs(z - y)
        near = np.minimum(size, self.delta)
        return near * (size - 0.5 * near)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``z - y`` clipped to ``[-delta, delta]``."""
        return np.clip(z - y, -self.delta, self.delta)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 1 within ``delta``, 0 beyond."""
        return (np.abs(z - y) <= self.delta).astype(z.dtype)

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u)``."""
        inside = np.abs(u) <= self.delta * (1 + 8 * np.finfo(u.dtype).eps)
        return np.where(inside, 0.5 * u * u + u * y, np.inf)
