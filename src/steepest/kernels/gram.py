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

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.kernels.blas import LARGE_ORDER, one_blas_thread
from steepest.kernels.compile import compiled
from steepest.kernels.scratch import scratch
from steepest.kernels.threads import map_blocks
from steepest.kernels.tiles import LINE, add_gram, fill_from_columns, fill_from_rows, lanes
from steepest.typing import Array

COMPILED_UP_TO = 256  # columns: beyond, BLAS is as fast as our kernel
THREADED_UP_TO = LARGE_ORDER  # columns: beyond, BLAS shares its products among its own threads
_PANEL_ROWS = 128  # rows multiplied in registers before they are added in double precision
TILE_ROUNDING, BLAS_ROUNDING = 1e-7, 1e-6  # relative errors of sums in single precision, by who adds
_FEW = 1 << 18  # numbers in X up to which double precision costs next to nothing
_SMALL = 1 << 17  # multiplications that BLAS makes as soon as our kernel, in one thread and without being compiled
_CHUNKS = 32  # parts of the data, each summed by itself
_LEAST_CHUNK, _LEAST_ENTRIES = 2048, 1 << 17  # rows of such a part, and its numbers: more work than to wake a thread
_BLOCK = 1024  # rows of a BLAS block, centred in a copy
_PARTS_BYTES = 1 << 26  # of all partial sums by BLAS, of which there are two at least
_SHIFT_ROWS = 256
_STRIP = 8  # numbers in a line of the cache


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
    rounding : float
        Relative rounding error of the products in ``gram`` and ``cross``.
    """

    weight: float
    x_mean: Array
    y_mean: Array
    gram: Array
    cross: Array
    y_square: Array
    rounding: float = float(np.finfo(np.float64).eps)

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
    return Moments(float(s.sum()), x_mean, y_mean, X.T @ (s[:, None] * X), X.T @ (s[:, None] * Y), s @ Y**2)


def moments(X: Array, Y: Array, weights: Array | None = None, *, centre: bool = True, dtype: Any = None) -> Moments:
    """Return the moments of X (n, d), float32 or float64, and Y (n, k), in one pass over X.

    Parameters
    ----------
    weights : array (n,), optional
        Not negative; ones if not given.
    centre : bool, default True
        Take the means out.
    dtype : {float32, float64}, optional
        The precision to multiply centred data in. If not given, that of X; but double where the data are so few that
        the other is not worth its rounding. float32 for float64 data, at twice the speed, is for a caller who will
        refine the answer on the data: then ``y_square`` comes in double precision still, the means do not.

    Notes
    -----
    Who computes: array code where the data are small. Else, by the number of columns: our kernel on our threads up to
    256; blocks of rows, each with a single-threaded BLAS product, up to 2048; BLAS on its own threads beyond. In single
    precision the kernel adds 128 rows in registers and these sums in double precision; the others go on in single
    precision for a block of thousands.
    """
    d, k = X.shape[1], Y.shape[1]
    if dtype is None:
        dtype = X.dtype if X.size > _FEW else np.float64
    if dtype == np.float64 and len(X) * (d + k) ** 2 <= _SMALL:
        return _of_copy(X, Y, weights, centre)
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        X = np.ascontiguousarray(X)
    x_shift, y_shift = (guessed_shift(X), guessed_shift(Y)) if centre else (np.zeros(d), np.zeros(k))
    s = np.empty(0) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    tiled = d + k < COMPILED_UP_TO
    whole = (_by_tiles if tiled else _by_blas)(X, Y, s, x_shift, y_shift, np.dtype(dtype))
    found = centred_moments(whole, d, x_shift, y_shift, centre)
    if dtype == np.float32:
        found.rounding = TILE_ROUNDING if tiled else BLAS_ROUNDING
    return found


def _of_copy(X: Array, Y: Array, weights: Array | None, centre: bool) -> Moments:
    """Return the moments in double precision, from a centred copy of all data."""
    d, mean = X.shape[1], np.zeros(X.shape[1] + Y.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it afterwards
        Z = np.concatenate([X, Y], axis=1, dtype=np.float64)
        weight = float(len(X) if weights is None else weights.sum())
        if centre and weight > 0:
            mean = (np.add.reduce(Z) if weights is None else weights @ Z) / weight
            Z -= mean
        if weights is not None:
            Z *= np.sqrt(weights)[:, None]
        M = Z.T @ Z
    return Moments(weight, mean[:d], mean[d:], M[:d, :d], M[:d, d:], np.diagonal(M)[d:].copy())


def some_rows(A: Array) -> Array:
    """Return some rows spread over ``A``."""
    return A[:: max(1, len(A) // _SHIFT_ROWS)][:_SHIFT_ROWS]


def guessed_shift(A: Array) -> Array:
    """Return the mean of some rows spread over ``A``, representable in its dtype."""
    some = some_rows(A)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = (np.add.reduce(some, axis=0, dtype=np.float64) / len(some)).astype(A.dtype, copy=False)
    finite = np.isfinite(mean)
    return (mean if finite.all() else np.where(finite, mean, 0.0)).astype(np.float64, copy=False)


def centred_moments(whole: Array, d: int, x_shift: Array, y_shift: Array, centre: bool) -> Moments:
    """Take the parts out of ``M``, of which the lower triangle is given, and subtract ``u u^T / W``."""
    weight, u = float(whole[-1, -1]), whole[-1, :-1].copy()
    x_mean, y_mean = x_shift, y_shift
    offset: Array = np.zeros(len(u))
    if centre and weight > 0:
        with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it afterwards
            offset = u / weight
        x_mean, y_mean = x_shift + offset[:d], y_shift + offset[d:]
    inner = np.empty((len(u), len(u)))
    _complete(whole, u, offset, inner)
    return Moments(weight, x_mean, y_mean, inner[:d, :d], inner[:d, d:], np.diagonal(inner)[d:].copy())


@compiled
def _complete(whole: Array, u: Array, offset: Array, inner: Array) -> None:
    """Write ``whole - u offset^T``, read from the lower triangle, to both; a square is not negative, though rounded."""
    size = len(u)
    for first in range(0, size, _STRIP):  # a strip of columns: read by lines of the cache, and written along rows
        for i in range(first, size):
            for j in range(first, min(first + _STRIP, i + 1)):
                value = whole[i, j] - u[i] * offset[j]
                inner[i, j] = inner[j, i] = 0.0 if i == j and value < 0.0 else value


# ---------------------------------------------------------------------- few columns: our kernel


def _by_tiles(X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array, dtype: Any) -> Array:
    """Return ``M`` by the compiled kernel, in threads, multiplied in ``dtype``."""
    d, k, width = X.shape[1], Y.shape[1], lanes(dtype)
    groups = -(-(d + k + 1) // width)
    shift = np.zeros(groups * width)
    shift[:d] = x_shift
    by_columns = X.flags.f_contiguous and not X.flags.c_contiguous
    data = X.T if by_columns else X

    rows = max(_LEAST_CHUNK, _LEAST_ENTRIES // max(d, 1), -(-len(X) // _CHUNKS))
    chunk = -(-rows // _PANEL_ROWS) * _PANEL_ROWS
    parts = np.zeros((-(-len(X) // chunk), groups * width, groups * width))

    def block(start: int, stop: int) -> None:
        panel = scratch("panel", groups * _PANEL_ROWS * width, dtype).reshape(groups, _PANEL_ROWS, width)
        _add_moments(data, by_columns, Y, s, shift, y_shift, start, stop, panel, parts[start // chunk])

    map_blocks(block, len(X), chunk)
    total = parts[0]
    for part in parts[1:]:
        total += part
    return np.asarray(total[: d + k + 1, : d + k + 1])


@compiled
def _add_moments(
    X: Array, by_columns: bool, Y: Array, s: Array, shift: Array, y_shift: Array, start: int, stop: int, panel: Array,
    gram: Array,
) -> None:  # fmt: skip
    """Add the moments of rows ``start`` to ``stop`` of X (n, d), or of its transpose; twin of the reference above.

    The products are formed in the panel's precision. What the targets have to themselves, their sums and squares and
    the sum of weights, is summed in double precision in any case.
    """
    d, k = X.shape[0] if by_columns else X.shape[1], Y.shape[1]
    exact = np.zeros((k, 2))
    weight = 0.0
    panel[...] = 0.0
    # where the next panel's rows lie in memory: in one piece, or in a piece for every column
    run = np.int64(np.log2(_PANEL_ROWS * X.itemsize // LINE)) if by_columns else np.int64(np.log2(_PANEL_ROWS))
    jump = X.strides[0] if by_columns else _PANEL_ROWS * LINE
    for first in range(start, stop, _PANEL_ROWS):
        rows = min(_PANEL_ROWS, stop - first)
        if by_columns:
            fill_from_columns(X, shift, first, rows, panel)
        else:
            fill_from_rows(X, shift, first, rows, panel)
        weight += finish_panel(Y, s, y_shift, d, first, rows, panel, exact)
        ahead = X.ctypes.data + (first + rows) * X.itemsize * (1 if by_columns else d)
        add_gram(panel, rows, d + k + 1, gram, ahead, run, jump, rows * d * X.itemsize // LINE)
    for j in range(k):
        gram[d + k, d + j], gram[d + j, d + j] = exact[j, 0], exact[j, 1]
    gram[d + k, d + k] = weight


@compiled
def finish_panel(
    Y: Array, s: Array, y_shift: Array, d: int, first: int, rows: int, panel: Array, exact: Array
) -> float:
    """Append the targets and the ones, scale by the square roots of the weights; return their sum."""
    k, width = Y.shape[1], panel.shape[2]
    for j in range(k):
        group, lane = (d + j) // width, (d + j) % width
        total, square = 0.0, 0.0
        for r in range(rows):
            value = np.float64(Y[first + r, j]) - y_shift[j]
            weighted = value * s[first + r] if s.size > 0 else value
            total += weighted
            square += weighted * value
            panel[group, r, lane] = value
        exact[j, 0] += total
        exact[j, 1] += square
    group, lane = (d + k) // width, (d + k) % width
    for r in range(rows):
        panel[group, r, lane] = 1.0
    return _weigh(s, first, rows, panel) if s.size > 0 else float(rows)


@compiled
def _weigh(s: Array, first: int, rows: int, panel: Array) -> float:
    """Multiply rows by the square roots of their weights; return the sum of the weights."""
    weight = 0.0
    for r in range(rows):
        weight += s[first + r]
        root = np.sqrt(s[first + r])
        for group in range(panel.shape[0]):
            for lane in range(panel.shape[2]):
                panel[group, r, lane] *= root
    return weight


# ---------------------------------------------------------------------- many columns: BLAS


def _by_blas(X: Array, Y: Array, s: Array, x_shift: Array, y_shift: Array, dtype: Any) -> Array:
    """Return ``M`` by BLAS, block by block, multiplied in ``dtype``."""
    n, d = X.shape
    given = np.promote_types(X.dtype, dtype)
    shifts = x_shift.astype(given), y_shift.astype(given)

    def block(start: int, stop: int) -> tuple[Array, Array]:
        gram = np.zeros((d, d), dtype=dtype)
        rest = np.zeros((Y.shape[1] + 1, d + Y.shape[1] + 1))
        for first in range(start, stop, max(_BLOCK, d)):  # so many that forming d x d numbers weighs little beside
            rows = slice(first, min(first + max(_BLOCK, d), stop))
            Z = _less(X[rows], shifts[0])
            V = np.column_stack([Y[rows] - shifts[1], np.ones(Z.shape[0], dtype=Z.dtype)])
            if s.size:
                root = np.sqrt(s[rows, None]).astype(given)
                Z *= root
                V *= root
            with np.errstate(invalid="ignore", over="ignore"):  # `finite` says it afterwards
                rest[:, :d] += V.T @ Z
                V = V.astype(np.float64)
                rest[:, d:] += V.T @ V
                Z = Z.astype(dtype, copy=False)
            gram += Z.T @ Z  # NumPy notices the symmetry; so does SciPy's BLAS, but not in two threads at a time
        return gram, rest

    if d <= THREADED_UP_TO:
        with one_blas_thread():
            parts = map_blocks(block, n, _share(n, d))
    else:
        parts = [block(0, n)]
    size = d + Y.shape[1] + 1
    whole = np.zeros((size, size))
    for gram, rest in parts:
        whole[:d, :d] += gram
        whole[d:] += rest
    return whole


def _share(length: int, order: int) -> int:
    """Return how much of ``length`` a thread takes at a time: equal parts, few enough to keep all their sums."""
    pairs = min(_PARTS_BYTES // (16 * order * order), length // (2 * _BLOCK), 24)
    return -(-length // max(2 * pairs, 2))


def _less(X: Array, shift: Array) -> Array:
    """Return ``X - shift`` in the order of X, in space that this thread uses again."""
    rows, columns = X.shape
    space = scratch("centred", X.size, np.promote_types(X.dtype, shift.dtype))
    Z = space.reshape(columns, rows).T if X.strides[0] == X.itemsize else space.reshape(rows, columns)
    return np.subtract(X, shift, out=Z)


# ---------------------------------------------------------------------- more columns than rows


def outer_gram(X: Array, x_mean: Array, weights: Array | None = None) -> Array:
    """Return ``K_ij = sqrt(s_i s_j) (x_i - x_mean)^T (x_j - x_mean)``, (n, n), in double precision.

    It goes over blocks of columns, centred in a small copy, with the same rule for threads as :func:`moments`.
    """
    n, d = X.shape
    shift = x_mean.astype(X.dtype)
    root = None if weights is None else np.sqrt(weights)[:, None].astype(X.dtype)

    def block(start: int, stop: int) -> Array:
        Z = _less(X[:, start:stop], shift[start:stop])
        if root is not None:
            Z *= root
        return np.asarray(Z @ Z.T)

    with one_blas_thread() if n <= THREADED_UP_TO else nullcontext():
        parts = map_blocks(block, d, _share(d, n))
    total = parts[0].astype(np.float64, copy=False)
    for part in parts[1:]:
        total += part
    return total
