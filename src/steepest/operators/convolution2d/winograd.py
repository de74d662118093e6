r"""Winograd's minimal filtering for 3 x 3 kernels: a quarter of the products.

Notes
-----
One dimension first. Four outputs of a filter g of three taps, ``y_i = sum_k d_{i+k} g_k``, are the transposed product
of polynomials of degrees 3 and 2. A product of degree 5 is determined by its values at 5 points and its leading
coefficient (the "value at infinity"), so 6 multiplications do instead of 12 (Toom, Cook; Winograd, 1980). Evaluate at
0, 1, -1, 2, -2 and infinity: with V_n the matrix of powers of these points, a product is ``V_6^-1 [(V_4 u) (V_3 g)]``,
and the transposed map::

    y = V_4^T [(V_3 g) (V_6^-T d)] = A^T [(G g) (B^T d)]

A^T = V_4^T (4 x 6), and G, B^T are V_3, V_6^-T with the denominators moved from B to G, so that B^T holds integers::

    B^T = [4  0 -5  0  1  0]     G = [ 1/4    0     0 ]     A^T = [1  1  1  1  1  0]
          [0 -4 -4  1  1  0]         [-1/6  -1/6  -1/6]           [0  1 -1  2 -2  0]
          [0  4 -4 -1  1  0]         [-1/6   1/6  -1/6]           [0  1  1  4  4  0]
          [0 -2 -1  2  1  0]         [ 1/24  1/12  1/6]           [0  1 -1  8 -8  1]
          [0  2 -1 -2  1  0]         [ 1/24 -1/12  1/6]
          [0  4  0 -5  0  1]         [ 0     0     1  ]

Two dimensions: the same along rows and columns, ``Y = A^T [(G g G^T) (B^T d B)] A`` for a tile of 4 x 4 outputs, which
reads 6 x 6 inputs. The sum over input channels commutes with A^T . A, so it is done before: for each of the 36 places
a matrix product over channels. Lavin and Gray, 2016.

Gradients. dx is a convolution of dy with the flipped kernel (`steepest.operators.convolution2d.reference`), so it goes
the same way. For dw, Y is linear in g, and the adjoint of ``g -> A^T [(G g G^T) V] A`` with ``V = B^T d B`` is::

    dg = G^T [(A dY A^T) V] G,    summed over all tiles

Numerics: the entries of A and B grow to 8 and 5, and sums of large numbers cancel; the error is some ten times that of
the direct sum: about 1e-5 of the largest output in float32, 1e-14 in float64.
"""

import numpy as np

from steepest.kernels.convolution.tiles import ROWS
from steepest.kernels.convolution.transforms import STEP
from steepest.kernels.convolution.winograd import (
    PLANES,
    apart,
    transform_weights,
    weight_block,
    winograd_blocks,
    winograd_weight_blocks,
    work_space,
)
from steepest.kernels.scratch import scratch
from steepest.kernels.threads import map_blocks, n_threads
from steepest.kernels.vectors import lanes
from steepest.operators.convolution2d.geometry import Geometry
from steepest.operators.convolution2d.sharing import share
from steepest.typing import Array

BLOCK_BYTES = 1_200_000  # transformed inputs and products of one block of tiles
SUMMED_BYTES = 5_000_000  # of one block of tiles of a weight gradient
SUMMED_TILES = 192  # at least, in each of the parts of a weight gradient: sums over few tiles pay for little


def refusal(g: Geometry) -> str:
    """Return why a shape cannot be done this way; nothing if it can."""
    if g.kernel != (3, 3) or g.stride != (1, 1) or g.dilation != (1, 1) or g.groups != 1:
        return "takes kernels of 3 x 3 with stride 1, dilation 1 and one group"
    return ""


def forward(x: Array, w: Array, b: Array | None, g: Geometry) -> Array:
    """Return y (N, O, H', W')."""
    bias = np.zeros(g.out_channels, dtype=x.dtype) if b is None else np.ascontiguousarray(b)
    y = np.empty(g.output_shape, dtype=x.dtype)
    return _correlate(x, w, bias, False, (g.padding[0][0], g.padding[1][0]), y)


def input_gradient(dy: Array, w: Array, g: Geometry) -> Array:
    """Return dx (N, C, H, W)."""
    bias = np.zeros(g.in_channels, dtype=dy.dtype)
    dx = np.empty(g.input_shape, dtype=dy.dtype)
    return _correlate(dy, w, bias, True, (2 - g.padding[0][0], 2 - g.padding[1][0]), dx)


def weight_gradient(dy: Array, x: Array, g: Geometry) -> Array:
    """Return dw (O, C, 3, 3)."""
    n_tiles = g.batch * -(-g.out_size[0] // STEP) * -(-g.out_size[1] // STEP)
    lane = lanes(x.itemsize)
    tiles = SUMMED_BYTES // (PLANES * (g.in_channels + g.out_channels) * x.itemsize) // lane * lane
    parts = min(8, max(2, n_tiles // SUMMED_TILES))
    tiles = min(max(tiles, lane), -(-n_tiles // (parts * lane)) * lane)
    blocks = -(-n_tiles // tiles)
    top, left = g.padding[0][0], g.padding[1][0]

    def part(start: int, stop: int) -> Array:
        seen = scratch("seen", work_space(g.in_channels, tiles, lane), x.dtype)
        slopes = scratch("products", work_space(g.out_channels, tiles, lane), x.dtype)
        return np.asarray(winograd_weight_blocks(x, dy, top, left, tiles, seen, slopes, start, stop))

    sums = map_blocks(part, blocks, -(-blocks // parts))
    return np.asarray(sum(sums[1:], sums[0]))


def _correlate(source: Array, w: Array, bias: Array, swap: bool, start: tuple[int, int], out: Array) -> Array:
    """Correlate ``source``, padded with ``start`` zeros above and left, with w; ``swap`` for the input gradient."""
    channels, out_channels = source.shape[1], out.shape[1]
    groups = -(-out_channels // ROWS)
    lane = lanes(source.itemsize)
    table = scratch("weights", PLANES * apart(groups * weight_block(channels, lane), lane), source.dtype)
    map_blocks(lambda start, stop: transform_weights(w, swap, start, stop, table), groups, -(-groups // n_threads()))
    n_tiles = len(out) * -(-out.shape[2] // STEP) * -(-out.shape[3] // STEP)
    tiles = _block_tiles(n_tiles, PLANES * (channels + groups * ROWS) * source.itemsize, lane)
    blocks = -(-n_tiles // tiles)

    def part(first: int, stop: int) -> None:
        seen = scratch("seen", work_space(channels, tiles, lane), source.dtype)
        products = scratch("products", work_space(out_channels, tiles, lane), source.dtype)
        winograd_blocks(source, table, bias, *start, out, tiles, seen, products, first, stop)

    map_blocks(part, blocks, share(blocks, 9 * channels * out.size))
    return out


def _block_tiles(n_tiles: int, tile_bytes: int, lane: int) -> int:
    """Return how many tiles a block has: whole vectors, in cache if that leaves some, and alike for all threads."""
    vectors = -(-n_tiles // lane)
    most = max(3, BLOCK_BYTES // (tile_bytes * lane))
    share = -(-vectors // n_threads())
    return -(-share // -(-share // most)) * lane
