"""The input gradient of a convolution with a stride: a correlation for each phase, and all phases side by side."""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.direct import SLACK, Plan, chunk_height, fill_tiles, lanes_of, pack_block
from steepest.kernels.convolution.tiles import interleave_rows
from steepest.kernels.relay import Turn, shared
from steepest.typing import Array, IntArray


class Phases(NamedTuple):
    """The s x s phases of the outputs of an input gradient with stride s, row by row.

    Phase f has ``height[f] x width[f]`` outputs, which go to rows ``row[f] + row_stride i`` and columns ``column[f] +
    column_stride j``; ``column`` runs from 0 to ``column_stride - 1``. Its terms are ``start[f] ... start[f+1]`` of the
    shifts and, tile after tile, its weights begin at ``table[f]``.
    """

    offset: IntArray
    start: IntArray
    table: IntArray
    height: IntArray
    width: IntArray
    row: IntArray
    column: IntArray
    row_stride: int
    column_stride: int


@shared
def scatter_blocks(source: Array, table: Array, rows: int, plan: Plan, phases: Phases, out: Array, turn: Turn) -> None:
    """Do a turn of the blocks of an input gradient with a stride: ``source`` (N, M, H', W'), ``out`` (N, C, H, W).

    A block is packed once for all phases; those of one row are computed together and written side by side.
    Reference: ``operators.convolution2d.reference.input_gradient``.
    """
    pitch, M, C = plan.pitch, plan.out_channels, plan.source_channels
    tiles, across = (M + rows - 1) // rows, phases.column_stride
    chunk_rows = chunk_height(plan.block_rows, pitch, plan.width, rows, lanes_of(source))
    room = chunk_rows * pitch + SLACK
    packed = np.zeros(C * plan.rows * pitch + 2 * SLACK, source.dtype)
    sums = np.empty(across * rows * room, source.dtype)
    part = (tiles + plan.splits - 1) // plan.splits
    image_size, flat = out.shape[2] * out.shape[3], out.reshape(out.size)
    for task in range(turn.start, turn.stop):
        split, block, image = task % plan.splits, task // plan.splits % plan.blocks, task // (plan.splits * plan.blocks)
        first, g = block * plan.block_rows, image % plan.groups
        pack_block(source, image * C, C, plan.row, plan.column, first, 1, 1, plan.rows, pitch, packed)
        for tile in range(split * part, min((split + 1) * part, tiles)):
            for phase in range(0, len(phases.height), across):
                here = min(plan.block_rows, phases.height[phase] - first)
                for chunk in range(0, here, chunk_rows):
                    count = min(chunk_rows, here - chunk)
                    for f in range(phase, phase + across):
                        offset = phases.offset[phases.start[f] : phases.start[f + 1]]
                        at = phases.table[f] + (g * tiles + tile) * len(offset) * rows
                        to, size = (f - phase) * rows * room, (count - 1) * pitch + phases.width[f]
                        fill_tiles(rows, table, at, packed, chunk * pitch, offset, len(offset), sums, to, room, size)
                    u = phases.row[phase] + phases.row_stride * (first + chunk)
                    for m in range(min(rows, M - tile * rows)):
                        to = (image * M + tile * rows + m) * image_size + u * out.shape[3]
                        line = phases.row_stride * out.shape[3]
                        write_phases(
                            sums, m * room, rows * room, pitch, phases, phase, count, flat, to, line, image_size
                        )


@compiled
def write_phases(
    sums: Array,
    at: int,
    apart: int,
    pitch: int,
    phases: Phases,
    phase: int,
    rows: int,
    out: Array,
    to: int,
    line: int,
    size: int,
) -> None:
    """Write rows of the phases from ``phase`` on, whose sums lie ``apart``, side by side.

    What lies ``size`` numbers further, the next channel, is fetched for the next call.
    """
    done = 0
    if phases.column_stride == 2:
        done = phases.width[phase + 1]
        interleave_rows(rows, done, sums, at, at + apart, pitch, out, to, line, size)
    for f in range(phases.column_stride):
        for r in range(rows):
            for i in range(done, phases.width[phase + f]):
                out[to + r * line + f + phases.column_stride * i] = sums[at + f * apart + r * pitch + i]
