"""One target of tall data, solved on a Gram matrix in single precision that is corrected by the data themselves."""

import numpy as np

from steepest.kernels.gram import moments
from steepest.kernels.residual import residual_products
from steepest.solvers.design import Reduction
from steepest.solvers.gram_problem import GramProblem
from steepest.solvers.subproblem import Orders, Strength
from steepest.typing import Array

LEAST_ENTRIES, LEAST_COLUMNS = 4_000_000, 48  # of X: below, single precision saves less than the pass costs
NEAR = 1e-4  # relative distance from the point of measurement up to which the matrix is exact enough
NEARLY_SOLVED = 1e-4  # relative gap at the start below which it is measured
MOST_PASSES = 5


class RefinedGramProblem(GramProblem):
    r"""The same problem known by ``H = G + E``, E being the rounding of single precision, and by passes over the data.

    Notes
    -----
    H costs half of G. At a point v, a pass over the data gives ``g = Z^T r`` and ``|r|^2`` in double precision. The
    problem is then replaced by one that has these at v, and H as its Gram matrix::

        c = g + H v,      |y|^2 = |r|^2 + v.(c + g)

    so that ``c - H v = g`` and ``|y|^2 - v.(c + c - H v) = |r|^2`` there. Elsewhere its gradient is off by
    ``E (w - v)`` and its objective by ``(w - v).E (w - v) / 2``. Solved from v = w on, it moves w by about E; at its
    solution the gradient is off by E^2, some 1e-13 of what it was: one pass makes the solution exact up to rounding,
    and a second is made only if w has moved far. The duality gap is that of the data within ``E |w - v|^2``.

    This is the refinement of linear equations (`steepest.solvers.exact.primal`) with constraints; also Newton's
    method with an inexact Hessian.
    """

    centre: bool

    def attach(self, X: Array, y: Array, reduction: Reduction) -> "RefinedGramProblem":
        """Take the data to measure on; ``y`` is the raw target."""
        self.X, self.reduction = X, reduction
        self.centred = y.astype(np.float64) - self.mean
        self.measured: Array | None = None
        self.left = 0.0
        return self

    def begin(self, strength: Strength) -> None:
        """Take up a penalty, starting from the present coefficients."""
        super().begin(strength)
        if self.gap <= NEARLY_SOLVED * self.squared_target:
            self._measure()

    def advance(self, tolerance: float, max_epochs: int, orders: Orders) -> None:
        """Do epochs until the gap is at most ``tolerance`` on the data."""
        before = self.epochs
        for _ in range(MOST_PASSES):
            if not self.gap <= tolerance or self.epochs == before:
                super().advance(tolerance, max_epochs - (self.epochs - before), orders)
            if self._near or not self.gap <= tolerance:
                return
            self._measure()
            self._make_exact(tolerance)

    @property
    def _near(self) -> bool:
        """Whether the last measurement was made so near that its problem is the true one."""
        if self.measured is None:
            return False
        return bool(np.linalg.norm(self.w - self.measured) <= NEAR * np.linalg.norm(self.w))

    def _measure(self) -> None:
        """Make the problem exact at the present coefficients."""
        factor, weights, w = float(self.reduction.factor), self.reduction.weights, self.w
        s = None if weights is None else weights.astype(np.float64)
        r, products, square = residual_products(self.X, self.centred, s, self.x_mean, w)
        total = float(len(r) if s is None else s.sum())
        if self.centre:  # the means are rounded; what they leave is for the intercept
            self.left = float(np.mean(r) if s is None else s @ r / total)
            square -= total * self.left**2
        slope = products * factor
        self.c = slope + self.gram @ w
        self.constant = square * factor + float(w @ (self.c + slope))
        self.measured = w.copy()
        self._evaluate()

    @property
    def intercept(self) -> float:
        """The best intercept at ``w``."""
        return super().intercept + self.left


def refined_problems(
    X: Array, Y: Array, W: Array, reduction: Reduction, centre: bool
) -> list[RefinedGramProblem] | None:
    """Return a problem for each target, or None where it does not pay or single precision cannot hold the sums."""
    n, d = X.shape
    if X.dtype != np.float64 or n * d < LEAST_ENTRIES or d < LEAST_COLUMNS or Y.shape[1] > 2:
        return None
    whole = moments(X, Y, reduction.weights, centre=centre, dtype=np.float32)
    if not whole.finite:
        return None
    problems = []
    for k, w in enumerate(W):
        problem = RefinedGramProblem.of_moments(whole, k, n, reduction.factor, w)
        problem.centre = centre
        problems.append(problem.attach(X, Y[:, k], reduction))
    return problems
