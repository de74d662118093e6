"""The logistic loss."""

from typing import ClassVar

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from steepest.losses.protocol import Target
from steepest.typing import Array


class LogisticLoss:
    r"""Logistic loss of a score ``z`` for a label ``y`` in {0, 1}, sample by sample.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are ``(n_samples,)``; averaging is the objective's job.
    With p = 1 / (1 + e^-z), the probability given to y = 1::

        l(z)   = -y log p - (1 - y) log(1 - p)
               = log(1 + e^z) - y z         as log p = z - log(1 + e^z) and log(1 - p) = -log(1 + e^z)
        l'(z)  = e^z / (1 + e^z) - y = p - y
        l''(z) = p (1 - p) <= 1/4           so l' is 1/4-Lipschitz
        l*(u)  = s log s + (1 - s) log(1 - s)   with s = u + y in [0, 1]: u = l'(z) = p - y is solved by p = s

    ``e^z`` overflows for z > 709; ``logaddexp`` and ``expit`` do not.

    Examples
    --------
    >>> import numpy as np
    >>> LogisticLoss().gradient(np.array([0.0, 1.0]), np.array([0.0, 800.0]))
    array([0.5, 0. ])
    """

    target: ClassVar[Target] = "binary"
    words: ClassVar[str] = "the logistic loss"
    smoothness = 0.25

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``log(1 + e^z) - y z``, without overflow.

        For a label y = 1 and a large z this difference would lose every digit of ``log(1 + e^-z)``; flipping the
        sign of the score, log(1 + e^z) - y z = (1 - y) log(1 + e^z) + y log(1 + e^-z), loses none.
        """
        zero = z.dtype.type(0)
        return np.asarray((1 - y) * np.logaddexp(zero, z) + y * np.logaddexp(zero, -z))

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``p - y``, as ``(1 - y) p - y (1 - p)`` so that no digit is lost where p is near 1."""
        return np.asarray((1 - y) * expit(z) - y * expit(-z))

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return ``p (1 - p)``."""
        return np.asarray(expit(z) * expit(-z))

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u)``, infinite where ``u + y`` is outside [0, 1]."""
        s = u + y
        inside = np.clip(s, 0.0, 1.0)
        entropy = xlogy(inside, inside) + xlog1py(1 - inside, -inside)
        return np.where(np.abs(s - inside) <= 64 * np.finfo(u.dtype).eps, entropy, np.inf)
