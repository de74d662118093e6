"""The L1 penalty."""

from dataclasses import dataclass, field
from typing import ClassVar

from steepest.penalties.elastic_net import ElasticNet


@dataclass(frozen=True)
class L1(ElasticNet):
    r"""Sum of absolute values, ``alpha |w|_1``: the lasso's penalty, which makes coefficients exactly zero.

    Parameters
    ----------
    alpha : float, default 1.0
        Strength; not below 0.
    positive : bool, default False
        Forbid negative coefficients.

    Notes
    -----
    The elastic net with ``l1_ratio = 1``, entry by entry::

        g(w)         = alpha |w|
        g'(w)        = alpha sign(w)                          for w != 0, a subgradient (0) at 0
        prox_t(w)    = sign(w) max(|w| - t alpha, 0)          the soft threshold
        g*(v)        = 0 if |v| <= alpha, infinite otherwise

    Examples
    --------
    >>> import numpy as np
    >>> L1(alpha=1.0).prox(np.array([3.0, 0.5]), step=1.0)
    array([2., 0.])
    """

    l1_ratio: float = field(default=1.0, init=False)
    words: ClassVar[str] = "the L1 penalty"
