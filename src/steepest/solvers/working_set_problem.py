"""One target on a design, solved on working sets that grow until no column is missing."""

import numpy as np

from steepest.kernels.blas import one_blas_thread
from steepest.kernels.screening import bound_and_screen, doubtful
from steepest.solvers.design import Design
from steepest.solvers.subproblem import ROUNDING, Orders, Strength, polish, solve_on_columns, solve_on_gram
from steepest.solvers.working_set import WorkingSet
from steepest.typing import Array, IntArray

FIRST_COLUMNS = 64  # how many columns the working set begins with
GROWTH = 0.3  # how many may join a round, relative to the support
INNER_TOLERANCE = 0.2  # how far a round lowers the gap on the working set, relative to the whole gap


class WorkingSetProblem:
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
        self.w: Array = w.astype(np.float64)
        self.residual, self._evaluated = self.target, np.zeros(design.n_features)
        self._norms: Array = np.sqrt(design.squared_norms)
        self._known, self._moved, self._known_at = self.c.copy(), 0.0, np.zeros(design.n_features)

    def begin(self, strength: Strength) -> None:
        """Take up a penalty, starting from the present coefficients."""
        self.strength = strength
        self.epochs, self.gap, self.value = 0, np.inf, np.inf
        strength.refuse_vanishing(self.c, self.design.squared_norms, self.squared_target)
        self.candidates: IntArray = np.flatnonzero(self._norms > 0)
        if strength.positive:
            np.maximum(self.w, 0.0, out=self.w)
        self.w[self._norms == 0] = 0.0
        self.working_set.add(np.flatnonzero(self.w))
        if strength.l1 == 0.0:
            self.working_set.add(self.candidates)
        with one_blas_thread():
            if np.array_equal(self.w, self._evaluated):
                self._look()
            else:
                self._evaluate()

    # ------------------------------------------------------------------ the gap

    def _evaluate(self) -> None:
        """Compute residual, objective and gap anew at ``w``."""
        columns = self.working_set.columns
        inside = self.w[columns]
        residual = self.target - self.working_set.product(inside) if len(columns) else self.target
        self._moved += float(np.linalg.norm(residual - self.residual))
        self.residual, self._evaluated = residual, self.w.copy()
        if len(columns):
            self._know(columns, self.working_set.correlate(residual))
        self._look()

    def _look(self) -> None:
        """Learn the correlations that matter; bound the gap, and rule columns out by it."""
        l1, l2, positive = self.strength.l1, self.strength.l2, self.strength.positive
        if l1 > 0.0:
            missing = doubtful(self._known, self._known_at, self._moved, self._norms, self.candidates, l1, positive)
            if len(missing):
                self._know(missing, self.design.correlate(self.residual, missing))
        r_r, r_y = float(self.residual @ self.residual), float(self.residual @ self.target)
        seen = np.empty(2)  # and no tuple returned: an interrupt while numba packs one would end in a SystemError
        self.candidates = bound_and_screen(
            self._known, self._known_at, self._moved, self._norms, self.w, self.candidates, r_r, r_y, l1, l2, positive,
            self.design.n_samples, seen,
        )  # fmt: skip
        self.value, self.gap = seen.tolist()

    def _know(self, columns: IntArray, correlations: Array) -> None:
        self._known[columns] = correlations
        self._known_at[columns] = self._moved

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
        with one_blas_thread():  # its products are small, or run in our threads
            self._advance(tolerance, max_epochs, orders)
            self._evaluate()
            if self.gap <= tolerance:
                self._polish(tolerance)

    def _polish(self, tolerance: float) -> None:
        """Make the coefficients exact where the support is right."""
        gram, columns = self.working_set.gram, self.working_set.columns
        if self.gap <= 1e-6 * tolerance:
            return
        if gram is None or np.count_nonzero(self.w[columns]) > 1.1 * self.rank + 10:
            return
        inside = self.w[columns]
        polish(gram, self.c[columns], self.squared_target, self.strength, inside, tolerance)
        self.w[columns] = inside
        self._evaluate()

    def _advance(self, tolerance: float, max_epochs: int, orders: Orders) -> None:
        support = int(np.count_nonzero(self.w))
        self.working_set.add(self.violators(max(FIRST_COLUMNS, int(GROWTH * support))))
        columns = self.working_set.columns
        inside = self.w[columns]
        inner = max(0.3 * tolerance, INNER_TOLERANCE * self.gap, 0.3 * ROUNDING * self.squared_target)
        gram = self.working_set.gram
        if gram is not None:
            epochs, _ = solve_on_gram(
                gram, self.c[columns], self.squared_target, self.strength, inside,
                tolerance=inner, max_epochs=max_epochs, orders=orders, mass=float(self.design.n_samples),
                rank=self.rank,
            )  # fmt: skip
        else:
            epochs, _ = solve_on_columns(
                self.working_set, self.target, self.strength, inside,
                tolerance=inner, max_epochs=max_epochs, orders=orders,
            )  # fmt: skip
        self.w[columns] = inside
        self.epochs += epochs

    @property
    def finite(self) -> bool:
        """Whether the sums over the data are."""
        return bool(np.isfinite(self._norms).all() and np.isfinite(self.c).all() and np.isfinite(self.squared_target))

    @property
    def size(self) -> int:
        """How many columns the working set has."""
        return len(self.working_set)

    @property
    def rank(self) -> int:
        """The most columns that can be independent, with the penalty's help."""
        return (
            self.design.n_features
            if self.strength.l2 > 0
            else int(np.count_nonzero(self.design.root)) - self.design.centre
        )

    @property
    def intercept(self) -> float:
        """The best intercept at ``w``."""
        used = np.flatnonzero(self.w)
        return self.mean - float(self.design.means[used] @ self.w[used])
