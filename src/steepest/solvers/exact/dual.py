r"""The dual, for fewer samples than features: an n x n system instead of a d x d one.

With ``Z = S^1/2 Xc`` and ``B = S^1/2 Yc``, the normal equations ``(Z^T Z + ridge I) W = Z^T B`` say, for a positive
ridge, ``W = Z^T (B - Z W) / ridge``: W is a combination ``Z^T A`` of the rows. Putting that in and taking off ``Z^T``::

    (Z Z^T + ridge I) A = B,    W = Z^T A

As ridge goes to 0 this becomes the W of least norm among all that fit, being in the span of the rows.

With an intercept, ``Z^T u = 0`` for the unit vector u along ``S^1/2 1``: the means are out. Then ``K = Z Z^T`` is
singular along u, while B and A have no part along it; adding ``t u u^T`` closes the gap and changes nothing else.
"""

import numpy as np

from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.gather import refuse_infinite
from steepest.solvers.exact.primal import MOST, NEGLIGIBLE, Factor
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array, IntArray


def solve_dual(problem: LeastSquares, data: CentredData, rcond: float) -> Solution | None:
    """Return the solution by way of the n x n system, or None where singular values must decide."""
    Y, y_mean = problem.centred_target()
    with np.errstate(invalid="ignore", over="ignore"):
        K = data.outer_gram()
    refuse_infinite(problem, float(np.trace(K)) + float(Y.sum()))
    root = np.ones((problem.n, 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
    eps = problem.eps
    closed = K
    if problem.fit_intercept:
        closed = K + float(np.trace(K)) / problem.n / problem.total * (root @ root.T)
    factors: list[tuple[IntArray, Factor]] = []
    for ridge in np.unique(problem.ridge):
        factor = Factor(closed, float(ridge))
        if not factor.condition < min(MOST, 1e-2 / eps, _largest(factor, rcond) if ridge == 0 else np.inf):
            return None
        factors.append((np.flatnonzero(problem.ridge == ridge), factor))
    A = _solve(factors, root * Y)
    W = data.adjoint(A / root)
    start = problem.start(data.adjoint(Y), data.x_mean, y_mean, float(np.sum((root * Y) ** 2)))
    R, products, squares = data.residual_products(Y, W)
    rate = eps * max(factor.condition for _, factor in factors)
    error = rate
    while error > 100.0 * max(NEGLIGIBLE, 1e-2 * problem.eps):
        A = A + _solve(factors, root * R - problem.ridge * A)
        W = data.adjoint(A / root)
        R, products, squares = data.residual_products(Y, W)
        error *= max(100.0 * rate, 1e-6)
    rank = None if problem.ridge.any() else problem.n - problem.fit_intercept
    gradient = products - problem.ridge * W
    method = "Cholesky factorisation of the dual's Gram matrix"
    return Solution(
        W, y_mean - data.x_mean @ W, squares, gradient, *start, method=method, rank=rank, gram=K if rank else None
    )


def _largest(factor: Factor, rcond: float) -> float:
    """Return the condition number up to which no singular value can count as zero."""
    spread = float(factor.scale.max() / factor.scale.min())
    return 0.1 / (max(rcond, np.finfo(np.float64).eps) * spread) ** 2


def _solve(factors: list[tuple[IntArray, Factor]], B: Array) -> Array:
    A = np.empty_like(B)
    for targets, factor in factors:
        A[:, targets] = factor.solve(B[:, targets])
    return A
