r"""One-dimensional convolution: the Toeplitz matrix, the product with it, and its adjoint.

Notes
-----
The full convolution of a signal x (d,) with a filter w (k,) is::

    y_t = sum_j w_j x_{t-j},    t = 0 ... d+k-2,    x = 0 outside of 0 ... d-1

It is bilinear. For a fixed w it is ``y = A(w) x`` with the Toeplitz matrix ``A(w)_{t,i} = w_{t-i}`` (d+k-1, d), and as
it does not change when x and w trade places, for a fixed x it is ``y = A(x) w`` with A(x) (d+k-1, k).
The adjoint sums the same products the other way::

    <A x, v> = sum_t v_t sum_i w_{t-i} x_i = sum_i x_i (sum_j w_j v_{i+j}),    so (A^T v)_i = sum_j w_j v_{i+j}

which is the correlation of v with w wherever w fits in whole. It is all that gradients need: with e = y - w * x,
``dJ/dw = -A(x)^T e`` and ``dJ/dx = -A(w)^T e`` for ``J = |e|^2 / 2``.

``A(w)^T A(w)`` is Toeplitz again, ``r_{|i-j|}`` with the autocorrelation ``r_m = sum_j w_j w_{j+m}``: every column of A
holds the whole filter, only shifted.
"""

from functools import partial
from typing import Literal

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.kernels.threads import map_blocks, n_threads
from steepest.operators.pieces import SUMMED_SAMPLES, Pieces, filtered
from steepest.typing import Array
from steepest.validation import check_choice, check_count

Method = Literal["auto", "direct", "fft"]
METHODS = ("auto", "direct", "fft")

DIRECT_LENGTH = {4: 600, 8: 300}  # by itemsize: the longest filter for which counting every product is faster
DIRECT_LAGS = {4: 100, 8: 60}  # likewise, the most lags of two long signals
THREADED_PRODUCTS = 400_000  # fewer products than this are done before threads have woken up


def convolution_matrix(w: Array, d: int) -> Array:
    """Return the matrix A (d+k-1, d) with ``A x = w * x``, the full convolution.

    Examples
    --------
    >>> import numpy as np
    >>> convolution_matrix(np.array([1.0, -1.0]), 3)
    array([[ 1.,  0.,  0.],
           [-1.,  1.,  0.],
           [ 0., -1.,  1.],
           [ 0.,  0., -1.]])
    """
    w = _signal("w", w)
    if w.ndim != 1:
        raise InvalidInputError(f"w has shape {w.shape}: must be one filter (k,)")
    check_count("d", d)
    matrix = np.zeros((d + len(w) - 1, d), dtype=w.dtype)
    for i in range(d):
        matrix[i : i + len(w), i] = w
    return matrix


def convolve(x: Array, w: Array, *, method: Method = "auto") -> Array:
    """Return the full convolution ``w * x`` (..., d+k-1) of signals x (..., d) with a filter w (k,).

    Parameters
    ----------
    x : array (..., d)
        Signals along the last axis; float32 stays float32 if both are.
    w : array (k,) or (..., k)
        One filter, or one for each signal (leading axes broadcast).
    method : {"auto", "direct", "fft"}, default "auto"
        Count every product, or multiply spectra block by block; "auto" takes the faster. The error of "fft" is some
        units in the last place of the largest output, that of "direct" of each output.

    Examples
    --------
    >>> import numpy as np
    >>> convolve(np.array([1.0, 2.0, 3.0]), np.array([1.0, -1.0]))
    array([ 1.,  1.,  1., -3.])
    """
    check_choice("method", method, METHODS)
    x, w = _pair("x", x, "w", w)
    leading = np.broadcast_shapes(x.shape[:-1], w.shape[:-1])
    if not leading:
        return _convolve_one(x, w, method)
    signals = np.broadcast_to(x, (*leading, x.shape[-1])).reshape(-1, x.shape[-1])
    filters = np.broadcast_to(w, (*leading, w.shape[-1])).reshape(-1, w.shape[-1])
    result = np.empty((len(signals), x.shape[-1] + w.shape[-1] - 1), dtype=x.dtype)
    for i in range(len(signals)):
        result[i] = _convolve_one(signals[i], filters[i], method)
    return result.reshape(*leading, result.shape[-1])


def correlate(y: Array, w: Array, *, method: Method = "auto") -> Array:
    """Return ``sum_j w_j y_{i+j}`` (..., n-k+1) for every i at which the filter w (k,) fits in y (..., n) as a whole.

    It is the adjoint of `convolve`: ``<convolve(x, w), y> = <x, correlate(y, w)> = <w, correlate(y, x)>``.

    Examples
    --------
    >>> import numpy as np
    >>> correlate(np.array([1.0, 1.0, 1.0, -3.0]), np.array([1.0, -1.0]))
    array([0., 0., 4.])
    """
    check_choice("method", method, METHODS)
    y, w = _pair("y", y, "w", w)
    n, k = y.shape[-1], w.shape[-1]
    if n < k:
        raise InvalidInputError(f"y has {n} samples, w has {k}: y must be at least as long")
    if n - k + 1 >= k:  # a short filter: the part of the full convolution with it reversed where it lies inside
        return convolve(y, w[..., ::-1], method=method)[..., k - 1 : n]
    leading = np.broadcast_shapes(y.shape[:-1], w.shape[:-1])
    signals = np.broadcast_to(y, (*leading, n)).reshape(-1, n)
    filters = np.broadcast_to(w, (*leading, k)).reshape(-1, k)
    result = np.empty((len(signals), n - k + 1), dtype=y.dtype)
    for i in range(len(signals)):
        result[i] = _products_of_lags(signals[i], filters[i], method)
    return result.reshape(*leading, n - k + 1)


def _signal(name: str, value: Array) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"{name} has dtype {array.dtype}: must be real numbers")
    if array.ndim == 0 or array.shape[-1] == 0:
        raise InvalidInputError(f"{name} has shape {array.shape}: must hold at least one sample along its last axis")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _pair(first: str, x: Array, second: str, w: Array) -> tuple[Array, Array]:
    x, w = _signal(first, x), _signal(second, w)
    try:
        np.broadcast_shapes(x.shape[:-1], w.shape[:-1])
    except ValueError:
        raise InvalidInputError(
            f"{first} has shape {x.shape}, {second} {w.shape}: must agree in all axes but the last, or {second} be (k,)"
        ) from None
    dtype = np.result_type(x, w)
    return x.astype(dtype, copy=False), w.astype(dtype, copy=False)


def _convolve_one(x: Array, w: Array, method: Method) -> Array:
    if len(w) > len(x):
        x, w = w, x  # w * x = x * w, and all costs grow with the shorter of the two
    if method == "auto":
        method = "direct" if len(w) <= DIRECT_LENGTH[x.itemsize] else "fft"
    return _direct(x, w) if method == "direct" else filtered(x, w)


def _direct(x: Array, w: Array) -> Array:
    """Count every product, several outputs at a time."""
    from steepest.kernels.convolution.line import convolve_block, shifted_filters
    from steepest.kernels.convolution.tiles import ROWS

    x = np.ascontiguousarray(x)
    table, offsets = shifted_filters(w)
    y = np.empty(len(x) + len(w) - 1, dtype=x.dtype)
    block = len(y) if len(y) * len(w) < THREADED_PRODUCTS else -(-len(y) // (n_threads() * ROWS)) * ROWS
    map_blocks(partial(convolve_block, x, table, len(offsets), y), len(y), block)
    return y


def _products_of_lags(y: Array, w: Array, method: Method) -> Array:
    """Return ``sum_j w_j y_{i+j}`` for the few lags i that a long w has in y."""
    lags = len(y) - len(w) + 1
    if method == "auto":
        method = "direct" if lags <= DIRECT_LAGS[y.itemsize] else "fft"
    if method == "direct":
        from steepest.kernels.convolution.line import correlate_block

        y, w = np.ascontiguousarray(y), np.ascontiguousarray(w)
        parts = map_blocks(partial(correlate_block, y, w, lags), len(w), SUMMED_SAMPLES)
        return np.asarray(sum(parts[1:], parts[0]))
    return Pieces(w, lags).correlate(y)


class Convolution:
    """The linear map ``x -> w * x`` from (d,) to (d+k-1,), with its adjoint.

    Examples
    --------
    >>> import numpy as np
    >>> A = Convolution(np.array([1.0, -1.0]), 3)
    >>> A.forward(np.array([1.0, 2.0, 3.0])), A.adjoint(np.array([1.0, 1.0, 1.0, -3.0]))
    (array([ 1.,  1.,  1., -3.]), array([0., 0., 4.]))
    """

    def __init__(self, w: Array, d: int) -> None:
        self.w = _signal("w", w)
        self.input_shape: tuple[int, ...] = (d,)
        self.output_shape: tuple[int, ...] = (d + len(self.w) - 1,)

    def forward(self, x: Array) -> Array:
        """Return ``w * x``."""
        return convolve(x, self.w)

    def adjoint(self, v: Array) -> Array:
        """Return the correlation of ``v`` with ``w``."""
        return correlate(v, self.w)

    def gram(self) -> Array:
        """Return the first column r of the Toeplitz matrix ``A^T A`` (d, d)."""
        return autocorrelation(self.w, self.input_shape[0])


def autocorrelation(w: Array, length: int) -> Array:
    """Return ``r_m = sum_j w_j w_{j+m}`` for m = 0 ... length-1, summed over all leading axes of ``w``.

    Examples
    --------
    >>> import numpy as np
    >>> autocorrelation(np.array([1.0, -1.0]), 3)
    array([ 2., -1.,  0.])
    """
    w = _signal("w", w)
    check_count("length", length)
    signals = w.reshape(-1, w.shape[-1])
    reach = min(length, w.shape[-1])
    result = np.zeros(length, dtype=w.dtype)
    for signal in signals:
        padded = np.concatenate([signal, np.zeros(reach - 1, dtype=w.dtype)])
        result[:reach] += correlate(padded, signal)
    return result


class FixedSignal:
    """Products of one signal with filters and responses: what all of them need of the signal is computed once.

    Parameters
    ----------
    x : array (d,)
        The signal, float32 or float64.
    k : int
        The length of the filters, and the number of lags.

    Examples
    --------
    >>> import numpy as np
    >>> x = FixedSignal(np.array([1.0, 2.0, 3.0]), 2)
    >>> x.convolve(np.array([1.0, -1.0])), x.correlate(np.array([1.0, 1.0, 1.0, -3.0])), x.autocorrelation()
    (array([ 1.,  1.,  1., -3.]), array([ 6., -6.]), array([14.,  8.]))
    """

    def __init__(self, x: Array, k: int) -> None:
        self.x, self.k = x, k
        self._pieces = Pieces(x, k) if DIRECT_LENGTH[x.itemsize] < k <= len(x) else None

    def convolve(self, w: Array) -> Array:
        """Return ``w * x`` (d+k-1,)."""
        return convolve(self.x, w) if self._pieces is None else self._pieces.convolve(w)

    def correlate(self, y: Array) -> Array:
        """Return ``sum_j x_j y_{i+j}`` (k,) of y (d+k-1,)."""
        return correlate(y, self.x) if self._pieces is None else self._pieces.correlate(y)

    def autocorrelation(self) -> Array:
        """Return ``sum_j x_j x_{i+j}`` (k,)."""
        return autocorrelation(self.x, self.k) if self._pieces is None else self._pieces.autocorrelation()
