"""The gradient of the weights: products of the slopes of the output with shifted inputs, in register tiles."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import Plan, lanes_of, pack_block
from steepest.kernels.convolution.tiles import copy_rows, dot_tile
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array, IntArray

ROWS, COLUMNS = 8, 3  # output channels and terms of a tile
SIZE = 32  # numbers of a tile, as whole vectors
CHUNK_STEPS = 32  # vectors of a row that are summed at a time at most: ROWS rows stay in the first-level cache


@shared
def weight_gradient_blocks(x: Array, dy: Array, plan: Plan, packs: bool, found: Array, turn: Turn) -> None:
    """Write ``dw[g, m, k] = sum_p dy[m, p] packed[offset[k] + p]``, summed over a turn of blocks, to the turn's place.

    ``x`` (N, C, H, W), ``dy`` (N, M, H', W'); the plan's planes have rows as long as those of dy. Without ``packs``, x
    is read where it lies: there is one tap, and its plane is the image.
    Reference: ``steepest.operators.convolution2d.reference.weight_gradient``.
    """
    C, M, area = plan.source_channels, plan.out_channels, plan.height * plan.width
    terms, tiles = len(plan.offset), (M + ROWS - 1) // ROWS
    columns = (terms + COLUMNS - 1) // COLUMNS
    offset = np.zeros(columns * COLUMNS, dtype=np.int64)
    for k in range(terms):
        offset[k] = plan.offset[k] if packs else k * area
    planes = aligned_zeros(C * len(plan.row) * plan.rows * plan.pitch if packs else 0, x)
    sums = np.zeros((plan.groups, tiles, columns, SIZE), x.dtype)
    slopes, seen, flat = dy.reshape(dy.size), planes if packs else x.reshape(x.size), sums.reshape(sums.size)
    row_step, column_step, chunk = plan.row_stride, plan.column_stride, chunk_of(plan, lanes_of(x))
    lines = aligned_zeros(ROWS * (chunk + lanes_of(x)), x)
    for task in range(turn.start, turn.stop):
        image, first = task // plan.blocks, task % plan.blocks * plan.block_rows
        here, at = min(plan.block_rows, plan.height - first) * plan.width, first * plan.width
        if packs:
            pack_block(
                x, image * C, C, plan.row, plan.column, first, row_step, column_step, plan.rows, plan.pitch, planes
            )
        ix, iy, to = 0 if packs else image * C * area + at, image * M * area + at, image % plan.groups * sums[0].size
        for p in range(0, here, chunk):
            same = at + p + chunk < area  # the next chunk is in this image, or begins the next one
            next_y, next_x = chunk if same else M * area - at - p, chunk if same else C * area - at - p
            add_products(
                slopes, iy + p, area, M, next_y, seen, ix + p, C, next_x, offset, min(chunk, here - p), flat, to, lines
            )
    unpack_weights(sums, found[turn.block])


@compiled
def aligned_zeros(size: int, like: Array) -> Array:
    """Return so many zeros, which begin with a line of the cache."""
    lanes = lanes_of(like)
    room = np.zeros(size + lanes, like.dtype)
    skip = -(room.ctypes.data // like.itemsize) % lanes
    return room[skip : skip + size]


@compiled
def chunk_of(plan: Plan, lanes: int) -> int:
    """Return how many places are summed at a time: a block is cut into equal chunks of whole vectors."""
    vectors = (plan.block_rows * plan.width + lanes - 1) // lanes
    chunks = (vectors + CHUNK_STEPS - 1) // CHUNK_STEPS
    return (vectors + chunks - 1) // chunks * lanes


@compiled
def add_products(
    slopes: Array,
    iy: int,
    area: int,
    M: int,
    next_y: int,
    x: Array,
    ix: int,
    C: int,
    next_x: int,
    offset: IntArray,
    count: int,
    sums: Array,
    to: int,
    lines: Array,
) -> None:
    """Add the products of ``count`` places to the sums of one group, tile after tile.

    ROWS rows of the slopes at a time are copied to ``lines``, each from a line of the cache on: in dy all may fall in
    one set of the cache, and a vector that lies across two lines takes twice as long to read. The first tiles have the
    same channels fetched as far ahead as ``next_y`` and ``next_x`` say, one each: memory would decide the speed
    otherwise.
    """
    tile, pitch = 0, len(lines) // ROWS
    for m in range(0, M, ROWS):
        copy_rows(1, min(ROWS, M - m), count, slopes, iy + m * area, area, x.dtype.type(0), lines, 0, pitch)
        for j in range(0, len(offset), COLUMNS):
            ahead, z = slopes, iy + tile * area + next_y
            if tile >= M:
                ahead, z = x, ix + min(tile - M, C) * area + next_x
            out = to + tile * SIZE
            dot_tile(ROWS, COLUMNS, lines, 0, pitch, M - 1 - m, x, ix, offset, j, count, sums, out, ahead, z)
            tile += 1


@compiled
def unpack_weights(sums: Array, result: Array) -> None:
    """Write tiles of sums ``[group][tile][column][row, term]`` as an array (groups, M, terms)."""
    for g in range(len(sums)):
        for m in range(result.shape[1]):
            for k in range(result.shape[2]):
                result[g, m, k] = sums[g, m // ROWS, k // COLUMNS, m % ROWS * COLUMNS + k % COLUMNS]
