"""What k-means++ asks of all rows: a hash that names the point, and distances to new centres."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import BATCH
from steepest.typing import Array, IntArray

FEW_FEATURES = 24  # below, points fill SIMD lanes better than features do
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
def _squared_distances(X: Array, start: int, n_rows: int, candidates: Array, tile: Array, distances: Array) -> None:
    """Set ``distances[l, t] = |x_(start + t) - candidate_l|^2`` for the next rows."""
    if X.shape[1] < FEW_FEATURES:
        _by_points(X, start, n_rows, candidates, tile, distances)
    else:
        _by_features(X, start, n_rows, candidates, distances)


@compiled
def _by_points(X: Array, start: int, n_rows: int, candidates: Array, tile: Array, distances: Array) -> None:
    """Compute the distances with SIMD lanes along the points, two features at a time; the tile has a row to spare."""
    for f in range(X.shape[1]):
        for t in range(n_rows):
            tile[f, t] = X[start + t, f]
    n_features = X.shape[1]
    zero = X.dtype.type(0)
    for j in range(candidates.shape[0]):
        distance = distances[j]
        for t in range(BATCH):
            distance[t] = 0
        for f in range(0, n_features, 2):
            c0, c1 = candidates[j, f], candidates[j, f + 1] if f + 1 < n_features else zero
            x0, x1 = tile[f], tile[f + 1]
            for t in range(BATCH):
                d0, d1 = x0[t] - c0, x1[t] - c1
                distance[t] = distance[t] + d0 * d0 + d1 * d1


@compiled
def _by_features(X: Array, start: int, n_rows: int, candidates: Array, distances: Array) -> None:
    """Compute the distances with SIMD lanes along the features, four candidates to one reading of a row."""
    zero = X.dtype.type(0)
    n_fours = candidates.shape[0] // 4 * 4
    for t in range(n_rows):
        i = start + t
        for j in range(0, n_fours, 4):
            total0, total1, total2, total3 = zero, zero, zero, zero
            for f in range(X.shape[1]):
                x = X[i, f]
                d0, d1 = x - candidates[j, f], x - candidates[j + 1, f]
                d2, d3 = x - candidates[j + 2, f], x - candidates[j + 3, f]
                total0 += d0 * d0
                total1 += d1 * d1
                total2 += d2 * d2
                total3 += d3 * d3
            distances[j, t], distances[j + 1, t] = total0, total1
            distances[j + 2, t], distances[j + 3, t] = total2, total3
        for j in range(n_fours, candidates.shape[0]):
            total = zero
            for f in range(X.shape[1]):
                difference = X[i, f] - candidates[j, f]
                total += difference * difference
            distances[j, t] = total


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
    tile = np.zeros((min(X.shape[1], FEW_FEATURES) + 1, BATCH), X.dtype)
    distances = np.empty((candidates.shape[0], BATCH), X.dtype)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            _squared_distances(X, start, n_rows, candidates, tile, distances)
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
    tile = np.zeros((min(X.shape[1], FEW_FEATURES) + 1, BATCH), X.dtype)
    distances = np.empty((1, BATCH), X.dtype)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            if known.shape[0] == 0:
                _squared_distances(X, start, n_rows, centre, tile, distances)
            for t in range(n_rows):
                i = start + t
                d = distances[0, t] if known.shape[0] == 0 else known[i]
                if d < closest[i]:
                    closest[i] = d
                weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                masses[block, buckets[i]] += weight * np.float64(closest[i])
