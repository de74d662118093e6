"""One target of tall data, solved on the Gram matrix of all columns."""

from typing import Self

import numpy as np

from steepest.kernels.gram import Moments
from steepest.solvers.design import Design
from steepest.solvers.subproblem import Orders, Strength, look, polish, solve_on_gram
from steepest.typing import Array


class GramProblem:
    r"""``|y - Z w|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2`` known by ``G = Z^T Z``, ``c = Z^T y`` and ``|y|^2``.

    Parameters
    ----------
    gram : array (n_features, n_features)
        G.
    c : array (n_features,)
        Correlations of the columns with the target.
    squared_target : float
        ``|y|^2``.
    x_mean, mean : array (n_features,) and float
        Means of the columns and the target, for the intercept.
    n_samples : int
        Rows that count.
    w : array (n_features,)
        The start.

    Notes
    -----
    Shapes: Z (n, d), w (d,). One pass over the data forms G, c and ``|y|^2``; afterwards an epoch costs O(d^2) whatever
    n, and the gap follows from ``Z^T r = c - G w``, ``|r|^2 = |y|^2 - w.(c + Z^T r)``, ``r.y = |y|^2 - w.c``.
    The last two lose digits where the fit is nearly perfect: the gap is right up to some 1e-15 of ``|y|^2``.
    """

    def __init__(
        self, gram: Array, c: Array, squared_target: float, x_mean: Array, mean: float, n_samples: int, w: Array
    ) -> None:
        self.gram, self.c, self.squared_target = gram, c, squared_target
        self.x_mean, self.mean, self.n_samples = x_mean, mean, n_samples
        self.w: Array = w.astype(np.float64)
        self.epochs, self.gap, self.value = 0, np.inf, np.inf
        self.constant = squared_target  # |y|^2 as it goes with c and the matrix

    @classmethod
    def of_moments(cls, moments: Moments, k: int, n_samples: int, factor: float, w: Array) -> Self:
        """Return the problem of target k, with the data term scaled by ``factor``."""
        c, square = moments.cross[:, k] * factor, float(moments.y_square[k]) * factor
        return cls(moments.gram * factor, c, square, moments.x_mean, float(moments.y_mean[k]), n_samples, w)

    @classmethod
    def of_design(cls, design: Design, gram: Array, y: Array, w: Array) -> "GramProblem":
        """Return the problem on a Gram matrix computed elsewhere."""
        target, mean = design.target(y)
        c = design.first_correlations(target)
        gram = np.ascontiguousarray(gram, dtype=np.float64)
        return cls(gram, c, float(target @ target), design.means, mean, design.n_samples, w)

    def begin(self, strength: Strength) -> None:
        """Take up a penalty, starting from the present coefficients."""
        self.strength, self.epochs = strength, 0
        if strength.positive:
            np.maximum(self.w, 0.0, out=self.w)
        strength.refuse_vanishing(self.c, np.diagonal(self.gram), self.squared_target)
        self.w[np.diagonal(self.gram) == 0.0] = 0.0
        self._evaluate()

    def _evaluate(self) -> None:
        self.value, self.gap = look(self.gram, self.c, self.constant, self.strength, self.w, float(self.n_samples))

    def advance(self, tolerance: float, max_epochs: int, orders: Orders) -> None:
        """Do epochs until the gap is at most ``tolerance``."""
        epochs, gap = solve_on_gram(
            self.gram, self.c, self.constant, self.strength, self.w,
            tolerance=tolerance, max_epochs=max_epochs, orders=orders, mass=float(self.n_samples),
        )  # fmt: skip
        self.epochs += epochs
        if gap <= tolerance:
            self._make_exact(tolerance)
        else:
            self._evaluate()

    def _make_exact(self, tolerance: float) -> None:
        """Let Newton's step end what coordinate descent has brought near."""
        polish(self.gram, self.c, self.constant, self.strength, self.w, tolerance)
        self._evaluate()

    @property
    def intercept(self) -> float:
        """The best intercept at ``w``."""
        return self.mean - float(self.x_mean @ self.w)

    @property
    def finite(self) -> bool:
        """Whether the sums over the data are."""
        return bool(np.isfinite(self.gram).all() and np.isfinite(self.c).all() and np.isfinite(self.squared_target))

    @property
    def size(self) -> int:
        """How many columns there are."""
        return len(self.w)
