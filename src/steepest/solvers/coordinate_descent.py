"""Coordinate descent for least squares with an L1, elastic-net or squared L2 penalty."""

from collections.abc import Generator
from typing import Any, Protocol

import numpy as np

from steepest.solvers.design import Design, Reduction
from steepest.solvers.duality import duality_gap, primal_value, shrunk_dual
from steepest.solvers.screening import gap_safe
from steepest.solvers.stopping import Reason
from steepest.solvers.subproblem import Orders, Strength, cyclic, shuffled, solve_on_columns, solve_on_gram
from steepest.solvers.working_set import WorkingSet
from steepest.step import Step
from steepest.typing import Array, IntArray

FIRST_COLUMNS = 64  # how many columns the working set begins with


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


class OutputProblem:
    r"""One target on a design: a lasso that is solved on growing working sets.

    Attributes
    ----------
    w : array (n_features,)
        The coefficients, in double precision.
    mean : float
        Weighted mean of the target.
    value, gap : float
        Objective and duality gap at ``w``.
    epochs : int
        Epochs done for the present penalty.

    Notes
    -----
    Most coefficients of a lasso are zero. A column outside the working set may stay at zero as long as
    ``|z_j.r| <= l1``; those that violate this are the candidates to join, the strongest (for its norm) first. Solving
    on the working set and letting violators join ends at the solution of the whole problem, as each round either finds
    a violator or has proved that there is none.

    Looking for violators takes correlations of all columns with the residual, a pass over X. Two bounds spare most
    of it, without any approximation:

    * gap-safe screening rules columns out for good (:mod:`~steepest.solvers.screening`);
    * when the residual has moved by at most D since z_j.r was last computed, Cauchy-Schwarz bounds the change by
      ``|z_j| D``. Where ``|z_j.r_old| + |z_j| D < l1`` the column can neither be a violator nor limit the dual point,
      so it is passed over.

    Sources: T. Johnson, C. Guestrin, Blitz, ICML 2015; M. Massias, A. Gramfort, J. Salmon, Celer: a fast solver for
    the lasso with dual extrapolation, ICML 2018 (working sets ranked by distance to the constraint).
    """

    def __init__(self, design: Design, working_set: WorkingSet, y: Array, w: Array) -> None:
        self.design, self.working_set = design, working_set
        self.target, self.mean = design.target(y)
        self.squared_target = float(self.target @ self.target)
        self.c = design.first_correlations(self.target)
        self.w = w.astype(np.float64)
        self.residual = self.target
        self._norms: Array = np.sqrt(design.squared_norms)
        self._known, self._moved, self._known_at = self.c.copy(), 0.0, np.zeros(design.n_features)

    def begin(self, strength: Strength) -> None:
        """Take up a penalty, starting from the present coefficients."""
        self.strength = strength
        self.epochs, self.gap, self.value = 0, np.inf, np.inf
        self.candidates: IntArray = np.flatnonzero(self._norms > 0)
        if strength.positive:
            np.maximum(self.w, 0.0, out=self.w)
        self.w[self._norms == 0] = 0.0
        self.working_set.add(np.flatnonzero(self.w))
        if strength.l1 == 0.0:
            self.working_set.add(self.candidates)
        self._evaluate()

    # ------------------------------------------------------------------ the gap

    def _evaluate(self) -> None:
        """Compute residual, objective and gap anew at ``w``; rule columns out; find the violators."""
        columns, strength = self.working_set.columns, self.strength
        inside = self.w[columns]
        residual = self.target - self.working_set.product(inside) if len(columns) else self.target
        self._moved += float(np.linalg.norm(residual - self.residual))
        self.residual = residual
        if len(columns):
            self._know(columns, self.working_set.correlate(residual))
        if strength.l1 > 0.0:
            reach = self._reach()
            doubtful = self.candidates[
                (reach >= strength.l1 * (1 - 1e-12)) & (self._known_at[self.candidates] < self._moved)
            ]
            if len(doubtful):
                self._know(doubtful, self.design.correlate(residual, doubtful))
        self._bound()

    def _know(self, columns: IntArray, correlations: Array) -> None:
        self._known[columns] = correlations
        self._known_at[columns] = self._moved

    def _reach(self) -> Array:
        """Return how large ``|z_j.r|`` (or ``z_j.r``) of the candidates can be."""
        known = self._known[self.candidates]
        drift = self._norms[self.candidates] * (self._moved - self._known_at[self.candidates])
        return (known if self.strength.positive else np.abs(known)) + drift

    def _bound(self) -> None:
        l1, l2, positive = self.strength.l1, self.strength.l2, self.strength.positive
        r_r, r_y = float(self.residual @ self.residual), float(self.residual @ self.target)
        self.value = primal_value(r_r, self.w, l1, l2)
        exact = self._known_at >= self._moved
        exact[self._norms == 0] = False
        v, w = self._known[exact], self.w[exact]
        self.gap = duality_gap(v, w, r_r, r_y, l1, l2, positive, self.design.n_samples)
        if l1 == 0.0 or len(self.candidates) == 0:
            return
        dual = shrunk_dual(v, w, r_r, r_y, l1, l2, positive)
        shifted = np.abs(self._known[self.candidates] - l2 * self.w[self.candidates])
        if positive:
            shifted = self._known[self.candidates] - l2 * self.w[self.candidates]
        drift = self._norms[self.candidates] * (self._moved - self._known_at[self.candidates])
        self.candidates = gap_safe(
            self.candidates,
            dual.shrink * (shifted + drift),
            self.design.squared_norms[self.candidates],
            max(self.value - dual.value, 0.0),
            l1,
            l2,
            positive,
        )

    # ------------------------------------------------------------------ progress

    def violators(self, at_most: int) -> IntArray:
        """Return the columns outside the working set that break their condition, the strongest first."""
        free = self.candidates[~self.working_set.member[self.candidates]]
        known = self._known[free] if self.strength.positive else np.abs(self._known[free])
        excess = (known - self.strength.l1) / self._norms[free]
        free, excess = free[excess > 0], excess[excess > 0]
        if len(free) > at_most:
            free = free[np.argpartition(-excess, at_most)[:at_most]]
        return np.sort(free)

    def advance(self, tolerance: float, max_epochs: int, orders: Orders) -> None:
        """Let violators join, solve on the working set, and look at the whole problem again."""
        support = int(np.count_nonzero(self.w))
        self.working_set.add(self.violators(max(FIRST_COLUMNS, 2 * support)))
        columns = self.working_set.columns
        inside = self.w[columns]
        inner = max(0.3 * tolerance, 0.01 * self.gap)
        budget = {"tolerance": inner, "max_epochs": max_epochs, "orders": orders}
        gram = self.working_set.gram
        if gram is not None:
            epochs, _ = solve_on_gram(
                gram, self.c[columns], self.squared_target, self.strength, inside,
                mass=self.design.n_samples, **budget,
            )  # fmt: skip
        else:
            epochs, _ = solve_on_columns(self.working_set, self.target, self.strength, inside, **budget)
        self.w[columns] = inside
        self.epochs += epochs
        self._evaluate()

    @property
    def intercept(self) -> float:
        """The best intercept at ``w``."""
        return self.mean - float(self.design.means @ self.w)


class CoordinateDescent:
    r"""Coordinate descent on ``r sum_i s_i (y_i - x_i.w - b)^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2``.

    Parameters
    ----------
    objective : CoordinateWise
        What to minimise.
    theta : array (n_parameters,)
        The start.
    tolerance : float, default 0.0
        The duality gap to reach, relative to ``r sum_i s_i (y_i - mean)^2``; the run ends once every output has it.
    max_epochs : int, default 1000
        Epochs an output may have.
    selection : {"cyclic", "random"}, default "cyclic"
        The order of coordinates within an epoch.
    random_state : numpy.random.Generator, optional
        Source of random orders.
    watch : bool, default False
        Yield after every epoch.
    problems : list of OutputProblem, optional
        Prepared problems, one an output, whose working set is to be used on.

    Attributes
    ----------
    epochs : list of int
        Epochs of each output.
    gaps : array (n_outputs,)
        Duality gap of each output.

    Notes
    -----
    A step is a round of the working-set method, described at :class:`OutputProblem`; its index counts epochs, that is,
    updates of every coordinate in the working set. The single update is derived at :func:`epoch`, the intercept
    at :class:`~steepest.solvers.design.Design`, the gap at :func:`~steepest.solvers.duality.duality_gap`.
    """

    def __init__(
        self,
        objective: CoordinateWise,
        theta: Array,
        *,
        tolerance: float = 0.0,
        max_epochs: int = 1000,
        selection: str = "cyclic",
        random_state: np.random.Generator | None = None,
        watch: bool = False,
        problems: list[OutputProblem] | None = None,
    ) -> None:
        self.objective, self.tolerance, self.max_epochs, self.watch = objective, tolerance, max_epochs, watch
        random = selection == "random"
        self.orders = shuffled(random_state or np.random.default_rng()) if random else cyclic
        self.problems = prepare(objective, theta) if problems is None else problems

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
        strengths = np.broadcast_to(penalty.l2, len(self.problems))
        for problem, l2 in zip(self.problems, strengths, strict=True):
            problem.begin(Strength(float(penalty.l1), float(l2), penalty.positive))
        step = self._step(None)
        yield step
        while True:
            open_problems = [p for p in self.problems if p.gap > self.tolerance * p.squared_target]
            if not open_problems:
                return Reason.DUALITY_GAP
            before = [(p.gap, len(p.working_set)) for p in open_problems]
            for problem in open_problems:
                left = self.max_epochs - problem.epochs
                if left > 0:
                    goal = self.tolerance * problem.squared_target
                    problem.advance(goal, 1 if self.watch else left, self.orders)
            step = self._step(step)
            yield step
            after = [(p.gap, len(p.working_set)) for p in open_problems]
            if before == after and all(p.epochs for p in open_problems):
                return Reason.ROUNDING

    def _step(self, previous: Step | None) -> Step:
        W = np.stack([p.w for p in self.problems], axis=-1)
        intercepts = np.array([p.intercept for p in self.problems])
        if self.objective.y.ndim == 1:
            W, intercepts = W[:, 0], intercepts[0]
        theta = self.objective.pack(W, intercepts)
        way = np.nan if previous is None else float(np.linalg.norm(theta - previous.theta))
        value, gap = sum(p.value for p in self.problems), float(self.gaps.sum())
        return Step(max(self.epochs), theta, value, step_norm=way, duality_gap=gap)


def prepare(objective: CoordinateWise, theta: Array) -> list[OutputProblem]:
    """Return one problem an output, all on one design and one working set."""
    design = Design(objective.X, objective.reduction, objective.fit_intercept)
    working_set = WorkingSet(design)
    W = objective.coefficients(theta).reshape(design.n_features, -1)
    Y = objective.y.reshape(len(objective.y), -1)
    return [OutputProblem(design, working_set, y, w) for y, w in zip(Y.T, W.T, strict=True)]


def coordinate_descent(objective: CoordinateWise, theta: Array, **options: Any) -> Generator[Step, None, Reason | None]:
    """Return the steps of :class:`CoordinateDescent`."""
    return CoordinateDescent(objective, theta, **options).steps()
