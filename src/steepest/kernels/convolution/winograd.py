"""Winograd's minimal filtering: 36 products for a tile, in place of 144 (3 x 3 kernels) or 100 (5 x 5).

A block of tiles goes through all three phases (transform, 36 matrix products, transform back) while it is in cache.
Reference: ``steepest.operators.convolution2d.reference``.
"""

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.kernels.convolution.direct import fill_tiles, lanes_of
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import (
    FROM_IMAGE,
    FROM_KERNEL,
    SIDE,
    Form,
    transform_back,
    transform_planes,
)
from steepest.kernels.convolution.winograd_tiles import (
    PLANES,
    apart,
    locate,
    rows_at_once,
    tile_pitch,
    transform_images,
)
from steepest.typing import Array


@compiled
def weight_block(channels: int, lanes: int) -> int:
    """Return the numbers of one block of ROWS output channels in one plane of transformed weights."""
    return (channels * ROWS + lanes - 1) // lanes * lanes


@compiled
def transform_weights(form: Form, w: Array, swap: bool, start: int, stop: int, table: Array) -> None:
    """Write ``table[plane, block, c, m]`` of the blocks start ... stop of ROWS output channels.

    ``w`` is (C_out, C_in, taps, taps); ``swap`` exchanges its channels and flips its taps, as the input gradient does.
    """
    n_out, n_in = w.shape[0], w.shape[1]
    M, C = (n_in, n_out) if swap else (n_out, n_in)
    lanes, n_taps = lanes_of(w), form.taps**2
    room = weight_block(C, lanes)
    plane = apart((M + ROWS - 1) // ROWS * room, lanes)
    tap = apart(room, lanes)
    taps = np.zeros(n_taps * tap, w.dtype)
    flat = w.reshape(w.size)
    for block in range(start, stop):
        if block * ROWS + ROWS > M:
            taps[:] = 0
        for m in range(min(ROWS, M - block * ROWS)):
            for c in range(C):
                at = (c * n_in + block * ROWS + m) * n_taps if swap else ((block * ROWS + m) * n_in + c) * n_taps
                for k in range(n_taps):
                    taps[k * tap + c * ROWS + m] = flat[at + n_taps - 1 - k] if swap else flat[at + k]
        for p in range(0, room, lanes):
            transform_planes(form, FROM_KERNEL, taps, p, tap, table, block * room + p, plane)


@compiled
def winograd_blocks(
    form: Form,
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
    grid = (height + form.step - 1) // form.step, (width + form.step - 1) // form.step
    lanes, blocks = lanes_of(source), (M + ROWS - 1) // ROWS
    pitch = tile_pitch(tiles, lanes)
    zeros, spare = np.zeros(SIDE * lanes, source.dtype), np.empty(SIDE * lanes, source.dtype)
    seen_plane, products_plane = apart(C * pitch, lanes), apart(blocks * ROWS * pitch, lanes)
    offset = np.arange(C) * pitch
    room = weight_block(C, lanes)
    weights_plane = apart(blocks * room, lanes)
    for block in range(start, stop):
        first = block * tiles
        count = min(tiles, N * grid[0] * grid[1] - first)
        transform_images(form, FROM_IMAGE, source, top, left, grid, first, count, 0, C, zeros, seen, seen_plane, pitch)
        for plane in range(PLANES):
            for b in range(blocks):
                a, to = plane * weights_plane + b * room, plane * products_plane + b * ROWS * pitch
                fill_tiles(ROWS, table, a, seen, plane * seen_plane, offset, C, products, to, pitch, count)
        write_tiles(form, products, products_plane, pitch, bias, grid, first, count, spare, out)


@inlined
def write_tiles(
    form: Form,
    products: Array,
    plane: int,
    pitch: int,
    bias: Array,
    grid: tuple[int, int],
    start: int,
    count: int,
    spare: Array,
    out: Array,
) -> None:
    """Transform the products of the tiles ``start ... start + count`` back and write them, plus bias, to ``out``."""
    _, M, height, width = out.shape
    area = height * width
    flat, lanes, gc, step = out.reshape(out.size), lanes_of(out), grid[1], form.step
    where, tile, stop = np.empty(12, np.int64), start, start + count
    while tile < stop:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(form, tx, stop - tile, gc, lanes)
        locate(form, row, rows, out.shape, grid[0], 0, -step * tx, where)
        here = gc if rows > 1 else min(gc - tx, stop - tile, lanes)
        columns = min(step * here, width - step * tx)
        for m in range(M):
            at, to, b = m * pitch + tile - start, m * area, bias[m]
            if rows == 4:
                transform_back(form, 4, products, at, plane, gc, b, spare, columns, where, flat, to, width, area)
            elif rows == 2:
                transform_back(form, 2, products, at, plane, gc, b, spare, columns, where, flat, to, width, area)
            else:
                transform_back(form, 1, products, at, plane, gc, b, spare, columns, where, flat, to, width, area)
        tile += rows * here
