"""Pooling: each window of an image becomes its largest number, or its mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.kernels.pooling import largest, spread
from steepest.operators.convolution2d.geometry import Pair, Stride, output_side, pair
from steepest.operators.floats import floats
from steepest.typing import Array, IntArray

Slices = tuple[Any, ...]


@dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling lie.

    Attributes
    ----------
    size, stride, padding : pair of int
        Rows and columns of a window, from one window to the next, and of padding on each side.
    """

    size: Pair
    stride: Pair
    padding: Pair

    @classmethod
    def of(cls, size: Any, stride: Any, padding: Any) -> "Windows":
        """Check the settings; ``stride=None`` puts the windows side by side."""
        window = pair("size", size, 1)
        around = pair("padding", padding, 0)
        if any(2 * around[i] > window[i] for i in (0, 1)):
            raise InvalidInputError(
                f"padding={padding!r}: must be at most half of size={size!r}, "
                "or a window could lie in the padding alone"
            )
        return cls(window, window if stride is None else pair("stride", stride, 1), around)

    def out_size(self, height: int, width: int) -> Pair:
        """Return how many windows fit below and beside each other."""
        sides = [
            output_side(name, side, self.size[i], self.stride[i], (self.padding[i], self.padding[i]), 1)
            for i, (name, side) in enumerate((("height", height), ("width", width)))
        ]
        return sides[0], sides[1]

    def taps(self, out: Pair) -> Iterator[Slices]:
        """Yield, for each element of a window, where it lies in the padded images, for all windows at once."""
        for k in range(self.size[0]):
            for m in range(self.size[1]):
                rows = slice(k, k + self.stride[0] * (out[0] - 1) + 1, self.stride[0])
                columns = slice(m, m + self.stride[1] * (out[1] - 1) + 1, self.stride[1])
                yield (slice(None), slice(None), rows, columns)

    def first_inside(self, out: Pair) -> IntArray:
        """Return which element of each window is the first of the image itself, (H', W'), counted row by row."""
        rows, columns = (np.maximum(0, self.padding[i] - self.stride[i] * np.arange(out[i])) for i in (0, 1))
        first: IntArray = rows[:, None] * self.size[1] + columns
        return first

    def pad(self, x: Array, value: float) -> Array:
        """Return x with ``value`` around."""
        if self.padding == (0, 0):
            return x
        return np.pad(x, ((0, 0), (0, 0), *((p, p) for p in self.padding)), constant_values=value)

    def crop(self, padded: Array) -> Array:
        """Return what is inside of the padding."""
        (p, q), (height, width) = self.padding, padded.shape[2:]
        return padded[:, :, p : height - p, q : width - q]


class PoolCache(NamedTuple):
    """What the backward of a pooling needs.

    Attributes
    ----------
    shape : tuple of int
        Shape of x.
    windows : Windows
        Where the windows lay.
    chosen : int array (N, C, H', W') or None
        Which element of each window was the largest, counted row by row; None for a mean.
    """

    shape: tuple[int, ...]
    windows: Windows
    chosen: IntArray | None


def max_pool2d_forward(
    x: Array, size: Stride = 2, stride: Stride | None = None, padding: Stride = 0
) -> tuple[Array, PoolCache]:
    """Return the largest number of every window, ``y`` (N, C, H', W') from ``x`` (N, C, H, W), and which it was.

    Of equal numbers the first counts; NaN is larger than any number. Padding never wins.

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4))[0][0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    x, windows, out = _open(x, size, stride, padding)
    y, chosen = largest(windows.pad(x, -np.inf), windows.size, windows.stride, out)
    if windows.padding != (0, 0):  # whose numbers are as large as the image's where all of these are minus infinity
        np.copyto(chosen, windows.first_inside(out), where=y == -np.inf)
    return y, PoolCache(x.shape, windows, chosen)


def largest_by_taps(padded: Array, windows: Windows, out: Pair) -> tuple[Array, IntArray]:
    """Return the largest number of every window, and which it was, one element of all windows after the other.

    Examples
    --------
    >>> import numpy as np
    >>> windows = Windows((1, 2), (1, 2), (0, 0))
    >>> largest_by_taps(np.array([[[[1.0, 2.0, 4.0, 3.0]]]]), windows, (1, 2))
    (array([[[[2., 4.]]]]), array([[[[1, 0]]]], dtype=int32))
    """
    y = np.full((*padded.shape[:2], *out), -np.inf, dtype=padded.dtype)
    chosen = np.zeros(y.shape, dtype=np.int32)
    for number, tap in enumerate(windows.taps(out)):
        element = padded[tap]
        better = (element > y) | (element != element)  # the second: NaN
        np.copyto(y, element, where=better)
        chosen[better] = number
    return y, chosen


def max_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    """Pull ``dy = dL/dy`` back to ``dx``.

    Notes
    -----
    ``y = x_m`` with m the place of the largest number of the window; a small change of x does not change m, so
    ``dy/dx_k = 1`` for k = m and 0 otherwise: dy goes to the place that won. Where windows overlap, what a place gets
    from each adds up. (Where two numbers are equal, y has a kink; the whole dy goes to the first, a subgradient.)

    Examples
    --------
    >>> import numpy as np
    >>> y, cache = max_pool2d_forward(np.array([[[[1.0, 2.0], [4.0, 3.0]]]]))
    >>> max_pool2d_backward(np.array([[[[5.0]]]]), cache)[0, 0]
    array([[0., 0.],
           [5., 0.]])
    """
    dy = _slopes(dy, cache)
    padded = cache.windows.pad(np.zeros(cache.shape, dtype=dy.dtype), 0.0)
    if cache.chosen is not None:
        spread(dy, cache.windows.size, cache.windows.stride, cache.chosen, padded)
    return cache.windows.crop(padded)


def spread_by_taps(dy: Array, windows: Windows, chosen: IntArray, padded: Array) -> None:
    """Add ``dy`` to ``padded`` in place, each number where its window's largest was.

    Examples
    --------
    >>> import numpy as np
    >>> dx = np.zeros((1, 1, 1, 2))
    >>> spread_by_taps(np.array([[[[5.0]]]]), Windows((1, 2), (1, 2), (0, 0)), np.array([[[[1]]]]), dx)
    >>> dx
    array([[[[0., 5.]]]])
    """
    for number, tap in enumerate(windows.taps((dy.shape[2], dy.shape[3]))):
        padded[tap] += np.where(chosen == number, dy, 0)


def avg_pool2d_forward(
    x: Array, size: Stride = 2, stride: Stride | None = None, padding: Stride = 0
) -> tuple[Array, PoolCache]:
    """Return the mean of every window, ``y`` (N, C, H', W') from ``x`` (N, C, H, W); padding counts as zeros.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4))[0][0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    x, windows, out = _open(x, size, stride, padding)
    padded = windows.pad(x, 0.0)
    y = np.zeros((*x.shape[:2], *out), dtype=x.dtype)
    for tap in windows.taps(out):
        y += padded[tap]
    y /= windows.size[0] * windows.size[1]
    return y, PoolCache(x.shape, windows, None)


def avg_pool2d_backward(dy: Array, cache: PoolCache) -> Array:
    """Pull ``dy = dL/dy`` back to ``dx``.

    Notes
    -----
    ``y = sum_k x_k / n`` over the n elements of a window, so ``dy/dx_k = 1 / n``: every element of the window gets the
    nth part of dy, and what several windows give adds up.

    Examples
    --------
    >>> import numpy as np
    >>> y, cache = avg_pool2d_forward(np.ones((1, 1, 2, 2)))
    >>> avg_pool2d_backward(np.array([[[[4.0]]]]), cache)[0, 0]
    array([[1., 1.],
           [1., 1.]])
    """
    dy = _slopes(dy, cache)
    padded = cache.windows.pad(np.zeros(cache.shape, dtype=dy.dtype), 0.0)
    share = dy / dy.dtype.type(cache.windows.size[0] * cache.windows.size[1])
    for tap in cache.windows.taps((dy.shape[2], dy.shape[3])):
        padded[tap] += share
    return cache.windows.crop(padded)


def max_pool2d(x: Array, size: Stride = 2, *, stride: Stride | None = None, padding: Stride = 0) -> Array:
    """Return the largest number of every window of images (N, C, H, W).

    Parameters
    ----------
    x : array (N, C, H, W)
        Images, float32 or float64.
    size : int or pair, default 2
        Rows and columns of a window.
    stride : int or pair, optional
        From one window to the next; ``size`` if not given.
    padding : int or pair, default 0
        Rows and columns around, which never win; at most half of ``size``.

    Examples
    --------
    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 5.,  7.],
           [13., 15.]])
    """
    return max_pool2d_forward(x, size, stride, padding)[0]


def avg_pool2d(x: Array, size: Stride = 2, *, stride: Stride | None = None, padding: Stride = 0) -> Array:
    """Return the mean of every window of images (N, C, H, W); padding counts as zeros.

    Parameters
    ----------
    x, size, stride, padding
        As in `max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return avg_pool2d_forward(x, size, stride, padding)[0]


def _open(x: Array, size: Any, stride: Any, padding: Any) -> tuple[Array, Windows, Pair]:
    x = floats("x", x)
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise InvalidInputError(f"x has shape {x.shape}: must be (N, C, H, W), of which only N may be 0")
    windows = Windows.of(size, stride, padding)
    return x, windows, windows.out_size(x.shape[2], x.shape[3])


def _slopes(dy: Array, cache: PoolCache) -> Array:
    dy = floats("dy", dy)
    expected = (*cache.shape[:2], *cache.windows.out_size(cache.shape[2], cache.shape[3]))
    if dy.shape != expected:
        raise InvalidInputError(f"dy has shape {dy.shape}: must be {expected}, the shape of the output")
    return dy
