"""Tiles of images for Winograd's minimal filtering: where they lie, and their transforms, plane by plane."""

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.kernels.convolution.direct import lanes_of
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import SIDE, Form, transform_image
from steepest.typing import Array, IntArray

PLANES = SIDE * SIDE


@compiled
def apart(size: int, lanes: int) -> int:
    """Return how far apart planes of ``size`` numbers lie: a vector more, lest all 36 fall in one set of the cache."""
    return (size + lanes - 1) // lanes * lanes + lanes


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
def rows_at_once(form: Form, tx: int, tiles: int, grid_columns: int, lanes: int) -> int:
    """Return from how many rows of tiles the next vector is made, if ``tiles`` are left: whole short rows share one."""
    if tx > 0:
        return 1
    for rows in (4, 2):
        if rows <= form.step and rows * grid_columns <= min(lanes, tiles):
            return rows
    return 1


@compiled
def locate(
    form: Form, row: int, rows: int, shape: tuple[int, ...], grid_rows: int, top: int, left: int, where: IntArray
) -> None:
    """Write for each row of tiles where in a channel it begins, and which of its rows are in the image.

    ``shape`` is that of all images (N, C, H, W); the tiles begin ``top`` rows above and ``left`` columns left of it.
    """
    _, channels, height, width = shape
    for t in range(rows):
        n, y = (row + t) // grid_rows, form.step * ((row + t) % grid_rows) - top
        where[3 * t] = (n * channels * height + y) * width - left
        where[3 * t + 1], where[3 * t + 2] = -y, height - y


@inlined
def transform_images(
    form: Form,
    which: int,
    source: Array,
    top: int,
    left: int,
    grid: tuple[int, int],
    start: int,
    count: int,
    first: int,
    channels: int,
    zeros: Array,
    out: Array,
    plane: int,
    pitch: int,
) -> None:
    """Write ``out[plane, channel, tile]`` of so many tiles from ``start`` and so many channels from ``first`` on.

    Tile (ty, tx), of a grid of so many rows and columns in each image, begins at row ``step ty - top``, column ``step
    tx - left``; ``which`` is a constant that names the transform. What a vector writes beyond its last tile, the next
    vector overwrites.
    """
    area, width, step = source.shape[2] * source.shape[3], source.shape[3], form.step
    flat, lanes, gc = source.reshape(source.size), lanes_of(source), grid[1]
    where, tile, stop = np.empty(12, np.int64), start, start + count
    while tile < stop:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(form, tx, stop - tile, gc, lanes)
        locate(form, row, rows, source.shape, grid[0], top, left - step * tx, where)
        low, high, to = left - step * tx, width + left - step * tx, tile - start
        for c in range(channels):
            at, io = (first + c) * area, c * pitch + to
            if rows == 4:
                transform_image(form, which, 4, flat, at, width, where, low, high, zeros, gc, out, io, plane, area)
            elif rows == 2:
                transform_image(form, which, 2, flat, at, width, where, low, high, zeros, gc, out, io, plane, area)
            else:
                transform_image(form, which, 1, flat, at, width, where, low, high, zeros, gc, out, io, plane, area)
        tile += rows * gc if rows > 1 else min(gc - tx, stop - tile, lanes)
