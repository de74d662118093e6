"""What k-means++ asks of all rows: a hash that names the point, and distances to new centres."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import BATCH, ROOM, panel_room
from steepest.kernels.kmeans.tiles import CENTRES, fetch_rows, pack_pairs, pack_panel, squared_distances
from steepest.typing import Array, IntArray

MANY_FEATURES = 24  # from here on it does not pay to turn the points for a few candidates
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


@compiled
def mix(z: np.uint64) -> np.uint64:
    """Return the bits of ``z`` well mixed: the last step of the splitmix64 generator (Steele, Lea, Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@compiled
def hash_rows(X: Array, start: int, stop: int, hashes: Array) -> None:
    """Set ``hashes[i] = sum over f with x_if != 0 of mix(bits(x_if) + f g)``, g odd, modulo 2^64.

    Equal points have equal hashes, wherever they stand; zeros do not count, so that sparse rows hash alike.
    """
    bits = X.view(np.uint64)
    for i in range(start, stop):
        total = np.uint64(0)
        for f in range(X.shape[1]):
            if X[i, f] != 0.0:
                total += mix(bits[i, f] + GOLDEN * np.uint64(f + 1))
        hashes[i - start] = mix(total)


@compiled
def hash_sparse_rows(data: Array, indices: IntArray, indptr: IntArray, start: int, stop: int, hashes: Array) -> None:
    """Set the hashes of CSR rows, as :func:`hash_rows` does of dense ones."""
    bits = data.view(np.uint64)
    for i in range(start, stop):
        total = np.uint64(0)
        for e in range(indptr[i], indptr[i + 1]):
            if data[e] != 0.0:
                total += mix(bits[e] + GOLDEN * np.uint64(indices[e] + 1))
        hashes[i - start] = mix(total)


@compiled
def _squared_distances(
    X: Array,
    start: int,
    n_rows: int,
    candidates: Array,
    rows: IntArray,
    panel: Array,
    table: Array,
    zeros: Array,
    distances: Array,
) -> None:
    """Set ``distances[l, t] = |x_(start + t) - candidate_l|^2`` for the next rows."""
    if X.shape[1] < MANY_FEATURES:
        _by_points(X, start, n_rows, rows, panel, table, zeros, distances)
    else:
        _by_features(X, start, n_rows, candidates, distances)


@compiled
def _by_points(
    X: Array, start: int, n_rows: int, rows: IntArray, panel: Array, table: Array, zeros: Array, distances: Array
) -> None:
    """Compute the distances with SIMD lanes along the points, a panel after the other."""
    points = panel.shape[1]
    last = start + n_rows - 1
    for t in range(BATCH):
        rows[t] = min(start + t, last)
    for t in range(points):
        rows[BATCH + t] = last + 1 + t
    for first in range(0, n_rows, points):
        if X.shape[1] == 2 and first + points <= n_rows:
            pack_pairs(X, start + first, zeros, panel)
        else:
            pack_panel(X, rows, zeros, panel, first)
            fetch_rows(X, rows, first + points, points)
        squared_distances(panel, table, distances, first)


@compiled
def _by_features(X: Array, start: int, n_rows: int, candidates: Array, distances: Array) -> None:
    """Compute the distances with SIMD lanes along the features, four or two candidates to one reading of a row."""
    zero = X.dtype.type(0)
    n_candidates = candidates.shape[0]
    n_fours = n_candidates // 4 * 4
    n_pairs = n_candidates // 2 * 2
    for t in range(n_rows):
        x = X[start + t]
        for j in range(0, n_fours, 4):
            c0, c1, c2, c3 = candidates[j], candidates[j + 1], candidates[j + 2], candidates[j + 3]
            total0, total1, total2, total3 = zero, zero, zero, zero
            for f in range(x.shape[0]):
                d0, d1, d2, d3 = x[f] - c0[f], x[f] - c1[f], x[f] - c2[f], x[f] - c3[f]
                total0, total1, total2, total3 = total0 + d0 * d0, total1 + d1 * d1, total2 + d2 * d2, total3 + d3 * d3
            distances[j, t], distances[j + 1, t] = total0, total1
            distances[j + 2, t], distances[j + 3, t] = total2, total3
        for j in range(n_fours, n_pairs, 2):
            c0, c1 = candidates[j], candidates[j + 1]
            total0, total1 = zero, zero
            for f in range(x.shape[0]):
                d0, d1 = x[f] - c0[f], x[f] - c1[f]
                total0, total1 = total0 + d0 * d0, total1 + d1 * d1
            distances[j, t], distances[j + 1, t] = total0, total1
        for j in range(n_pairs, n_candidates):
            c0, total0 = candidates[j], zero
            for f in range(x.shape[0]):
                d0 = x[f] - c0[f]
                total0 += d0 * d0
            distances[j, t] = total0


@compiled
def _work_room(X: Array, candidates: Array) -> tuple[IntArray, Array, Array, Array, Array]:
    """Return what :func:`_squared_distances` works with."""
    n_candidates, d = candidates.shape
    n_groups = (n_candidates + CENTRES - 1) // CENTRES
    table = np.zeros((n_groups, d, CENTRES), X.dtype)
    for j in range(n_candidates):
        for f in range(d):
            table[j // CENTRES, f, j % CENTRES] = -candidates[j, f]
    panel = panel_room(d, X)[0]
    return np.empty(ROOM, np.int64), panel, table, np.zeros(d, X.dtype), np.empty((n_groups * CENTRES, BATCH), X.dtype)


@compiled
def _sum(distances: Array, closest: Array, n_rows: int) -> float:
    """Return the sum of the smaller ones."""
    total = distances.dtype.type(0)
    for t in range(n_rows):
        new, old = distances[t], closest[t]
        total += new if new < old else old
    return np.float64(total)


@compiled
def _weighted_sum(distances: Array, closest: Array, weights: Array, n_rows: int) -> float:
    """Return the weighted sum of the smaller ones."""
    total = distances.dtype.type(0)
    for t in range(n_rows):
        new, old = distances[t], closest[t]
        total += weights[t] * (new if new < old else old)
    return np.float64(total)


@compiled
def potentials(
    X: Array,
    weights: Array,
    closest: Array,
    candidates: Array,
    block_rows: int,
    first: int,
    last: int,
    totals: Array,
    kept: Array,
) -> None:
    """Set ``totals[block, l] = sum_i w_i min(closest_i, |x_i - candidate_l|^2)`` over the block's rows.

    Reference: ``weights @ np.minimum(closest, squared_distances(X, candidates).T).T``. Differences are squared as
    they are: no cancellation. Where ``kept`` (n_candidates, n) has room, the distances are kept.
    """
    rows, panel, table, zeros, distances = _work_room(X, candidates)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            _squared_distances(X, start, n_rows, candidates, rows, panel, table, zeros, distances)
            for j in range(candidates.shape[0]):
                if weights.shape[0] > 0:
                    total = _weighted_sum(distances[j], closest[start:stop], weights[start:stop], n_rows)
                else:
                    total = _sum(distances[j], closest[start:stop], n_rows)
                totals[block, j] += total
                for t in range(n_rows if kept.shape[1] > 0 else 0):
                    kept[j, start + t] = distances[j, t]


@compiled
def come_closer(
    X: Array,
    weights: Array,
    closest: Array,
    centre: Array,
    known: Array,
    buckets: IntArray,
    block_rows: int,
    first: int,
    last: int,
    masses: Array,
) -> None:
    """Lower ``closest`` to the distances from ``centre`` (1, d); add ``w_i closest_i`` up by bucket, block by block.

    The distances are computed unless they are ``known`` (n,).
    Reference: ``closest = np.minimum(closest, squared_distances(X, centre))`` and
    ``np.bincount(buckets, weights * closest)``.
    """
    rows, panel, table, zeros, distances = _work_room(X, centre)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            if known.shape[0] == 0:
                _squared_distances(X, start, n_rows, centre, rows, panel, table, zeros, distances)
            for t in range(n_rows):
                i = start + t
                d = distances[0, t] if known.shape[0] == 0 else known[i]
                if d < closest[i]:
                    closest[i] = d
                weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                masses[block, buckets[i]] += weight * np.float64(closest[i])
