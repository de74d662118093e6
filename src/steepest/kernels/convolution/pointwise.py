"""Kernels of 1 x 1: matrix products over channels, which read images where they lie."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import fill_tiles, lanes_of, multiples
from steepest.kernels.convolution.tiles import ROWS, VECTORS, copy_rows, outer_tile
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array


@shared
def pointwise_panels(source: Array, table: Array, bias: Array, groups: int, out: Array, width: int, turn: Turn) -> None:
    """``out[n, m, p] = bias[m] + sum_c table[c, m] source[n, c, p]`` for a turn of panels of ``width`` places.

    ``source`` (N, groups C, H, W), ``out`` (N, groups M, H, W); ``table[group, block, c, ROWS]``. A panel, of VECTORS
    vectors at most, stays in the first-level cache for all blocks of ROWS output channels.
    Reference: ``steepest.operators.convolution2d.reference.forward``.
    """
    C, M, area = source.shape[1] // groups, out.shape[1] // groups, source.shape[2] * source.shape[3]
    lanes, panels = lanes_of(source), (area + width - 1) // width
    table_size = (M + ROWS - 1) // ROWS * C * ROWS
    panel, sums = np.zeros(C * width, source.dtype), np.empty(ROWS * width, source.dtype)
    x, y = source.reshape(source.size), out.reshape(out.size)
    for task in range(turn.start, turn.stop):
        image, p = task // panels, task % panels * width
        here, group = min(width, area - p), image % groups
        weights, shifts = table[group * table_size : (group + 1) * table_size], bias[group * M : (group + 1) * M]
        at, to = image * C * area + p, image * M * area + p
        if here % lanes == 0 and M % ROWS == 0:
            multiply_in_place(weights, C, x, at, area, here, shifts, y, to)
        else:
            multiply_packed(weights, C, x, at, area, here, shifts, y, to, panel, sums, width)


@compiled
def multiply_in_place(
    table: Array, C: int, x: Array, at: int, area: int, count: int, bias: Array, y: Array, to: int
) -> None:
    """Do a panel of whole vectors and whole blocks of channels; meanwhile what lies behind it is fetched."""
    lanes, channels = lanes_of(x), multiples(C, area)
    for m in range(0, len(bias), ROWS):
        line, ahead = to + m * area, count + m // ROWS * lanes if m < VECTORS * ROWS else 0
        if count == VECTORS * lanes:
            outer_tile(ROWS, VECTORS, table, m * C, x, at, channels, C, y, line, area, False, ahead)
        else:
            fill_tiles(ROWS, table, m * C, x, at, channels, C, y, line, area, count)
        for k in range(ROWS):
            if bias[m + k] != 0:
                for i in range(line + k * area, line + k * area + count):
                    y[i] += bias[m + k]


@compiled
def multiply_packed(
    table: Array,
    C: int,
    x: Array,
    at: int,
    area: int,
    count: int,
    bias: Array,
    y: Array,
    to: int,
    panel: Array,
    sums: Array,
    width: int,
) -> None:
    """Do any panel, by way of work space: ``panel`` (C, width) and ``sums`` (ROWS, width)."""
    channels = multiples(C, width)
    copy_rows(1, C, count, x, at, area, x.dtype.type(0), panel, 0, width)
    for m in range(0, len(bias), ROWS):
        fill_tiles(ROWS, table, m * C, panel, 0, channels, C, sums, 0, width, count)
        for k in range(min(ROWS, len(bias) - m)):
            copy_rows(1, 1, count, sums, k * width, 0, bias[m + k], y, to + (m + k) * area, 0)
