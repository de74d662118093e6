r"""Convolution by register tiles over all taps: the way that suits every shape.

Notes
-----
A block of output rows reads a few rows of the padded input. They are packed once, with the zeros around, into planes
that stay in cache; a stride s splits them by phase (elements 0, s, 2 s, ... then 1, s+1, ...), so that what
neighbouring outputs read lies side by side. In a plane with row length ``pitch`` the output grid is flattened with the
same pitch, and tap (k, l) is a shift by one number, the same for every output: the sum over taps and channels is a
matrix product whose right-hand rows are shifts of the planes (`steepest.kernels.convolution.tiles`). Nothing is
unfolded: the columns between the width and the pitch are computed and thrown away.

Input gradient: dx at row ``u = s q + phase - p`` collects the taps with ``(d k) mod s = phase``, from dy at row ``q -
(d k) div s``. For each of the s x s phases that is a correlation of stride 1 of the padded dy, packed once for all,
with the taps of that phase, written with stride s.

Weight gradient: summed over all places, shift by shift. With many terms and output channels, dy is transposed, so that
channels lie side by side, and multiplied by single numbers of the padded x (`steepest.kernels.convolution.panels`).
With few, places lie side by side in both: x is packed once for every column of taps, so that its rows are as long as
dy's and rows of taps are shifts (`steepest.kernels.convolution.weights`).
"""

from functools import lru_cache
from itertools import product

import numpy as np

from steepest.kernels.convolution.direct import COLOURS, FEW_ROWS, Plan, correlate_blocks, pack_weights
from steepest.kernels.convolution.panels import VECTORS, panels_space, unpack_panels, weight_panels
from steepest.kernels.convolution.scatter import Phases, scatter_blocks
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.weights import weight_gradient_blocks
from steepest.kernels.threads import n_threads
from steepest.kernels.vectors import lanes
from steepest.operators.convolution2d.geometry import Geometry
from steepest.operators.convolution2d.sharing import THREADED_PRODUCTS, share, share_parts
from steepest.typing import Array, IntArray

PACKED_BYTES = 400_000  # of one block: together with the weights in use it stays in the second-level cache
SUMMED_BYTES = 900_000  # likewise in a weight gradient, which pays for each block with adding up its sums
PANEL_BYTES = 900_000  # of the image in a weight gradient by panels
FEWEST_TERMS, LARGEST_WASTE = 48, 1.2  # of panels: sums for each output channel, and lanes over channels
PARTIAL_SUMS = 4  # a weight gradient is summed in so many parts, for any number of threads


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H', W')."""
    out_channels = g.out_channels // g.groups
    rows = tile_rows(out_channels)
    plan = forward_plan(g, x.itemsize, out_channels, rows)
    table = tile_weights(w, g, [np.arange(g.kernel[0] * g.kernel[1])], False, rows)
    bias = np.zeros(g.out_channels, dtype=x.dtype) if b is None else np.ascontiguousarray(b)
    y = np.empty(g.output_shape, dtype=x.dtype)
    share(correlate_blocks, _tasks(g, plan), g.products, x, table, rows, bias, plan, y)
    return y


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    rows = tile_rows(g.in_channels // g.groups)
    dx = np.empty(g.input_shape, dtype=dy.dtype)
    plan, phases, taps = gradient_plan(g, dy.itemsize, rows)
    table = tile_weights(w, g, taps, True, rows)
    if g.stride == (1, 1):
        bias = np.zeros(g.in_channels, dtype=dy.dtype)
        share(correlate_blocks, _tasks(g, plan), g.products, dy, table, rows, bias, plan, dx)
    else:
        share(scatter_blocks, _tasks(g, plan), g.products, dy, table, rows, plan, phases, dx)
    return dx


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C / groups, kH, kW)."""
    if fills_panels(g, x.itemsize):
        return _by_panels(dy, x, g)
    plan, packs = weight_plan(g, x.itemsize)
    shape = g.groups, plan.out_channels, len(plan.offset)
    dw = share_parts(
        weight_gradient_blocks,
        _tasks(g, plan),
        PARTIAL_SUMS,
        g.products,
        x,
        dy,
        plan,
        packs,
        shape=shape,
        dtype=x.dtype,
    )
    return dw.reshape(g.weight_shape)


def _by_panels(dy: Array, x: Array, g: Geometry) -> Array:
    """Do a weight gradient with output channels side by side."""
    plan, packs = panel_plan(g, x.itemsize)
    shape = (panels_space(g.groups, plan.out_channels, len(plan.offset), lanes(x.itemsize)),)
    sums = share_parts(
        weight_panels, _tasks(g, plan), PARTIAL_SUMS, g.products, x, dy, plan, packs, shape=shape, dtype=x.dtype
    )
    return np.asarray(unpack_panels(sums, g.groups, plan.out_channels, len(plan.offset)).reshape(g.weight_shape))


def fills_panels(g: Geometry, itemsize: int) -> bool:
    """Return whether there are terms and output channels enough, in nearly whole panels."""
    size, channels = VECTORS * lanes(itemsize), g.out_channels // g.groups
    terms = g.in_channels // g.groups * g.kernel[0] * g.kernel[1]
    return g.batch > 0 and terms >= FEWEST_TERMS and -(-channels // size) * size <= LARGEST_WASTE * channels


def tile_weights(w: Array, g: Geometry, taps: list[IntArray], swap: bool, rows: int) -> Array:
    """Return the weights as tiles of so many rows read them, one set of taps after the other."""
    grouped = w.reshape(g.groups, g.out_channels // g.groups, g.in_channels // g.groups, g.kernel[0] * g.kernel[1])
    M, C = (grouped.shape[2], grouped.shape[1]) if swap else grouped.shape[1:3]
    sizes = [g.groups * -(-M // rows) * rows * C * len(numbers) for numbers in taps]
    table, start = np.empty(sum(sizes), dtype=w.dtype), 0
    for numbers, size in zip(taps, sizes, strict=True):
        pack_weights(grouped, numbers, swap, rows, table[start : start + size])
        start += size
    return table


def tile_rows(channels: int) -> int:
    """Return how many channels a tile holds: the smallest that holds all, or the largest."""
    return next((rows for rows in (1, COLOURS, FEW_ROWS) if channels <= rows), ROWS)


@lru_cache(maxsize=256)
def forward_plan(g: Geometry, itemsize: int, out_channels: int, tile: int) -> Plan:
    """Return the plan of the forward pass."""
    (top, _), (left, _) = g.padding
    taps = [[(d * k // s, d * k % s) for k in range(n)] for n, s, d in zip(g.kernel, g.stride, g.dilation, strict=True)]
    row_phases, column_phases = (sorted({phase for _, phase in side}) for side in taps)
    phases = list(product(row_phases, column_phases))
    shifts = [(r, c, phases.index((f, e))) for (r, f), (c, e) in product(*taps)]
    return _plan(
        g,
        itemsize,
        channels=(g.in_channels // g.groups, out_channels),
        grid=g.out_size,
        stride=g.stride,
        columns=g.size[1],
        starts=[(f - top, e - left) for f, e in phases],
        shifts=shifts,
        tile=tile,
    )


@lru_cache(maxsize=256)
def weight_plan(g: Geometry, itemsize: int) -> tuple[Plan, bool]:
    """Return the plan of the weight gradient, and whether it packs x: where planes are not the images themselves.

    Every column of taps has a plane of its own, so that rows are as long as those of dy.
    """
    (top, _), (left, _) = g.padding
    rows, columns = ([d * k for k in range(n)] for n, d in zip(g.kernel, g.dilation, strict=True))
    s, phases = g.stride[0], sorted({r % g.stride[0] for r in rows})
    planes = list(product(phases, columns))
    plan = _plan(
        g,
        itemsize,
        channels=(g.in_channels // g.groups, g.out_channels // g.groups),
        grid=g.out_size,
        stride=g.stride,
        columns=g.size[1],
        starts=[(f - top, c - left) for f, c in planes],
        shifts=[(r // s, 0, planes.index((r % s, c))) for r, c in product(rows, columns)],
        tile=0,
    )
    return plan, not (g.kernel == (1, 1) and g.stride == (1, 1) and g.padding == ((0, 0), (0, 0)))


@lru_cache(maxsize=256)
def panel_plan(g: Geometry, itemsize: int) -> tuple[Plan, bool]:
    """Return the plan of a weight gradient by panels, and whether x is packed: where it is padded."""
    packs = g.padding != ((0, 0), (0, 0))
    reach = [d * (k - 1) for k, d in zip(g.kernel, g.dilation, strict=True)]
    channels, s = g.in_channels // g.groups, g.stride[0]
    pitch = g.stride[1] * (g.out_size[1] - 1) + reach[1] + 1 if packs else g.size[1]
    most = max(1, (PANEL_BYTES // (channels * pitch * itemsize) - reach[0] - 1) // s + 1)
    tasks = g.batch * g.groups
    blocks = max(-(-g.out_size[0] // most), min(g.out_size[0], -(-PARTIAL_SUMS // tasks)))
    block_rows = -(-g.out_size[0] // blocks)
    rows = s * (block_rows - 1) + reach[0] + 1
    plane = rows * pitch if packs else g.size[0] * pitch
    taps = product(range(channels), range(0, reach[0] + 1, g.dilation[0]), range(0, reach[1] + 1, g.dilation[1]))
    plan = Plan(
        groups=g.groups,
        source_channels=channels,
        out_channels=g.out_channels // g.groups,
        height=g.out_size[0],
        width=g.out_size[1],
        block_rows=block_rows,
        blocks=-(-g.out_size[0] // block_rows),
        rows=rows,
        pitch=pitch,
        row_stride=s,
        column_stride=g.stride[1],
        row=np.array([-g.padding[0][0]]),
        column=np.array([-g.padding[1][0]]),
        offset=np.array([c * plane + r * pitch + q for c, r, q in taps], dtype=np.int64),
        splits=1,
    )
    return plan, packs


@lru_cache(maxsize=256)
def gradient_plan(g: Geometry, itemsize: int, tile: int) -> tuple[Plan, Phases, list[IntArray]]:
    """Return the plan of the input gradient, its phases, and the taps (numbered row by row) that each of them meets.

    Along one side, phase e stands for ``u = s q + e - p``, from the first such u that is not negative on. Tap k with
    ``(d k) mod s = e`` reads dy at ``q - (d k) div s``: at ``shift`` if the planes begin at ``start``.
    """
    sides = [_side(g, i) for i in (0, 1)]
    start = [min((q for phase in side for _, q in phase[2]), default=0) for side in sides]
    taps: list[IntArray] = []
    shifts, grids = [], []
    for (u, height, row_taps), (v, width, column_taps) in product(*sides):
        shifts.append([(r - start[0], c - start[1], 0) for (_, r), (_, c) in product(row_taps, column_taps)])
        numbers = [k * g.kernel[1] + m for (k, _), (m, _) in product(row_taps, column_taps)]
        taps.append(np.array(numbers, dtype=np.int64))
        grids.append((height, width, u, v))
    channels = (g.out_channels // g.groups, g.in_channels // g.groups)
    plan = _plan(
        g,
        itemsize,
        channels=channels,
        grid=(max(height for height, _, _, _ in grids), max(width for _, width, _, _ in grids)),
        stride=(1, 1),
        columns=g.out_size[1],
        starts=[(start[0], start[1])],
        shifts=[shift for phase in shifts for shift in phase],
        tile=tile,
    )
    plane = plan.rows * plan.pitch
    offsets = [[c * plane + r * plan.pitch + q for c in range(channels[0]) for r, q, _ in phase] for phase in shifts]
    sizes = np.array([len(offset) for offset in offsets])
    heights, widths, rows, columns = (np.array(numbers) for numbers in zip(*grids, strict=True))
    ends = np.concatenate([[0], np.cumsum(sizes)])
    tables = ends[:-1] * (g.groups * -(-channels[1] // tile) * tile)
    flat = np.array([shift for offset in offsets for shift in offset], dtype=np.int64)
    return plan, Phases(flat, ends, tables, heights, widths, rows, columns, *g.stride), taps


def _side(g: Geometry, i: int) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Return of each phase along a side, in the order of its first u: u, how many there are, and (tap, dy's index)."""
    s, d, p = g.stride[i], g.dilation[i], g.padding[i][0]
    found = []
    for phase in range(s):
        lowest = -((phase - p) // s)  # the first q with s q + phase - p >= 0
        first = s * lowest + phase - p
        taps = [(k, lowest - d * k // s) for k in range(g.kernel[i]) if d * k % s == phase]
        found.append((first, max(0, -(-(g.size[i] - first) // s)), taps))
    return sorted(found, key=lambda side: side[0])


def _plan(
    g: Geometry,
    itemsize: int,
    *,
    channels: tuple[int, int],
    grid: tuple[int, int],
    stride: tuple[int, int],
    columns: int,
    starts: list[tuple[int, int]],
    shifts: list[tuple[int, int, int]],
    tile: int,
) -> Plan:
    height, width = grid
    reach = max((r for r, _, _ in shifts), default=0)
    pitch = _pitch(width, columns, stride[1], [start for _, start in starts], shifts)
    row_bytes = channels[0] * len(starts) * pitch * itemsize
    most = max(1, (PACKED_BYTES if tile else SUMMED_BYTES) // max(row_bytes, 1) - reach)
    blocks = max(1, -(-height // most))
    tasks = g.batch * g.groups
    if height * width * channels[1] * channels[0] * len(shifts) * tasks > THREADED_PRODUCTS:
        while tasks * blocks < n_threads() and blocks < height:
            blocks += 1
    block_rows = max(1, -(-height // blocks))
    blocks = max(1, -(-height // block_rows))
    rows = block_rows + reach
    plane = rows * pitch
    offset = np.array(
        [(c * len(starts) + f) * plane + r * pitch + q for c in range(channels[0]) for r, q, f in shifts],
        dtype=np.int64,
    )
    tiles = -(-channels[1] // tile) if tile else 1
    splits = 1 if tasks * blocks >= n_threads() or not tile else min(tiles, n_threads())
    return Plan(
        groups=g.groups,
        source_channels=channels[0],
        out_channels=channels[1],
        height=height,
        width=width,
        block_rows=block_rows,
        blocks=blocks,
        rows=rows,
        pitch=pitch,
        row_stride=stride[0],
        column_stride=stride[1],
        row=np.array([r for r, _ in starts]),
        column=np.array([c for _, c in starts]),
        offset=offset,
        splits=splits,
    )


def _pitch(width: int, columns: int, stride: int, starts: list[int], shifts: list[tuple[int, int, int]]) -> int:
    """Return the shortest row length at which no output reads a number of another row.

    Plane element q of phase f is source element ``stride q + starts[f]``, and ``width + reach`` of them are read. What
    is read beyond the row's end are the first elements of the next: right where both are zeros of the padding, which
    rows then share.
    """
    read = [width + max((c for _, c, f in shifts if f == phase), default=0) for phase in range(len(starts))]
    zeros = min(max(0, -(start // stride)) for start in starts)
    ends = [min(r, (columns - 1 - start) // stride + 1) for r, start in zip(read, starts, strict=True)]
    return max(width, *ends, max(read) - zeros)


def _tasks(g: Geometry, plan: Plan) -> int:
    return g.batch * g.groups * plan.blocks * plan.splits
