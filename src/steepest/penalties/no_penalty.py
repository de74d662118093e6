"""No penalty, and the bare constraint that coefficients are not negative."""

from dataclasses import dataclass, field
from typing import ClassVar

from steepest.penalties.elastic_net import ElasticNet


@dataclass(frozen=True)
class NoPenalty(ElasticNet):
    r"""The penalty that is 0 everywhere.

    Notes
    -----
    The elastic net with ``alpha = 0``: value 0, gradient 0, prox the identity, conjugate infinite off 0.

    Examples
    --------
    >>> import numpy as np
    >>> NoPenalty().value(np.ones(3))
    0.0
    """

    alpha: float = field(default=0.0, init=False)
    l1_ratio: float = field(default=0.0, init=False)
    positive: bool = field(default=False, init=False)
    words: ClassVar[str] = ""


@dataclass(frozen=True)
class NonNegative(ElasticNet):
    r"""0 where every coefficient is at least 0, infinite elsewhere.

    Notes
    -----
    The elastic net with ``alpha = 0`` and ``positive``, entry by entry::

        prox(w) = max(w, 0)        the nearest allowed point, whatever the step
        g*(v)   = 0 if v <= 0, infinite otherwise

    Examples
    --------
    >>> import numpy as np
    >>> NonNegative().prox(np.array([1.0, -2.0]), step=0.1)
    array([1., 0.])
    """

    alpha: float = field(default=0.0, init=False)
    l1_ratio: float = field(default=0.0, init=False)
    positive: bool = field(default=True, init=False)
    words: ClassVar[str] = "no negative coefficients"
