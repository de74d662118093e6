"""The hinge loss and its kin: margins of a score against a label -1 or +1."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array


@dataclass(frozen=True)
class Hinge:
    r"""Hinge loss of a score ``z`` for a label ``y`` in {-1, +1}.

    Parameters
    ----------
    margin : float, default 1.0
        How far on its right side a score must lie to cost nothing; 0 gives the perceptron's criterion.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike::

        l(z)   = max(0, margin - y z)
        l'(z)  = -y    where y z < margin,   0 where y z > margin
        l''(z) = 0     off the kink at y z = margin, where 0 and -y are subgradients; -y is taken, as a
                       perceptron that starts at z = 0 = margin would otherwise never move

    Examples
    --------
    >>> import numpy as np
    >>> Hinge().value(np.array([1.0, -1.0]), np.array([0.25, -2.0]))
    array([0.75, 0.  ])
    """

    margin: float = 1.0
    target: ClassVar[Target] = "sign"
    words: ClassVar[str] = "the hinge loss"
    smoothness: ClassVar[float] = np.inf

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``max(0, margin - y z)``."""
        return np.maximum(0.0, self.margin - y * z)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``-y`` up to the margin, 0 beyond."""
        return np.where(y * z <= self.margin, -y, 0.0).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 0."""
        return np.zeros_like(z)
