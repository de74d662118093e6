"""Coordinate descent for least squares with an L1, elastic-net or squared L2 penalty."""

from collections.abc import Generator
from typing import Any, Protocol

import numpy as np
from scipy.sparse import issparse

from steepest.exceptions import InvalidInputError
from steepest.kernels.gram import moments
from steepest.solvers.design import Design, Reduction
from steepest.solvers.gram_problem import GramProblem
from steepest.solvers.refined_gram import refined_problems
from steepest.solvers.stopping import Reason
from steepest.solvers.subproblem import ROUNDING, Orders, Strength, cyclic
from steepest.solvers.working_set import WorkingSet
from steepest.solvers.working_set_problem import WorkingSetProblem
from steepest.step import Step
from steepest.typing import Array, IntArray

TALL_COLUMNS = 512  # up to so many, the Gram matrix costs less than the passes it saves


class Penalty(Protocol):
    """What coordinate descent asks of a penalty."""

    @property
    def l1(self) -> float:
        """Return the weight of the absolute values."""

    @property
    def l2(self) -> Any:
        """Return the weight of half the squares."""

    @property
    def positive(self) -> bool:
        """Return whether negative coefficients are forbidden."""


class CoordinateWise(Protocol):
    """What coordinate descent asks of an objective: half squared errors of a linear model, and a penalty."""

    X: Any
    y: Array
    fit_intercept: bool

    @property
    def reduction(self) -> Reduction:
        """Return factor and weights of the samples."""

    @property
    def penalty(self) -> Penalty:
        """Return the penalty."""

    def coefficients(self, theta: Array) -> Array:
        """Return W (n_features,) or (n_features, n_outputs)."""

    def pack(self, coefficients: Array, intercept: Any = 0.0) -> Array:
        """Return ``theta``."""


class Problem(Protocol):
    """One output, at work: what :class:`CoordinateDescent` drives."""

    w: Array
    c: Array
    value: float
    gap: float
    epochs: int
    squared_target: float

    def begin(self, strength: Strength) -> None:
        """Take up a penalty, starting from the present coefficients."""

    def advance(self, tolerance: float, max_epochs: int, orders: Orders) -> None:
        """Do a round, of at most so many epochs; it may end at the gap ``tolerance``."""

    @property
    def intercept(self) -> float:
        """The best intercept at ``w``."""

    @property
    def size(self) -> int:
        """How many coordinates a round works on."""

    @property
    def finite(self) -> bool:
        """Whether the sums over the data are; NaN, infinity or an overflow anywhere makes one of them not finite."""


def epoch(Z: Array, residual: Array, w: Array, l1: float, l2: float, positive: bool, order: IntArray) -> None:
    r"""Update every coordinate once, in place: the reference that the kernels must equal.

    Parameters
    ----------
    Z : array (n, k)
        The columns.
    residual : array (n,)
        ``r = y - Z w``, kept current.
    w : array (k,)
        The coefficients.
    l1, l2, positive
        The penalty.
    order : int array
        The coordinates in the order to take them.

    Notes
    -----
    In ``J(w) = |y - Z w|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2`` let only w_j = v move. With the partial residual
    ``r + w_j z_j`` (what the others leave)::

        J(v) = |r + w_j z_j - v z_j|^2 / 2 + l1 |v| + l2 v^2 / 2 + const
        0 in dJ/dv = -z_j.(r + w_j z_j) + v |z_j|^2 + l1 sign(v) + l2 v
        v (|z_j|^2 + l2) = S(z_j.r + |z_j|^2 w_j, l1),       S(a, l1) = sign(a) max(|a| - l1, 0)

    for v > 0 needs ``a > l1``, v < 0 needs ``a < -l1``, and otherwise 0 is in the subdifferential at v = 0. J is convex
    and its kinks are separable, so a point that no single coordinate can improve is a minimum (Tseng 2001).

    Sources: J. Friedman, T. Hastie, R. Tibshirani, Journal of Statistical Software 33 (2010), eq. 5; P. Tseng,
    Convergence of a block coordinate descent method, JOTA 109 (2001).
    """
    for j in order:
        z_j = Z[:, j]
        curvature = z_j @ z_j
        a = z_j @ residual + curvature * w[j]
        size = max(a - l1, 0.0) if positive else np.sign(a) * max(abs(a) - l1, 0.0)
        new = size / (curvature + l2) if curvature > 0 else 0.0
        residual -= (new - w[j]) * z_j
        w[j] = new


class CoordinateDescent:
    r"""Coordinate descent on ``r sum_i s_i (y_i - x_i.w - b)^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2``.

    Parameters
    ----------
    objective : CoordinateWise
        What to minimise.
    theta : array (n_parameters,)
        The start; not needed if ``problems`` are given.
    tolerance : float, default 0.0
        The duality gap to reach, relative to ``r sum_i s_i (y_i - mean)^2``; the run ends once every output has it.
    max_epochs : int, default 1000
        Epochs an output may have.
    orders : callable, default cyclic
        The order of coordinates within an epoch: :func:`~steepest.solvers.subproblem.cyclic` or
        :func:`~steepest.solvers.subproblem.shuffled`.
    watch : bool, default False
        Yield after every epoch.
    problems : list of Problem, optional
        Prepared problems, one an output, whose working set is to be used on.

    Attributes
    ----------
    epochs : list of int
        Epochs of each output.
    gaps : array (n_outputs,)
        Duality gap of each output.

    Notes
    -----
    A step is a round on a problem, described at :class:`~steepest.solvers.gram_problem.GramProblem` and
    :class:`~steepest.solvers.working_set_problem.WorkingSetProblem`; its index counts epochs, as many updates as
    there are coordinates. The single update is derived at :func:`epoch`, the intercept at
    :class:`~steepest.solvers.design.Design`, the gap at :func:`~steepest.solvers.duality.duality_gap`.
    """

    def __init__(
        self,
        objective: CoordinateWise,
        theta: Array | None = None,
        *,
        tolerance: float = 0.0,
        max_epochs: int = 1000,
        orders: Orders = cyclic,
        watch: bool = False,
        problems: list[Problem] | None = None,
    ) -> None:
        self.objective, self.tolerance, self.max_epochs, self.watch = objective, tolerance, max_epochs, watch
        self.orders = orders
        if problems is None:
            if theta is None:
                raise InvalidInputError("theta: must be given, or the prepared problems")
            problems = prepare(objective, theta)
        self.problems = problems

    @property
    def epochs(self) -> list[int]:
        """Epochs of each output."""
        return [problem.epochs for problem in self.problems]

    @property
    def gaps(self) -> Array:
        """Duality gap of each output."""
        return np.array([problem.gap for problem in self.problems])

    def steps(self) -> Generator[Step, None, Reason | None]:
        """Yield the start and a step a round."""
        penalty = self.objective.penalty
        strengths = np.full(len(self.problems), penalty.l2)
        for problem, l2 in zip(self.problems, strengths, strict=True):
            problem.begin(Strength(float(penalty.l1), float(l2), penalty.positive))
        step = self._step(None)
        yield step
        while open_problems := self._open():
            before = [(p.gap, p.size) for p in open_problems]
            for problem in open_problems:
                left = self.max_epochs - problem.epochs
                if left > 0:
                    problem.advance(self._reached * problem.squared_target, 1 if self.watch else left, self.orders)
            step = self._step(step)
            yield step
            after = [(p.gap, p.size) for p in open_problems]
            if before == after and all(p.epochs for p in open_problems):
                spent = any(p.epochs >= self.max_epochs for p in open_problems)
                return Reason.MAX_ITER if spent else Reason.ROUNDING
        within = all(p.gap <= self.tolerance * p.squared_target for p in self.problems)
        return Reason.DUALITY_GAP if within else Reason.ROUNDING

    @property
    def _reached(self) -> float:
        """The gap, relative to the squared target, at which an output is done."""
        return max(self.tolerance, ROUNDING)

    def _open(self) -> list[Problem]:
        """Return the outputs that are not yet done."""
        return [p for p in self.problems if not p.gap <= self._reached * p.squared_target]

    def _step(self, previous: Step | None) -> Step:
        """Return the present state; of several outputs, the one that is furthest behind counts the epochs."""
        W = np.stack([p.w for p in self.problems], axis=-1)
        intercepts = np.array([p.intercept for p in self.problems])
        if self.objective.y.ndim == 1:
            W, intercepts = W[:, 0], intercepts[0]
        theta = self.objective.pack(W, intercepts)
        way = np.nan if previous is None else float(np.linalg.norm(theta - previous.theta))
        value, gap = sum(p.value for p in self.problems), float(self.gaps.sum())
        behind = min((p.epochs for p in self._open()), default=max(self.epochs))
        return Step(behind, theta, value, step_norm=way, duality_gap=gap)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is looked for by the caller: `Problem.finite`
def prepare(
    objective: CoordinateWise, theta: Array, gram: bool | Array | None = None, *, once: bool = False
) -> list[Problem]:
    """Return one problem an output, all sharing the data.

    Parameters
    ----------
    objective : CoordinateWise
        What to minimise.
    theta : array (n_parameters,)
        The start.
    gram : bool, array (n_features, n_features) or None
        Whether to work on the Gram matrix of all columns; that matrix itself (of the weighted and centred columns, in
        the objective's scale); None to decide by shape: tall data with few columns, where one pass is all it takes.
    once : bool, default False
        Whether only one penalty is to be solved for: then a matrix in single precision, corrected by a pass over the
        data at the solution, is the faster way on large data.
    """
    X, reduction, centre = objective.X, objective.reduction, objective.fit_intercept
    n, d = X.shape
    W, Y = objective.coefficients(theta).reshape(d, -1).T, objective.y.reshape(n, -1)
    dense = not issparse(X)
    if gram is None:
        gram = n >= 2 * d and d <= TALL_COLUMNS
    if gram is True and dense:
        refined = refined_problems(X, Y, W, reduction, centre) if once else None
        if refined is not None:
            return list[Problem](refined)
        whole = moments(X, Y, reduction.weights, centre=centre)
        return [GramProblem.of_moments(whole, k, n, reduction.factor, w) for k, w in enumerate(W)]
    design = Design(X, reduction, centre)
    if isinstance(gram, np.ndarray):
        return [GramProblem.of_design(design, gram, y, w) for y, w in zip(Y.T, W, strict=True)]
    working_set = WorkingSet(design)
    problems: list[Problem] = [WorkingSetProblem(design, working_set, y, w) for y, w in zip(Y.T, W, strict=True)]
    return problems


def coordinate_descent(objective: CoordinateWise, theta: Array, **options: Any) -> Generator[Step, None, Reason | None]:
    """Return the steps of :class:`CoordinateDescent`."""
    return CoordinateDescent(objective, theta, **options).steps()
