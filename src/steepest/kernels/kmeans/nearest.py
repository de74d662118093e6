"""The two nearest centres of a tile of points.

A tile holds points with the feature axis outermost, ``tile[f, t]``, so that SIMD lanes are points: every inner loop
runs over t. Reference of the whole file: :func:`steepest.objectives.clustering.scores`.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.scratch import scratch
from steepest.typing import Array, IntArray

Rows = tuple[Array, Array, Array, Array]
MANY_FEATURES = 256  # from here on inner products are long enough to make up for the sum over their lanes
LANES = 256  # points in a tile: a constant, so that the compiler needs no checks before it vectorises a loop


def pack_centres(centres: Array) -> tuple[Array, Array]:
    """Return the centres padded for the kernels, with ``|c|^2 / 2`` each; both are good until the next call.

    Their number becomes a multiple of four, the padding infinitely far away; their features 2 + 4 m for
    :func:`nearest_two`, whole lines of the cache where they are many, padded by zeros.
    """
    k, d = centres.shape
    width = 2 + -(-max(d - 2, 0) // 4) * 4 if d < MANY_FEATURES else -(-d // 16) * 16
    n_packed = -(-k // 4) * 4
    packed: Array = scratch("k-means centres", n_packed * width, centres.dtype).reshape(n_packed, width)
    packed[:] = 0
    packed[:k, :d] = centres
    half_norms = np.full(n_packed, np.inf, dtype=centres.dtype)
    half_norms[:k] = np.einsum("jf,jf->j", centres, centres, dtype=np.float64) / 2
    return packed, half_norms


@compiled
def aligned(size: int, like: Array) -> Array:
    """Return room for ``size`` numbers that begins with a line of the cache: vectors are then read in one go."""
    room = np.empty(size + 64 // like.itemsize, like.dtype)
    skip = (-room.ctypes.data % 64) // like.itemsize
    return room[skip : skip + size]


@compiled
def fetch_rows(X: Array, rows: IntArray) -> float:
    """Bring rows into the cache by reading a number of each of its lines; return one, lest the reads be left out.

    These reads do not wait for each other, while packing, which writes more than it reads, has few of them under way.
    """
    line, total = 64 // X.itemsize, 0.0
    for i in rows:
        for f in range(0, X.shape[1], line):
            total += X[i, f]
    return total


@compiled
def pack_rows(X: Array, rows: IntArray, n_rows: int, shift: Array, tile: Array, half_norms: Array) -> None:
    """Fill ``tile[f, t] = X[rows[t], f] - shift[f]`` and ``half_norms[t] = |tile[:, t]|^2 / 2``."""
    first, contiguous = rows[0], rows[n_rows - 1] - rows[0] == n_rows - 1
    if contiguous and X.shape[1] == 2:
        _pack_pairs(X[first : first + n_rows].reshape(2 * n_rows), shift, tile)
    else:
        _transpose(X, rows, n_rows, shift, tile)
    _half_norms(tile, half_norms)


@compiled
def _transpose(X: Array, rows: IntArray, n_rows: int, shift: Array, tile: Array) -> None:
    """Pack four rows at a time: reads go along the rows, and four writes share a cache line."""
    fours = n_rows // 4 * 4
    for t in range(0, fours, 4):
        a, b, c, d = rows[t], rows[t + 1], rows[t + 2], rows[t + 3]
        for f in range(X.shape[1]):
            origin = shift[f]
            tile[f, t] = X[a, f] - origin
            tile[f, t + 1] = X[b, f] - origin
            tile[f, t + 2] = X[c, f] - origin
            tile[f, t + 3] = X[d, f] - origin
    for t in range(fours, n_rows):
        for f in range(X.shape[1]):
            tile[f, t] = X[rows[t], f] - shift[f]


@compiled
def _pack_pairs(pairs: Array, shift: Array, tile: Array) -> None:
    """Pack consecutive rows of two features: a stride that the compiler knows."""
    row0, row1, shift0, shift1 = tile[0], tile[1], shift[0], shift[1]
    for t in range(pairs.shape[0] // 2):
        row0[t] = pairs[2 * t] - shift0
        row1[t] = pairs[2 * t + 1] - shift1


@compiled
def _half_norms(tile: Array, half_norms: Array) -> None:
    """Set half the squared lengths of a tile's points."""
    half = half_norms.dtype.type(0.5)
    for t in range(LANES):
        half_norms[t] = 0
    for f in range(tile.shape[0]):
        row = tile[f]
        for t in range(LANES):
            half_norms[t] += half * row[t] * row[t]


@compiled
def tile_room(n_features: int, like: Array) -> tuple[Array, Rows, Rows]:
    """Return an empty tile, room for the scores of four centres, and for four results of every point.

    A processor takes a load to depend on a store under way if their addresses agree in the last 12 bits. In loops along
    a tile, which is 1024 or 2048 bytes wide, that costs up to half the speed; so scores and results are one and a half
    times its width apart, the scores 128 bytes behind the tile in these bits, the results 128 behind the scores.
    """
    behind, stride, page = 128 // like.itemsize, LANES + LANES // 2, 4096 // like.itemsize
    size = n_features * LANES
    work = aligned(size + page + 8 * stride, like)
    tile = work[:size].reshape((n_features, LANES))
    tile[:] = 0
    scores = work[size + page - size % page - behind :]
    return tile, _four(scores, stride), _four(scores[4 * stride - behind :], stride)


@compiled
def _four(work: Array, stride: int) -> Rows:
    """Return four rows of a tile's width."""
    a, b, c = work[stride:], work[2 * stride :], work[3 * stride :]
    return work[:LANES], a[:LANES], b[:LANES], c[:LANES]


@compiled
def nearest_two(
    tile: Array, centres: Array, half_norms: Array, room: Rows, best: Array, second: Array, label: Array
) -> None:
    """Find the smallest and second smallest score ``|c|^2 / 2 - x.c`` of every point, and whose the smallest is.

    Scores differ from ``|x - c|^2 / 2`` by ``|x|^2 / 2``, which is the same for all centres. Four centres are scored
    at once (s0 ... s3, in ``room``), from the first two features on four at a time: 16 multiply-adds for 8 loads and 4
    stores. The scores meet the two smallest by selections without a branch; the earlier centre wins a tie. ``label``
    has the type of the scores, so that all lanes have one width. One function, as a call costs as much as a loop over
    a tile.
    """
    like = best.dtype
    s0, s1, s2, s3 = room
    for t in range(LANES):
        best[t] = np.inf
        second[t] = np.inf
        label[t] = 0
    for j in range(0, centres.shape[0], 4):
        a, b, c, d = centres[j], centres[j + 1], centres[j + 2], centres[j + 3]
        h0, h1, h2, h3 = half_norms[j], half_norms[j + 1], half_norms[j + 2], half_norms[j + 3]
        a0, a1, b0, b1, c0, c1, d0, d1 = a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]
        x0, x1 = tile[0], tile[1]
        for t in range(LANES):
            u0, u1 = x0[t], x1[t]
            s0[t] = h0 - a0 * u0 - a1 * u1
            s1[t] = h1 - b0 * u0 - b1 * u1
            s2[t] = h2 - c0 * u0 - c1 * u1
            s3[t] = h3 - d0 * u0 - d1 * u1
        for f in range(2, centres.shape[1], 4):
            a0, a1, a2, a3 = a[f], a[f + 1], a[f + 2], a[f + 3]
            b0, b1, b2, b3 = b[f], b[f + 1], b[f + 2], b[f + 3]
            c0, c1, c2, c3 = c[f], c[f + 1], c[f + 2], c[f + 3]
            d0, d1, d2, d3 = d[f], d[f + 1], d[f + 2], d[f + 3]
            x0, x1, x2, x3 = tile[f], tile[f + 1], tile[f + 2], tile[f + 3]
            for t in range(LANES):
                u0, u1, u2, u3 = x0[t], x1[t], x2[t], x3[t]
                s0[t] = s0[t] - a0 * u0 - a1 * u1 - a2 * u2 - a3 * u3
                s1[t] = s1[t] - b0 * u0 - b1 * u1 - b2 * u2 - b3 * u3
                s2[t] = s2[t] - c0 * u0 - c1 * u1 - c2 * u2 - c3 * u3
                s3[t] = s3[t] - d0 * u0 - d1 * u1 - d2 * u2 - d3 * u3
        j0, j1, j2, j3 = like.type(j), like.type(j + 1), like.type(j + 2), like.type(j + 3)
        for t in range(LANES):
            low, next_low, mine = best[t], second[t], label[t]
            for score, candidate in ((s0[t], j0), (s1[t], j1), (s2[t], j2), (s3[t], j3)):
                nearer = score < low
                loser = low if nearer else score
                next_low = loser if loser < next_low else next_low
                mine = candidate if nearer else mine
                low = score if nearer else low
            best[t], second[t], label[t] = low, next_low, mine
