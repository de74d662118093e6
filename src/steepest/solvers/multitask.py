r"""Least squares of several targets whose coefficients vanish together: the multi-task elastic net.

With Z (n, d), Y (n, k), W (d, k) and the rows w_j of W::

    J(W) = |Y - Z W|^2 / 2 + l1 sum_j |w_j| + l2 |W|^2 / 2

*Update.* Let only w_j = v move, with the residual R and ``a = R^T z_j + |z_j|^2 w_j``, what it would be fitted to::

    J(v) = (|z_j|^2 + l2) |v|^2 / 2 - <a, v> + l1 |v| + const
    0 in dJ/dv:   (|z_j|^2 + l2) v = a - l1 v / |v|   for v != 0,   |a| <= l1   for v = 0

so that v points along a, and ``(|z_j|^2 + l2) v = a max(1 - l1 / |a|, 0)``: soft-thresholding of the length.

*Gap.* As for one target (:func:`steepest.solvers.duality.duality_gap`), with lengths of rows for absolute values: the
penalty's conjugate is finite where ``|z_j^T V| <= l1`` for all j (form A), or, for l2 > 0, is
``sum_j max(|z_j^T V| - l1, 0)^2 / (2 l2)`` (form B).

Source: G. Obozinski, B. Taskar, M. Jordan, Joint covariate selection and joint subspace selection for multiple
classification problems, Statistics and Computing 20 (2010).
"""

from collections.abc import Sequence

import numpy as np

from steepest.kernels.blas import one_blas_thread
from steepest.kernels.multitask import epoch_on_blocks
from steepest.solvers.path import Path
from steepest.solvers.subproblem import ROUNDING, Orders, Strength
from steepest.typing import Array, IntArray


def epoch(Z: Array, residual: Array, W: Array, l1: float, l2: float, order: IntArray) -> None:
    """Update every row of W (d, k) once, in place, for Z (n, d) and R (n, k): the reference of the kernel."""
    for j in order:
        curvature = Z[:, j] @ Z[:, j]
        a = residual.T @ Z[:, j] + curvature * W[j]
        size = np.linalg.norm(a)
        new = a * max(1.0 - l1 / size, 0.0) / (curvature + l2) if curvature > 0 and size > 0 else np.zeros_like(a)
        residual -= np.outer(Z[:, j], new - W[j])
        W[j] = new


def multitask_gap(Z: Array, Y: Array, W: Array, l1: float, l2: float) -> float:
    """Return an upper bound on ``J(W) - min J``; without a penalty, the square of the gradient."""
    R = Y - Z @ W
    correlation = Z.T @ R
    if l1 == 0.0 and l2 == 0.0:
        return len(Y) * float(np.sum(correlation**2))
    squares, r_r, r_y = float(np.sum(W**2)), float(np.sum(R**2)), float(np.sum(R * Y))
    primal = 0.5 * (r_r + l2 * squares) + l1 * float(np.linalg.norm(W, axis=1).sum())
    dual = 0.0
    if l1 > 0.0:
        largest = float(np.linalg.norm(correlation - l2 * W, axis=1).max(initial=0.0))
        shrink = 1.0 if largest <= l1 else l1 / largest
        dual = shrink * r_y - 0.5 * shrink**2 * (r_r + l2 * squares)
    if l2 > 0.0:
        excess = np.maximum(np.linalg.norm(correlation, axis=1) - l1, 0.0)
        dual = max(dual, r_y - 0.5 * r_r - float(excess @ excess) / (2.0 * l2))
    return max(primal - dual, 0.0)


def follow_multitask_path(
    Z: Array,
    Y: Array,
    W: Array,
    strengths: Sequence[Strength],
    *,
    tolerance: float,
    max_epochs: int,
    orders: Orders,
    check_every: int = 10,
) -> Path:
    """Solve for one penalty after the other, to gaps of ``tolerance`` times ``|Y|^2``, from W (d, k) on.

    ``coefficients`` of the path is (n_penalties, k, d).
    """
    n, (d, k) = len(strengths), W.shape
    path = Path(np.zeros((n, k, d)), np.zeros((n, k)), np.zeros(n), np.zeros(n, dtype=np.int64))
    goal, rows = max(tolerance, ROUNDING) * float(np.sum(Y**2)), np.ascontiguousarray(Z.T)
    with one_blas_thread():
        for i, strength in enumerate(strengths):
            gap, done = np.inf, 0
            while not gap <= goal and done < max_epochs:
                residual = np.ascontiguousarray((Y - Z @ W).T)
                more = min(check_every, max_epochs - done)
                drawn = orders(more, d)
                for t in range(more):
                    epoch_on_blocks(rows, residual, W, strength.l1, strength.l2, drawn[t % len(drawn)])
                gap, done = multitask_gap(Z, Y, W, strength.l1, strength.l2), done + more
            path.coefficients[i], path.gaps[i], path.epochs[i] = W.T, gap, done
    return path
