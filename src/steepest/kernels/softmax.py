"""The softmax cross-entropy of linear scores, its gradient and its curvature, in one reading of the data.

Few classes are scored one after the other, in tiles of rows; for many, the scores of a block of rows are a product of
matrices large enough for BLAS, in one thread a block.

References: ``steepest.objectives.linear.LinearObjective`` with ``steepest.losses.SoftmaxCrossEntropy``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.kernels.blas import one_blas_thread
from steepest.kernels.compile import compiled
from steepest.kernels.logistic import _block_rows, _pull_back, _scores, exponentials
from steepest.kernels.threads import map_blocks
from steepest.typing import Array, IntArray

TILE = 64  # rows whose scores for all classes are computed together
MANY, ROWS = 24, 1024  # classes from which blocks of so many rows are left to BLAS


@compiled
def softmax_terms(z: Any, e: Any, bits: Any, y: Any, weight: Any, first: Any, n: Any, shares: Any) -> Any:
    """Turn scores z (K, tile) into weighted slopes, in place; write probabilities; return the weighted loss.

    With m the largest score of a row and e_k = exp(z_k - m), p_k = e_k / sum_j e_j and ``l = m + log sum_j e_j - z_y``;
    the slope of the class y is minus the sum of the others', so that no digit is lost where p_y is near 1. ``shares``
    (K, n) receives p; it may be empty.
    """
    n_classes = z.shape[0]
    total = 0.0
    highest = np.full(n, -np.inf)
    sums = np.zeros(n)
    _exponentiate(z, e, bits, n, highest, sums)
    for i in range(n):
        s = weight[first + i] if weight.shape[0] > 0 else 1.0
        own = y[first + i]
        others = 0.0
        for k in range(n_classes):
            others += e[k, i] if k != own else 0.0
        gap = highest[i] - z[own, i]  # 0 where the right class leads: then log(1 + small) keeps small losses exact
        total += s * (np.log1p(others) if gap == 0.0 else gap + np.log(sums[i]))
        for k in range(n_classes):
            z[k, i] = s * e[k, i] / sums[i]
        z[own, i] = -s * others / sums[i]
    _keep_shares(e, sums, first, n, shares)
    return total


@compiled
def _exponentiate(z: Any, e: Any, bits: Any, n: Any, highest: Any, sums: Any) -> None:
    """Write exp(z_k - largest z) to ``e``, the largest to ``highest`` and the sums to ``sums``."""
    for k in range(z.shape[0]):
        for i in range(n):
            highest[i] = max(highest[i], z[k, i])
    for k in range(z.shape[0]):
        for i in range(n):
            e[k, i] = z[k, i] - highest[i]
        exponentials(e[k], bits, n)
        for i in range(n):
            sums[i] += e[k, i]


@compiled
def _keep_shares(e: Any, sums: Any, first: Any, n: Any, shares: Any) -> None:
    for k in range(shares.shape[0]):
        for i in range(n):
            shares[k, first + i] = e[k, i] / sums[i]


@compiled
def gradient_block(X: Any, y: Any, weight: Any, theta: Any, start: Any, stop: Any, shares: Any, out: Any) -> Any:
    """Add the gradient over some rows to ``out``; return the sum. ``theta`` and ``out`` are (K, d + 1): w_k, b_k."""
    n_classes, d = theta.shape[0], X.shape[1]
    z, e = np.empty((n_classes, TILE)), np.empty((n_classes, TILE))
    bits = np.empty(TILE, np.int64)
    total = 0.0
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        for k in range(n_classes):
            _scores(X, theta[k], theta[k, d], first, n, z[k])
        total += softmax_terms(z, e, bits, y, weight, first, n, shares)
        for k in range(n_classes):
            out[k, d] += _pull_back(X, z[k], first, n, out[k])
    return total


@compiled
def product_block(X: Any, weight: Any, shares: Any, v: Any, start: Any, stop: Any, out: Any) -> None:
    """Add the Hessian times ``v`` (K, d + 1) over some rows to ``out``.

    With u_k = <v_k, [x; 1]> the change of the scores, the slopes change by (diag(p) - p p^T) u = p (u - <p, u>).
    """
    n_classes, d = v.shape[0], X.shape[1]
    u = np.empty((n_classes, TILE))
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        mean = np.zeros(n)
        for k in range(n_classes):
            _scores(X, v[k], v[k, d], first, n, u[k])
            for i in range(n):
                mean[i] += shares[k, first + i] * u[k, i]
        for k in range(n_classes):
            for i in range(n):
                s = weight[first + i] if weight.shape[0] > 0 else 1.0
                u[k, i] = s * shares[k, first + i] * (u[k, i] - mean[i])
            out[k, d] += _pull_back(X, u[k], first, n, out[k])


def value_and_gradient(X: Array, y: IntArray, weight: Array, theta: Array, shares: Array) -> tuple[float, Array]:
    """Return ``sum_i s_i l(y_i, z_i)`` and its gradient (K, d + 1); write p to ``shares`` (K, n) if not empty."""

    def block(start: int, stop: int) -> tuple[float, Array]:
        out = np.zeros_like(theta)
        return gradient_block(X, y, weight, theta, start, stop, shares, out), out

    def wide_block(start: int, stop: int) -> tuple[float, Array]:
        part = X[start:stop].astype(np.float64, copy=False)
        z = scores(theta, part)
        n = z.shape[1]
        value = softmax_terms(z, np.empty_like(z), np.empty(n, np.int64), y, weight, start, n, shares)
        return value, pulled_back(z, part)

    parts = _by_blocks(wide_block if len(theta) >= MANY else block, X, len(theta))
    return sum(part[0] for part in parts), np.sum([part[1] for part in parts], axis=0)


def hessian_product(X: Array, weight: Array, shares: Array, v: Array) -> Array:
    """Return the Hessian of ``sum_i s_i l(y_i, z_i)`` times ``v`` (K, d + 1), in one reading of X."""

    def block(start: int, stop: int) -> Array:
        out = np.zeros_like(v)
        product_block(X, weight, shares, v, start, stop, out)
        return out

    def wide_block(start: int, stop: int) -> Array:
        part, p = X[start:stop].astype(np.float64, copy=False), shares[:, start:stop]
        u = scores(v, part)
        u -= np.einsum("ki,ki->i", p, u)
        u *= p
        if weight.size:
            u *= weight[start:stop]
        return pulled_back(u, part)

    return np.asarray(np.sum(_by_blocks(wide_block if len(v) >= MANY else block, X, len(v)), axis=0))


def scores(theta: Array, part: Array) -> Array:
    """Return ``w_k^T x_i + b_k`` as (K, n)."""
    return np.asarray(theta[:, :-1] @ part.T + theta[:, -1:])


def pulled_back(slopes: Array, part: Array) -> Array:
    """Return the gradient (K, d + 1) of what has these slopes (K, n) in the scores: the adjoint of :func:`scores`."""
    return np.concatenate([slopes @ part, slopes.sum(axis=1, keepdims=True)], axis=1)


def _by_blocks(block: Callable[[int, int], Any], X: Array, n_classes: int) -> list[Any]:
    """Return what a function gives for each block of rows, of a size that suits so many classes."""
    if n_classes < MANY:
        return map_blocks(block, len(X), _block_rows(*X.shape))
    with one_blas_thread():
        return map_blocks(block, len(X), ROWS)
