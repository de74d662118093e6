"""The modified Huber loss of classification."""

from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


class ModifiedHuber:
    r"""Squared hinge near the margin, a line for scores far on the wrong side; labels -1 and +1.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With the margin m = y z::

        l(z)   = max(0, 1 - m)^2     where m >= -1
               = -4 m                where m < -1
        l'(z)  = -2 y (1 - m)        where -1 <= m < 1      continuous: -4 y at m = -1, 0 at m = 1
               = -4 y                where m < -1
        l''(z) = 2                   where -1 <= m < 1, else 0;  so l' is 2-Lipschitz

    Source: T. Zhang, Solving Large Scale Linear Prediction Problems Using SGD, ICML 2004.

    Examples
    --------
    >>> import numpy as np
    >>> ModifiedHuber().value(np.ones(2), np.array([0.0, -3.0]))
    array([ 1., 12.])
    """

    target: ClassVar[Target] = "sign"
    words: ClassVar[str] = "the modified Huber loss"
    smoothness = 2.0

    def value(self, y: Array, z: Array) -> Array:
        r"""Return the squared hinge for margins above -1, a line below."""
        margin = y * z
        return np.where(margin >= -1.0, np.maximum(0.0, 1.0 - margin) ** 2, -4.0 * margin).astype(z.dtype)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``-2 y`` times the slack, itself clipped to [0, 2]."""
        return (-2.0 * y * np.clip(1.0 - y * z, 0.0, 2.0)).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 2 between the margins -1 and 1, else 0."""
        margin = y * z
        return np.where((margin >= -1.0) & (margin < 1.0), 2.0, 0.0).astype(z.dtype)
