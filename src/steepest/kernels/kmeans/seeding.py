"""What k-means++ asks of all rows: a hash that names the point, and distances to new centres."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import LANES
from steepest.typing import Array, IntArray

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
    """Set ``distances[l, t] = |x_(start + t) - candidate_l|^2`` for a tile of rows."""
    for f in range(X.shape[1]):
        row = tile[f]
        for t in range(n_rows):
            row[t] = X[start + t, f]
    for j in range(candidates.shape[0]):
        distance = distances[j]
        for t in range(LANES):
            distance[t] = 0
        for f in range(X.shape[1]):
            c, row = candidates[j, f], tile[f]
            for t in range(LANES):
                difference = row[t] - c
                distance[t] += difference * difference


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
) -> None:
    """Set ``totals[block, l] = sum_i w_i min(closest_i, |x_i - candidate_l|^2)`` over the block's rows.

    Reference: ``weights @ np.minimum(closest, squared_distances(X, candidates).T).T``. Differences are squared as
    they are: no cancellation.
    """
    tile = np.zeros((X.shape[1], LANES), X.dtype)
    distances = np.empty((candidates.shape[0], LANES), X.dtype)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, LANES):
            n_rows = min(LANES, stop - start)
            _squared_distances(X, start, n_rows, candidates, tile, distances)
            for j in range(candidates.shape[0]):
                total = X.dtype.type(0)
                for t in range(n_rows):
                    d = distances[j, t]
                    old = closest[start + t]
                    d = d if d < old else old
                    total += d * weights[start + t] if weights.shape[0] > 0 else d
                totals[block, j] += np.float64(total)


@compiled
def come_closer(
    X: Array,
    weights: Array,
    closest: Array,
    centre: Array,
    buckets: IntArray,
    block_rows: int,
    first: int,
    last: int,
    masses: Array,
) -> None:
    """Lower ``closest`` to the distances from ``centre`` (1, d); add ``w_i closest_i`` up by bucket, block by block.

    Reference: ``closest = np.minimum(closest, squared_distances(X, centre))`` and
    ``np.bincount(buckets, weights * closest)``.
    """
    tile = np.zeros((X.shape[1], LANES), X.dtype)
    distances = np.empty((1, LANES), X.dtype)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, LANES):
            n_rows = min(LANES, stop - start)
            _squared_distances(X, start, n_rows, centre, tile, distances)
            for t in range(n_rows):
                d, i = distances[0, t], start + t
                if d < closest[i]:
                    closest[i] = d
                weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                masses[block, buckets[i]] += weight * np.float64(closest[i])
