r"""Residuals and their products with the data, in one pass over X.

Least squares by iteration, and the refinement of a direct solution, need in each step::

    r_i = y_i - (x_i - m)^T w        and        g = sum_i s_i (x_i - m) r_i,    rss = sum_i s_i r_i^2

Two products with X would read it twice, and on large data reading is all the cost. Here each row (or, for X in
Fortran order, each block of rows) is used for both while it is still in cache. The means are taken off on the way, so
that columns such as 1e8 + noise lose no digits. The sums are double whatever the dtype of X, unless
single is asked for: half the bytes, and twice the numbers that a processor takes at a time, for who needs no more.
"""

from typing import Any

import numpy as np

from steepest.kernels.column_strips import VECTORS, add_correlations, subtract_scores
from steepest.kernels.compile import borrowing, chosen, compiled
from steepest.kernels.room import vector
from steepest.kernels.team import Team, claim, finish, join, next_turn
from steepest.kernels.tiles import fetch
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array, IntArray

_BLOCK_BYTES = 1 << 18  # of X that a block in Fortran order holds: it is read twice, and stays in the second cache
_MOST = 2048  # rows of such a block: what belongs to them stays in the first cache
_CHUNKS, _CHUNK_ENTRIES = 32, 1 << 17  # parts of the data, each summed by itself; entries of X worth a thread's start
_ROWS = 4  # rows of X taken together in C order
_PIECE = 512  # columns of a long row asked for at a time
_AHEAD = 16384  # bytes by which rows are asked for in advance: four streams at once escape the processor's guesses


def reference_residual_products(
    X: Array, y: Array, weights: Array | None, x_mean: Array, w: Array
) -> tuple[Array, Array, float]:
    """Return the same as :func:`residual_products`: the formula as it is read."""
    Z = X.astype(np.float64) - x_mean
    r = y - Z @ w
    s = np.ones(len(y)) if weights is None else weights
    return r, Z.T @ (s * r), float(s @ r**2)


def residual_products(
    X: Array, y: Array, weights: Array | None, x_mean: Array, w: Array, dtype: Any = np.float64
) -> tuple[Array, Array, float]:
    """Return ``r`` (n,), ``g`` (d,) and ``rss`` for X (n, d), a centred target y (n,), weights or None, and w (d,).

    They are computed in ``dtype``, which must not be less precise than X.
    """
    return ResidualPasses(X, weights, x_mean, dtype).products(y, w)


class ResidualPasses:
    """Such passes over the same data, one after the other, by threads that stay awake for a while.

    Parameters
    ----------
    X, weights, x_mean, dtype
        As for :func:`residual_products`.
    """

    def __init__(self, X: Array, weights: Array | None, x_mean: Array, dtype: Any = np.float64) -> None:
        if not (X.flags.c_contiguous or X.flags.f_contiguous):
            X = np.ascontiguousarray(X)
        n, d = X.shape
        s = np.empty(0, dtype) if weights is None else np.ascontiguousarray(weights, dtype=dtype)
        chunk = -(-max(n // _CHUNKS, _CHUNK_ENTRIES // max(d, 1), 1) // 64) * 64
        self.n_chunks = n_chunks = -(-n // chunk)
        self._y, self._w = np.zeros(n, dtype), np.empty(d, dtype)
        self._r, self._g, self._rss = np.empty(n, dtype), np.empty((n_chunks, d), dtype), np.zeros(n_chunks)
        means = np.ascontiguousarray(x_mean, dtype=dtype)
        sums = self._r, self._g, self._rss
        self.arguments = X, self._y, s, means, self._w, chunk, *sums  # of a pass in a team
        self._team = Team(pass_in_team, n_chunks, *self.arguments)

    def products(self, y: Any, w: Array) -> tuple[Array, Array, float]:
        """Return ``r``, ``g`` and ``rss`` for a target, or 0, and coefficients."""
        self._y[:], self._w[:] = y, w
        self._team.run()
        return self._r.copy(), self._g.sum(axis=0), float(self._rss.sum())


@compiled
def pass_in_team(
    counters: IntArray, leads: bool, n_chunks: int, X: Array, y: Array, s: Array, x_mean: Array, w: Array, chunk: int,
    r: Array, g: Array, rss: Array,
) -> None:  # fmt: skip
    """Take part in a pass over X (n, d): write r, and each chunk's g and rss."""
    turn = join(counters, leads)
    while turn >= 0:
        block = claim(counters)
        while block < n_chunks:
            first, last = block * chunk, min((block + 1) * chunk, len(y))
            _clear(g[block])
            rss[block] = _residual(X, y, s, x_mean, w, first, last, r, g[block])
            finish(counters)
            block = claim(counters)
        turn = next_turn(counters, leads, turn, n_chunks)


@chosen
def _residual(X: Any, *_: Any) -> Any:
    """Add rows to g, return their rss, in the way that suits the order of X; twins of the reference above."""
    return _residual_by_rows if X.layout == "C" else _residual_by_columns


@borrowing
def _residual_by_rows(
    X: Array, y: Array, s: Array, x_mean: Array, w: Array, start: int, stop: int, r: Array, g: Array
) -> float:
    """Add rows ``start`` to ``stop`` of X (n, d) to g, return their rss; twin of the reference above."""
    d, row_bytes = X.shape[1], X.shape[1] * X.itemsize
    asked = _ROWS * row_bytes if _ROWS * row_bytes < _AHEAD else 0  # long rows need no help
    rss = 0.0
    first = start
    while first + _ROWS <= stop:
        fetch(X.ctypes.data + first * row_bytes + _AHEAD, asked)
        x0, x1, x2, x3 = X[first], X[first + 1], X[first + 2], X[first + 3]
        z0, z1, z2, z3 = _four_scores(x0, x1, x2, x3, x_mean, w)
        r0, r1, r2, r3 = y[first] - z0, y[first + 1] - z1, y[first + 2] - z2, y[first + 3] - z3
        r[first], r[first + 1], r[first + 2], r[first + 3] = r0, r1, r2, r3
        t0, t1, t2, t3 = r0, r1, r2, r3
        if s.size > 0:
            t0, t1, t2, t3 = r0 * s[first], r1 * s[first + 1], r2 * s[first + 2], r3 * s[first + 3]
        rss += r0 * t0 + r1 * t1 + r2 * t2 + r3 * t3
        for j in range(d):
            m = x_mean[j]
            g[j] += ((x0[j] - m) * t0 + (x1[j] - m) * t1) + ((x2[j] - m) * t2 + (x3[j] - m) * t3)
        first += _ROWS
    for i in range(first, stop):
        z = w.dtype.type(0.0)
        for j in range(d):
            z += (X[i, j] - x_mean[j]) * w[j]
        r[i] = y[i] - z
        t = r[i] * s[i] if s.size > 0 else r[i]
        rss += r[i] * t
        for j in range(d):
            g[j] += (X[i, j] - x_mean[j]) * t
    return rss


@borrowing
def _four_scores(x0: Array, x1: Array, x2: Array, x3: Array, x_mean: Array, w: Array) -> tuple[Any, ...]:
    """Return ``(x - m)^T w`` of four rows that lie one after the other; long ones are asked for piece by piece."""
    d, n_bytes = len(w), _PIECE * x0.itemsize
    row_bytes = d * x0.itemsize
    z0 = z1 = z2 = z3 = w.dtype.type(0.0)
    for start in range(0, d, _PIECE):
        stop = min(start + _PIECE, d)
        if row_bytes >= _AHEAD:
            ahead = x0.ctypes.data + stop * x0.itemsize
            for row in range(_ROWS):
                fetch(ahead + row * row_bytes, n_bytes)
        a0, a1, a2, a3 = x0[start:stop], x1[start:stop], x2[start:stop], x3[start:stop]
        means, weights = x_mean[start:stop], w[start:stop]
        for j in range(stop - start):
            m, v = means[j], weights[j]
            z0 += (a0[j] - m) * v
            z1 += (a1[j] - m) * v
            z2 += (a2[j] - m) * v
            z3 += (a3[j] - m) * v
    return z0, z1, z2, z3


@borrowing
def _copy(source: Array, at: int, target: Array, to: int, count: int) -> None:
    """Copy a stretch: an assignment of slices, whose shapes would be checked, takes seconds more to compile."""
    for i in range(count):
        target[to + i] = source[at + i]


@borrowing
def _clear(numbers: Array) -> None:
    for i in range(len(numbers)):
        numbers[i] = 0.0


@compiled
def _residual_by_columns(
    X: Array, y: Array, s: Array, x_mean: Array, w: Array, start: int, stop: int, r: Array, g: Array
) -> float:
    """Do the same for X (n, d) in Fortran order; twin of the reference above."""
    n, d = X.shape
    columns = X.T
    lanes = VECTOR_BYTES // w.itemsize
    whole, rss = VECTORS * lanes, 0.0
    block = min(max(_BLOCK_BYTES // (d * X.itemsize) // whole * whole, whole), _MOST)
    t, sums = vector(block, w), vector(d * lanes, w)
    _clear(sums)
    for first in range(start, stop, block):
        rows = min(block, stop - first)
        strips = rows // whole * whole
        _copy(y, first, t, 0, rows)
        for at in range(0, strips, whole):
            subtract_scores(VECTORS, columns, first + at, n, d, x_mean, t, at, whole, w, rows)
        for at in range(strips, rows, lanes):
            subtract_scores(1, columns, first + at, n, d, x_mean, t, at, rows - at, w, rows)
        _copy(t, 0, r, first, rows)
        for i in range(rows):
            square = t[i] * t[i]
            if s.size > 0:
                square *= s[first + i]
                t[i] *= s[first + i]
            rss += square
        for at in range(0, strips, whole):
            add_correlations(VECTORS, columns, first + at, n, d, x_mean, t, at, whole, sums)
        for at in range(strips, rows, lanes):
            add_correlations(1, columns, first + at, n, d, x_mean, t, at, rows - at, sums)
    for j in range(d):
        for lane in range(lanes):
            g[j] += sums[j * lanes + lane]
    return rss
