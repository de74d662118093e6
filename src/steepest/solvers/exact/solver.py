"""Which way to the minimum of a least-squares problem, and the steps that show it."""

from collections.abc import Generator, Iterator
from math import inf, nan

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.exact.conjugate_gradients import (
    Iterate,
    conjugate_gradients,
    conjugate_gradients_by_residuals,
    finished,
    too_slow,
)
from steepest.solvers.exact.data import CentredData, centred_data
from steepest.solvers.exact.dual import solve_dual
from steepest.solvers.exact.gather import gather_data, gather_equations, gather_start, refuse_infinite
from steepest.solvers.exact.iterated_dual import iterated_dual
from steepest.solvers.exact.nonnegative import solve_nonnegative
from steepest.solvers.exact.primal import solve_primal
from steepest.solvers.exact.problem import LeastSquares, LeastSquaresObjective, Solution
from steepest.solvers.exact.rough import solve_roughly
from steepest.solvers.exact.singular import solve_by_singular_values
from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array
from steepest.validation import check_choice

METHODS = ("auto", "cholesky", "svd", "conjugate-gradients", "lsqr")

FACTORISE_SPARSE_UP_TO = 1000
ITERATE_FROM, ITERATE_FROM_ENTRIES = 250, 1_000_000
"""Order of the smaller Gram matrix, and entries of dense X, from which conjugate gradients may cost less: the matrix
takes 2 n d flops for each of its columns at the speed of BLAS, an iteration 4 n d bytes at the speed of memory."""


class ExactSolver:
    """Solve one least-squares problem; its :attr:`solution` says how.

    Parameters
    ----------
    objective : LeastSquaresObjective
        Squared residuals of a linear score, with at most a squared L2 penalty, or non-negative coefficients.
    method : {"auto", "cholesky", "svd", "conjugate-gradients", "lsqr"}
        "auto" goes by shape, see Notes. "cholesky" takes a Gram matrix and falls back to singular values.
    rcond : float, optional
        Without ridge: ratio to the largest below which singular values of the centred X count as zero; rounding error
        times the larger dimension if not given.
    tol : float, optional
        For the iterative methods: stop when the gradient is at most ``tol`` times that at zero. If not given, a little
        above rounding.

    Notes
    -----
    "auto", with m the smaller of the numbers of samples and features:

    * m up to 250, or at least four times as many samples as features, or several targets, or few data: the Gram matrix
      if there are at least as many samples as features, else the dual. Of large data of some hundred columns the
      matrix is formed in bfloat16 and the solution corrected on the data, where processor and data allow it:
      :mod:`~steepest.solvers.exact.rough`.
    * other dense data: conjugate gradients (on the dual, if there are fewer samples than features) for as long as they
      converge so fast that all of it costs less than the matrix, and after them the matrix.
    * sparse data: the matrix up to m = 1000; beyond, conjugate gradients to the end.
    * whenever the matrix turns out too ill-conditioned, or its rank doubtful: singular values.
    """

    def __init__(
        self,
        objective: LeastSquaresObjective,
        method: str = "auto",
        *,
        rcond: float | None = None,
        tol: float | None = None,
    ) -> None:
        self.method = check_choice("method", method, METHODS)
        self.problem = LeastSquares(objective)
        self.rcond = np.finfo(np.float64).eps * max(objective.X.shape) if rcond is None else rcond
        self.tol = tol
        self.solution: Solution | None = None

    def steps(self) -> Steps:
        """Yield the start, the iterates of an iterative method, and the solution."""
        if self.problem.objective.penalty.positive:
            return self._at_once(self._nonnegative())
        if self._only_iterates:
            return self._iterative(self.method == "lsqr" or self.problem.sparse)
        if self.method == "svd":
            return self._at_once(self._singular(gather_data(self.problem)))
        return self._by_shape()

    def most_iterations(self, asked: int | None) -> int:
        """Return how many iterations a run may make: as many as ``asked``, if nothing but iterations would help.

        Where they are tried because they may be quicker than a factorisation, how many is this class's concern.
        """
        plenty = 10 * int(min(self.problem.n, self.problem.d)) + 100
        return asked if asked is not None and self._only_iterates else plenty

    @property
    def _only_iterates(self) -> bool:
        problem, smaller = self.problem, min(self.problem.n, self.problem.d)
        if self.method == "auto":
            return problem.sparse and smaller > FACTORISE_SPARSE_UP_TO and problem.Y.shape[1] <= 4
        return self.method in ("conjugate-gradients", "lsqr")

    def _by_shape(self) -> Steps:
        problem, smaller = self.problem, min(self.problem.n, self.problem.d)
        large = smaller > ITERATE_FROM and problem.n * problem.d >= ITERATE_FROM_ENTRIES and problem.n < 4 * problem.d
        if self.method == "auto" and large and not problem.sparse and problem.Y.shape[1] == 1:
            return self._tried(budget=smaller // 16)
        return self._at_once(self._factorised())

    # ------------------------------------------------------------------ direct

    def _at_once(self, solution: Solution) -> Steps:
        """Yield the start and the solution."""
        yield self._start(solution.start_square, solution.start_gradient)
        yield self._end(solution, 1)
        return Reason.EXACT

    def _start(self, square: float, gradient: float) -> Step:
        scale = self.problem.scale
        return Step(0, self.problem.objective.start(), 0.5 * scale * square, scale * gradient)

    def _end(self, solution: Solution, index: int) -> Step:
        self.solution = solution
        solution.exponent = self.problem.frame.exponent
        theta = self.problem.theta(solution)
        value, norm = self.problem.value(solution), self.problem.gradient_norm(solution)
        return Step(index, theta, value, norm, step_norm=length(theta) if index == 1 else nan)  # at once, from zeros

    def _factorised(self) -> Solution:
        """Solve by the smaller Gram matrix; by singular values where that is not safe."""
        problem = self.problem
        if problem.n < problem.d:
            data = centred_data(problem.X, problem.weights, problem.fit_intercept)
            return solve_dual(problem, data, self.rcond) or self._singular(data)
        rough = solve_roughly(problem, self.rcond) if self.method == "auto" else None
        if rough is not None:
            return rough
        equations, data = gather_equations(problem)
        solution = solve_primal(problem, equations, data, self.rcond)
        if solution is None and equations.eps > np.finfo(np.float64).eps:  # the matrix was in single precision
            equations, data = gather_equations(problem, precise=True)
            solution = solve_primal(problem, equations, data, self.rcond)
        return solution or self._singular(data)

    def _singular(self, data: CentredData) -> Solution:
        return solve_by_singular_values(self.problem, data, self.rcond)

    def _nonnegative(self) -> Solution:
        return solve_nonnegative(self.problem, *gather_equations(self.problem, precise=True))

    # ------------------------------------------------------------------ iterative

    def _iterative(self, by_residuals: bool) -> Steps:
        """Iterate until the tolerance is met, or rounding lets nothing more be gained."""
        problem = self.problem
        data, (Y, y_mean) = gather_data(problem), problem.centred_target()
        start = data.adjoint(Y)
        way = conjugate_gradients_by_residuals if by_residuals else conjugate_gradients
        solution = yield from self._followed(way(problem, data, Y, start), data, Y, y_mean, inf)
        return Reason.ROUNDING if solution is None else Reason.GRADIENT_TOLERANCE

    def _tried(self, budget: int) -> Steps:
        """Iterate for as long as it pays; otherwise factorise."""
        problem = self.problem
        Y, y_mean = problem.centred_target()
        data, start, rough = gather_start(problem, Y)
        if problem.n < problem.d:
            iterates = iterated_dual(problem, data, Y, start, rough, self._tolerance, budget)
        else:
            iterates = conjugate_gradients(problem, data, Y, start, rough, self._tolerance)
        solution = yield from self._followed(iterates, data, Y, y_mean, budget)
        if solution is None:
            self.solution = self._factorised()
            yield self._end(self.solution, 1 + self._iterations)
            return Reason.EXACT
        return Reason.GRADIENT_TOLERANCE

    @property
    def _tolerance(self) -> float:
        """Ratio of the gradient to that at zero at which to stop."""
        return self.tol if self.tol is not None else max(1e-12, 2.0 * self.problem.eps)

    def _followed(
        self, iterates: Iterator[Iterate], data: CentredData, Y: Array, y_mean: Array, budget: float
    ) -> Generator[Step, None, Solution | None]:
        """Yield iterates as steps; return the solution, or None when the budget or the digits are used up."""
        problem, tol = self.problem, self._tolerance
        patience = 50 + min(problem.n, problem.d)
        progress: list[float] = []
        y_square = float(np.sum(Y * Y if problem.weights is None else Y * Y * problem.weights[:, None]))
        for iterate in iterates:
            self._iterations = iterate.index
            if iterate.index == 0:
                refuse_infinite(problem, float(iterate.start.sum()))
                yield self._start(*problem.start(iterate.start, data.x_mean, y_mean, y_square)[:2])
            progress.append(iterate.relative)
            reached = progress[-1] <= tol
            stuck = budget == inf and iterate.index - int(np.argmin(progress)) > patience
            if reached or stuck:
                yield self._end(finished(problem, data, Y, y_mean, iterate), max(iterate.index, 1))
                return self.solution if reached else None
            if too_slow(progress, tol, budget):
                return None
            if iterate.index > 0:
                yield self._between(iterate, data, y_mean, y_square)
        return None

    def _between(self, iterate: Iterate, data: CentredData, y_mean: Array, y_square: float) -> Step:
        """Return the step of an iterate: with A W = cross - G, ``J = (f / 2) (|Yc|^2 - <W, cross> - <W, G>)``."""
        problem, W = self.problem, iterate.W
        half = 0.5 * max(y_square - float(np.sum(W * (iterate.start + iterate.G))), 0.0)
        value = problem.scale * problem.squared_units(half)
        theta = problem.pack(W, y_mean - data.x_mean @ W)
        return Step(iterate.index, theta, value, problem.unframed_gradient(length(iterate.sizes)))


def exact(
    objective: LeastSquaresObjective, method: str = "auto", *, rcond: float | None = None, tol: float | None = None
) -> Steps:
    """Return the steps of :class:`ExactSolver`: the start and the solution.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest.objectives.linear import LinearObjective
    >>> X, y = np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0])
    >>> [step.theta.round(12) + 0.0 for step in exact(LinearObjective(X, y))]  # y = 2 x + 1
    [array([0., 0.]), array([2., 1.])]
    """
    return ExactSolver(objective, method, rcond=rcond, tol=tol).steps()
