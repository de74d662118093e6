"""The squared error."""

from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


class SquaredError:
    r"""Squared difference between a score ``z`` and a target ``y``, sample by sample.

    The scaling of ridge regression and of most lectures; :class:`HalfSquaredError` is the same without its 2.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike, ``(n_samples,)`` or ``(n_samples, n_outputs)``.
    With the residual r = z - y::

        l(z)   = r^2
        l'(z)  = 2 r         power rule, dr/dz = 1
        l''(z) = 2
        l*(u)  = u^2 / 4 + u y     sup over z of u z - l(z), reached at z = y + u / 2

    Examples
    --------
    >>> import numpy as np
    >>> SquaredError().gradient(np.array([1.0]), np.array([3.0]))
    array([4.])
    """

    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "the squared error"
    smoothness = 2.0

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``(z - y)^2``."""
        residual = z - y
        return residual * residual

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``2 (z - y)``."""
        return 2.0 * (z - y)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 2."""
        return np.full_like(z, 2.0)

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u) = u^2 / 4 + u y``."""
        return 0.25 * u * u + u * y
