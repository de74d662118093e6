r"""Convolution in which every channel has one kernel of its own.

Notes
-----
``y_nc = b_c + w_c * x_nc`` (correlation): no sum over channels, so nothing to gain from several channels in registers.
For the usual small kernels a plane is read where it lies, in strips a vector wide, with all weights in registers
(`steepest.kernels.convolution.strips`). Otherwise a plane is padded, summed tap by tap and written, while it stays in
the first-level cache; as in `steepest.operators.convolution2d.direct`, a tap is a shift of the flattened plane. The
input gradient is the same with dy and the taps turned around, and the weight gradient the product of dy with the plane,
shift by shift.
"""

from typing import Any

import numpy as np

from steepest.kernels.convolution.depthwise import (
    TAPS,
    depthwise_planes,
    depthwise_weight_planes,
    strip_planes,
    strip_weight_planes,
)
from steepest.operators.convolution2d.geometry import Geometry, Pair
from steepest.operators.convolution2d.sharing import share, share_parts
from steepest.typing import Array, IntArray

STRIP_SIDES = (3, 5)  # of the kernels whose weights stay in registers: no padded copy of the plane
PARTIAL_SUMS = 4  # a weight gradient is summed in so many parts, for any number of threads


def refusal(g: Geometry) -> str:
    """Return why a shape cannot be done this way; nothing if it can."""
    if g.stride != (1, 1) or not g.in_channels == g.out_channels == g.groups:
        return "takes as many groups as channels, in and out, and stride 1"
    return ""


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, C, H', W')."""
    bias = np.zeros(g.out_channels, dtype=x.dtype) if b is None else np.ascontiguousarray(b)
    y = np.empty(g.output_shape, dtype=x.dtype)
    return _correlate(x, w, bias, (g.padding[0][0], g.padding[1][0]), g, y)


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    start = [g.dilation[i] * (g.kernel[i] - 1) - g.padding[i][0] for i in (0, 1)]
    flipped = np.ascontiguousarray(w[:, :, ::-1, ::-1])
    dx = np.empty(g.input_shape, dtype=dy.dtype)
    return _correlate(dy, flipped, np.zeros(g.in_channels, dtype=dy.dtype), (start[0], start[1]), g, dx)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (C, 1, kH, kW)."""
    taps, planes, (top, left) = g.kernel[0] * g.kernel[1], g.batch * g.groups, (g.padding[0][0], g.padding[1][0])
    how: tuple[Any, ...] = planes, PARTIAL_SUMS, g.products, x, dy, top, left
    if _by_strips(g):
        dw = share_parts(strip_weight_planes, *how, g.kernel[0], shape=(g.groups * taps,), dtype=x.dtype)
    else:
        offset, rows, pitch = _shifts(g, g.out_size)
        offset = np.concatenate([offset, np.zeros(-taps % TAPS, dtype=np.int64)])
        shape = (g.groups * len(offset),)
        sums = share_parts(depthwise_weight_planes, *how, offset, rows, pitch, shape=shape, dtype=x.dtype)
        dw = np.ascontiguousarray(sums.reshape(g.groups, -1)[:, :taps])
    return dw.reshape(g.weight_shape)


def _correlate(source: Array, w: Array, bias: Array, start: Pair, g: Geometry, out: Array) -> Array:
    planes = g.batch * g.groups
    if _by_strips(g):
        share(strip_planes, planes, g.products, source, w.ravel(), bias, *start, g.kernel[0], out)
    else:
        offset, rows, pitch = _shifts(g, (out.shape[2], out.shape[3]))
        share(depthwise_planes, planes, g.products, source, w.ravel(), bias, *start, offset, rows, pitch, out)
    return out


def _by_strips(g: Geometry) -> bool:
    return g.kernel[0] == g.kernel[1] and g.kernel[0] in STRIP_SIDES and g.dilation == (1, 1)


def _shifts(g: Geometry, out: Pair) -> tuple[IntArray, int, int]:
    """Return the shift of every tap, and rows and row length of a padded plane, for an output of size ``out``."""
    reach = [g.dilation[i] * (g.kernel[i] - 1) for i in (0, 1)]
    pitch = out[1] + reach[1]
    rows, columns = (g.dilation[i] * np.arange(g.kernel[i]) for i in (0, 1))
    return (rows[:, None] * pitch + columns).ravel(), out[0] + reach[0], pitch
