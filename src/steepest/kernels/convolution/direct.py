"""Two-dimensional correlation without an unfolded matrix: a padded tile in cache, and register tiles over all taps."""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.tiles import ROWS, VECTORS, copy_rows, outer_tile
from steepest.kernels.relay import Turn, shared
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array, IntArray

FEW_ROWS, COLOURS = 4, 3  # tiles for few output channels
MANY = 2 * VECTORS  # vectors in each of few rows
CHUNK = 512  # outputs of a channel between two writings: a tile's sums stay in the first-level cache
SLACK = MANY * VECTOR_BYTES  # numbers that a tile may read beyond the last it needs


class Plan(NamedTuple):
    """How a batch is cut into blocks of rows, and what each block reads and writes.

    A block is ``block_rows`` rows of the output grid ``i < height, j < width``, of one image and one group. Its source
    is packed into planes of ``rows x pitch``, one for every channel and phase f, where plane element (r, q) is source
    element ``(row_stride r + row[f], column_stride q + column[f])``, or 0 outside. In them, every tap is one shift:
    ``offset[k]``, k running over channels and taps. Where there are several blocks' worth of output channels and few
    tasks, ``splits`` share them.
    """

    groups: int
    source_channels: int
    out_channels: int
    height: int
    width: int
    block_rows: int
    blocks: int
    rows: int
    pitch: int
    row_stride: int
    column_stride: int
    row: IntArray
    column: IntArray
    offset: IntArray
    splits: int


@compiled
def lanes_of(x: Array) -> int:
    """Return how many numbers of x's dtype a vector holds."""
    return VECTOR_BYTES // x.itemsize


@compiled
def multiples(count: int, step: int) -> IntArray:
    """Return ``0, step, 2 step, ...``, by a loop: array functions take longer to compile."""
    numbers = np.empty(count, np.int64)
    for i in range(count):
        numbers[i] = i * step
    return numbers


@compiled
def clear(numbers: Array, start: int, stop: int, step: int = 1) -> None:
    """Write zeros from start to stop, by a loop likewise."""
    for i in range(start, stop, step):
        numbers[i] = 0


@compiled
def pack_block(
    source: Array,
    image: int,
    channels: int,
    top: IntArray,
    left: IntArray,
    start: int,
    row_stride: int,
    step: int,
    rows: int,
    pitch: int,
    packed: Array,
) -> None:
    """Write the planes that output rows ``start ...`` read, of ``channels`` channels; ``image`` is the first.

    ``packed`` is 0 where columns lie outside of the image.
    """
    height, width = source.shape[2], source.shape[3]
    flat, zero = source.reshape(source.size), source.dtype.type(0)
    phases = len(top)
    for f in range(phases):
        shift, first = left[f], row_stride * start + top[f]
        low = min(pitch, max(0, -(shift // step)))
        count = max(0, min(pitch, (width - 1 - shift) // step + 1) - low)
        above = min(rows, max(0, -(first // row_stride)))
        below = max(above, min(rows, (height - 1 - first) // row_stride + 1))
        line = (first + row_stride * above) * width + step * low + shift
        for c in range(channels):
            plane = (c * phases + f) * rows * pitch + low
            at, to = (image + c) * height * width + line, plane + above * pitch
            for r in range(above):
                clear(packed, plane + r * pitch, plane + r * pitch + count)
            if step == 1 and count == pitch == width and row_stride == 1:
                copy_rows(1, 1, (below - above) * count, flat, at, 0, zero, packed, to, 0)
            elif step == 1:
                copy_rows(1, below - above, count, flat, at, row_stride * width, zero, packed, to, pitch)
            elif step == 2:
                copy_rows(2, below - above, count, flat, at, row_stride * width, zero, packed, to, pitch)
            else:
                for r in range(below - above):
                    for q in range(count):
                        packed[to + r * pitch + q] = flat[at + r * row_stride * width + step * q]
            for r in range(below, rows):
                clear(packed, plane + r * pitch, plane + r * pitch + count)


@compiled
def fill_tiles(
    rows: int,
    table: Array,
    ia: int,
    x: Array,
    ix: int,
    offset: IntArray,
    terms: int,
    out: Array,
    io: int,
    pitch: int,
    count: int,
    more: bool = False,
) -> None:
    """``out[io + m pitch + p] = sum_k table[ia + k rows + m] x[ix + offset[k] + p]``, p < count, by vectors.

    With ``more`` the sum is added to what out holds.
    """
    if rows < ROWS:
        fill_few_rows(rows, table, ia, x, ix, offset, terms, out, io, pitch, count)
        return
    lanes = lanes_of(x)
    left, p = (count + lanes - 1) // lanes, 0
    while left > 0:
        if left >= VECTORS and left != VECTORS + 1:  # two and two, rather than three and one
            take = VECTORS
            outer_tile(ROWS, VECTORS, table, ia, x, ix + p, offset, terms, out, io + p, pitch, more, 0)
        elif left >= 2:
            take = 2
            outer_tile(ROWS, 2, table, ia, x, ix + p, offset, terms, out, io + p, pitch, more, 0)
        else:
            take = 1
            outer_tile(ROWS, 1, table, ia, x, ix + p, offset, terms, out, io + p, pitch, more, 0)
        p += take * lanes
        left -= take


@compiled
def fill_few_rows(
    rows: int,
    table: Array,
    ia: int,
    x: Array,
    ix: int,
    offset: IntArray,
    terms: int,
    out: Array,
    io: int,
    pitch: int,
    count: int,
) -> None:
    """Do the same for 1, 3 or 4 rows, of as many vectors as make up for it; up to MANY vectors may be written."""
    width = MANY * lanes_of(x)
    for p in range(0, count, width):
        if rows == FEW_ROWS:
            outer_tile(FEW_ROWS, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch, False, 0)
        elif rows == COLOURS:
            outer_tile(COLOURS, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch, False, 0)
        else:
            outer_tile(1, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch, False, 0)


@compiled
def pack_weights(w: Array, taps: IntArray, swap: bool, rows: int, table: Array) -> None:
    """Write the weights (groups, C_out, C_in, all taps) in the order in which tiles read them.

    With M rows of output channels and terms k = (source channel, tap): ``table[group, block, k, m]``, zero where m lies
    beyond the last channel. ``swap`` exchanges C_out and C_in, as the input gradient does.
    """
    groups, n_out, n_in, n_taps = w.shape
    M, C = (n_in, n_out) if swap else (n_out, n_in)
    down, across = (n_taps, n_in * n_taps) if swap else (n_in * n_taps, n_taps)
    blocks, T, flat = (M + rows - 1) // rows, len(taps), w.reshape(w.size)
    for block in range(groups * blocks):
        first = block % blocks * rows
        count = np.uintp(min(rows, M - first))
        if count < rows:
            clear(table, block * C * T * rows, (block + 1) * C * T * rows)
        for c in range(C):
            at, to = block // blocks * M * C * n_taps + first * down + c * across, (block * C + c) * T * rows
            for t in range(T):
                line, place = np.uintp(at + taps[t]), np.uintp(to + t * rows)
                for m in range(count):
                    table[place + m] = flat[line + m * np.uintp(down)]


@compiled
def chunk_height(height: int, pitch: int, width: int, rows: int, lanes: int) -> int:
    """Return how many of ``height`` rows to sum at a time: those that fill their vectors best, up to CHUNK numbers.

    Tiles of few ``rows`` come in MANY vectors at once. To begin counts as much as half a vector, or half of MANY.
    """
    unit = lanes if rows == ROWS else MANY * lanes
    best, cost = 1, 2 * ((width + unit - 1) // unit) + 1
    for r in range(2, min(height, CHUNK // pitch) + 1):
        here = 2 * (((r - 1) * pitch + width + unit - 1) // unit) + 1
        if here * best <= cost * r:
            best, cost = r, here
    return best


@shared
def correlate_blocks(source: Array, table: Array, rows: int, bias: Array, plan: Plan, out: Array, turn: Turn) -> None:
    """Do a turn of the blocks of a batch: ``out[n, m, p] = bias[m] + sum_k table[k, m] packed[offset[k] + p]``.

    ``source`` (N, C, H, W), ``out`` (N, M, H', W'). Reference: ``operators.convolution2d.reference.forward``.
    """
    offset, pitch, width, block_rows = plan.offset, plan.pitch, plan.width, plan.block_rows
    M, C, tiles = plan.out_channels, plan.source_channels, (plan.out_channels + rows - 1) // rows
    chunk_rows = chunk_height(block_rows, pitch, width, rows, lanes_of(source))
    room = chunk_rows * pitch + SLACK
    packed = np.zeros(C * len(plan.row) * plan.rows * pitch + 2 * SLACK, source.dtype)
    sums = np.empty(rows * room, source.dtype)
    part = (tiles + plan.splits - 1) // plan.splits
    _, channels, out_height, out_width = out.shape
    whole, row, column, steps = out.reshape(out.size), plan.row, plan.column, (plan.row_stride, plan.column_stride)
    for task in range(turn.start, turn.stop):
        split, block, image = task % plan.splits, task // plan.splits % plan.blocks, task // (plan.splits * plan.blocks)
        first = block * block_rows
        here = min(block_rows, plan.height - first)
        pack_block(source, image * C, C, row, column, first, steps[0], steps[1], plan.rows, pitch, packed)
        n, g = image // plan.groups, image % plan.groups
        for tile in range(split * part, min((split + 1) * part, tiles)):
            at = (g * tiles + tile) * len(offset) * rows
            if rows == ROWS and width % lanes_of(source) == 0 and (tile + 1) * rows <= M:
                channel = g * M + tile * rows
                to = ((n * channels + channel) * out_height + first) * out_width
                write_rows(table, at, packed, pitch, offset, bias, channel, here, width, whole, to, out_height * width)
                continue
            for chunk in range(0, here, chunk_rows):
                count = min(chunk_rows, here - chunk)
                size = (count - 1) * pitch + width
                fill_tiles(rows, table, at, packed, chunk * pitch, offset, len(offset), sums, 0, room, size)
                for m in range(min(rows, M - tile * rows)):
                    channel = g * M + tile * rows + m
                    to = (n * channels + channel) * out_height * out_width + (first + chunk) * out_width
                    if width == pitch == out_width:
                        copy_rows(1, 1, count * width, sums, m * room, 0, bias[channel], whole, to, 0)
                    else:
                        copy_rows(1, count, width, sums, m * room, pitch, bias[channel], whole, to, out_width)


@compiled
def write_rows(
    table: Array,
    at: int,
    packed: Array,
    pitch: int,
    offset: IntArray,
    bias: Array,
    channel: int,
    rows: int,
    width: int,
    out: Array,
    to: int,
    size: int,
) -> None:
    """Write rows of ROWS channels, which lie ``size`` apart, without a detour: each is a whole number of vectors."""
    for r in range(rows):
        fill_tiles(ROWS, table, at, packed, r * pitch, offset, len(offset), out, to + r * width, size, width)
    for m in range(ROWS):
        shift = bias[channel + m]
        if shift != 0:
            for i in range(to + m * size, to + m * size + rows * width):
                out[i] += shift
