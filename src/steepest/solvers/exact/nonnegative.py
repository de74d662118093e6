r"""Least squares with coefficients that must not be negative, by active sets.

Minimise ``phi(w) = w^T G w / 2 - c^T w`` over ``w >= 0``, with ``G = Xc^T S Xc + ridge I`` and ``c = Xc^T S y``. With
the residual ``g = c - G w`` (minus the gradient), w is optimal exactly if (Karush, Kuhn and Tucker)::

    g_j  = 0  where w_j > 0        free coefficients are at their minimum
    g_j <= 0  where w_j = 0        increasing a coefficient at its bound would not help

The method of Lawson and Hanson (1974, chapter 23), on the Gram matrix as by Bro and de Jong (1997): free the
coefficient with the largest g_j, solve for the free ones; where that would make some negative, go
only as far as the first becomes zero, bind it, and solve again. Each set of free coefficients occurs at most once, as
phi falls: it ends.
"""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.primal import NormalEquations, without_constant_columns
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array


def solve_nonnegative(problem: LeastSquares, equations: NormalEquations, data: CentredData) -> Solution:
    """Return the solution under ``W >= 0``, target by target."""
    without_constant_columns(problem, equations)
    W: Array = np.zeros(equations.cross.shape)
    for k in range(len(problem.ridge)):
        G = equations.gram.copy()
        G[np.diag_indices_from(G)] += problem.ridge[k]
        W[:, k] = _active_set(G, equations.cross[:, k])
    _, products, squares = data.residual_products(problem.centred_target()[0], W)
    gradient = products - problem.ridge * W
    gradient = np.where(W > 0, gradient, np.maximum(gradient, 0.0))
    start = problem.start(equations.cross, equations.x_mean, equations.y_mean, float(equations.y_square.sum()))
    intercept = equations.y_mean - equations.x_mean @ W
    return Solution(W, intercept, squares, gradient, *start, method="active sets on the Gram matrix")


def _active_set(G: Array, c: Array) -> Array:
    """Return the minimiser of ``w^T G w / 2 - c^T w`` over ``w >= 0``."""
    d = len(c)
    w: Array = np.zeros(d)
    free = np.zeros(d, dtype=bool)
    scale = np.sqrt(np.maximum(np.diagonal(G), np.finfo(np.float64).tiny))
    tolerance = 1e-13 * float(np.max(np.abs(c) / scale, initial=0.0)) * max(d, 10)
    barred = np.diagonal(G) <= 0  # a column that does not vary explains nothing
    for _ in range(30 * max(d, 1)):
        gain = np.where(free | barred, -np.inf, (c - G @ w) / scale)
        best = int(np.argmax(gain)) if d else 0
        if d == 0 or gain[best] <= tolerance:
            break
        free[best] = True
        before = w
        w = _solve_free(G, c, w, free)
        if not free[best] and np.array_equal(w, before):  # freed and bound again by rounding: it cannot help
            barred[best] = True
    return w


def _solve_free(G: Array, c: Array, w: Array, free: NDArray[np.bool_]) -> Array:
    """Move w to the minimum over the free coefficients, binding (in place) those that reach zero on the way."""
    while free.any():
        target = np.zeros_like(w)
        target[free] = _solved(G[np.ix_(free, free)], c[free])
        falling = free & (target <= 0)
        if not falling.any():
            return target
        shares = w[falling] / np.maximum(w[falling] - target[falling], np.finfo(np.float64).tiny)
        share = float(shares.min())
        w = w + share * (target - w)
        bound = np.flatnonzero(falling)[shares <= share]
        w[bound] = 0.0
        free[bound] = False
    return np.zeros_like(w)


def _solved(G: Array, c: Array) -> Array:
    """Solve with a symmetric positive matrix, with one refinement; by least squares if it is singular."""
    try:
        factor = scipy.linalg.cho_factor(G, lower=True, check_finite=False)
    except scipy.linalg.LinAlgError:
        return np.asarray(scipy.linalg.lstsq(G, c, check_finite=False)[0])
    w = scipy.linalg.cho_solve(factor, c, check_finite=False)
    return np.asarray(w + scipy.linalg.cho_solve(factor, c - G @ w, check_finite=False))
