r"""Convolution as it is taught: a window slides over the image, and each place gives one sum of products."""

import numpy as np

from steepest.operators.convolution2d.geometry import Geometry, Padding, Stride
from steepest.typing import Array


def conv2d_loops(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
) -> Array:
    r"""Convolve window by window, in plain loops: slow, and nothing hidden.

    Notes
    -----
    ``y[n, o, i, j] = b[o] + sum over c, k, l of w[o, c, k, l] window[c, k, l]``, where the window is cut out of the
    padded image at row ``i stride`` and column ``j stride``, every ``dilation``-th element, in the channels of o's
    group.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d_loops(x, np.ones((1, 1, 2, 2)))[0, 0]
    array([[ 8., 12.],
           [20., 24.]])
    """
    g = Geometry.of(x.shape, w.shape, stride, padding, dilation, groups)
    padded = np.pad(x, ((0, 0), (0, 0), *g.padding))
    y = np.zeros(g.output_shape, dtype=x.dtype)
    for n in range(g.batch):
        for o in range(g.out_channels):
            for i in range(g.out_size[0]):
                for j in range(g.out_size[1]):
                    window = _window(padded[n], o, i, j, g)
                    y[n, o, i, j] = np.sum(window * w[o]) + (0 if b is None else b[o])
    return y


def conv2d_backward_loops(
    dy: Array,
    x: Array,
    w: Array,
    *,
    stride: Stride = 1,
    padding: Padding = 0,
    dilation: Stride = 1,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    r"""Pull ``dy = dL/dy`` back to x, w and b, window by window.

    Notes
    -----
    One output is ``y = sum(window * w) + b``. So it hands ``dy w`` back to the numbers in its window, ``dy window`` to
    the kernel, and ``dy`` to the bias; what several outputs hand back adds up.

    Examples
    --------
    >>> import numpy as np
    >>> x, w = np.arange(4.0).reshape(1, 1, 2, 2), np.ones((1, 1, 1, 1))
    >>> dx, dw, db = conv2d_backward_loops(np.ones((1, 1, 2, 2)), x, w)
    >>> dx[0, 0], dw.item(), db.item()
    (array([[1., 1.],
           [1., 1.]]), 6.0, 4.0)
    """
    g = Geometry.of(x.shape, w.shape, stride, padding, dilation, groups)
    padded = np.pad(x, ((0, 0), (0, 0), *g.padding))
    d_padded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros(g.out_channels, dtype=x.dtype)
    for n in range(g.batch):
        for o in range(g.out_channels):
            for i in range(g.out_size[0]):
                for j in range(g.out_size[1]):
                    slope = dy[n, o, i, j]
                    _window(d_padded[n], o, i, j, g)[...] += slope * w[o]
                    dw[o] += slope * _window(padded[n], o, i, j, g)
                    db[o] += slope
    (top, _), (left, _) = g.padding
    return d_padded[:, :, top : top + g.size[0], left : left + g.size[1]], dw, db


def _window(padded: Array, o: int, i: int, j: int, g: Geometry) -> Array:
    """Return the view (C_in / groups, kH, kW) that output (o, i, j) sees."""
    per_group = g.in_channels // g.groups
    first = o // (g.out_channels // g.groups) * per_group
    row, column = i * g.stride[0], j * g.stride[1]
    height, width = g.dilation[0] * (g.kernel[0] - 1) + 1, g.dilation[1] * (g.kernel[1] - 1) + 1
    return padded[
        first : first + per_group, row : row + height : g.dilation[0], column : column + width : g.dilation[1]
    ]
