r"""The normal equations with a rough matrix, corrected by passes over the data: for tall data of many columns.

The Gram matrix ``A = Xc^T S Xc + ridge I`` takes ``n d^2`` operations, most of the time of a fit. A matrix M of numbers
rounded to bfloat16 (:mod:`steepest.kernels.bfloat16`) takes half of it, and what it is off by, a pass over the data
finds: with ``G = Xc^T S Yc - A W``, measured on the data,

    W <- W + M^-1 G        leaves of the error e of W:   e - M^-1 A e = M^-1 (M - A) e

which is some 1e-4 of it where columns are not nearly dependent. As many passes are made as digits are wanted: mostly
one for float32, three for float64.

Better corrections. Between two points the gradient changes by ``A D`` with D the step, so that after the passes both
are known for every step made. Before the next one, the combination ``W + sum_j c_j D_j`` that is best along all of
them is gone to, which takes no pass::

    D^T (G - A D c) = 0        W <- W + D c        G <- G - A D c

With M^-1 G added, each W minimises J over all combinations of the steps: these are conjugate gradients preconditioned
with M (:mod:`steepest.solvers.exact.conjugate_gradients`), whose gradient is measured anew in each iteration, and
whose last step needs no pass.

What tells in advance whether this pays is how much the inverse of M, scaled to a unit diagonal, stretches vectors:
errors of M come out so much larger. It is first computed for a part of the rows, whose products are needed anyway:
where the matrix of all rows would not do, no more than that part is lost.
"""

from functools import partial
from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.exact.data import DenseData
from steepest.solvers.exact.primal import NEGLIGIBLE, Factor, NormalEquations, means, rank_in_doubt
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array

if TYPE_CHECKING:
    from steepest.kernels.gram import Moments

FROM_ENTRIES = 4_000_000
UP_TO_COLUMNS = 1024  # beyond, a second factorisation takes what the products save
COLUMNS_A_PASS = 80
"""With so many columns, the products of float32 data take longer than those of rounded ones by one pass over X."""
MARGIN = 1.0  # passes, for what else the rough matrix takes, and for a memory slower than usual
POWERS = 6  # iterations for an eigenvalue
SAFETY, MORE_SAFETY = 3.0, 10.0  # of an error that is expected to shrink as it did, and of a bound on a gradient
SLOW = 0.3  # a correction this large beside the one before: the matrix is not what was expected


def solve_roughly(problem: LeastSquares, rcond: float) -> Solution | None:
    """Return the solution, or None where the matrix had better be formed with more digits."""
    large = not problem.sparse and problem.n >= problem.d and problem.n * problem.d >= FROM_ENTRIES
    if not large or problem.Y.shape[1] != 1 or not COLUMNS_A_PASS < problem.d <= UP_TO_COLUMNS:
        return None
    from steepest.kernels import bfloat16  # brings numba: only when needed

    if not bfloat16.AVAILABLE or not _pays(problem, bfloat16.rounding(problem.n, problem.d)):
        return None
    rough = bfloat16.RoughMoments(problem.X, problem.Y, problem.weights, centre=problem.fit_intercept)
    if _factor(problem, rough.of_some(), rcond) is None:
        return None
    m = rough.of_all()
    factor = _factor(problem, m, rcond)
    return None if factor is None else _corrected(problem, m, factor)


def _pays(problem: LeastSquares, rounding: float, typical: float = 1.0, largest: float = 1.0) -> bool:
    """Whether the passes that are needed take less than a rough matrix saves.

    An error of the matrix by ``rounding`` comes out multiplied by ``typical`` at first, and by up to ``largest`` then,
    when what is left of W lies where the inverse is largest; on average it is half as large.
    float64 data would be multiplied in single precision otherwise, and the solution corrected by one pass.
    """
    saved = problem.d / COLUMNS_A_PASS
    saved = saved if problem.X.dtype == np.float32 else 0.5 * saved + 1.0
    first, rate = 0.5 * rounding * typical, 0.5 * rounding * largest
    if not rate < SLOW:
        return False
    passes = max(ceil(log(SAFETY * first / _wanted(problem)) / -log(rate)), 1)
    return bool(passes + MARGIN <= saved)


def _wanted(problem: LeastSquares) -> float:
    """Return the relative error of the coefficients at which to stop."""
    return max(NEGLIGIBLE, problem.eps)


def _factor(problem: LeastSquares, m: "Moments", rcond: float) -> Factor | None:
    """Return the factor of a rough matrix, of all rows or of some; None if so many passes would be needed as it saves.

    The matrix of some rows is off by more, but not what it is off by for all of them: that is in the inverse.
    """
    if not m.finite:  # also what overflows in single precision: other ways see to it
        return None
    ridge = float(problem.ridge[0])
    factor = Factor(m.gram, ridge * m.weight / problem.total)
    if not np.isfinite(factor.condition):
        return None
    equations = NormalEquations(m.gram, m.cross, m.y_square, m.x_mean, m.y_mean, m.rounding)
    if ridge == 0 and rank_in_doubt(equations, factor, rcond):
        return None
    return factor if _pays(problem, m.rounding, *_amplification(factor)) else None


def _amplification(factor: Factor) -> tuple[float, float]:
    """Return by how much the inverse of the scaled matrix stretches a random vector, and about how much at most.

    The latter is its largest eigenvalue, by power iteration.
    """
    v = np.random.default_rng(0).standard_normal((len(factor.scale), 1))
    stretched = []
    for _ in range(POWERS):
        v /= length(v)
        v = factor.scale[:, None] * factor.solve(factor.scale[:, None] * v)
        stretched.append(length(v))
    return stretched[0], stretched[-1]


def _corrected(problem: LeastSquares, m: "Moments", factor: Factor) -> Solution | None:
    """Return the solution, by corrections from W = 0 on; None if they shrink too slowly."""
    Y, y_mean = problem.centred_target()
    data = DenseData(problem.X, problem.weights, False, m.x_mean)
    ridge, scale = problem.ridge, factor.scale[:, None]
    W, G = np.zeros(m.cross.shape), m.cross
    steps, changes = np.empty((problem.d, 0)), np.empty((problem.d, 0))
    step = factor.solve(G)
    while True:
        W, before, previous = W + step, G, length(scale * step)
        R, products, squares = data.residual_products(Y, W)
        G = products - ridge * W
        steps, changes = np.hstack([steps, step]), np.hstack([changes, before - G])
        step = _step(steps, changes, G, factor)
        size = length(scale * step)
        if not size <= SLOW * previous:
            return None
        rate = size / previous if previous > 0 else 0.0
        if SAFETY * rate * size <= _wanted(problem) * length(scale * W):
            break
    off = length(G / scale) / previous if previous > 0 else 0.0  # what the matrix is off by along the step before
    squares = squares - np.sum(step * (G + ridge * (2.0 * W + step)), axis=0)
    W = W + step
    y_square = float(m.y_square.sum())
    return Solution(
        W,
        y_mean - m.x_mean @ W + means(problem, R),
        np.maximum(squares, 0.0),
        np.zeros(G.shape),
        *problem.start(m.cross, m.x_mean, y_mean, y_square),
        method="Cholesky factorisation of the Gram matrix in bfloat16, corrected on the data",
        rank=None if ridge.any() else problem.d,
        gram=partial(_gram, problem),
        rounding=MORE_SAFETY * off * size * float(factor.scale.max()),
    )


def _step(steps: Array, changes: Array, G: Array, factor: Factor) -> Array:
    """Return the next step: to the best combination of those made, and from there by the inverse of the rough matrix.

    The gradient has changed by ``changes`` with ``steps``, and is G now.
    """
    lengths = np.sqrt(np.maximum(np.einsum("ij,ij->j", steps, changes), np.finfo(float).tiny))
    D, AD = steps / lengths, changes / lengths
    c = np.linalg.lstsq(D.T @ AD, D.T @ G, rcond=None)[0]
    return np.asarray(D @ c + factor.solve(G - AD @ c))


def _gram(problem: LeastSquares) -> Array:
    """Return the Gram matrix to all digits, for who asks for singular values afterwards."""
    from steepest.kernels.gram import moments

    return moments(problem.X, problem.Y, problem.weights, centre=problem.fit_intercept, dtype=np.float64).gram
