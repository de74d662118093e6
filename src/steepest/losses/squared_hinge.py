"""The squared hinge loss."""

from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


class SquaredHinge:
    r"""Squared hinge loss of a score ``z`` for a label ``y`` in {-1, +1}.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With the slack s = max(0, 1 - y z)::

        l(z)   = s^2
        l'(z)  = -2 y s        chain rule: ds/dz = -y where s > 0, and the factor s removes the kink
        l''(z) = 2 where s > 0, else 0       as y^2 = 1; so l' is 2-Lipschitz
        l*(u)  = u y + u^2 / 4 where u y <= 0, infinite otherwise

    Examples
    --------
    >>> import numpy as np
    >>> SquaredHinge().gradient(np.array([1.0, -1.0]), np.array([0.5, -2.0]))
    array([-1.,  0.])
    """

    target: ClassVar[Target] = "sign"
    words: ClassVar[str] = "the squared hinge loss"
    smoothness = 2.0

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``max(0, 1 - y z)^2``."""
        return np.asarray(np.maximum(0.0, 1.0 - y * z) ** 2)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``-2 y max(0, 1 - y z)``."""
        return np.where(y * z < 1.0, -2.0 * y * (1.0 - y * z), 0.0).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 2 inside the margin, 0 outside."""
        return np.where(y * z < 1.0, 2.0, 0.0).astype(z.dtype)

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u)``."""
        return np.where(u * y <= 0.0, u * y + 0.25 * u * u, np.inf)
