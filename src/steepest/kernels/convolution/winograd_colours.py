"""Winograd's minimal filtering of images of three channels: products and the transform back in one go.

A product over so few channels is done before its tile of registers is full. So here the products of a vector of tiles
are formed when they are needed: from the transformed image, which stays in the first-level cache for all output
channels, and weights that are broadcast from there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import types

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import COLOURS, lanes_of
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import FROM_IMAGE, Form, transform_image, write_tiles
from steepest.kernels.convolution.winograd import weight_block
from steepest.kernels.convolution.winograd_tiles import apart, locate, rows_at_once
from steepest.kernels.relay import Turn, shared
from steepest.kernels.vectors import INT64, VectorCode, inlined, literals
from steepest.typing import Array

GRID_ROWS = 4  # rows of tiles in a block: as many as a vector is made of at most


@inlined
def multiply_back(
    _typing: Any,
    form: Any,
    rows: Any,
    terms: Any,
    a: Any,
    ia: Any,
    x: Any,
    shift: Any,
    spare: Any,
    count: Any,
    where: Any,
    out: Any,
    io: Any,
    pitch: Any,
    ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """Transform ``sum_c a[ia + k terms + c] x[(k terms + c) lanes + lane]``, k the place in a tile, back and write it.

    ``rows`` and ``terms`` are constants; the other arguments are those of `transform_back`.
    """
    chosen = literals(rows, terms)
    if chosen is None:
        return None
    (n_rows, n_terms), i = chosen, types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, _, a_, ia_, x_, shift_, spare_, count_, where_, out_, io_, pitch_, ahead_ = arguments
        if n_rows > form.instance_class().step:
            return context.get_dummy_value()
        code = VectorCode(context, builder, x)
        a_0, x_0, out_0 = code.start(a, a_, ia_), code.start(x, x_, INT64(0)), code.start(out, out_, io_)
        starts = [code.start(*array) for array in ((where, where_, INT64(0)), (spare, spare_, INT64(0)))]

        def product(k: int) -> Any:
            pairs = [
                (code.broadcast(code.at(a_0, t)), code.load(x_0, t)) for t in range(k * n_terms, (k + 1) * n_terms)
            ]
            total = builder.fmul(*pairs[0])
            for pair in pairs[1:]:
                total = code.fused_sum(*pair, total)
            return total

        side = form.instance_class().side
        columns = ([product(side * row + column) for row in range(side)] for column in range(side))
        write_tiles(form, code, n_rows, columns, shift_, count_, starts, out_0, pitch_, ahead_)
        return context.get_dummy_value()

    return types.void(form, rows, terms, a, i, x, x.dtype, spare, i, where, out, i, i, i), generate


@compiled
def gather_weights(form: Form, table: Array, channels: int, lanes: int) -> Array:
    """Return the transformed weights ``table[plane, block, c, m]`` of three channels as ``[channel, plane, c]``."""
    blocks, room, planes = (channels + ROWS - 1) // ROWS, weight_block(COLOURS, lanes), form.side**2
    plane, found = apart(blocks * room, lanes), np.empty(channels * planes * COLOURS, table.dtype)
    for m in range(channels):
        at = m // ROWS * room + m % ROWS
        for k in range(planes):
            for c in range(COLOURS):
                found[(m * planes + k) * COLOURS + c] = table[k * plane + at + c * ROWS]
    return found


@shared
def winograd_colours(
    form: Form, source: Array, weights: Array, bias: Array, top: int, left: int, out: Array, turn: Turn
) -> None:
    """Do a turn of blocks of GRID_ROWS rows of tiles: ``out`` (N, M, H', W') from ``source`` (N, 3, H, W).

    ``weights`` are those of `gather_weights`. Reference: ``steepest.operators.convolution2d.reference``.
    """
    N, _, in_height, in_width = source.shape
    _, M, height, width = out.shape
    step, lanes, area, in_area = form.step, lanes_of(source), height * width, in_height * in_width
    grid = (height + step - 1) // step, (width + step - 1) // step
    x, y, gc, size = source.reshape(source.size), out.reshape(out.size), grid[1], form.side**2 * COLOURS
    zeros, spare = np.zeros(form.side * lanes, x.dtype), np.empty(form.side * lanes, x.dtype)
    seen, where, there = np.zeros(size * lanes, x.dtype), np.empty(12, np.int64), np.empty(12, np.int64)
    tile, last = turn.start * GRID_ROWS * gc, min(turn.stop * GRID_ROWS, N * grid[0]) * gc
    while tile < last:
        row, tx = tile // gc, tile % gc
        rows = rows_at_once(form, tx, last - tile, gc, lanes)
        low, high, pitch, place = left - step * tx, in_width + left - step * tx, COLOURS * lanes, lanes // rows
        locate(form, 1, row, rows, source.shape, grid[0], top, low, where)
        locate(form, 1, row, rows, out.shape, grid[0], 0, -step * tx, there)
        here = gc if rows > 1 else min(gc - tx, lanes)
        count = min(step * here, width - step * tx)
        for c in range(COLOURS):
            at, to = c * in_area, c * lanes
            if rows == 4:
                transform_image(
                    form, FROM_IMAGE, 4, x, at, in_width, where, low, high, zeros, place, seen, to, pitch, 0
                )
            elif rows == 2:
                transform_image(
                    form, FROM_IMAGE, 2, x, at, in_width, where, low, high, zeros, place, seen, to, pitch, 0
                )
            else:
                transform_image(
                    form, FROM_IMAGE, 1, x, at, in_width, where, low, high, zeros, place, seen, to, pitch, 0
                )
        for m in range(M):
            at, to, b = m * size, m * area, bias[m]
            if rows == 4:
                multiply_back(form, 4, COLOURS, weights, at, seen, b, spare, count, there, y, to, width, area)
            elif rows == 2:
                multiply_back(form, 2, COLOURS, weights, at, seen, b, spare, count, there, y, to, width, area)
            else:
                multiply_back(form, 1, COLOURS, weights, at, seen, b, spare, count, there, y, to, width, area)
        tile += rows * here
