r"""Moments of a data set in one pass: everything that least squares needs to know of tall data.

With rows z_i = (x_i - c, y_i - e, 1) and weights s_i, one symmetric matrix ``M = sum_i s_i z_i z_i^T`` holds the
Gram matrix, the products with the targets and the sums. A pass reads X once and makes no copy of it: rows are moved,
a few dozen at a time, into a buffer that stays in the processor's nearest cache.

Centring afterwards, by a matrix of rank one. With W = sum_i s_i and the means m = c + (1/W) sum_i s_i (x_i - c)::

    sum_i s_i (x_i - m)(x_i - m)^T = M_xx - (1/W) u u^T      with u = sum_i s_i (x_i - c) = W (m - c)

as the cross terms are ``-u (m - c)^T - (m - c) u^T + W (m - c)(m - c)^T = -u u^T / W``. The difference cancels digits
where ``|m - c|`` is large against the spread of the column. The shift c is therefore the mean of some rows spread over
the data: then ``|m - c|`` is of the order of the spread itself, and columns such as 1e8 + noise lose nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.kernels.blas import add_self_product, mirror, one_blas_thread
from steepest.kernels.compile import compiled
from steepest.kernels.threads import map_blocks
from steepest.typing import Array

COMPILED_UP_TO = 64  # columns: beyond, BLAS is faster than our kernel
THREADED_UP_TO = 600  # columns: beyond, one product is large enough for BLAS to share among its own threads
_BUFFER_ROWS = 64  # rows moved to the buffer at a time
_BUFFER_STRIDE = 72  # its row length: no power of two, or the columns of a row compete for the same cache lines
_BLOCK = 1024  # rows of a BLAS block: together with its centred copy it stays in the second cache level or near it
_SHIFT_ROWS = 256


@dataclass
class Moments:
    """Centred moments of X (n, d) and Y (n, k) under the weights s; in double precision.

    Attributes
    ----------
    weight : float
        W, the sum of the weights.
    x_mean, y_mean : arrays (d,) and (k,)
        Weighted means; zeros if nothing was to be centred.
    gram : array (d, d)
        ``sum_i s_i (x_i - x_mean)(x_i - x_mean)^T``.
    cross : array (d, k)
        ``sum_i s_i (x_i - x_mean)(y_i - y_mean)^T``.
    y_square : array (k,)
        ``sum_i s_i (y_i - y_mean)^2``.
    """

    weight: float
    x_mean: Array
    y_mean: Array
    gram: Array
    cross: Array
    y_square: Array

    @property
    def finite(self) -> bool:
        """Whether all moments are; NaN or infinity anywhere in the data makes one of them not finite."""
        return bool(np.isfinite(np.trace(self.gram)) and np.isfinite(self.y_square).all())


def reference_moments(X: Array, Y: Array, weights: Array | None, centre: bool) -> Moments:
    """Return the same as :func:`moments`, from centred copies: the formula as it is read."""
    X, Y = X.astype(np.float64), Y.astype(np.float64)
    s = np.ones(len(X)) if weights is None else weights
    x_mean = s @ X / s.sum() if centre else np.zeros(X.shape[1])
    y_mean = s @ Y / s.sum() if centre else np.zeros(Y.shape[1])
    X, Y = X - x_mean, Y - y_mean
    return Moments(s.sum(), x_mean, y_mean, X.T @ (s[:, None] * X), X.T @ (s[:, None] * Y), s @ Y**2)


def moments(X: Array, Y: Array, weights: Array | None = None, *, centre: bool = True, single: bool = False) -> Moments:
    """Return the moments of X (n, d), float32 or float64, and Y (n, k), in one pass over X.

    Parameters
    ----------
    weights : array (n,), optional
        Not negative; ones if not given.
    centre : bool, default True
        Take the means out.
    single : bool, default False
        Multiply centred float64 data in single precision, at twice the speed, where BLAS does it: for a caller who
        needs the Gram matrix only as an approximation. The means, and ``y_square``, come in double precision still.

    Notes
    -----
    Who computes, by the number of columns: our kernel on our threads up to 64; blocks of rows, each with a
    single-threaded BLAS product, up to 600; BLAS on its own threads beyond. The first sums in double precision
    whatever the dtype; the others multiply float32 blocks in float32 and add the blocks in double precision.
    """
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        X = np.ascontiguousarray(X)
    d, k = X.shape[1], Y.shape[1]
    x_shift, y_shift = (_shift(X), _shift(Y)) if centre else (np.zeros(d), np.zeros(k))
    s = np.empty(0) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    if d + k < COMPILED_UP_TO:  # keep in step with sums_in_double
        whole = _by_kernel(X, Y, s, x_shift, y_shift)
    else:
        whole = _by_blas(X, Y, s, x_shift, y_shift, np.dtype(np.float32) if single else X.dtype)
    return _centred(whole, d, x_shift, y_shift, centre)


def sums_in_double(X: Array, Y: Array) -> bool:
    """Whether :func:`moments` sums up these data in double precision."""
    return X.dtype == np.float64 or X.shape[1] + Y.shape[1] < COMPILED_UP_TO


def _shift(A: Array) -> Array:
    """Return the mean of some rows spread over ``A``, representable in its dtype."""
    some = A[:: max(1, len(A) // _SHIFT_ROWS)][:_SHIFT_ROWS]
    with np.errstate(invalid="ignore", over="ignore"):
        mean = some.mean(axis=0, dtype=np.float64).astype(A.dtype).astype(np.float64)
    return np.where(np.isfinite(mean), mean, 0.0)


def _centred(whole: Array, d: int, x_shift: Array, y_shift: Array, centre: bool) -> Moments:
    """Take the parts out of ``M`` and subtract ``u u^T / W``."""
    weight, sums = float(whole[-1, -1]), whole[-1, :-1].copy()
    inner = whole[:-1, :-1]
    x_mean, y_mean = x_shift, y_shift
    if centre and weight > 0:
        with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it afterwards
            offset = sums / weight
            inner -= np.outer(sums, offset)
        x_mean, y_mean = x_shift + offset[:d], y_shift + offset[d:]
    # a sum of squares is not negative, whatever rounding says of a constant column
    diagonal = np.maximum(np.diagonal(inner), 0.0)
    inner[np.diag_indices_from(inner)] = diagonal
    return Moments(weight, x_mean, y_mean, inner[:d, :d], inner[:d, d:], diagonal[d:])


# ---------------------------------------------------------------------- few columns: our kernel


def _by_kernel(X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array) -> Array:
    """Return ``M`` by the compiled kernel, in threads."""
    size = X.shape[1] + Y.shape[1] + 1
    padded = -(-size // 4) * 4
    by_columns = X.flags.f_contiguous and not X.flags.c_contiguous
    data, kernel = (X.T, _add_blocks_of_columns) if by_columns else (X, _add_blocks_of_rows)

    def block(start: int, stop: int) -> Array:
        buffer = np.zeros((padded, _BUFFER_STRIDE))
        part = np.zeros((padded, padded))
        kernel(data, Y, s, x_shift, y_shift, start, stop, buffer, part)
        return part

    total = np.zeros((padded, padded))
    for part in map_blocks(block, len(X), 16384):
        total += part
    return mirror(total)[:size, :size].copy()


@compiled
def _add_blocks_of_rows(
    X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array, start: int, stop: int, buffer: Array, gram: Array
) -> None:
    """Add the moments of rows ``start`` to ``stop`` of X (n, d); twin of :func:`reference_moments`."""
    for first in range(start, stop, _BUFFER_ROWS):
        rows = min(_BUFFER_ROWS, stop - first)
        _fill_from_rows(X, x_shift, first, rows, buffer)
        _finish_buffer(Y, s, y_shift, X.shape[1], first, rows, buffer)
        _add_products(buffer, gram)


@compiled
def _add_blocks_of_columns(
    X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array, start: int, stop: int, buffer: Array, gram: Array
) -> None:
    """Do the same for X given as its transpose (d, n); twin of :func:`reference_moments`."""
    for first in range(start, stop, _BUFFER_ROWS):
        rows = min(_BUFFER_ROWS, stop - first)
        _fill_from_columns(X, x_shift, first, rows, buffer)
        _finish_buffer(Y, s, y_shift, X.shape[0], first, rows, buffer)
        _add_products(buffer, gram)


@compiled
def _fill_from_rows(X: Array, shift: Array, first: int, rows: int, buffer: Array) -> None:
    for r in range(rows):
        for j in range(X.shape[1]):
            buffer[j, r] = X[first + r, j] - shift[j]


@compiled
def _fill_from_columns(X: Array, shift: Array, first: int, rows: int, buffer: Array) -> None:
    for j in range(X.shape[0]):
        for r in range(rows):
            buffer[j, r] = X[j, first + r] - shift[j]


@compiled
def _finish_buffer(Y: Array, s: Array, y_shift: Array, d: int, first: int, rows: int, buffer: Array) -> None:
    """Append the targets and the ones, scale by the square roots of the weights, and blank unused places."""
    k = Y.shape[1]
    for j in range(k):
        for r in range(rows):
            buffer[d + j, r] = Y[first + r, j] - y_shift[j]
    for r in range(rows):
        buffer[d + k, r] = 1.0
    if s.size > 0:
        for r in range(rows):
            root = np.sqrt(s[first + r])
            for j in range(d + k + 1):
                buffer[j, r] *= root
    for j in range(d + k + 1):
        for r in range(rows, _BUFFER_ROWS):
            buffer[j, r] = 0.0


@compiled
def _add_products(buffer: Array, gram: Array) -> None:
    """Add ``buffer buffer^T`` to the lower triangle of ``gram``, in tiles of 4 x 4 that stay in registers."""
    for j in range(0, gram.shape[0], 4):
        a0, a1, a2, a3 = buffer[j], buffer[j + 1], buffer[j + 2], buffer[j + 3]
        for k in range(0, j + 4, 4):
            b0, b1, b2, b3 = buffer[k], buffer[k + 1], buffer[k + 2], buffer[k + 3]
            s00 = s01 = s02 = s03 = 0.0
            s10 = s11 = s12 = s13 = 0.0
            s20 = s21 = s22 = s23 = 0.0
            s30 = s31 = s32 = s33 = 0.0
            for r in range(_BUFFER_ROWS):
                p0, p1, p2, p3 = a0[r], a1[r], a2[r], a3[r]
                q0, q1, q2, q3 = b0[r], b1[r], b2[r], b3[r]
                s00 += p0 * q0
                s01 += p0 * q1
                s02 += p0 * q2
                s03 += p0 * q3
                s10 += p1 * q0
                s11 += p1 * q1
                s12 += p1 * q2
                s13 += p1 * q3
                s20 += p2 * q0
                s21 += p2 * q1
                s22 += p2 * q2
                s23 += p2 * q3
                s30 += p3 * q0
                s31 += p3 * q1
                s32 += p3 * q2
                s33 += p3 * q3
            _add_row(gram, j, k, s00, s01, s02, s03)
            _add_row(gram, j + 1, k, s10, s11, s12, s13)
            _add_row(gram, j + 2, k, s20, s21, s22, s23)
            _add_row(gram, j + 3, k, s30, s31, s32, s33)


@compiled
def _add_row(gram: Array, j: int, k: int, v0: float, v1: float, v2: float, v3: float) -> None:
    gram[j, k] += v0
    gram[j, k + 1] += v1
    gram[j, k + 2] += v2
    gram[j, k + 3] += v3


# ---------------------------------------------------------------------- many columns: BLAS


def _by_blas(X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array, dtype: Any) -> Array:
    """Return ``M`` by BLAS, block by block, multiplied in ``dtype``."""
    n, d = X.shape
    shifts = x_shift.astype(X.dtype), y_shift.astype(Y.dtype)

    def block(start: int, stop: int) -> tuple[Array, Array]:
        gram = np.zeros((d, d), dtype=dtype, order="F")
        rest = np.zeros((Y.shape[1] + 1, d + Y.shape[1] + 1))
        for first in range(start, stop, _BLOCK):
            rows = slice(first, min(first + _BLOCK, stop))
            Z = X[rows] - shifts[0]
            V = np.column_stack([Y[rows] - shifts[1], np.ones(Z.shape[0], dtype=Z.dtype)])
            if s.size:
                root = np.sqrt(s[rows, None]).astype(X.dtype)
                Z *= root
                V *= root
            with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it afterwards
                rest[:, :d] += V.T @ Z
                V = V.astype(np.float64)
                rest[:, d:] += V.T @ V
                Z = Z.astype(dtype, copy=False)
            add_self_product(gram, Z)
        return gram, rest

    if d <= THREADED_UP_TO:
        chunk = max(4 * _BLOCK, -(-n // 48 // _BLOCK) * _BLOCK)  # few enough partial sums to keep them all
        with one_blas_thread():
            parts = map_blocks(block, n, chunk)
    else:
        parts = [block(0, n)]
    size = d + Y.shape[1] + 1
    whole = np.zeros((size, size))
    for gram, rest in parts:
        whole[:d, :d] += gram
        whole[d:] += rest
    return mirror(whole)


# ---------------------------------------------------------------------- more columns than rows


def outer_gram(X: Array, x_mean: Array, weights: Array | None = None) -> Array:
    """Return ``K_ij = sqrt(s_i s_j) (x_i - x_mean)^T (x_j - x_mean)``, (n, n), in double precision.

    It goes over blocks of columns, centred in a small copy, with the same rule for threads as :func:`moments`.
    """
    n, d = X.shape
    shift = x_mean.astype(X.dtype)
    root = None if weights is None else np.sqrt(weights)[:, None].astype(X.dtype)

    def block(start: int, stop: int) -> Array:
        gram = np.zeros((n, n), dtype=X.dtype, order="F")
        for first in range(start, stop, _BLOCK):
            columns = slice(first, min(first + _BLOCK, stop))
            Z = X[:, columns] - shift[columns]
            if root is not None:
                Z *= root
            add_self_product(gram, Z.T)
        return gram

    if n <= THREADED_UP_TO:
        with one_blas_thread():
            parts = map_blocks(block, d, max(512, -(-d // 16)))
    else:
        parts = [block(0, d)]
    return mirror(np.sum(parts, axis=0, dtype=np.float64))
