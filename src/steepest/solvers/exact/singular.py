r"""Singular values: the slow way that is right for any data.

With ``Z = S^1/2 Xc = U diag(sigma) V^T`` and ``B = S^1/2 Yc``, the normal equations become diagonal::

    V (diag(sigma^2) + ridge I) V^T W = V diag(sigma) U^T B
    W = V diag(sigma / (sigma^2 + ridge)) U^T B

Without ridge, a sigma that is zero up to rounding says that W is not determined along its direction; leaving it out
gives the W of least norm. Which sigma count as zero is the caller's choice, ``sigma <= rcond * sigma_max``.

Tall data go through ``Z = Q R`` first: the singular values of R are those of Z, at d x d instead of n x d.
"""

import numpy as np
import scipy.linalg

from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array


def solve_by_singular_values(problem: LeastSquares, data: CentredData, rcond: float) -> Solution:
    """Return the solution of least norm."""
    Y, y_mean = problem.centred_target()
    root = np.ones(1) if problem.weights is None else np.sqrt(problem.weights)[:, None]
    B = root * Y
    Z = data.scaled_copy()
    Z[:, problem.frame.constant] = 0.0  # where rounding leaves a few times eps of the column's number
    U_B, sigma, Vt = _decomposed(Z, B)
    kept = sigma > rcond * sigma.max(initial=0.0)
    s = sigma[kept, None]
    with np.errstate(over="ignore"):  # s / (s^2 + ridge), without squares that could under- or overflow
        W = Vt[kept].T @ (U_B[kept] / (s + problem.ridge / s))
    _, products, squares = data.residual_products(Y, W)
    gradient = products - problem.ridge * W
    if not problem.ridge.any():  # along the directions left out nothing was to be solved
        gradient = Vt[kept].T @ (Vt[kept] @ gradient)
    start = problem.start(data.adjoint(Y), data.x_mean, y_mean, float(np.sum(B * B)))
    intercept = y_mean - data.x_mean @ W
    method, rank = "singular value decomposition", int(kept.sum())
    return Solution(W, intercept, squares, gradient, *start, method=method, rank=rank, singular_values=sigma)


def _decomposed(Z: Array, B: Array) -> tuple[Array, Array, Array]:
    """Return ``U^T B``, sigma and ``V^T`` of ``Z = U diag(sigma) V^T``."""
    if Z.shape[0] > 1.5 * Z.shape[1]:
        Qt_B, R = scipy.linalg.qr_multiply(Z, B.T, mode="right", overwrite_a=True)
        U, sigma, Vt = scipy.linalg.svd(R, full_matrices=False, check_finite=False)
        return U.T @ Qt_B.T, sigma, Vt
    U, sigma, Vt = scipy.linalg.svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
    return U.T @ B, sigma, Vt
