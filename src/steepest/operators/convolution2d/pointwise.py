r"""Convolution with kernels of 1 x 1: a matrix product over channels, at every place by itself.

Notes
-----
``y_nop = b_o + sum_c w_oc x_ncp`` with one index p for the place: for each image ``Y = W X``, X (C, places) and Y (O,
places). So images are read and written where they lie, and neither is padded nor packed. Gradients::

    dX = W^T dY        dW = sum_n dY X^T

The first is the same product with W transposed. The second sums over places, not over channels: it has the shape of
every weight gradient, and is left to `steepest.operators.convolution2d.direct`.
"""

import numpy as np

from steepest.kernels.convolution.pointwise import pointwise_panels
from steepest.kernels.convolution.tiles import ROWS, VECTORS
from steepest.kernels.vectors import lanes
from steepest.operators.convolution2d import direct
from steepest.operators.convolution2d.geometry import Geometry
from steepest.operators.convolution2d.sharing import share
from steepest.typing import Array


def refusal(g: Geometry) -> str:
    """Return why a shape cannot be done this way; nothing if it can."""
    if g.kernel != (1, 1) or g.stride != (1, 1) or g.padding != ((0, 0), (0, 0)):
        return "takes kernels of 1 x 1 with stride 1 and padding 0"
    return ""


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H, W)."""
    bias = np.zeros(g.out_channels, dtype=x.dtype) if b is None else np.ascontiguousarray(b)
    return _product(x, w, bias, False, g, np.empty(g.output_shape, dtype=x.dtype))


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    bias = np.zeros(g.in_channels, dtype=dy.dtype)
    return _product(dy, w, bias, True, g, np.empty(g.input_shape, dtype=dy.dtype))


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C / groups, 1, 1)."""
    return direct.weight_gradient(dy, x, g)


def _product(source: Array, w: Array, bias: Array, swap: bool, g: Geometry, out: Array) -> Array:
    """Write ``W X``, or ``W^T X`` for the input gradient, plus bias."""
    table = direct.tile_weights(w, g, [np.zeros(1, dtype=np.int64)], swap, ROWS)
    width = VECTORS * lanes(source.itemsize)
    tasks = g.batch * g.groups * -(-g.size[0] * g.size[1] // width)
    share(pointwise_panels, tasks, g.products, source, table, bias, g.groups, out, width)
    return out
