r"""Winograd's minimal filtering: a quarter of the products for 3 x 3 kernels, a little more than a third for 5 x 5.

With stride 2, of 3 x 3 kernels, a little more than half.

Notes
-----
One dimension first. The m outputs of a filter g of r taps, ``y_i = sum_k d_{i+k} g_k``, are the transposed product of
polynomials of degrees m - 1 and r - 1. A product of degree m + r - 2 is determined by its values at m + r - 2 points
and its leading coefficient (the "value at infinity"), so m + r - 1 multiplications do instead of m r (Toom, Cook;
Winograd, 1980). With m + r - 1 = 6, evaluate at 0, p, -p, q, -q and infinity: with V_n the matrix of the first n
powers of these points, a product is ``V_6^-1 [(V_m u) (V_r g)]``, and the transposed map::

    y = V_m^T [(V_r g) (V_6^-T d)] = A^T [(G g) (B^T d)]

with A^T = V_m^T. By Lagrange's formula, row i of V_6^-T holds the coefficients of ``l_i(t) = prod_{j != i} (t - t_j)``
over ``l_i(t_i)``, and that of infinity those of the product over all points. The denominators are moved to G::

    B^T = [p^2 q^2    0    -p^2-q^2     0     1  0]     t (t^2 - p^2) (t^2 - q^2) / t
          [   0    -p q^2    -q^2       p     1  0]     t (t + p) (t^2 - q^2)
          [   0     p q^2    -q^2      -p     1  0]     t (t - p) (t^2 - q^2)
          [   0    -p^2 q    -p^2       q     1  0]     t (t + q) (t^2 - p^2)
          [   0     p^2 q    -p^2      -q     1  0]     t (t - q) (t^2 - p^2)
          [   0   p^2 q^2      0    -p^2-q^2  0  1]     t (t^2 - p^2) (t^2 - q^2)

    G   = V_r, its rows divided by p^2 q^2, 2 p^2 (p^2 - q^2) (twice), 2 q^2 (q^2 - p^2) (twice) and 1

B^T is the same for r = 3, m = 4 and for r = 5, m = 2. For r = 2, m = 4 five points do: the same without -q.

Two dimensions: the same along rows and columns, ``Y = A^T [(G g G^T) (B^T d B)] A`` for a tile of m x m outputs, which
reads 6 x 6 inputs: 36 products instead of 144 (r = 3) or 100 (r = 5). The sum over input channels commutes with
A^T . A, so it is done before: for each of the 36 places a matrix product over channels. Lavin and Gray, 2016.

With stride 2 a kernel of 3 x 3 is one of 2 x 2, with stride 1, over four phases of the image, which are read where they
lie (`steepest.operators.convolution2d.phases`). A phase that meets one tap along a side meets the second of two, (0,
g), or the first, (g, 0): a polynomial with the value 0 at 0 or at infinity. These products are left out, so that for
each side 5 + 4 are formed for 4 outputs, and in two dimensions 81 in place of 144.

Of images of three channels the products are formed when the transform back asks for them, and never stored
(`steepest.kernels.convolution.winograd_colours`).

Gradients. dx is a convolution of dy with the flipped kernel (`steepest.operators.convolution2d.reference`), so it goes
the same way; with stride 2, its phases are found so and put side by side. For dw (stride 1), Y is linear in g, and the
adjoint of ``g -> A^T [(G g G^T) V] A`` with ``V = B^T d B`` is::

    dg = G^T [(A dY A^T) V] G,    summed over all tiles

Numerics: sums of large numbers cancel, and how large they are depends on the points. With p = 3/4 and q = 3/2, whose
powers are exact in binary, the error is some four times that of the direct sum: about 3e-6 of the largest output in
float32 and 1e-14 in float64, twice that for the weight gradient of r = 5. (With the usual p = 1 and q = 2, three
times as large.) For r = 2 it is three times that of the direct sum: 3e-6 and 6e-15.
"""

from math import prod

import numpy as np

from steepest.kernels.convolution.direct import COLOURS
from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import FORMS, Form
from steepest.kernels.convolution.winograd import transform_weights, weight_block, winograd_blocks
from steepest.kernels.convolution.winograd_colours import GRID_ROWS, gather_weights, winograd_colours
from steepest.kernels.convolution.winograd_tiles import apart, work_space
from steepest.kernels.convolution.winograd_weights import (
    Factors,
    lay_out_blocks,
    sum_channels,
    sum_lanes,
    sum_tiles,
    sums_space,
)
from steepest.kernels.relay import run
from steepest.kernels.scratch import scratch
from steepest.kernels.threads import n_threads
from steepest.kernels.vectors import lanes
from steepest.operators.convolution2d import direct
from steepest.operators.convolution2d.geometry import Geometry
from steepest.operators.convolution2d.phases import Correlation, merged, room_for_phases, unstrided
from steepest.operators.convolution2d.sharing import share, share_parts, spaces, workers
from steepest.typing import Array, IntArray

FEW_CHANNELS = 24  # of x, in a weight gradient: not worth laying out anew
LANE_BYTES = 420_000  # transformed tiles of these, and of ROWS output channels, in a thread's second-level cache
BLOCK_BYTES = 1_200_000  # transformed inputs and products of one block of tiles
SUMMED_BYTES = 3_000_000  # sums of a weight gradient over all channels: at most twice what a thread's cache holds
SUMMED_TILES = 64  # that are added to them at a time
PARTIAL_SUMS, FEWEST_TILES = 4, 200  # parts at most, for any number of threads, and tiles that pay for a part
FACTOR_BYTES = 16_000_000  # where the sums are larger, of the factors that are kept: in the third-level cache
LAID_TILES = 64  # transformed and laid out at a time
GROUP_BYTES = 500_000  # sums of some output channels
KERNELS = ((3, 1), (5, 1), (3, 2))  # their sides, and strides


def refusal(g: Geometry) -> str:
    """Return why a shape cannot be done this way; nothing if it can."""
    square = g.kernel[0] == g.kernel[1] and g.stride[0] == g.stride[1]
    if not square or (g.kernel[0], g.stride[0]) not in KERNELS or g.dilation != (1, 1) or g.groups != 1:
        return "takes kernels of 3 x 3 and 5 x 5 with stride 1, and 3 x 3 with stride 2, dilation 1 and one group"
    return ""


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H', W')."""
    bias = np.zeros(g.out_channels, dtype=x.dtype) if b is None else np.ascontiguousarray(b)
    u = unstrided(g)
    return _correlate(x, w, u.forward, bias, np.empty(g.output_shape, dtype=x.dtype))


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    u = unstrided(g)
    bias = np.zeros(u.shape[1], dtype=dy.dtype)
    return merged(_correlate(dy, w, u.backward, bias, room_for_phases(u, g, dy.dtype)), u, g)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C, k, k)."""
    if g.stride != (1, 1):
        return direct.weight_gradient(dy, x, g)
    if g.in_channels <= FEW_CHANNELS:
        return _over_lanes(dy, x, g)
    sums = FORMS[g.kernel[0], 1].side ** 2 * _whole(g.out_channels, ROWS) * _whole(g.in_channels, lanes(x.itemsize))
    return (_over_tiles if sums * x.itemsize <= SUMMED_BYTES else _over_channels)(dy, x, g)


def _over_lanes(dy: Array, x: Array, g: Geometry) -> Array:
    """Do a weight gradient of few channels of x with threads that share the tiles."""
    form, start, lane = FORMS[g.kernel[0], 1], (g.padding[0][0], g.padding[1][0]), lanes(x.itemsize)
    grid = _grid(form, g.out_size)
    n_tiles, most = g.batch * prod(grid), LANE_BYTES // (form.side**2 * (g.in_channels + ROWS) * x.itemsize)
    tiles = _whole(-(-n_tiles // _whole(-(-n_tiles // most), PARTIAL_SUMS)), lane)
    seen, slopes = (
        spaces(name, workers(g.products), work_space(form, channels, tiles, lane), x.dtype)
        for name, channels in (("seen", g.in_channels), ("slopes", ROWS))
    )
    how, shape = (form, x, dy, *start, grid, tiles, seen, slopes), (form.taps**2, g.out_channels, g.in_channels)
    blocks = -(-n_tiles // tiles)
    taps = share_parts(sum_lanes, blocks, PARTIAL_SUMS, g.products, *how, shape=shape, dtype=x.dtype)
    return np.ascontiguousarray(np.moveaxis(taps, 0, -1)).reshape(g.weight_shape)


def _over_tiles(dy: Array, x: Array, g: Geometry) -> Array:
    """Do a weight gradient with threads that share the tiles."""
    form, start, lane = FORMS[g.kernel[0], 1], (g.padding[0][0], g.padding[1][0]), lanes(x.itemsize)
    grid = _grid(form, g.out_size)
    n_tiles, blocks = g.batch * grid[0] * grid[1], -(-g.out_channels // ROWS)
    n_workers = workers(g.products)
    factors = _factors(form, g, SUMMED_TILES, x, n_workers)
    some = spaces("seen", n_workers, work_space(form, lane, SUMMED_TILES, lane), x.dtype)
    sums = spaces("sums", n_workers, sums_space(form, blocks, factors.room, lane), x.dtype)
    how = form, x, dy, *start, grid, SUMMED_TILES, some, factors, sums
    tasks, parts = -(-n_tiles // SUMMED_TILES), min(PARTIAL_SUMS, max(2, n_tiles // FEWEST_TILES))
    return share_parts(sum_tiles, tasks, parts, g.products, *how, shape=g.weight_shape, dtype=x.dtype)


def _over_channels(dy: Array, x: Array, g: Geometry) -> Array:
    """Do a weight gradient with threads that share the output channels, whose sums are too large for one."""
    form, start, lane = FORMS[g.kernel[0], 1], (g.padding[0][0], g.padding[1][0]), lanes(x.itemsize)
    grid = _grid(form, g.out_size)
    n_tiles, blocks, room = g.batch * grid[0] * grid[1], -(-g.out_channels // ROWS), _whole(g.in_channels, lane)
    planes = form.side**2
    laid_bytes = planes * (room + blocks * ROWS) * x.itemsize * LAID_TILES
    at_once = min(max(1, FACTOR_BYTES // laid_bytes) * LAID_TILES, _whole(n_tiles, lane))
    group = max(1, min(GROUP_BYTES // (planes * ROWS * room * x.itemsize), -(-blocks // (2 * n_threads()))))
    factors, dw = _factors(form, g, at_once, x, 1), np.zeros(g.weight_shape, dtype=x.dtype)
    some = spaces("seen", n_threads(), work_space(form, lane, LAID_TILES, lane), x.dtype)
    sums = spaces("sums", n_threads(), sums_space(form, group, room, lane), x.dtype)
    for begin in range(0, n_tiles, at_once):
        end = min(begin + at_once, n_tiles)
        how = form, x, dy, *start, grid, begin, end, LAID_TILES, some, factors
        run(lay_out_blocks, n_threads(), -(-(end - begin) // LAID_TILES), 1, *how)
        run(sum_channels, n_threads(), -(-blocks // group), 1, form, factors, end - begin, group, dw, sums)
    return dw


def _factors(form: Form, g: Geometry, tiles: int, x: Array, n_workers: int) -> Factors:
    """Return room for the factors of the products over ``tiles`` tiles, for each worker."""
    lane = lanes(x.itemsize)
    tall, room = _whole(tiles, lane) * ROWS, _whole(g.in_channels, lane)
    rows = _whole(g.out_channels, max(lane, ROWS)) // ROWS * tall
    planes = apart(_whole(tiles, lane) * room, lane), apart(rows, lane)
    columns, slopes = (
        scratch(name, n_workers * form.side**2 * n, x.dtype)
        for name, n in zip(("columns", "rows"), planes, strict=True)
    )
    return Factors(columns, room, planes[0], slopes, tall, planes[1])


def _correlate(source: Array, w: Array, how: Correlation, bias: Array, out: Array) -> Array:
    """Correlate ``source`` with w, whose taps come as ``how`` says."""
    form, channels, out_channels = how.form, source.shape[1] * len(how.begin), out.shape[1]
    groups, lane, planes = -(-out_channels // ROWS), lanes(source.itemsize), form.side**2
    taps = w.reshape(*w.shape[:2], -1)
    table = scratch("weights", planes * apart(groups * weight_block(channels, lane), lane), source.dtype)
    if channels == COLOURS:
        run(transform_weights, 1, groups, groups, form, taps, how.places, how.swap, table)
        return _correlate_colours(form, source, gather_weights(form, table, out_channels, lane), bias, how.begin, out)
    count = form.taps**2 * channels * out.size
    threads = workers(count)
    run(transform_weights, threads, groups, -(-groups // threads), form, taps, how.places, how.swap, table)
    rows, columns = _grid(form, out.shape[2:])
    n_tiles = len(out) * rows * columns
    tiles = _block_tiles(n_tiles, planes * (channels + groups * ROWS) * source.itemsize, lane)
    seen = spaces("seen", workers(count), work_space(form, channels, tiles, lane), source.dtype)
    products = spaces("products", workers(count), work_space(form, out_channels, tiles, lane), source.dtype)
    blocks = -(-n_tiles // tiles)
    share(winograd_blocks, blocks, count, form, source, table, how.met, bias, how.begin, out, tiles, seen, products)
    return out


def _correlate_colours(form: Form, x: Array, weights: Array, bias: Array, begin: IntArray, out: Array) -> Array:
    """Do `_correlate` for images of three channels."""
    blocks, count = -(-len(out) * _grid(form, out.shape[2:])[0] // GRID_ROWS), form.taps**2 * COLOURS * out.size
    share(winograd_colours, blocks, count, form, x, weights, bias, -begin[0, 0], -begin[0, 1], out)
    return out


def _grid(form: Form, size: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows and columns of tiles cover an output."""
    return -(-size[0] // form.step), -(-size[1] // form.step)


def _whole(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _block_tiles(n_tiles: int, tile_bytes: int, lane: int) -> int:
    """Return how many tiles a block has: whole vectors, in cache if that leaves some, and alike for all threads."""
    vectors = -(-n_tiles // lane)
    most = max(3, BLOCK_BYTES // (tile_bytes * lane))
    share = -(-vectors // n_threads())
    return -(-share // -(-share // most)) * lane
