"""Half the Poisson deviance of a logarithmic score."""

from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from steepest.losses.protocol import Target
from steepest.typing import Array


class HalfPoissonDeviance:
    r"""Half the Poisson deviance of a count ``y >= 0`` for a score ``z``, whose prediction is ``e^z``.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike, ``(n_samples,)`` or ``(n_samples, n_outputs)``.
    A Poisson variable of mean m = e^z has -log P(y) = m - y log m + log y!. The loss is that, less its minimum over m
    (at m = y), so that a perfect prediction costs nothing::

        l(z)   = (e^z - y z) - (y - y log y)
        l'(z)  = e^z - y                         as d e^z / dz = e^z
        l''(z) = e^z                             positive, but without bound: no Lipschitz constant

    With ``0 log 0 = 0``. The conjugate sup over z of u z - l(z), reached at e^z = s = u + y, needs s >= 0::

        l*(u) = s log s - s + y - y log y

    Examples
    --------
    >>> loss = HalfPoissonDeviance()
    >>> loss.value(np.array([1.0]), np.array([0.0])), loss.gradient(np.array([3.0]), np.array([0.0]))
    (array([0.]), array([-2.]))
    """

    target: ClassVar[Target] = "count"
    words: ClassVar[str] = "half the Poisson deviance"
    smoothness = np.inf

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``e^z - y z - y + y log y``."""
        return np.asarray(np.exp(z) - y * z - y + xlogy(y, y))

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``e^z - y``."""
        return np.asarray(np.exp(z) - y)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return ``e^z``."""
        return np.asarray(np.exp(z))

    def conjugate(self, y: Array, u: Array) -> Array:
        r"""Return ``l*(u)``, infinite where ``u + y`` is below 0."""
        s = u + y
        return np.where(s < 0, np.inf, xlogy(s, np.maximum(s, 0)) - s + y - xlogy(y, y))
