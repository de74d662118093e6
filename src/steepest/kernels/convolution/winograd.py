"""Winograd's minimal filtering: 36 products instead of 144 for a tile of 4 x 4 outputs of a 3 x 3 kernel.

A block of tiles goes through all three phases (transform, 36 matrix products, transform back) while it is in cache.
Reference: ``steepest.operators.convolution2d.reference``.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import DOT_COLUMNS, DOT_ROWS, fill_tiles, lanes_of
from steepest.kernels.convolution.tiles import ROWS, copy_rows, dot_tile
from steepest.kernels.convolution.transforms import (
    FROM_IMAGE,
    FROM_KERNEL,
    FROM_SLOPES,
    SIDE,
    STEP,
    TO_IMAGE,
    TO_KERNEL,
    transform,
)
from steepest.typing import Array

PLANES = SIDE * SIDE
TAPS = 9


@compiled
def transform_weights(w: Array, swap: bool, table: Array, start: int, stop: int) -> None:
    """Write ``table[plane, block, c, m]`` (flat) of the blocks start ... stop of ROWS output channels.

    ``w`` is (C_out, C_in, 3, 3); ``swap`` exchanges its channels and flips its taps, as the input gradient does.
    """
    n_out, n_in = w.shape[0], w.shape[1]
    M, C = (n_in, n_out) if swap else (n_out, n_in)
    blocks, lanes = (M + ROWS - 1) // ROWS, lanes_of(w)
    size = C * ROWS
    room = (size + lanes - 1) // lanes * lanes
    taps, planes = np.zeros(TAPS * room, w.dtype), np.empty(PLANES * room, w.dtype)
    for block in range(start, stop):
        for m in range(ROWS):
            for c in range(C):
                for k in range(TAPS):
                    value = w.dtype.type(0)
                    if block * ROWS + m < M:
                        if swap:
                            value = w[c, block * ROWS + m, 2 - k // 3, 2 - k % 3]
                        else:
                            value = w[block * ROWS + m, c, k // 3, k % 3]
                    taps[k * room + c * ROWS + m] = value
        for p in range(0, room, lanes):
            transform(FROM_KERNEL, taps, p, room, planes, p, room)
        for plane in range(PLANES):
            to = (plane * blocks + block) * size
            table[to : to + size] = planes[plane * room : plane * room + size]


@compiled
def read_lines(source: Array, image: int, y: int, x: int, rows: int, count: int, lines: Array, pitch: int) -> None:
    """Copy ``rows x count`` numbers from (y, x) of one channel to ``lines``, with zeros outside of the image."""
    height, width = source.shape[2], source.shape[3]
    flat, zero = source.reshape(source.size), source.dtype.type(0)
    low, high = max(0, -x), max(0, min(count, width - x))
    above, below = min(rows, max(0, -y)), max(0, min(rows, height - y))
    for r in range(rows):
        inside = above <= r < below
        for q in range(low if inside else count):
            lines[r * pitch + q] = 0
        if inside:
            for q in range(high, count):
                lines[r * pitch + q] = 0
    if below > above and high > low:
        at = (image * height + y + above) * width + x + low
        copy_rows(1, below - above, high - low, flat, at, width, zero, lines, above * pitch + low, pitch)


@compiled
def transform_tiles(
    source: Array, slopes: bool, top: int, left: int, grid_rows: int, grid_columns: int, start: int, count: int,
    lines: Array, out: Array, pitch: int,
) -> None:
    """Write ``out[plane, channel, tile]`` of the tiles ``start ... start + count`` of all channels of a batch.

    Tile (ty, tx) begins at row ``4 ty - top``, column ``4 tx - left`` of an image; it has 6 x 6 numbers, or 4 x 4 of slopes.
    What a vector writes beyond the last tile of a row, the next row overwrites.
    """
    channels, lanes = source.shape[1], lanes_of(source)
    side = STEP if slopes else SIDE
    line_pitch = len(lines) // SIDE
    tile, stop = start, start + count
    while tile < stop:
        row, tx = tile // grid_columns, tile % grid_columns
        n, ty = row // grid_rows, row % grid_rows
        here = min(grid_columns - tx, stop - tile)
        for c in range(channels):
            y, x = STEP * ty - top, STEP * tx - left
            read_lines(source, n * channels + c, y, x, side, STEP * here + side - STEP, lines, line_pitch)
            to = c * pitch + tile - start
            for p in range(0, here, lanes):
                if slopes:
                    transform(FROM_SLOPES, lines, STEP * p, line_pitch, out, to + p, channels * pitch)
                else:
                    transform(FROM_IMAGE, lines, STEP * p, line_pitch, out, to + p, channels * pitch)
        tile += here


@compiled
def winograd_blocks(
    source: Array, table: Array, bias: Array, top: int, left: int, out: Array, tiles: int, start: int, stop: int
) -> None:
    """Do the blocks start ... stop of ``tiles`` tiles: ``out`` (N, M, H', W') from ``source`` (N, C, H, W)."""
    N, C, _, _ = source.shape
    _, M, height, width = out.shape
    grid_rows, grid_columns = (height + STEP - 1) // STEP, (width + STEP - 1) // STEP
    lanes, blocks = lanes_of(source), (M + ROWS - 1) // ROWS
    pitch = (tiles + 2 * lanes - 1) // lanes * lanes  # a row of tiles may end with up to a vector of no tiles
    across = (grid_columns + lanes - 1) // lanes * lanes
    lines = np.zeros(SIDE * (STEP * across + 4 * lanes), source.dtype)
    seen = np.zeros(PLANES * C * pitch + across, source.dtype)
    products = np.empty(PLANES * blocks * ROWS * pitch + across, source.dtype)
    offset = np.arange(C) * pitch
    for block in range(start, stop):
        first = block * tiles
        count = min(tiles, N * grid_rows * grid_columns - first)
        transform_tiles(source, False, top, left, grid_rows, grid_columns, first, count, lines, seen, pitch)
        for plane in range(PLANES):
            for b in range(blocks):
                a, to = (plane * blocks + b) * C * ROWS, (plane * blocks + b) * ROWS * pitch
                fill_tiles(ROWS, table, a, seen, plane * C * pitch, offset, C, products, to, pitch, count)
        write_tiles(products, blocks * ROWS * pitch, pitch, bias, grid_rows, grid_columns, first, count, lines, out)


@compiled
def write_tiles(
    products: Array, plane: int, pitch: int, bias: Array, grid_rows: int, grid_columns: int, start: int, count: int,
    lines: Array, out: Array,
) -> None:
    """Transform the products of the tiles ``start ... start + count`` back and write them, plus the bias, to ``out``."""
    _, M, height, width = out.shape
    flat, lanes = out.reshape(out.size), lanes_of(out)
    line_pitch = len(lines) // SIDE
    tile, stop = start, start + count
    while tile < stop:
        row, tx = tile // grid_columns, tile % grid_columns
        n, ty = row // grid_rows, row % grid_rows
        here = min(grid_columns - tx, stop - tile)
        rows, columns = min(STEP, height - STEP * ty), min(STEP * here, width - STEP * tx)
        for m in range(M):
            for p in range(0, here, lanes):
                transform(TO_IMAGE, products, m * pitch + tile - start + p, plane, lines, STEP * p, line_pitch)
            to = ((n * M + m) * height + STEP * ty) * width + STEP * tx
            copy_rows(1, rows, columns, lines, 0, line_pitch, bias[m], flat, to, width)
        tile += here


@compiled
def winograd_weight_blocks(
    x: Array, dy: Array, top: int, left: int, tiles: int, start: int, stop: int
) -> Array:
    """Return the sum over blocks of tiles of ``G^T [(A dy A^T) (B^T x B)] G``: dw as (C_out, C_in, 3, 3)."""
    N, C, _, _ = x.shape
    _, M, height, width = dy.shape
    grid_rows, grid_columns = (height + STEP - 1) // STEP, (width + STEP - 1) // STEP
    lanes = lanes_of(x)
    blocks, columns = (M + DOT_ROWS - 1) // DOT_ROWS, (C + DOT_COLUMNS - 1) // DOT_COLUMNS
    pitch = (tiles + 2 * lanes - 1) // lanes * lanes  # a row of tiles may end with up to a vector of no tiles
    across = (grid_columns + lanes - 1) // lanes * lanes
    lines = np.zeros(SIDE * (STEP * across + 4 * lanes), x.dtype)
    seen = np.zeros(PLANES * C * pitch + across, x.dtype)
    slopes = np.zeros(PLANES * M * pitch + across + DOT_ROWS * pitch, x.dtype)
    offset = np.minimum(np.arange(columns * DOT_COLUMNS), C - 1) * pitch
    size = DOT_ROWS * DOT_COLUMNS
    plane_size = blocks * columns * size
    room = (plane_size + lanes - 1) // lanes * lanes
    sums = np.zeros(PLANES * room, x.dtype)
    for block in range(start, stop):
        first = block * tiles
        count = min(tiles, N * grid_rows * grid_columns - first)
        transform_tiles(x, False, top, left, grid_rows, grid_columns, first, count, lines, seen, pitch)
        transform_tiles(dy, True, 0, 0, grid_rows, grid_columns, first, count, lines, slopes, pitch)
        steps = (count + lanes - 1) // lanes
        clear_ends(seen, PLANES * C, pitch, count, steps * lanes)
        clear_ends(slopes, PLANES * M, pitch, count, steps * lanes)
        for plane in range(PLANES):
            for b in range(blocks):
                a = (plane * M + b * DOT_ROWS) * pitch
                for j in range(columns):
                    to = plane * room + (b * columns + j) * size
                    dot_tile(
                        DOT_ROWS, DOT_COLUMNS, slopes, a, pitch, seen, plane * C * pitch, offset, j * DOT_COLUMNS, steps, sums, to
                    )
    taps = np.empty(TAPS * room, x.dtype)
    for p in range(0, room, lanes):
        transform(TO_KERNEL, sums, p, room, taps, p, room)
    dw = np.empty((M, C, 3, 3), x.dtype)
    for m in range(M):
        for c in range(C):
            at = ((m // DOT_ROWS) * columns + c // DOT_COLUMNS) * size + m % DOT_ROWS * DOT_COLUMNS + c % DOT_COLUMNS
            for k in range(TAPS):
                dw[m, c, k // 3, k % 3] = taps[k * room + at]
    return dw


@compiled
def clear_ends(numbers: Array, rows: int, pitch: int, start: int, stop: int) -> None:
    """Set ``numbers[r pitch + start : r pitch + stop]`` to 0 in each row."""
    for r in range(rows):
        for p in range(start, stop):
            numbers[r * pitch + p] = 0
