"""Half the squared error."""

from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


class HalfSquaredError:
    r"""Half the squared difference between a score ``z`` and a target ``y``, sample by sample.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike, ``(n_samples,)`` or ``(n_samples, n_outputs)``.
    With the residual r = z - y::

        l(z)   = r^2 / 2
        l'(z)  = r           as dr/dz = 1; the half cancels the 2 of the power rule
        l''(z) = 1           so l' is 1-Lipschitz
        l*(u)  = u^2 / 2 + u y     sup over z of u z - l(z), reached at z = y + u

    Examples
    --------
    >>> import numpy as np
    >>> loss = HalfSquaredError()
    >>> y, z = np.array([1.0, 2.0]), np.array([3.0, 2.0])
    >>> loss.value(y, z), loss.gradient(y, z)
    (array([2., 0.]), array([2., 0.]))
    """

    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "half the squared error"
    smoothness = 1.0

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``(z - y)^2 / 2``."""
        residual = z - y
        return 0.5 * residual * residual

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``z - y``."""
        return z - y

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 1."""
        return np.ones_like(z)

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u) = u^2 / 2 + u y``, which the duality gap needs."""
        return 0.5 * u * u + u * y
