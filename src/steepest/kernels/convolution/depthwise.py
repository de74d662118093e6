"""Depthwise correlation: every channel has a kernel of its own, so a plane at a time is all there is to do."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import MANY, SLACK, lanes_of, pack_block
from steepest.kernels.convolution.strips import strip, strip_products
from steepest.kernels.convolution.tiles import copy_rows, dot_tile, outer_tile
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array, IntArray

TAPS = 16  # summed at a time in a weight gradient


@compiled
def room_for(rows: int, pitch: int, lanes: int) -> int:
    """Return the size of a padded plane, with what tiles read and write beyond it."""
    return rows * pitch + MANY * lanes + SLACK


@shared
def depthwise_planes(
    source: Array,
    w: Array,
    bias: Array,
    top: int,
    left: int,
    offset: IntArray,
    rows: int,
    pitch: int,
    out: Array,
    turn: Turn,
) -> None:
    """``out[n, c, p] = bias[c] + sum_k w[c, k] padded[n, c, offset[k] + p]`` for a turn of planes.

    ``padded`` has rows of length ``pitch`` and begins ``top`` rows above and ``left`` columns left of the source.
    Reference: ``steepest.operators.convolution2d.reference``.
    """
    channels, height, width = out.shape[1], out.shape[2], out.shape[3]
    lanes, terms = lanes_of(source), len(offset)
    packed = np.zeros(room_for(rows, pitch, lanes), source.dtype)
    sums = np.empty(room_for(height, pitch, lanes), source.dtype)
    whole, above, before = out.reshape(out.size), np.full(1, -top), np.full(1, -left)
    count, step = (height - 1) * pitch + width, MANY * lanes
    for plane in range(turn.start, turn.stop):
        channel = plane % channels
        pack_block(source, plane, 1, above, before, 0, 1, 1, rows, pitch, packed)
        for p in range(0, count, step):
            outer_tile(1, MANY, w, channel * terms, packed, p, offset, terms, sums, p, 0, False, 0)
        copy_rows(1, height, width, sums, 0, pitch, bias[channel], whole, plane * height * width, width)


@shared
def depthwise_weight_planes(
    x: Array, dy: Array, top: int, left: int, offset: IntArray, rows: int, pitch: int, found: Array, turn: Turn
) -> None:
    """Write ``dw[c, k] = sum_p dy[n, c, p] padded[n, c, offset[k] + p]``, summed over a turn of planes, to its place.

    ``offset`` has a multiple of TAPS entries. Reference: ``steepest.operators.convolution2d.reference``.
    """
    channels, height, width = dy.shape[1], dy.shape[2], dy.shape[3]
    lanes, terms = lanes_of(x), len(offset)
    packed = np.zeros(room_for(rows, pitch, lanes), x.dtype)
    slopes = np.zeros(room_for(height, pitch, lanes), x.dtype)
    sums = found[turn.block]
    flat, above, before, zero = dy.reshape(dy.size), np.full(1, -top), np.full(1, -left), dy.dtype.type(0)
    for plane in range(turn.start, turn.stop):
        pack_block(x, plane, 1, above, before, 0, 1, 1, rows, pitch, packed)
        copy_rows(1, height, width, flat, plane * height * width, width, zero, slopes, 0, pitch)
        for k in range(0, terms, TAPS):
            dot_tile(
                1, TAPS, slopes, 0, 0, 0, packed, 0, offset, k, height * pitch, sums, plane % channels * terms + k, x, 0
            )


@shared
def strip_planes(source: Array, w: Array, bias: Array, top: int, left: int, side: int, out: Array, turn: Turn) -> None:
    """Do `depthwise_planes` for kernels of 3 x 3 and 5 x 5 without dilation; ``w`` is flat."""
    channels, height, width = source.shape[1], source.shape[2], source.shape[3]
    out_height, out_width, lanes = out.shape[2], out.shape[3], lanes_of(source)
    zeros, spare = np.zeros(2 * lanes, source.dtype), np.empty(2 * lanes, source.dtype)
    x, y = source.reshape(source.size), out.reshape(out.size)
    for plane in range(turn.start, turn.stop):
        c, ix, io = plane % channels, plane * height * width, plane * out_height * out_width
        iw, b = c * side * side, bias[c]
        for j in range(0, out_width, lanes):
            if side == 3:
                strip(3, w, iw, x, ix, height, width, top, left, j, zeros, b, y, io, out_height, out_width, spare)
            else:
                strip(5, w, iw, x, ix, height, width, top, left, j, zeros, b, y, io, out_height, out_width, spare)


@shared
def strip_weight_planes(x: Array, dy: Array, top: int, left: int, side: int, found: Array, turn: Turn) -> None:
    """Do `depthwise_weight_planes` for kernels of 3 x 3 and 5 x 5 without dilation: dw (C, side * side)."""
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    out_height, out_width, lanes = dy.shape[2], dy.shape[3], lanes_of(x)
    zeros, sums = np.zeros(2 * lanes, x.dtype), np.zeros((channels * side * side, lanes), x.dtype)
    seen, slopes, flat = x.reshape(x.size), dy.reshape(dy.size), sums.reshape(sums.size)
    for plane in range(turn.start, turn.stop):
        ix, iy = plane * height * width, plane * out_height * out_width
        at = plane % channels * side * side * lanes
        for j in range(0, out_width, lanes):
            if side == 3:
                strip_products(
                    3, seen, ix, height, width, top, left, j, zeros, slopes, iy, out_height, out_width, flat, at
                )
            else:
                strip_products(
                    5, seen, ix, height, width, top, left, j, zeros, slopes, iy, out_height, out_width, flat, at
                )
    for k in range(len(sums)):
        for lane in range(lanes):
            found[turn.block, k] += sums[k, lane]
