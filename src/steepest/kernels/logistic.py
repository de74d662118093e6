"""The logistic loss of a linear score, its gradient and its curvature, in one reading of the data.

References: ``steepest.objectives.linear.LinearObjective`` with ``steepest.losses.LogisticLoss``.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.threads import map_blocks
from steepest.typing import Array

TILE = 256  # rows whose scores are computed together, so that exponentials run in SIMD lanes
TILE_NUMBERS = 32768  # and whose entries still lie in the second-level cache when the gradient needs them
LEAST_NUMBERS = 1 << 17  # of X in a block: some 80 microseconds of work, more than a thread takes to wake
LOG2_E = 1.4426950408889634
LN_2 = 0.6931471805599453
LOWEST = -708.0  # below, e^x is no normal number


@compiled
def exponentials(x: Any, bits: Any, n: Any) -> None:
    r"""Replace the first ``n`` entries x of ``x``, none above 0, by ``e^x``; reference: ``numpy.exp``.

    With k the integer nearest to ``x / log 2`` and r = x - k log 2, so that ``|r| <= (log 2) / 2 < 0.3466``::

        e^x = 2^k e^r,    e^r = sum_{m=0}^{13} r^m / m! + remainder,    |remainder| < 0.3466^14 / 14! * 2 < 1e-17

    2^k is the double whose exponent bits are k + 1023. Written in loops without branches, four to eight entries are
    computed at a time. ``bits`` is an int64 buffer as long as ``x``. Below -708, e^-708 is returned.
    """
    powers = bits.view(np.float64)
    for i in range(n):
        v = max(x[i], LOWEST)
        k = np.rint(v * LOG2_E)
        r = v - k * LN_2
        p = 1.0 / 6227020800.0
        p = p * r + 1.0 / 479001600.0
        p = p * r + 1.0 / 39916800.0
        p = p * r + 1.0 / 3628800.0
        p = p * r + 1.0 / 362880.0
        p = p * r + 1.0 / 40320.0
        p = p * r + 1.0 / 5040.0
        p = p * r + 1.0 / 720.0
        p = p * r + 1.0 / 120.0
        p = p * r + 1.0 / 24.0
        p = p * r + 1.0 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        x[i] = p * r + 1.0
        bits[i] = (np.int64(k) + np.int64(1023)) << np.int64(52)
    for i in range(n):
        x[i] *= powers[i]


@compiled
def log_one_plus(e: Any) -> Any:
    r"""Return ``log(1 + e)`` for e in [0, 1]; reference: ``numpy.log1p``.

    With s = e / (2 + e) <= 1/3, ``1 + e = (1 + s) / (1 - s)``, hence::

        log(1 + e) = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...)

    whose terms fall at least as fast as 9^-m: after s^31 / 31 the rest is below 1e-17 of the sum.
    """
    s = e / (2.0 + e)
    t = s * s
    p = 1.0 / 31.0
    p = p * t + 1.0 / 29.0
    p = p * t + 1.0 / 27.0
    p = p * t + 1.0 / 25.0
    p = p * t + 1.0 / 23.0
    p = p * t + 1.0 / 21.0
    p = p * t + 1.0 / 19.0
    p = p * t + 1.0 / 17.0
    p = p * t + 1.0 / 15.0
    p = p * t + 1.0 / 13.0
    p = p * t + 1.0 / 11.0
    p = p * t + 1.0 / 9.0
    p = p * t + 1.0 / 7.0
    p = p * t + 1.0 / 5.0
    p = p * t + 1.0 / 3.0
    return 2.0 * s * (p * t + 1.0)


@compiled
def logistic_terms(z: Any, e: Any, bits: Any, y: Any, weight: Any, first: Any, n: Any, curvature: Any) -> Any:
    """Turn scores ``z`` into weighted slopes, in place; write weighted curvatures; return the weighted loss.

    With e = exp(-|z|), q = 1 / (1 + e) is the probability of the side that z is on, e q that of the other, and::

        l = log(1 + e) + |z| [z is on the wrong side],    l' = +-(e q or q),    l'' = q * e q

    no digit of which is lost for any z. ``weight`` and ``curvature`` may be empty.
    """
    for i in range(n):
        e[i] = -abs(z[i])
    exponentials(e, bits, n)
    total = 0.0
    for i in range(n):
        sign = 1.0 - 2.0 * y[first + i]  # the sign of the slope: it pushes the score down where y = 0
        against = sign * z[i]  # positive on the wrong side
        q = 1.0 / (1.0 + e[i])
        small = e[i] * q
        s = weight[first + i] if weight.shape[0] > 0 else 1.0
        total += s * (log_one_plus(e[i]) + max(against, 0.0))
        z[i] = s * sign * (q if against > 0.0 else small)
        e[i] = s * q * small
    if curvature.shape[0] > 0:
        for i in range(n):
            curvature[first + i] = e[i]
    return total


@compiled
def _scores(X: Any, w: Any, b: Any, first: Any, n: Any, z: Any) -> None:
    d = X.shape[1]
    for i in range(n):
        s = 0.0
        for j in range(d):
            s += X[first + i, j] * w[j]
        z[i] = s + b


@compiled
def _pull_back(X: Any, slopes: Any, first: Any, n: Any, g: Any) -> Any:
    """Add ``X^T slopes`` of a tile to ``g``, four rows at a time; return the sum of the slopes."""
    d = X.shape[1]
    total = 0.0
    i = 0
    while i + 4 <= n:
        s0, s1, s2, s3 = slopes[i], slopes[i + 1], slopes[i + 2], slopes[i + 3]
        r = first + i
        for j in range(d):
            g[j] += s0 * X[r, j] + s1 * X[r + 1, j] + s2 * X[r + 2, j] + s3 * X[r + 3, j]
        total += s0 + s1 + s2 + s3
        i += 4
    while i < n:
        for j in range(d):
            g[j] += slopes[i] * X[first + i, j]
        total += slopes[i]
        i += 1
    return total


@compiled
def gradient_block(X: Any, y: Any, weight: Any, theta: Any, start: Any, stop: Any, curvature: Any, out: Any) -> Any:
    """Add the gradient of ``sum_i s_i l(y_i, x_i^T w + b)`` over some rows to ``out``; return the sum.

    ``theta`` and ``out`` are (d + 1,), w and then b; ``curvature`` (n,) receives s_i l''_i unless it is empty.
    """
    d = X.shape[1]
    tile = max(8, min(TILE, TILE_NUMBERS // max(d, 1)))
    z, e, bits = np.empty(tile), np.empty(tile), np.empty(tile, np.int64)
    total = 0.0
    for first in range(start, stop, tile):
        n = min(tile, stop - first)
        _scores(X, theta, theta[d], first, n, z)
        total += logistic_terms(z, e, bits, y, weight, first, n, curvature)
        out[d] += _pull_back(X, z, first, n, out)
    return total


@compiled
def product_block(X: Any, curvature: Any, v: Any, start: Any, stop: Any, out: Any) -> None:
    """Add ``sum_i c_i [x_i; 1] [x_i; 1]^T v`` over some rows to ``out``; reference: the Hessian times ``v``."""
    d = X.shape[1]
    tile = max(8, min(TILE, TILE_NUMBERS // max(d, 1)))
    z = np.empty(tile)
    for first in range(start, stop, tile):
        n = min(tile, stop - first)
        _scores(X, v, v[d], first, n, z)
        for i in range(n):
            z[i] *= curvature[first + i]
        out[d] += _pull_back(X, z, first, n, out)


def _block_rows(n: int, d: int) -> int:
    """Return rows a block: a million numbers at most, so that there are some 16 blocks, but enough to wake a thread."""
    return max(LEAST_NUMBERS // max(d, 1), min(1_000_000 // max(d, 1), -(-n // 16)), 64)


def value_and_gradient(X: Array, y: Array, weight: Array, theta: Array, curvature: Array) -> tuple[float, Array]:
    """Return ``sum_i s_i l(y_i, z_i)`` and its gradient (d + 1,); write ``s_i l''`` to ``curvature`` if not empty.

    ``weight`` is empty for all ones. Blocks of rows are worked on in threads, their sums added in order.
    """
    n, d = X.shape

    def block(start: int, stop: int) -> tuple[float, Array]:
        out = np.zeros(d + 1)
        return gradient_block(X, y, weight, theta, start, stop, curvature, out), out

    parts = map_blocks(block, n, _block_rows(n, d))
    return sum(part[0] for part in parts), np.sum([part[1] for part in parts], axis=0)


def hessian_product(X: Array, curvature: Array, v: Array) -> Array:
    """Return ``sum_i c_i [x_i; 1] ([x_i; 1]^T v)``, (d + 1,), in one reading of X."""
    n, d = X.shape

    def block(start: int, stop: int) -> Array:
        out = np.zeros(d + 1)
        product_block(X, curvature, v, start, stop, out)
        return out

    return np.asarray(np.sum(map_blocks(block, n, _block_rows(n, d)), axis=0))
