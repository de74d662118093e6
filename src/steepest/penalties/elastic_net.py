"""The elastic net, of which the other penalties are cases."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.typing import Array
from steepest.validation import check_positive, check_share


@dataclass(frozen=True)
class ElasticNet:
    r"""Elastic net ``alpha (l1_ratio |w|_1 + (1 - l1_ratio) |w|_2^2 / 2)``.

    Parameters
    ----------
    alpha : float, default 1.0
        Strength, in units of the averaged loss per unit of coefficient; not below 0.
    l1_ratio : float, default 0.5
        Share of the absolute values: 1 is the lasso, 0 is ridge.
    positive : bool, default False
        Forbid negative coefficients.

    Notes
    -----
    Shapes: ``w`` has any shape, the penalty is a sum over its entries. With a = alpha l1_ratio and
    b = alpha (1 - l1_ratio), entry by entry::

        g(w)  = a |w| + b w^2 / 2
        g'(w) = a sign(w) + b w          for w != 0; at 0 every slope in [-a, a] is a subgradient, 0 is taken

    prox: the minimiser v of (v - w)^2 / 2 + t g(v) satisfies 0 in v - w + t (a sign(v) + b v)::

        v > 0:  v (1 + t b) = w - t a,  possible only if w > t a
        v < 0:  v (1 + t b) = w + t a,  possible only if w < -t a
        else v = 0
        together  v = sign(w) max(|w| - t a, 0) / (1 + t b)     soft threshold, then shrink

    conjugate: sup over w of v w - g(w). For b > 0 the supremum is where v = a sign(w) + b w::

        g*(v) = max(|v| - a, 0)^2 / (2 b);   for b = 0 it is 0 if |v| <= a and infinite otherwise

    With ``positive`` only w >= 0 counts: |w| becomes w, |v| becomes v.
    All coefficients vanish once -grad F(0) is a subgradient of P at 0, |grad F(0)| <= a in every entry.

    Source: H. Zou and T. Hastie, Regularization and variable selection via the elastic net, JRSS B 67 (2005);
    scaling as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> ElasticNet(alpha=1.0, l1_ratio=0.5).prox(np.array([2.0, -0.25]), step=1.0)
    array([ 1., -0.])
    """

    alpha: float = 1.0
    l1_ratio: float = 0.5
    positive: bool = False
    words: ClassVar[str] = "the elastic-net penalty"

    def __post_init__(self) -> None:
        """Refuse a negative strength and a ratio outside [0, 1]."""
        check_positive("alpha", self.alpha, zero=True)
        check_share("l1_ratio", self.l1_ratio)

    @property
    def l1(self) -> float:
        """Return ``alpha l1_ratio``."""
        return self.alpha * self.l1_ratio

    @property
    def l2(self) -> float | Array:
        """Return ``alpha (1 - l1_ratio)``."""
        return self.alpha * (1.0 - self.l1_ratio)

    def value(self, w: Array) -> float:
        r"""Return ``P(w)``; infinity outside the allowed region."""
        if self.positive and np.any(w < 0):
            return float("inf")
        return float(self.l1 * np.abs(w).sum() + 0.5 * np.sum(self.l2 * w * w))

    def gradient(self, w: Array) -> Array:
        r"""Return ``a sign(w) + b w``."""
        return self.l1 * np.sign(w) + self.l2 * w

    def prox(self, w: Array, step: float) -> Array:
        r"""Return the soft threshold of ``w``, shrunk."""
        kept = w - step * self.l1 if self.positive else np.abs(w) - step * self.l1
        size = np.maximum(kept, 0.0) / (1.0 + step * self.l2)
        return size if self.positive else np.copysign(size, w)

    def conjugate(self, v: Array) -> float:
        r"""Return ``P*(v)``."""
        excess = np.maximum((v if self.positive else np.abs(v)) - self.l1, 0.0)
        tolerance = 8 * np.finfo(v.dtype).eps * self.l1
        flat = np.broadcast_to(np.asarray(self.l2) == 0.0, v.shape)
        if np.any(excess[flat] > tolerance):
            return float("inf")
        curved = ~flat
        return float(np.sum(excess[curved] ** 2 / (2.0 * np.broadcast_to(self.l2, v.shape)[curved])))

    def vanishing_alpha(self, gradient_at_zero: Array) -> float:
        r"""Return the largest entry of ``|gradient_at_zero|`` over ``l1_ratio``; infinity where that is 0."""
        slopes = -gradient_at_zero if self.positive else np.abs(gradient_at_zero)
        largest = max(float(slopes.max(initial=0.0)), 0.0)
        if self.l1_ratio == 0.0:
            return 0.0 if largest == 0.0 else float("inf")
        return largest / self.l1_ratio
