"""The gradient of many weights: slopes of many output channels side by side, times single numbers of the input.

Where sums over places are formed with places side by side (`steepest.kernels.convolution.weights`), every tile of sums
ends with adding up its lanes. Here the slopes are transposed first, so that a vector holds one place of many channels:
there is nothing to add up, x is read number by number, at any stride, and no place is computed in vain.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import cgutils, types

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import Plan, clear, lanes_of, pack_block
from steepest.kernels.convolution.tiles import transpose_tile
from steepest.kernels.convolution.weights import aligned_zeros
from steepest.kernels.relay import Turn, shared
from steepest.kernels.vectors import INT64, WIDE, VectorCode, inlined, literals
from steepest.typing import Array

TERMS = 6  # rows of a tile of sums
VECTORS = 4 if WIDE else 2  # of output channels in each row: TERMS x VECTORS accumulators, and 32 or 16 registers
LARGEST_SQUARE = 16


@inlined
def add_places(
    _typing: Any,
    terms: Any,
    vectors: Any,
    slopes: Any,
    rows: Any,
    columns: Any,
    x: Any,
    ix: Any,
    offset: Any,
    k0: Any,
    row_step: Any,
    step: Any,
    sums: Any,
    at: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """Add a tile of products, summed over ``rows`` x ``columns`` places.

    ``sums[at + k size + m] += sum_ij x[ix + offset[k0 + k] + i row_step + j step] slopes[(i columns + j) size + m]``
    for k < ``terms`` and m < ``size``, which is ``vectors`` vectors; both are constants.
    Reference: ``steepest.operators.convolution2d.reference``.
    """
    chosen = literals(terms, vectors)
    if chosen is None:
        return None
    (n_terms, n_vectors), i = chosen, types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, slopes_, rows_, columns_, x_, ix_, offset_, k0_, row_step_, step_, sums_, at_ = arguments
        code = VectorCode(context, builder, x)
        size = n_vectors * code.lanes
        x_0, slopes_0, sums_0 = (
            code.start(x, x_, ix_),
            code.start(slopes, slopes_, INT64(0)),
            code.start(sums, sums_, at_),
        )
        offset_0 = code.start(offset, offset_, k0_)
        shifts = [builder.load(code.at(offset_0, k)) for k in range(n_terms)]
        totals = code.accumulators(n_terms, n_vectors)
        places = [(totals[k][v], k * n_vectors + v) for k in range(n_terms) for v in range(n_vectors)]
        for total, place in places:
            builder.store(code.load(sums_0, place), total)
        with cgutils.for_range(builder, rows_) as row:
            line = code.at(x_0, builder.mul(row.index, row_step_))
            seen = [code.at(line, shift) for shift in shifts]
            there = code.at(slopes_0, builder.mul(builder.mul(row.index, columns_), INT64(size)))
            with cgutils.for_range(builder, columns_) as column:
                p, q = builder.mul(column.index, step_), builder.mul(column.index, INT64(size))
                slope = [code.load(code.at(there, q), v) for v in range(n_vectors)]
                for k in range(n_terms):
                    number = code.broadcast(code.at(seen[k], p))
                    for v in range(n_vectors):
                        code.add_product(totals[k][v], number, slope[v])
        for total, place in places:
            code.store(builder.load(total), sums_0, place)
        return context.get_dummy_value()

    return types.void(terms, vectors, slopes, i, i, x, i, offset, i, i, i, sums, i), generate


@compiled
def transpose(x: Array, ix: int, x_pitch: int, rows: int, count: int, out: Array, io: int, pitch: int) -> None:
    """``out[io + p pitch + m] = x[ix + m x_pitch + p]`` for m < rows, p < count."""
    lanes = lanes_of(x)
    whole = rows // lanes * lanes if count >= lanes else 0
    for m in range(0, whole, lanes):
        for p in range(0, count, lanes):
            q = min(p, count - lanes)
            transpose_tile(LARGEST_SQUARE, x, ix + m * x_pitch + q, x_pitch, out, io + q * pitch + m, pitch, 0)
    for p in range(count):
        for m in range(whole, rows):
            out[io + p * pitch + m] = x[ix + m * x_pitch + p]


@compiled
def panels_space(groups: int, M: int, terms: int, lanes: int) -> int:
    """Return how many numbers the sums of panels take."""
    size = VECTORS * lanes
    return groups * ((M + size - 1) // size) * ((terms + TERMS - 1) // TERMS * TERMS) * size


@shared
def weight_panels(x: Array, dy: Array, plan: Plan, packs: bool, found: Array, turn: Turn) -> None:
    """Write the sum over a turn of blocks of ``dw[g, m, k]`` to the turn's place, as ``[g, panel, k, m]``.

    It is padded with anything.

    ``x`` (N, C, H, W), ``dy`` (N, M, H', W'); the plan's planes are the padded image, which is packed, or without
    ``packs`` the image where it lies. Reference: ``steepest.operators.convolution2d.reference.weight_gradient``.
    """
    C, M, width, pitch = plan.source_channels, plan.out_channels, plan.width, plan.pitch
    size, terms, area = VECTORS * lanes_of(x), len(plan.offset), plan.height * width
    panels, room = (M + size - 1) // size, (terms + TERMS - 1) // TERMS * TERMS
    offset = np.zeros(room, np.int64)
    for k in range(terms):
        offset[k] = plan.offset[k]
    planes = aligned_zeros(C * plan.rows * pitch if packs else 0, x)
    slopes, sums = aligned_zeros(plan.block_rows * width * size, x), found[turn.block]
    clear(sums, 0, len(sums))
    y, seen, row_step, step = (
        dy.reshape(dy.size),
        planes if packs else x.reshape(x.size),
        plan.row_stride,
        plan.column_stride,
    )
    for task in range(turn.start, turn.stop):
        image, first = task // plan.blocks, task % plan.blocks * plan.block_rows
        here, ix = min(plan.block_rows, plan.height - first), 0
        if packs:
            pack_block(x, image * C, C, plan.row, plan.column, row_step * first, 1, 1, plan.rows, pitch, planes)
        else:
            ix = image * C * x.shape[2] * x.shape[3] + row_step * first * pitch
        for panel in range(panels):
            m = panel * size
            transpose(y, (image * M + m) * area + first * width, area, min(size, M - m), here * width, slopes, 0, size)
            to = (image % plan.groups * panels + panel) * room * size
            for k in range(0, room, TERMS):
                at = to + k * size
                add_places(TERMS, VECTORS, slopes, here, width, seen, ix, offset, k, row_step * pitch, step, sums, at)


@compiled
def unpack_panels(sums: Array, groups: int, M: int, terms: int) -> Array:
    """Return sums ``[group, panel, k, m]`` as an array (groups, M, terms)."""
    size, room = VECTORS * lanes_of(sums), (terms + TERMS - 1) // TERMS * TERMS
    panels, result = (M + size - 1) // size, np.empty(groups * M * terms, sums.dtype)
    for g in range(groups):
        for panel in range(panels):
            m, at = panel * size, (g * panels + panel) * room * size
            transpose(sums, at, size, terms, min(size, M - m), result, (g * M + m) * terms, terms)
    return result
