"""Winograd's minimal filtering for weight gradients: ``dw = sum over tiles of G^T [(A dy A^T) (B^T x B)] G``.

Two phases: tiles are transformed and laid out as the two factors of matrix products that sum over tiles; these are
formed, and their sums transformed to taps. With few channels, threads share the tiles (`sum_tiles`). With many, the
sums of all channels are too large for a thread's cache: then the first phase is done for many tiles, and in the second,
threads share the output channels (`sum_channels`). With very few channels of x, vectors of products would be mostly
empty, and to lay the factors out takes longer than the products: so tiles stay side by side in both, as the transforms
leave them, and every tile of sums ends with adding up its lanes (`sum_lanes`).
Reference: ``steepest.operators.convolution2d.reference``.
"""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.kernels.convolution.direct import fill_tiles, lanes_of, multiples
from steepest.kernels.convolution.tiles import ROWS, dot_tile, transpose_tile
from steepest.kernels.convolution.transforms import FROM_IMAGE, FROM_SLOPES, TO_KERNEL, Form, transform_planes
from steepest.kernels.convolution.weights import COLUMNS, SIZE, unpack_weights
from steepest.kernels.convolution.winograd_tiles import apart, tile_pitch, transform_images
from steepest.kernels.relay import Turn, shared
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array


class Factors(NamedTuple):
    """The factors of the products: ``columns[plane, tile, c]`` of x and ``rows[plane, block, tile, m]`` of dy.

    A block is ROWS output channels. Rows of columns are ``room`` long, a block of rows ``tall``, and planes lie
    ``columns_plane`` and ``rows_plane`` apart.
    """

    columns: Array
    room: int
    columns_plane: int
    rows: Array
    tall: int
    rows_plane: int


@compiled
def factors_of(form: Form, factors: Factors, worker: int) -> Factors:
    """Return the factors of one worker, whose planes lie behind those of others."""
    columns, rows = form.side**2 * factors.columns_plane, form.side**2 * factors.rows_plane
    return Factors(
        factors.columns[worker * columns : (worker + 1) * columns],
        factors.room,
        factors.columns_plane,
        factors.rows[worker * rows : (worker + 1) * rows],
        factors.tall,
        factors.rows_plane,
    )


@compiled
def sums_space(form: Form, blocks: int, room: int, lanes: int) -> int:
    """Return how many numbers the planes of sums take, for so many blocks of rows."""
    return form.side**2 * apart(blocks * ROWS * room, lanes)


@compiled
def lay_out(
    form: Form,
    x: Array,
    dy: Array,
    top: int,
    left: int,
    grid: tuple[int, int],
    begin: int,
    end: int,
    tiles: int,
    some: Array,
    factors: Factors,
    start: int,
    stop: int,
) -> None:
    """Write the factors for the tiles ``begin ... end``, of their blocks start ... stop of ``tiles``: whole vectors.

    ``some`` is work space: `work_space` of as many channels as a vector holds.
    """
    C, M, lanes = x.shape[1], dy.shape[1], lanes_of(x)
    pitch = tile_pitch(tiles, lanes)
    some_plane, zeros = apart(lanes * pitch, lanes), np.zeros(2 * form.side * lanes, x.dtype)
    columns, room, rows, tall = factors.columns, factors.room, factors.rows, factors.tall
    before, within = np.zeros((1, 2), np.int64), np.zeros((1, 2), np.int64)
    before[0, 0], before[0, 1] = -top, -left
    for block in range(start, stop):
        first = begin + block * tiles
        count = min(tiles, end - first)
        for c in range(0, C, lanes):
            here = min(lanes, C - c)
            transform_images(form, FROM_IMAGE, x, before, grid, first, count, c, here, zeros, some, some_plane, pitch)
            for plane in range(form.side**2):
                for t in range(0, count, lanes):
                    to = plane * factors.columns_plane + (block * tiles + t) * room + c
                    transpose_tile(VECTOR_BYTES, some, plane * some_plane + t, pitch, columns, to, room, 0)
        for m in range(0, M, lanes):
            here = min(lanes, M - m)
            transform_images(form, FROM_SLOPES, dy, within, grid, first, count, m, here, zeros, some, some_plane, pitch)
            for plane in range(form.side**2):
                for t in range(0, count, lanes):
                    to = plane * factors.rows_plane + m // ROWS * tall + (block * tiles + t) * ROWS + m % ROWS
                    transpose_tile(ROWS, some, plane * some_plane + t, pitch, rows, to, ROWS, tall)


@shared
def lay_out_blocks(
    form: Form,
    x: Array,
    dy: Array,
    top: int,
    left: int,
    grid: tuple[int, int],
    begin: int,
    end: int,
    tiles: int,
    some: Array,
    factors: Factors,
    turn: Turn,
) -> None:
    """Do a turn of `lay_out`; ``some`` is work space of each worker."""
    lay_out(form, x, dy, top, left, grid, begin, end, tiles, some[turn.worker], factors, turn.start, turn.stop)


@inlined
def add_products(
    planes: int, factors: Factors, count: int, first: int, blocks: int, C: int, sums: Array, pitch: int, more: bool
) -> None:
    """Write ``sums[plane, m, c]``, planes ``pitch`` apart: the products over ``count`` tiles.

    They are formed for so many blocks of rows from ``first`` on. With ``more`` they are added to what the sums hold.
    """
    room = factors.room
    offset = multiples(count, room)
    for plane in range(planes):
        ix = plane * factors.columns_plane
        for b in range(blocks):
            at, to = plane * factors.rows_plane + (first + b) * factors.tall, plane * pitch + b * ROWS * room
            fill_tiles(ROWS, factors.rows, at, factors.columns, ix, offset, count, sums, to, room, C, more)


@inlined
def add_taps(form: Form, sums: Array, plane_sums: int, room: int, first: int, rows: int, dw: Array) -> None:
    """Transform ``sums[plane, m, c]`` of so many output channels to taps, and add them to dw's from ``first`` on."""
    C, lanes, n_taps = dw.shape[1], lanes_of(dw), form.taps**2
    taps, flat = np.empty(n_taps * room, dw.dtype), dw.reshape(dw.size)
    for m in range(rows):
        for c in range(0, C, lanes):
            transform_planes(form, TO_KERNEL, sums, m * room + c, plane_sums, taps, c, room)
        to = (first + m) * C * n_taps
        for c in range(C):
            for k in range(n_taps):
                flat[to + c * n_taps + k] += taps[k * room + c]


@shared
def sum_tiles(
    form: Form,
    x: Array,
    dy: Array,
    top: int,
    left: int,
    grid: tuple[int, int],
    tiles: int,
    some: Array,
    factors: Factors,
    sums: Array,
    found: Array,
    turn: Turn,
) -> None:
    """Add dw (M, C, taps, taps), summed over a turn of blocks of ``tiles`` tiles, to the turn's place: few channels.

    One thread does both phases for a block at a time, whose factors stay in its second-level cache. ``some``,
    ``factors`` and ``sums`` are work space of each worker: the last is `sums_space` of all blocks of rows.
    """
    some, factors, sums = some[turn.worker], factors_of(form, factors, turn.worker), sums[turn.worker]
    M, C, lanes = dy.shape[1], x.shape[1], lanes_of(x)
    end, blocks = len(x) * grid[0] * grid[1], (M + ROWS - 1) // ROWS
    plane_sums = apart(blocks * ROWS * factors.room, lanes)
    for block in range(turn.start, turn.stop):
        begin = block * tiles
        count = min(tiles, end - begin)
        lay_out(form, x, dy, top, left, grid, begin, begin + count, tiles, some, factors, 0, 1)
        add_products(form.side**2, factors, count, 0, blocks, C, sums, plane_sums, block > turn.start)
    add_taps(form, sums, plane_sums, factors.room, 0, M, found[turn.block])


@shared
def sum_channels(form: Form, factors: Factors, count: int, group: int, dw: Array, sums: Array, turn: Turn) -> None:
    """Add the products over ``count`` tiles to dw (M, C, taps, taps), for a turn of groups of blocks of rows.

    The factors of all these tiles are there, for all threads; each has the sums of a group in its second-level cache.
    ``sums`` is work space of each worker: `sums_space` of a group.
    """
    sums = sums[turn.worker]
    M, C, lanes = dw.shape[0], dw.shape[1], lanes_of(dw)
    blocks = (M + ROWS - 1) // ROWS
    plane_sums = apart(group * ROWS * factors.room, lanes)
    for first in range(turn.start * group, min(turn.stop * group, blocks), group):
        here = min(group, blocks - first)
        add_products(form.side**2, factors, count, first, here, C, sums, plane_sums, False)
        add_taps(form, sums, plane_sums, factors.room, first * ROWS, min(here * ROWS, M - first * ROWS), dw)


@shared
def sum_lanes(
    form: Form,
    x: Array,
    dy: Array,
    top: int,
    left: int,
    grid: tuple[int, int],
    tiles: int,
    seen: Array,
    slopes: Array,
    found: Array,
    turn: Turn,
) -> None:
    """Write dw (taps, M, C), summed over a turn of blocks of ``tiles`` tiles, to its place: very few channels of x.

    ``seen`` and ``slopes`` are work space of each worker: `work_space` of C channels, and of ROWS.
    """
    seen, slopes = seen[turn.worker], slopes[turn.worker]
    M, C, lanes = dy.shape[1], x.shape[1], lanes_of(x)
    end, pitch, blocks = len(x) * grid[0] * grid[1], tile_pitch(tiles, lanes), (M + ROWS - 1) // ROWS
    seen_plane, slopes_plane = apart(C * pitch, lanes), apart(ROWS * pitch, lanes)
    columns = (C + COLUMNS - 1) // COLUMNS
    offset = multiples(columns * COLUMNS, pitch)
    for c in range(C, columns * COLUMNS):
        offset[c] = (C - 1) * pitch
    before, within, zeros = (
        np.zeros((1, 2), np.int64),
        np.zeros((1, 2), np.int64),
        np.zeros(2 * form.side * lanes, x.dtype),
    )
    before[0, 0], before[0, 1] = -top, -left
    size = blocks * columns * SIZE
    sums = np.zeros(form.side**2 * size, x.dtype)
    for block in range(turn.start, turn.stop):
        first = block * tiles
        count = min(tiles, end - first)
        transform_images(form, FROM_IMAGE, x, before, grid, first, count, 0, C, zeros, seen, seen_plane, pitch)
        for b in range(blocks):
            m, n = b * ROWS, min(ROWS, M - b * ROWS)
            transform_images(
                form, FROM_SLOPES, dy, within, grid, first, count, m, n, zeros, slopes, slopes_plane, pitch
            )
            for plane in range(form.side**2):
                a, ix = plane * slopes_plane, plane * seen_plane
                for j in range(columns):
                    to, c = plane * size + (b * columns + j) * SIZE, j * COLUMNS
                    dot_tile(ROWS, COLUMNS, slopes, a, pitch, n - 1, seen, ix, offset, c, count, sums, to, slopes, a)
    taps = np.empty((form.taps**2, blocks, columns, SIZE), x.dtype)
    for p in range(0, size, lanes):
        transform_planes(form, TO_KERNEL, sums, p, size, taps.reshape(taps.size), p, size)
    unpack_weights(taps, found[turn.block])
