"""A path of penalties, each solved from the solution before."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steepest.kernels.blas import one_blas_thread
from steepest.kernels.coordinate_descent import path_on_gram
from steepest.solvers.coordinate_descent import Problem
from steepest.solvers.gram_problem import GramProblem
from steepest.solvers.subproblem import ROUNDING, Orders, Strength, cyclic
from steepest.typing import Array, IntArray

QUICK = 10  # epochs a penalty may have before it is taken out of the compiled run


@dataclass
class Path:
    """Solutions along a path.

    Attributes
    ----------
    coefficients : array (n_penalties, n_features)
        In double precision; (n_penalties, n_targets, n_features) for several targets that are coupled.
    intercepts, gaps : array (n_penalties,)
        Intercepts and duality gaps.
    epochs : int array (n_penalties,)
        Epochs of each.
    """

    coefficients: Array
    intercepts: Array
    gaps: Array
    epochs: IntArray


def follow_path(
    problem: Problem,
    strengths: Sequence[Strength],
    *,
    tolerance: float,
    max_epochs: int,
    orders: Orders = cyclic,
) -> Path:
    """Solve for one penalty after the other, strongest first, to gaps of ``tolerance`` times ``|y|^2``.

    Notes
    -----
    Neighbouring solutions are close, so that each start is good (*warm start*), and working set, Gram matrix and the
    bounds on correlations are used on. On a Gram matrix of all columns the whole path runs compiled, with a return
    to :meth:`Problem.advance` only for a penalty that plain epochs do not settle quickly.
    """
    with one_blas_thread():  # once for the whole path: problems ask for it at every step
        return _follow(problem, strengths, tolerance, max_epochs, orders)


def _follow(problem: Problem, strengths: Sequence[Strength], tolerance: float, max_epochs: int, orders: Orders) -> Path:
    n, d = len(strengths), len(problem.w)
    path = Path(np.zeros((n, d)), np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64))
    goal, i = max(tolerance, ROUNDING) * problem.squared_target, 0
    while i < n:
        if isinstance(problem, GramProblem) and max_epochs >= QUICK:
            i = _run_compiled(problem, strengths, goal, orders, path, i)
            if i == n:
                break
        problem.begin(strengths[i])
        before = (np.inf, -1)
        while not problem.gap <= goal and problem.epochs < max_epochs and before != (problem.gap, problem.size):
            before = (problem.gap, problem.size)
            problem.advance(goal, max_epochs - problem.epochs, orders)
        path.coefficients[i], path.gaps[i] = problem.w, problem.gap
        path.epochs[i] += problem.epochs
        i += 1
    for i, w in enumerate(path.coefficients):
        problem.w = w
        path.intercepts[i] = problem.intercept
    return path


def _run_compiled(
    problem: GramProblem, strengths: Sequence[Strength], goal: float, orders: Orders, path: Path, first: int
) -> int:
    """Go on from penalty ``first`` as far as a few epochs each suffice; return the first that needs more."""
    penalties = np.array([[strength.l1, strength.l2] for strength in strengths[first:]])
    d = len(problem.w)
    if strengths[first].positive:
        np.maximum(problem.w, 0.0, out=problem.w)
    correlation = problem.c - problem.gram @ problem.w
    return first + int(
        path_on_gram(
            problem.gram, problem.c, problem.squared_target, penalties, strengths[first].positive, goal,
            problem.n_samples, problem.w, correlation, orders(QUICK, d), QUICK, True,
            path.coefficients[first:], path.gaps[first:], path.epochs[first:],
        )
    )  # fmt: skip
