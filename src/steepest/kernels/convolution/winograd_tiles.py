"""Tiles of images for Winograd's minimal filtering: where they lie, and their transforms, plane by plane."""

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.kernels.convolution.direct import lanes_of
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import FROM_IMAGE, Form, transform_image
from steepest.typing import Array, IntArray


@compiled
def apart(size: int, lanes: int) -> int:
    """Return how far apart planes of ``size`` numbers lie: a vector more, lest all fall in one set of the cache."""
    return (size + lanes - 1) // lanes * lanes + lanes


@compiled
def tile_pitch(tiles: int, lanes: int) -> int:
    """Return the room for ``tiles`` tiles of a channel: a row of tiles may end with up to a vector of no tiles."""
    return (tiles + 2 * lanes - 1) // lanes * lanes


@compiled
def work_space(form: Form, channels: int, tiles: int, lanes: int) -> int:
    """Return how many numbers the planes of a block of tiles take, with what is read beyond the last channel."""
    pitch = tile_pitch(tiles, lanes)
    return form.side**2 * apart((channels + ROWS - 1) // ROWS * ROWS * pitch, lanes) + lanes * pitch


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
    form: Form,
    stride: int,
    row: int,
    rows: int,
    shape: tuple[int, ...],
    grid_rows: int,
    top: int,
    left: int,
    where: IntArray,
) -> None:
    """Write for each row of tiles where in a channel it begins, and which of its rows are in the image.

    ``shape`` is that of all images (N, C, H, W); the tiles begin ``top`` rows above and ``left`` columns left of it,
    and consist of its every ``stride``-th row.
    """
    _, channels, height, width = shape
    for t in range(rows):
        n, y = (row + t) // grid_rows, stride * form.step * ((row + t) % grid_rows) - top
        where[3 * t] = (n * channels * height + y) * width - left
        where[3 * t + 1], where[3 * t + 2] = (stride - 1 - y) // stride, (height - y + stride - 1) // stride


@inlined
def transform_images(
    form: Form,
    which: int,
    source: Array,
    begin: IntArray,
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

    All channels of the source come once for each row of ``begin``: tile (ty, tx), of a grid of so many rows and columns
    in each image, begins at row ``stride step ty + begin[f, 0]``, column ``stride step tx + begin[f, 1]``; ``which`` is
    a constant that names the transform. What a vector writes beyond its last tile, the next vector overwrites.
    """
    C, area, width = source.shape[1], source.shape[2] * source.shape[3], source.shape[3]
    flat, lanes, gc, stride = source.reshape(source.size), lanes_of(source), grid[1], source_stride(form, which)
    where, tile, stop, step = np.empty(12, np.int64), start, start + count, stride * form.step
    while tile < stop:
        row, tx, to = tile // gc, tile % gc, tile - start
        rows = rows_at_once(form, tx, stop - tile, gc, lanes)
        for f in range(len(begin)):
            left = -begin[f, 1] - step * tx
            locate(form, stride, row, rows, source.shape, grid[0], -begin[f, 0], left, where)
            low, high, line = left, width + left, stride * width
            for c in range(max(first, f * C), min(first + channels, (f + 1) * C)):
                at, io = (c - f * C) * area, (c - first) * pitch + to
                if rows == 4:
                    transform_image(form, which, 4, flat, at, line, where, low, high, zeros, gc, out, io, plane, area)
                elif rows == 2:
                    transform_image(form, which, 2, flat, at, line, where, low, high, zeros, gc, out, io, plane, area)
                else:
                    transform_image(form, which, 1, flat, at, line, where, low, high, zeros, gc, out, io, plane, area)
        tile += rows * gc if rows > 1 else min(gc - tx, stop - tile, lanes)


@inlined
def source_stride(form: Form, which: int) -> int:
    """Return the stride with which a transform reads its source."""
    return form.stride if which == FROM_IMAGE else 1
