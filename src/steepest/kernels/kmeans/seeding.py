"""What k-means++ asks of all rows: a hash that names the point, and distances to new centres."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import BATCH, panel_room
from steepest.kernels.kmeans.tiles import CENTRES, pack_panel, squared_distances
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
def gather_buckets(buckets: IntArray, begins: IntArray, rows: IntArray) -> None:
    """List the rows bucket by bucket, in their order: bucket b's from ``begins[b]`` on, where b + 1's begin after it.

    Reference: ``rows = np.argsort(buckets, kind="stable")``.
    """
    places = begins.copy()
    for i in range(buckets.shape[0]):
        place = places[buckets[i]]
        rows[place] = i
        places[buckets[i]] = place + 1


@compiled
def pick(rows: IntArray, weights: Array, closest: Array, target: float) -> int:
    """Return the first row up to which the sum of ``w_i closest_i`` exceeds the target, or the last with a mass.

    Empty ``weights`` or ``closest`` mean: all ones.
    """
    total, last = 0.0, rows[0]
    for i in rows:
        mass = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
        if closest.shape[0] > 0:
            mass *= np.float64(closest[i])
        if mass > 0:
            last = i
            total += mass
            if total > target:
                break
    return int(last)


@compiled
def _squared_distances(
    X: Array,
    origin: Array,
    packed: Array,
    start: int,
    n_rows: int,
    stage: Array,
    rows: IntArray,
    panel: Array,
    table: Array,
    distances: Array,
) -> None:
    """Set ``distances[l, t] = |x_(start + t) - candidate_l|^2`` for the next rows, a panel after the other.

    Where rows are not packed yet, they are read in their order, as memory is read fastest, and turned then; the next
    ones are asked for meanwhile.
    """
    points, height = panel.shape[1], X.shape[1] + 1
    for first in range(0, n_rows, points):
        whole = first + points <= n_rows
        if packed.shape[0] > 0 and whole:
            squared_distances(packed, (start + first) * height, table, distances, first, X[:0], 0)
            continue
        for t in range(min(points, n_rows - first)):
            x, staged = X[start + first + t], stage[t]
            for f in range(x.shape[0]):
                staged[f] = x[f] - origin[f]
        pack_panel(stage, rows, stage[points], panel, 0)
        squared_distances(panel, 0, table, distances, first, X, start + first + points)


@compiled
def _work_room(candidates: Array, origin: Array, kind: Array) -> tuple[Array, IntArray, Array, Array, Array]:
    """Return what :func:`_squared_distances` works with, for distances of this kind."""
    n_candidates, d = candidates.shape
    n_groups = (n_candidates + CENTRES - 1) // CENTRES
    table = np.zeros((n_groups, d, CENTRES), kind.dtype)
    for j in range(n_candidates):
        for f in range(d):
            table[j // CENTRES, f, j % CENTRES] = -(candidates[j, f] - origin[f])
    panel = panel_room(d, kind)[0]
    stage = np.zeros((panel.shape[1] + 1, d), kind.dtype)  # the last row is no shift
    return stage, np.arange(panel.shape[1]), panel, table, np.empty((n_groups * CENTRES, BATCH), kind.dtype)


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
    origin: Array,
    packed: Array,
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
    they are, in the precision of ``closest``, after the origin is subtracted: no cancellation. ``packed`` is what
    :func:`.arrays.pack_rows` wrote, or empty. Where ``kept`` (n_candidates, n) has room, the distances are kept.
    """
    stage, rows, panel, table, distances = _work_room(candidates, origin, closest)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            _squared_distances(X, origin, packed, start, n_rows, stage, rows, panel, table, distances)
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
    origin: Array,
    packed: Array,
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

    The distances are computed, as :func:`potentials` does, unless they are ``known`` (n,).
    Reference: ``closest = np.minimum(closest, squared_distances(X, centre))`` and
    ``np.bincount(buckets, weights * closest)``.
    """
    stage, rows, panel, table, distances = _work_room(centre, origin, closest)
    for block in range(first, last):
        stop = min((block + 1) * block_rows, X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            if known.shape[0] == 0:
                _squared_distances(X, origin, packed, start, n_rows, stage, rows, panel, table, distances)
            for t in range(n_rows):
                i = start + t
                d = distances[0, t] if known.shape[0] == 0 else known[i]
                if d < closest[i]:
                    closest[i] = d
                weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                masses[block, buckets[i]] += weight * np.float64(closest[i])
