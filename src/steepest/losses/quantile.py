"""The quantile (pinball) loss."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.losses.protocol import Target
from steepest.typing import Array
from steepest.validation import check_share


@dataclass(frozen=True)
class QuantileLoss:
    r"""Pinball loss; its minimiser is the ``quantile`` of the target.

    Parameters
    ----------
    quantile : float, default 0.5
        Between 0 and 1, both excluded.

    Notes
    -----
    Shapes: ``y``, ``z`` and every result are alike. With q the quantile::

        l(z)   = q (y - z)          where z < y   (the score is too low)
               = (1 - q) (z - y)    where z >= y  (too high)
        l'(z)  = -q   or   1 - q    the slopes of the two lines; at z = y any slope between is a subgradient, 0 is taken
        l''(z) = 0                  off the kink

    Setting E l'(z) = -q P(y > z) + (1 - q) P(y < z) to zero gives P(y < z) = q: z is the q-quantile.
    Source: R. Koenker and G. Bassett, Regression Quantiles, Econometrica 46 (1978).

    Examples
    --------
    >>> import numpy as np
    >>> QuantileLoss(0.9).gradient(np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    array([-0.9,  0.1])
    """

    quantile: float = 0.5
    target: ClassVar[Target] = "real"
    words: ClassVar[str] = "the quantile (pinball) loss"
    smoothness: ClassVar[float] = np.inf

    def __post_init__(self) -> None:
        """Refuse a quantile outside ``(0, 1)``."""
        check_share("quantile", self.quantile, ends=False)

    def value(self, y: Array, z: Array) -> Array:
        r"""Return ``max(q (y - z), (1 - q) (z - y))``."""
        low = y - z
        return np.maximum(self.quantile * low, (self.quantile - 1.0) * low)

    def gradient(self, y: Array, z: Array) -> Array:
        r"""Return ``-q`` below the target, ``1 - q`` above, 0 on it."""
        slopes = np.where(z < y, -self.quantile, 1.0 - self.quantile)
        return np.where(z == y, 0.0, slopes).astype(z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        r"""Return 0."""
        return np.zeros_like(z)
