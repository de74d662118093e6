"""Coordinate descent on a working set, by Gram matrix or by residual, with its accelerations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.kernels.coordinate_descent import (
    BETWEEN,
    LOOK,
    POLISH,
    ROUNDS,
    epoch_on_columns,
    epoch_on_sparse_columns,
    on_gram,
)
from steepest.solvers.anderson import Anderson
from steepest.solvers.duality import duality_gap, primal_value
from steepest.solvers.support_newton import quadratic_value
from steepest.solvers.working_set import WorkingSet
from steepest.typing import Array, IntArray

ROUNDING = 16 * float(np.finfo(np.float64).eps)  # of |y|^2, the size of what the objective is summed from
FIRST_CHUNK = 3  # epochs on all columns before the first acceleration
STUBBORN = 100  # epochs after which Newton's steps are tried on supports with dependent columns too
VANISHING = 2.0**-1000  # squares below have lost digits
DRAWN = 16  # random orders of coordinates drawn at a time, which epochs then take in turns

_NOTHING, _NO_ORDER = np.empty(0), np.empty((0, 0), dtype=np.intp)  # for arguments that a task has no use for

Orders = Callable[[int, int], IntArray]


def cyclic(n_epochs: int, n_coordinates: int) -> IntArray:
    """Return the order 0, 1, 2, ... of coordinates, (1, n_coordinates), for every epoch."""
    return np.arange(n_coordinates)[None]


def shuffled(generator: np.random.Generator) -> Orders:
    """Return a rule that gives every epoch its own random order."""
    return lambda n_epochs, n: np.array([generator.permutation(n) for _ in range(n_epochs)])


@dataclass(frozen=True)
class Strength:
    """The penalty ``l1 |w|_1 + l2 |w|^2 / 2``, with or without ``w >= 0``."""

    l1: float
    l2: float
    positive: bool = False

    def refuse_vanishing(self, correlations: Array, squared_norms: Array, squared_target: float) -> None:
        """Refuse columns that would get a coefficient where their squares, or those of the target, vanish."""
        wanted = np.abs(correlations) > self.l1
        vanishing = wanted & (squared_norms < VANISHING)
        if self.l2 == 0.0 and vanishing.any():
            j = int(np.argmax(vanishing))
            raise InvalidInputError(f"column {j} of X holds numbers so small that their squares vanish: scale X up")
        if squared_target < VANISHING and wanted.any():
            raise InvalidInputError("y varies so little that its squares vanish: scale y up, and alpha alike")


def look(gram: Array, c: Array, squared_y: float, strength: Strength, w: Array, mass: float) -> tuple[float, float]:
    """Return the objective and the duality gap at ``w``."""
    l1, l2, seen = strength.l1, strength.l2, np.empty(2)
    on_gram(LOOK, gram, c, squared_y, l1, l2, strength.positive, 0.0, 0, mass, 0, 0, w, w, _NO_ORDER, seen)
    value, gap = seen.tolist()
    return value, gap


def solve_on_gram(
    gram: Array,
    c: Array,
    squared_y: float,
    strength: Strength,
    w: Array,
    *,
    tolerance: float,
    max_epochs: int,
    orders: Orders = cyclic,
    mass: float = 1.0,
    rank: int | None = None,
) -> tuple[int, float]:
    r"""Lower the duality gap on a Gram matrix to ``tolerance``; return the epochs done and the gap.

    ``w`` is the start and is changed in place. Epochs on all columns alternate with cheaper ones on the support, and
    these with Newton's step there, whose factorisation costs about as much as the epochs between two of them. Where
    that does not help, Anderson extrapolation does its part, and Newton pauses, each time for twice as long.
    """
    k = len(w)
    l1, l2, positive = strength.l1, strength.l2, strength.positive
    correlation, seen = c - gram @ w if w.any() else c.copy(), np.empty(2)
    anderson, chunk, done, newton_at, pause = Anderson(), FIRST_CHUNK, 0, 0, FIRST_CHUNK
    while True:
        widest = (int(1.1 * (rank or k)) + 10 if done < STUBBORN else k) if done >= newton_at else -1
        done += on_gram(
            ROUNDS, gram, c, squared_y, l1, l2, positive, tolerance, max_epochs - done, mass, widest, chunk, w,
            correlation, orders(DRAWN, k), seen,
        )  # fmt: skip
        if seen[0] <= tolerance or done >= max_epochs:
            return int(done), float(seen[0])
        chunk = BETWEEN
        if seen[1] > 0:
            anderson.clear()
        if widest >= 0:
            pause = 2 * pause if seen[1] == 0 else FIRST_CHUNK
            newton_at = done + pause
        anderson.push(w, correlation)
        if anderson.ready:
            guess = anderson.extrapolate()
            anderson.clear()
            if guess is not None:
                _take_if_better(c, strength, w, correlation, *guess)


def _take_if_better(
    c: Array, strength: Strength, w: Array, correlation: Array, new: Array, new_correlation: Array
) -> None:
    """Go to another point, in place, if it is allowed and better."""
    if strength.positive and np.any(new < 0):
        return
    l1, l2 = strength.l1, strength.l2
    if quadratic_value(c, new_correlation, new, l1, l2) < quadratic_value(c, correlation, w, l1, l2):
        w[:], correlation[:] = new, new_correlation


def polish(gram: Array, c: Array, squared_y: float, strength: Strength, w: Array, tolerance: float) -> None:
    r"""Make the coefficients exact, in place, once the gap is at most ``tolerance``.

    The gap bounds the error of the coefficients only by its square root. Once it is small, support and signs are
    mostly right, and Newton's step on the support is exact up to rounding.
    """
    l1, l2 = strength.l1, strength.l2
    if l1 + l2 > 0.0:
        on_gram(
            POLISH, gram, c, squared_y, l1, l2, strength.positive, tolerance, 0, 1.0, 0, 0, w, c - gram @ w,
            cyclic(1, len(w)), _NOTHING,
        )  # fmt: skip


def solve_on_columns(
    working_set: WorkingSet,
    target: Array,
    strength: Strength,
    w: Array,
    *,
    tolerance: float,
    max_epochs: int,
    orders: Orders = cyclic,
    check_every: int = 10,
) -> tuple[int, float]:
    """Do the same by keeping the residual, for working sets too large for a Gram matrix."""
    l1, l2, positive = strength.l1, strength.l2, strength.positive
    norms = working_set.design.squared_norms[working_set.columns]
    residual = target - working_set.product(w)
    anderson = Anderson()
    for done in range(1, max_epochs + 1):
        _epoch(working_set, norms, residual, w, strength, orders(1, len(w))[0])
        anderson.push(w, residual)
        if anderson.ready:
            guess = anderson.extrapolate()
            anderson.clear()
            if guess is not None and not (positive and np.any(guess[0] < 0)):
                value = primal_value(float(guess[1] @ guess[1]), guess[0], l1, l2)
                if value < primal_value(float(residual @ residual), w, l1, l2):
                    w[:], residual[:] = guess
        if done % check_every == 0 or done == max_epochs:
            r_r, r_y = float(residual @ residual), float(residual @ target)
            mass = working_set.design.n_samples
            gap = duality_gap(working_set.correlate(residual), w, r_r, r_y, l1, l2, positive, mass)
            if gap <= tolerance:
                break
    return done, gap


def _epoch(
    working_set: WorkingSet, norms: Array, residual: Array, w: Array, strength: Strength, order: IntArray
) -> None:
    l1, l2, positive = strength.l1, strength.l2, strength.positive
    design = working_set.design
    if not design.is_sparse:
        epoch_on_columns(working_set.rows, norms, residual, w, l1, l2, positive, order)
        return
    Z, offsets = working_set.sparse_columns, design.means[working_set.columns]
    residual += design.root * epoch_on_sparse_columns(
        Z.data, Z.indices, Z.indptr, offsets, design.mass, norms, residual, w, l1, l2, positive, order
    )
