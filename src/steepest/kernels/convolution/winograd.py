"""Winograd's minimal filtering: 36 products instead of 144 for a tile of 4 x 4 outputs of a 3 x 3 kernel.

A block of tiles goes through all three phases (transform, 36 matrix products, transform back) while it is in cache.
Reference: ``steepest.operators.convolution2d.reference``.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import fill_tiles, lanes_of
from steepest.kernels.convolution.tiles import ROWS, transpose_tile
from steepest.kernels.convolution.transforms import (
    FROM_IMAGE,
    FROM_KERNEL,
    FROM_SLOPES,
    SIDE,
    STEP,
    TO_KERNEL,
    transform_back,
    transform_image,
    transform_planes,
)
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array, IntArray

PLANES = SIDE * SIDE
TAPS = 9


@compiled
def weight_block(channels: int, lanes: int) -> int:
    """Return the numbers of one block of ROWS output channels in one plane of transformed weights."""
    return (channels * ROWS + lanes - 1) // lanes * lanes


@compiled
def apart(size: int, lanes: int) -> int:
    """Return how far apart planes of ``size`` numbers lie: a vector more, lest all 36 fall in one set of the cache."""
    return (size + lanes - 1) // lanes * lanes + lanes


@compiled
def transform_weights(w: Array, swap: bool, start: int, stop: int, table: Array) -> None:
    """Write ``table[plane, block, c, m]`` of the blocks start ... stop of ROWS output channels.

    ``w`` is (C_out, C_in, 3, 3); ``swap`` exchanges its channels and flips its taps, as the input gradient does.
    """
    n_out, n_in = w.shape[0], w.shape[1]
    M, C = (n_in, n_out) if swap else (n_out, n_in)
    lanes = lanes_of(w)
    room = weight_block(C, lanes)
    plane = apart((M + ROWS - 1) // ROWS * room, lanes)
    tap = apart(room, lanes)
    taps = np.zeros(TAPS * tap, w.dtype)
    flat = w.reshape(w.size)
    for block in range(start, stop):
        if block * ROWS + ROWS > M:
            taps[:] = 0
        for m in range(min(ROWS, M - block * ROWS)):
            for c in range(C):
                at = (c * n_in + block * ROWS + m) * TAPS if swap else ((block * ROWS + m) * n_in + c) * TAPS
                for k in range(TAPS):
                    taps[k * tap + c * ROWS + m] = flat[at + TAPS - 1 - k] if swap else flat[at + k]
        for p in range(0, room, lanes):
            transform_planes(FROM_KERNEL, taps, p, tap, table, block * room + p, plane)


@compiled
def rows_at_once(tx: int, tiles: int, grid_columns: int, lanes: int) -> int:
    """Return from how many rows of tiles the next vector is made, if ``tiles`` are left: whole short rows share one."""
    if tx > 0:
        return 1
    for rows in (4, 2):
        if rows * grid_columns <= min(lanes, tiles):
            return rows
    return 1


@compiled
def locate(row: int, rows: int, shape: tuple[int, ...], grid_rows: int, top: int, left: int, where: IntArray) -> None:
    """Write for each row of tiles where in a channel it begins, and which of its rows are in the image.

    ``shape`` is that of all images (N, C, H, W); the tiles begin ``top`` rows above and ``left`` columns left of it.
    """
    _, channels, height, width = shape
    for t in range(rows):
        n, y = (row + t) // grid_rows, STEP * ((row + t) % grid_rows) - top
        where[3 * t] = (n * channels * height + y) * width - left
        where[3 * t + 1], where[3 * t + 2] = -y, height - y


@compiled
def transform_tiles(
    source: Array,
    top: int,
    left: int,
    grid_rows: int,
    grid_columns: int,
    start: int,
    count: int,
    zeros: Array,
    out: Array,
    plane: int,
    pitch: int,
) -> None:
    """Write ``out[plane, channel, tile]`` of the tiles ``start ... start + count`` of all channels of a batch.

    Tile (ty, tx) begins at row ``4 ty - top``, column ``4 tx - left`` of an image; it has 6 x 6 numbers. What a vector
    writes beyond its last tile, the next vector overwrites.
    """
    channels, height, width = source.shape[1], source.shape[2], source.shape[3]
    flat, lanes, gc = source.reshape(source.size), lanes_of(source), grid_columns
    where, tile, stop = np.empty(12, np.int64), start, start + count
    while tile < stop:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(tx, stop - tile, gc, lanes)
        locate(row, rows, source.shape, grid_rows, top, left - STEP * tx, where)
        low, high, to = left - STEP * tx, width + left - STEP * tx, tile - start
        for c in range(channels):
            at, io = c * height * width, c * pitch + to
            if rows == 4:
                transform_image(FROM_IMAGE, 4, flat, at, width, where, low, high, zeros, gc, out, io, plane)
            elif rows == 2:
                transform_image(FROM_IMAGE, 2, flat, at, width, where, low, high, zeros, gc, out, io, plane)
            else:
                transform_image(FROM_IMAGE, 1, flat, at, width, where, low, high, zeros, gc, out, io, plane)
        tile += rows * gc if rows > 1 else min(gc - tx, stop - tile, lanes)


@compiled
def transform_slopes(
    dy: Array,
    grid_rows: int,
    grid_columns: int,
    start: int,
    count: int,
    zeros: Array,
    out: Array,
    plane: int,
    pitch: int,
) -> None:
    """Do the same for tiles of 4 x 4 slopes; by itself, so that only weight gradients wait for its compilation."""
    channels, height, width = dy.shape[1], dy.shape[2], dy.shape[3]
    flat, lanes, gc = dy.reshape(dy.size), lanes_of(dy), grid_columns
    where, tile, stop = np.empty(12, np.int64), start, start + count
    while tile < stop:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(tx, stop - tile, gc, lanes)
        locate(row, rows, dy.shape, grid_rows, 0, -STEP * tx, where)
        high, to = width - STEP * tx, tile - start
        for c in range(channels):
            at, io = c * height * width, c * pitch + to
            if rows == 4:
                transform_image(FROM_SLOPES, 4, flat, at, width, where, 0, high, zeros, gc, out, io, plane)
            elif rows == 2:
                transform_image(FROM_SLOPES, 2, flat, at, width, where, 0, high, zeros, gc, out, io, plane)
            else:
                transform_image(FROM_SLOPES, 1, flat, at, width, where, 0, high, zeros, gc, out, io, plane)
        tile += rows * gc if rows > 1 else min(gc - tx, stop - tile, lanes)


@compiled
def tile_pitch(tiles: int, lanes: int) -> int:
    """Return the room for ``tiles`` tiles of a channel: a row of tiles may end with up to a vector of no tiles."""
    return (tiles + 2 * lanes - 1) // lanes * lanes


@compiled
def work_space(channels: int, tiles: int, lanes: int) -> int:
    """Return how many numbers the 36 planes of a block of tiles take, with what is read beyond the last channel."""
    pitch = tile_pitch(tiles, lanes)
    return PLANES * apart((channels + ROWS - 1) // ROWS * ROWS * pitch, lanes) + lanes * pitch


@compiled
def winograd_blocks(
    source: Array,
    table: Array,
    bias: Array,
    top: int,
    left: int,
    out: Array,
    tiles: int,
    seen: Array,
    products: Array,
    start: int,
    stop: int,
) -> None:
    """Do the blocks start ... stop of ``tiles`` tiles: ``out`` (N, M, H', W') from ``source`` (N, C, H, W).

    ``seen`` and ``products`` are work space: `work_space` of C and of M channels.
    """
    N, C, _, _ = source.shape
    _, M, height, width = out.shape
    grid_rows, grid_columns = (height + STEP - 1) // STEP, (width + STEP - 1) // STEP
    lanes, blocks = lanes_of(source), (M + ROWS - 1) // ROWS
    pitch = tile_pitch(tiles, lanes)
    zeros, spare = np.zeros(SIDE * lanes, source.dtype), np.empty(SIDE * lanes, source.dtype)
    seen_plane, products_plane = apart(C * pitch, lanes), apart(blocks * ROWS * pitch, lanes)
    offset = np.arange(C) * pitch
    room = weight_block(C, lanes)
    weights_plane = apart(blocks * room, lanes)
    for block in range(start, stop):
        first = block * tiles
        count = min(tiles, N * grid_rows * grid_columns - first)
        transform_tiles(source, top, left, grid_rows, grid_columns, first, count, zeros, seen, seen_plane, pitch)
        for plane in range(PLANES):
            for b in range(blocks):
                a, to = plane * weights_plane + b * room, plane * products_plane + b * ROWS * pitch
                fill_tiles(ROWS, table, a, seen, plane * seen_plane, offset, C, products, to, pitch, count)
        write_tiles(products, products_plane, pitch, bias, grid_rows, grid_columns, first, count, spare, out)


@compiled
def write_tiles(
    products: Array,
    plane: int,
    pitch: int,
    bias: Array,
    grid_rows: int,
    grid_columns: int,
    start: int,
    count: int,
    spare: Array,
    out: Array,
) -> None:
    """Transform the products of the tiles ``start ... start + count`` back and write them, plus bias, to ``out``."""
    _, M, height, width = out.shape
    flat, lanes, gc = out.reshape(out.size), lanes_of(out), grid_columns
    where, tile, stop = np.empty(12, np.int64), start, start + count
    while tile < stop:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(tx, stop - tile, gc, lanes)
        locate(row, rows, out.shape, grid_rows, 0, -STEP * tx, where)
        here = gc if rows > 1 else min(gc - tx, stop - tile, lanes)
        columns = min(STEP * here, width - STEP * tx)
        for m in range(M):
            at, to, b = m * pitch + tile - start, m * height * width, bias[m]
            if rows == 4:
                transform_back(4, products, at, plane, gc, b, spare, columns, where, flat, to, width)
            elif rows == 2:
                transform_back(2, products, at, plane, gc, b, spare, columns, where, flat, to, width)
            else:
                transform_back(1, products, at, plane, gc, b, spare, columns, where, flat, to, width)
        tile += rows * here


@compiled
def winograd_weight_blocks(
    x: Array, dy: Array, top: int, left: int, tiles: int, seen: Array, slopes: Array, start: int, stop: int
) -> Array:
    """Return the sum over blocks of tiles of ``G^T [(A dy A^T) (B^T x B)] G``: dw as (C_out, C_in, 3, 3).

    ``seen`` and ``slopes`` are work space: `work_space` of C and of M channels.
    """
    N, C, _, _ = x.shape
    _, M, height, width = dy.shape
    grid_rows, grid_columns = (height + STEP - 1) // STEP, (width + STEP - 1) // STEP
    lanes = lanes_of(x)
    pitch, room = tile_pitch(tiles, lanes), (C + lanes - 1) // lanes * lanes
    zeros = np.zeros(SIDE * lanes, x.dtype)
    seen_plane, slopes_plane = apart(C * pitch, lanes), apart(M * pitch, lanes)
    offset = np.arange(tiles) * room
    blocks, tall = (M + ROWS - 1) // ROWS, (tiles + lanes - 1) // lanes * lanes * ROWS
    rows = np.empty((blocks * ROWS + lanes) // ROWS * tall, x.dtype)
    columns = np.empty(tall // ROWS * room, x.dtype)
    plane_sums = apart(blocks * ROWS * room, lanes)
    sums, some = np.zeros(PLANES * plane_sums, x.dtype), np.empty(ROWS * room, x.dtype)
    for block in range(start, stop):
        first = block * tiles
        count = min(tiles, N * grid_rows * grid_columns - first)
        transform_tiles(x, top, left, grid_rows, grid_columns, first, count, zeros, seen, seen_plane, pitch)
        transform_slopes(dy, grid_rows, grid_columns, first, count, zeros, slopes, slopes_plane, pitch)
        for plane in range(PLANES):
            for t in range(0, count, lanes):
                for c in range(0, C, lanes):
                    transpose_tile(
                        VECTOR_BYTES, seen, plane * seen_plane + c * pitch + t, pitch, columns, t * room + c, room, 0
                    )
                for m in range(0, M, lanes):
                    at, to = plane * slopes_plane + m * pitch + t, m // ROWS * tall + t * ROWS + m % ROWS
                    transpose_tile(ROWS, slopes, at, pitch, rows, to, ROWS, tall)
            for b in range(blocks):
                fill_tiles(ROWS, rows, b * tall, columns, 0, offset, count, some, 0, room, C)
                to = plane * plane_sums + b * ROWS * room
                for i in range(ROWS * room):
                    sums[to + i] += some[i]
    return taps_of_sums(sums, plane_sums, M, C, room)


@compiled
def taps_of_sums(sums: Array, plane: int, M: int, C: int, room: int) -> Array:
    """Return dw (M, C, 3, 3) from ``sums[plane, m, c]``, whose rows are ``room`` long."""
    lanes = lanes_of(sums)
    taps, dw = np.empty(TAPS * room, sums.dtype), np.empty((M, C, 3, 3), sums.dtype)
    flat = dw.reshape(dw.size)
    for m in range(M):
        for c in range(0, C, lanes):
            transform_planes(TO_KERNEL, sums, m * room + c, plane, taps, c, room)
        for c in range(C):
            for k in range(TAPS):
                flat[(m * C + c) * TAPS + k] = taps[k * room + c]
    return dw
