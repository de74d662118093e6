"""Winograd's minimal filtering: 36 products for a tile, say, in place of 144 (3 x 3 kernels) or 100 (5 x 5).

A block of tiles goes through all three phases (transform, matrix products, transform back) while it is in cache.
Reference: ``steepest.operators.convolution2d.reference``.
"""

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.kernels.convolution.direct import clear, fill_tiles, lanes_of, multiples
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import (
    FROM_IMAGE,
    FROM_KERNEL,
    Form,
    transform_back,
    transform_planes,
)
from steepest.kernels.convolution.winograd_tiles import (
    apart,
    locate,
    rows_at_once,
    tile_pitch,
    transform_images,
)
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array, IntArray


@compiled
def weight_block(channels: int, lanes: int) -> int:
    """Return the numbers of one block of ROWS output channels in one plane of transformed weights."""
    return (channels * ROWS + lanes - 1) // lanes * lanes


@shared
def transform_weights(form: Form, w: Array, places: IntArray, swap: bool, table: Array, turn: Turn) -> None:
    """Write ``table[plane, block, c, m]`` of a turn of blocks of ROWS output channels.

    ``w`` is (C_out, C_in, all its taps). Its input channels come once for each of the ``len(places)`` phases of an
    image, and tap k of phase f is tap ``places[f, k]`` of w, or 0 where that is negative. ``swap`` exchanges the
    channels, as the input gradient does.
    """
    (n_out, n_in, n_kernel), (phases, n_taps) = w.shape, places.shape
    M, C = (phases * n_in, n_out) if swap else (n_out, phases * n_in)
    lanes, flat = lanes_of(w), w.reshape(w.size)
    room = weight_block(C, lanes)
    plane = apart((M + ROWS - 1) // ROWS * room, lanes)
    tap = apart(room, lanes)
    taps = np.zeros(n_taps * tap, w.dtype)
    for block in range(turn.start, turn.stop):
        for m in range(ROWS):
            if block * ROWS + m >= M:
                for k in range(n_taps):
                    clear(taps, k * tap + m, (k + 1) * tap, ROWS)
            elif swap:
                f, v = (block * ROWS + m) // n_in, (block * ROWS + m) % n_in
                for c in range(C):
                    gather_taps(flat, (c * n_in + v) * n_kernel, places[f], taps, c * ROWS + m, tap)
            else:
                for f in range(phases):
                    for c in range(n_in):
                        at, to = ((block * ROWS + m) * n_in + c) * n_kernel, (f * n_in + c) * ROWS + m
                        gather_taps(flat, at, places[f], taps, to, tap)
        for p in range(0, room, lanes):
            transform_planes(form, FROM_KERNEL, taps, p, tap, table, block * room + p, plane)


@inlined
def gather_taps(w: Array, at: int, places: IntArray, taps: Array, to: int, pitch: int) -> None:
    """``taps[to + k pitch] = w[at + places[k]]``, or 0 where that place is negative."""
    for k in range(len(places)):
        taps[to + k * pitch] = w[at + places[k]] if places[k] >= 0 else w.dtype.type(0)


@shared
def winograd_blocks(
    form: Form,
    source: Array,
    table: Array,
    met: IntArray,
    bias: Array,
    begin: IntArray,
    out: Array,
    tiles: int,
    seen: Array,
    products: Array,
    turn: Turn,
) -> None:
    """Do a turn of blocks of ``tiles`` tiles: ``out`` (N, M, H', W') from ``source`` (N, C, H, W).

    The channels of the source come once for each phase, whose first tile begins at ``begin[f]``. In each plane, only
    the source channels ``met[plane, 0] ... met[plane, 1]`` and the output channels ``met[plane, 2] ... met[plane, 3]``
    have weights that are not 0. ``seen`` and ``products`` are work space of each worker:
    `work_space` of C and of M channels.
    """
    seen, products = seen[turn.worker], products[turn.worker]
    N, C = source.shape[0], source.shape[1] * len(begin)
    _, M, height, width = out.shape
    grid = (height + form.step - 1) // form.step, (width + form.step - 1) // form.step
    lanes, blocks = lanes_of(source), (M + ROWS - 1) // ROWS
    pitch = tile_pitch(tiles, lanes)
    zeros, spare = np.zeros(2 * form.side * lanes, source.dtype), np.empty(form.side * lanes, source.dtype)
    seen_plane, products_plane = apart(C * pitch, lanes), apart(blocks * ROWS * pitch, lanes)
    offset = multiples(C, pitch)
    room = weight_block(C, lanes)
    weights_plane, products_row = apart(blocks * room, lanes), ROWS * pitch
    for plane in range(form.side**2):
        to, b0, b1 = plane * products_plane, met[plane, 2] // ROWS, (met[plane, 3] + ROWS - 1) // ROWS
        clear(products, to, to + b0 * products_row)
        clear(products, to + b1 * products_row, to + blocks * products_row)
    for block in range(turn.start, turn.stop):
        first = block * tiles
        count = min(tiles, N * grid[0] * grid[1] - first)
        transform_images(form, FROM_IMAGE, source, begin, grid, first, count, 0, C, zeros, seen, seen_plane, pitch)
        for plane in range(form.side**2):
            c0, terms, at = met[plane, 0], met[plane, 1] - met[plane, 0], plane * seen_plane + met[plane, 0] * pitch
            for b in range(met[plane, 2] // ROWS, (met[plane, 3] + ROWS - 1) // ROWS):
                a, to = plane * weights_plane + b * room + c0 * ROWS, plane * products_plane + b * products_row
                fill_tiles(ROWS, table, a, seen, at, offset, terms, products, to, pitch, count)
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
        locate(form, 1, row, rows, out.shape, grid[0], 0, -step * tx, where)
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
