"""The squared L2 penalty."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.penalties.elastic_net import ElasticNet
from steepest.typing import Array


@dataclass(frozen=True)
class SquaredL2(ElasticNet):
    r"""Half the sum of squares, ``alpha |w|_2^2 / 2``: the penalty of ridge regression.

    Parameters
    ----------
    alpha : float or array (n_outputs,), default 1.0
        Strength, one for all or one an output; not below 0.
    positive : bool, default False
        Forbid negative coefficients.

    Notes
    -----
    The elastic net with ``l1_ratio = 0``, entry by entry::

        g(w)      = alpha w^2 / 2
        g'(w)     = alpha w
        prox_t(w) = w / (1 + t alpha)        from v - w + t alpha v = 0
        g*(v)     = v^2 / (2 alpha)          from v = alpha w

    Examples
    --------
    >>> import numpy as np
    >>> SquaredL2(alpha=2.0).gradient(np.array([3.0, -1.0]))
    array([ 6., -2.])
    """

    alpha: float | Array = 1.0  # type: ignore[assignment]  # wider here: one strength an output
    l1_ratio: float = field(default=0.0, init=False)
    words: ClassVar[str] = "the squared L2 penalty"

    def __post_init__(self) -> None:
        """Refuse a negative or non-finite strength."""
        alpha = np.asarray(self.alpha)
        if alpha.dtype.kind not in "fiu" or not np.all(np.isfinite(alpha)) or np.any(alpha < 0):
            raise InvalidInputError(f"alpha={self.alpha!r}: must be finite numbers not below 0")

    @property
    def l1(self) -> float:
        """Return 0."""
        return 0.0
