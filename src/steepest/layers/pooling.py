"""Pooling: each window of an image becomes its largest number, or its mean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.kernels.pooling import largest, spread
from steepest.layers.layer import Layer, Parameters, Shape
from steepest.operators.convolution2d.geometry import Pair, Stride, output_side, pair
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
    _check_slopes(dy, cache)
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
    _check_slopes(dy, cache)
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
    x = np.asarray(x)
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise InvalidInputError(f"x has shape {x.shape}: must be (N, C, H, W), of which only N may be 0")
    if x.dtype.kind not in "fiub" or x.dtype == np.float16:
        raise InvalidInputError(f"x has dtype {x.dtype}: must be float32 or float64")
    windows = Windows.of(size, stride, padding)
    x = x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)
    return x, windows, windows.out_size(x.shape[2], x.shape[3])


def _check_slopes(dy: Array, cache: PoolCache) -> None:
    expected = (*cache.shape[:2], *cache.windows.out_size(cache.shape[2], cache.shape[3]))
    if dy.shape != expected:
        raise InvalidInputError(f"dy has shape {dy.shape}: must be {expected}, the shape of the output")


class _Pooling(Layer):
    """What all pooling layers share: how images are pooled, and how slopes are spread back."""

    _pool: ClassVar[Callable[..., tuple[Array, PoolCache]]]
    _spread: ClassVar[Callable[..., Array]]

    def _check_images(self, input_shape: Shape) -> None:
        """Refuse vectors."""
        if len(input_shape) != 3:
            raise InvalidInputError(f"{type(self).__name__} takes images (C, H, W), not samples of shape {input_shape}")


@dataclass(frozen=True)
class _Pool(_Pooling):
    """What the pooling layers share that go by windows."""

    pool_size: Stride
    stride: Stride | None = None
    padding: Stride = 0

    def __post_init__(self) -> None:
        """Refuse windows that do not fit."""
        Windows.of(self.pool_size, self.stride, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(C, H', W')``; vectors are refused."""
        self._check_images(input_shape)
        out = Windows.of(self.pool_size, self.stride, self.padding).out_size(input_shape[1], input_shape[2])
        return (input_shape[0], *out)

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, PoolCache]:
        """Return one number for every window, (N, C, H', W')."""
        return self._pool(X, self.pool_size, self.stride, self.padding)

    def backward(self, dY: Array, cache: PoolCache) -> tuple[Array, dict[str, Array]]:
        """Return dX."""
        return self._spread(dY, cache), {}


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """The largest number of every window.

    Parameters
    ----------
    pool_size : int or pair
        Rows and columns of a window.
    stride : int or pair, optional
        From one window to the next; ``pool_size`` if not given.
    padding : int or pair, default 0
        Rows and columns around.

    Examples
    --------
    >>> MaxPool2D(2).output_shape((3, 8, 6))
    (3, 4, 3)
    """

    formula: ClassVar[str] = "Y_ij = max of X over window (i, j)"
    latex: ClassVar[str] = r"Y_{ij} = \max_{(k, l) \in \mathrm{window}_{ij}} X_{kl}"

    _pool = staticmethod(max_pool2d_forward)
    _spread = staticmethod(max_pool2d_backward)


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """The mean of every window.

    Parameters
    ----------
    pool_size, stride, padding
        As in `MaxPool2D`; padding counts as zeros.

    Examples
    --------
    >>> AveragePool2D(2, stride=1).output_shape((3, 8, 6))
    (3, 7, 5)
    """

    formula: ClassVar[str] = "Y_ij = mean of X over window (i, j)"
    latex: ClassVar[str] = r"Y_{ij} = \frac{1}{n} \sum_{(k, l) \in \mathrm{window}_{ij}} X_{kl}"

    _pool = staticmethod(avg_pool2d_forward)
    _spread = staticmethod(avg_pool2d_backward)


class _GlobalPool(_Pooling):
    """What the pooling layers over whole images share."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(C,)``; vectors are refused."""
        self._check_images(input_shape)
        return input_shape[:1]

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, PoolCache]:
        """Return one number for every channel, (N, C)."""
        y, cache = self._pool(X, (X.shape[2], X.shape[3]))
        return y[:, :, 0, 0], cache

    def backward(self, dY: Array, cache: PoolCache) -> tuple[Array, dict[str, Array]]:
        """Return dX."""
        return self._spread(dY[:, :, None, None], cache), {}


@dataclass(frozen=True)
class GlobalMaxPool2D(_GlobalPool):
    """The largest number of every channel: a vector for an image.

    Examples
    --------
    >>> GlobalMaxPool2D().output_shape((3, 8, 6))
    (3,)
    """

    formula: ClassVar[str] = "y_c = max of X_c"
    latex: ClassVar[str] = r"y_c = \max_{k, l} X_{ckl}"

    _pool = staticmethod(max_pool2d_forward)
    _spread = staticmethod(max_pool2d_backward)


@dataclass(frozen=True)
class GlobalAveragePool2D(_GlobalPool):
    """The mean of every channel: a vector for an image.

    Examples
    --------
    >>> GlobalAveragePool2D().output_shape((3, 8, 6))
    (3,)
    """

    formula: ClassVar[str] = "y_c = mean of X_c"
    latex: ClassVar[str] = r"y_c = \frac{1}{H W} \sum_{k, l} X_{ckl}"

    _pool = staticmethod(avg_pool2d_forward)
    _spread = staticmethod(avg_pool2d_backward)
