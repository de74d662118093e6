"""The absolute error."""

from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


class AbsoluteError:
    r"""Absolute difference between a score ``z`` and a target ``y``; its minimiser is the median.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With the residual r = z - y::

        l(z)   = |r|
        l'(z)  = sign(r)     for r != 0; at r = 0 the subgradients are [-1, 1] and 0 is taken
        l''(z) = 0           for r != 0; the kink at r = 0 makes l' jump, so no Lipschitz constant exists

    Examples
    --------
    >>> import numpy as np
    >>> AbsoluteError().gradient(np.array([1.0, 2.0]), np.array([3.0, 2.0]))
    array([1., 0.])
    """

    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "the absolute error"
    smoothness = np.inf

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``|z - y|``."""
        return np.abs(z - y)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``sign(z - y)``."""
        return np.sign(z - y)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 0."""
        return np.zeros_like(z)
