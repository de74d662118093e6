"""Two-dimensional correlation without an unfolded matrix: a padded tile in cache, and register tiles over all taps."""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.tiles import ROWS, VECTOR_BYTES, VECTORS, copy_rows, dot_tile, outer_tile
from steepest.typing import Array, IntArray

FEW_ROWS, COLOURS = 4, 3  # tiles for few output channels
MANY = 2 * VECTORS  # vectors in each of few rows
DOT_ROWS, DOT_COLUMNS = 4, 4
CHUNK_STEPS = 96  # vectors of a row of slopes that are summed at a time: DOT_ROWS rows stay in the first-level cache
CHUNK = 512  # outputs of a channel between two writings: a tile's sums stay in the first-level cache
SLACK = MANY * VECTOR_BYTES  # numbers that a tile may read beyond the last it needs


class Plan(NamedTuple):
    """How a batch is cut into blocks of rows, and what each block reads and writes.

    A block is ``block_rows`` rows of the output grid ``i < height, j < width``, of one image and one group. Its source
    is packed into planes of ``rows x pitch``, one for every channel and phase f, where plane element (r, q) is source
    element ``(row_stride r + row[f], column_stride q + column[f])``, or 0 outside. In them, every tap is one shift:
    ``offset[k]``, k running over channels and taps. Output (i, j) goes to row ``out_row_stride i + out_row``, and
    its column likewise.
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
    out_row_stride: int
    out_column_stride: int
    out_row: int
    out_column: int
    splits: int


@compiled
def lanes_of(x: Array) -> int:
    """Return how many numbers of x's dtype a vector holds."""
    return VECTOR_BYTES // x.itemsize


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
                packed[plane + r * pitch : plane + r * pitch + count] = 0
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
                packed[plane + r * pitch : plane + r * pitch + count] = 0


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
) -> None:
    """``out[io + m pitch + p] = sum_k table[ia + k rows + m] x[ix + offset[k] + p]``, p < count, by vectors."""
    if rows < ROWS:
        fill_few_rows(rows, table, ia, x, ix, offset, terms, out, io, pitch, count)
        return
    lanes = lanes_of(x)
    left, p = (count + lanes - 1) // lanes, 0
    while left > 0:
        if left >= VECTORS and left != VECTORS + 1:  # two and two, rather than three and one
            take = VECTORS
            outer_tile(ROWS, VECTORS, table, ia, x, ix + p, offset, terms, out, io + p, pitch)
        elif left >= 2:
            take = 2
            outer_tile(ROWS, 2, table, ia, x, ix + p, offset, terms, out, io + p, pitch)
        else:
            take = 1
            outer_tile(ROWS, 1, table, ia, x, ix + p, offset, terms, out, io + p, pitch)
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
            outer_tile(FEW_ROWS, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch)
        elif rows == COLOURS:
            outer_tile(COLOURS, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch)
        else:
            outer_tile(1, MANY, table, ia, x, ix + p, offset, terms, out, io + p, pitch)


@compiled
def pack_weights(w: Array, taps: IntArray, swap: bool, rows: int) -> Array:
    """Return the weights (groups, C_out, C_in, all taps) in the order in which tiles read them.

    With M rows of output channels and terms k = (source channel, tap): ``table[group, block, k, m]``, zero where m lies
    beyond the last channel. ``swap`` exchanges C_out and C_in, as the input gradient does.
    """
    groups, n_out, n_in, _ = w.shape
    M, C = (n_in, n_out) if swap else (n_out, n_in)
    blocks, T = (M + rows - 1) // rows, len(taps)
    table = np.zeros((groups, blocks, C * T, rows), dtype=w.dtype)
    for g in range(groups):
        for m in range(M):
            for c in range(C):
                for t in range(T):
                    value = w[g, c, m, taps[t]] if swap else w[g, m, c, taps[t]]
                    table[g, m // rows, c * T + t, m % rows] = value
    return table.reshape(table.size)


@compiled
def correlate_blocks(
    source: Array, table: Array, rows: int, bias: Array, plan: Plan, out: Array, start: int, stop: int
) -> None:
    """Do the blocks start ... stop of a batch: ``out[n, m, p] = bias[m] + sum_k table[k, m] packed[offset[k] + p]``.

    ``source`` (N, C, H, W), ``out`` (N, M, H', W'). Reference: ``operators.convolution2d.reference.forward``.
    """
    offset, pitch, width, block_rows = plan.offset, plan.pitch, plan.width, plan.block_rows
    M, C, tiles = plan.out_channels, plan.source_channels, (plan.out_channels + rows - 1) // rows
    chunk_rows = min(block_rows, max(1, CHUNK // pitch))
    room = chunk_rows * pitch + SLACK
    packed = np.zeros(C * len(plan.row) * plan.rows * pitch + 2 * SLACK, source.dtype)
    sums = np.empty(rows * room, source.dtype)
    part = (tiles + plan.splits - 1) // plan.splits
    _, channels, out_height, out_width = out.shape
    whole, line = out.reshape(out.size), plan.out_row_stride * out_width
    for task in range(start, stop):
        split, block, image = task % plan.splits, task // plan.splits % plan.blocks, task // (plan.splits * plan.blocks)
        first = block * block_rows
        here = min(block_rows, plan.height - first)
        pack_block(
            source,
            image * C,
            C,
            plan.row,
            plan.column,
            first,
            plan.row_stride,
            plan.column_stride,
            plan.rows,
            pitch,
            packed,
        )
        n, g = image // plan.groups, image % plan.groups
        corner = (plan.out_row + plan.out_row_stride * first) * out_width + plan.out_column
        for tile in range(split * part, min((split + 1) * part, tiles)):
            at = (g * tiles + tile) * len(offset) * rows
            for chunk in range(0, here, chunk_rows):
                count = min(chunk_rows, here - chunk)
                fill_tiles(
                    rows,
                    table,
                    at,
                    packed,
                    chunk * pitch,
                    offset,
                    len(offset),
                    sums,
                    0,
                    room,
                    (count - 1) * pitch + width,
                )
                for m in range(min(rows, M - tile * rows)):
                    channel = g * M + tile * rows + m
                    to = (n * channels + channel) * out_height * out_width + corner + chunk * line
                    if plan.out_column_stride > 1:
                        store_apart(
                            sums, m * room, pitch, bias[channel], count, width, whole, to, line, plan.out_column_stride
                        )
                    elif width == pitch == line:
                        copy_rows(1, 1, count * width, sums, m * room, 0, bias[channel], whole, to, 0)
                    else:
                        copy_rows(1, count, width, sums, m * room, pitch, bias[channel], whole, to, line)


@compiled
def store_apart(
    sums: Array, at: int, pitch: int, shift: float, rows: int, count: int, out: Array, to: int, line: int, step: int
) -> None:
    """``out[to + r line + step i] = sums[at + r pitch + i] + shift`` for i < count in each of so many rows."""
    for r in range(rows):
        for i in range(count):
            out[to + r * line + step * i] = sums[at + r * pitch + i] + shift


@compiled
def weight_gradient_blocks(x: Array, dy: Array, plan: Plan, start: int, stop: int) -> Array:
    """Return the sum over the blocks start ... stop of ``dw[g, m, k] = sum_p dy[m, p] packed[offset[k] + p]``.

    ``x`` (N, C, H, W), ``dy`` (N, M, H', W'); the plan is that of the forward pass. In the columns between ``width``
    and ``pitch`` dy is taken as 0. Reference: ``operators.convolution2d.reference.weight_gradient``.
    """
    terms = len(plan.offset)
    lanes = lanes_of(x)
    area = (plan.block_rows * plan.pitch + lanes - 1) // lanes * lanes
    packed = np.zeros(plan.source_channels * len(plan.row) * plan.rows * plan.pitch + SLACK + area, x.dtype)
    tiles = (plan.out_channels + DOT_ROWS - 1) // DOT_ROWS
    columns = (terms + DOT_COLUMNS - 1) // DOT_COLUMNS
    offset = np.zeros(columns * DOT_COLUMNS, dtype=np.int64)
    offset[:terms] = plan.offset
    slopes = np.zeros(tiles * DOT_ROWS * area, x.dtype)
    size = DOT_ROWS * DOT_COLUMNS
    sums = np.zeros(plan.groups * tiles * columns * size, x.dtype)
    flat, zero = dy.reshape(dy.size), dy.dtype.type(0)
    chunks = (area // lanes + CHUNK_STEPS - 1) // CHUNK_STEPS
    chunk = (area // lanes + chunks - 1) // chunks
    for task in range(start, stop):
        image, block = task // plan.blocks, task % plan.blocks
        g = image % plan.groups
        first = block * plan.block_rows
        here = min(plan.block_rows, plan.height - first)
        pack_block(
            x,
            image * plan.source_channels,
            plan.source_channels,
            plan.row,
            plan.column,
            first,
            plan.row_stride,
            plan.column_stride,
            plan.rows,
            plan.pitch,
            packed,
        )
        for m in range(plan.out_channels):
            line = ((image * plan.out_channels + m) * plan.height + first) * plan.width
            copy_rows(1, here, plan.width, flat, line, plan.width, zero, slopes, m * area, plan.pitch)
            slopes[m * area + here * plan.pitch : (m + 1) * area] = 0
        steps = (here * plan.pitch + lanes - 1) // lanes
        for s in range(0, steps, chunk):
            some, p = min(chunk, steps - s), s * lanes
            for tile in range(tiles):
                a = tile * DOT_ROWS * area + p
                to_0 = (g * tiles + tile) * columns * size
                for j in range(columns):
                    dot_tile(
                        DOT_ROWS,
                        DOT_COLUMNS,
                        slopes,
                        a,
                        area,
                        packed,
                        p,
                        offset,
                        j * DOT_COLUMNS,
                        some,
                        sums,
                        to_0 + j * size,
                    )
    return unpack_weights(sums, plan.groups, plan.out_channels, terms)


@compiled
def unpack_weights(sums: Array, groups: int, rows: int, terms: int) -> Array:
    """Return tiles of sums ``[g][tile][column][DOT_ROWS][DOT_COLUMNS]`` as an array (groups, rows, terms)."""
    tiles = (rows + DOT_ROWS - 1) // DOT_ROWS
    columns = (terms + DOT_COLUMNS - 1) // DOT_COLUMNS
    blocks = sums.reshape((groups, tiles, columns, DOT_ROWS, DOT_COLUMNS))
    result = np.empty((groups, rows, terms), dtype=sums.dtype)
    for g in range(groups):
        for m in range(rows):
            for k in range(terms):
                result[g, m, k] = blocks[g, m // DOT_ROWS, k // DOT_COLUMNS, m % DOT_ROWS, k % DOT_COLUMNS]
    return result
