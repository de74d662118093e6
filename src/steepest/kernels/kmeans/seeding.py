"""What k-means++ asks of all rows: a hash that names the point, and distances to new centres."""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.long_rows import LONG_CHUNKS, candidates_in_chunks, long_squared_distances
from steepest.kernels.kmeans.measures import added_up, clear
from steepest.kernels.kmeans.nearest import BATCH, panel_room
from steepest.kernels.kmeans.tiles import CENTRES, pack_panel, squared_distances
from steepest.kernels.room import cube, matrix, vector
from steepest.typing import Array, IntArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
ONE = np.uint64(1)
ROUNDING = 1e-4  # more than that of phi, relative to it


class Points(NamedTuple):
    """The rows as distances are computed from them.

    ``X`` (n, d) with ``weights`` (n,), or none for all ones. Before their differences are rounded to the precision of
    the distances, the ``origin`` (d,) is subtracted. The first rows may be ``packed``, by :func:`.arrays.pack_rows`.
    """

    X: Array
    weights: Array
    origin: Array
    packed: Array


class Order(NamedTuple):
    """The rows in the order of their hashes: of bucket b, ``members[begins[b] : begins[b + 1]]``.

    ``buckets`` (n,) are the first bits of the hashes, ``by_weight`` the weight of each bucket.
    """

    buckets: IntArray
    begins: IntArray
    members: IntArray
    by_weight: Array


class Room(NamedTuple):
    """Where distances to candidates are computed; see :func:`_squared_distances`."""

    stage: Array
    rows: IntArray
    panel: Array
    table: Array
    chunks: Array
    distances: Array


@borrowing
def mix(z: np.uint64) -> np.uint64:
    """Return the bits of ``z`` well mixed: the last step of the splitmix64 generator (Steele, Lea, Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@borrowing
def hash_rows(bits: Array, start: int, stop: int, hashes: Array) -> None:
    """Set ``hashes[i] = sum over f with x_if != 0 of mix(bits(x_if) + f g)``, g odd, modulo 2^64.

    Equal points have equal hashes, wherever they stand; zeros, of either sign, do not count, so that sparse rows hash
    alike. ``bits`` are those of X in double precision.
    """
    for i in range(start, stop):
        total = np.uint64(0)
        for f in range(bits.shape[1]):
            if bits[i, f] << ONE != 0:
                total += mix(bits[i, f] + GOLDEN * np.uint64(f + 1))
        hashes[i - start] = mix(total)


@borrowing
def hash_sparse_rows(bits: Array, indices: IntArray, indptr: IntArray, start: int, stop: int, hashes: Array) -> None:
    """Set the hashes of CSR rows, as :func:`hash_rows` does of dense ones."""
    for i in range(start, stop):
        total = np.uint64(0)
        for e in range(indptr[i], indptr[i + 1]):
            if bits[e] << ONE != 0:
                total += mix(bits[e] + GOLDEN * np.uint64(indices[e] + 1))
        hashes[i - start] = mix(total)


@compiled
def gather_buckets(buckets: IntArray, begins: IntArray, rows: IntArray) -> None:
    """List the rows bucket by bucket, in their order: bucket b's from ``begins[b]`` on, where b + 1's begin after it.

    Reference: ``rows = np.argsort(buckets, kind="stable")``.
    """
    places = vector(begins.shape[0], begins)
    for b in range(begins.shape[0]):
        places[b] = begins[b]
    for i in range(buckets.shape[0]):
        place = places[buckets[i]]
        rows[place] = i
        places[buckets[i]] = place + 1


@compiled
def find_places(by_bucket: Array, shares: Array, buckets: IntArray, targets: Array) -> None:
    """Find the places at these shares of a total: the buckets, and what of their own is before.

    Reference: ``cumulative = np.cumsum(by_bucket)``, ``places = shares * cumulative[-1]``,
    ``buckets = np.searchsorted(cumulative, places, side="right")``, at most the last that holds something, and
    ``targets = places - (cumulative - by_bucket)[buckets]``.
    """
    cumulative, total, last = vector(by_bucket.shape[0], by_bucket), 0.0, 0
    for b in range(by_bucket.shape[0]):
        total += by_bucket[b]
        cumulative[b] = total
        last = b if by_bucket[b] > 0 else last
    for j in range(shares.shape[0]):
        place, low, high = shares[j] * total, 0, last
        while low < high:
            middle = (low + high) // 2
            if cumulative[middle] > place:
                high = middle
            else:
                low = middle + 1
        buckets[j], targets[j] = low, place - (cumulative[low] - by_bucket[low])


@borrowing
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


@borrowing
def first_lowest(potentials: Array) -> int:
    """Return the first candidate that is as good as the best, but for rounding: whichever order sums were taken in."""
    lowest = np.inf
    for potential in potentials:
        lowest = min(lowest, potential)
    for j in range(potentials.shape[0]):
        if potentials[j] <= (1 + ROUNDING) * lowest:
            return j
    return 0


@compiled
def _work_room(points: Points, candidates: Array, closest: Array) -> Room:
    """Return what :func:`_squared_distances` works with."""
    n_candidates, d = candidates.shape
    n_groups = (n_candidates + CENTRES - 1) // CENTRES
    table = cube(n_groups, d, CENTRES, closest)
    for j in range(n_groups * CENTRES):
        for f in range(d):
            table[j // CENTRES, f, j % CENTRES] = points.origin[f] - candidates[j, f] if j < n_candidates else 0.0
    panel = panel_room(d, closest)[0]
    stage, rows = matrix(panel.shape[1] + 1, d, closest), vector(panel.shape[1], np.int64)
    for t in range(panel.shape[1]):
        rows[t] = t
    for f in range(d):
        stage[panel.shape[1], f] = 0  # no shift
    chunks = candidates_in_chunks(candidates, points.origin, closest)
    return Room(stage, rows, panel, table, chunks, matrix(n_groups * CENTRES, BATCH, closest))


@borrowing
def _squared_distances(points: Points, start: int, n_rows: int, room: Room) -> None:
    """Set ``room.distances[l, t] = |x_(start + t) - candidate_l|^2`` for the next rows, a panel after the other.

    Rows that are not packed yet are read in their order, as memory is read fastest, and turned then, unless they are
    long; the next ones are asked for meanwhile.
    """
    X, origin, packed, stage, panel, table = points.X, points.origin, points.packed, room.stage, room.panel, room.table
    n_points, height = panel.shape[1], X.shape[1] + 1
    for first in range(0, n_rows, n_points):
        n_here = min(n_points, n_rows - first)
        if start + first + n_points <= packed.shape[0] * n_points:
            squared_distances(packed, (start + first) * height, table, room.distances, first, X[:0], 0)
        elif room.chunks.shape[0] >= LONG_CHUNKS:
            long_squared_distances(X, origin, start + first, first, n_here, room.chunks, room.distances)
        else:
            for t in range(n_here):
                x, staged = X[start + first + t], stage[t]
                for f in range(x.shape[0]):
                    staged[f] = x[f] - origin[f]
            pack_panel(stage, room.rows, stage[n_points], panel, 0)
            squared_distances(panel, 0, table, room.distances, first, X, start + first + n_points)


@borrowing
def _sum(distances: Array, closest: Array, n_rows: int) -> float:
    """Return the sum of the smaller ones."""
    total = distances.dtype.type(0)
    for t in range(n_rows):
        new, old = distances[t], closest[t]
        total += new if new < old else old
    return np.float64(total)


@borrowing
def _weighted_sum(distances: Array, closest: Array, weights: Array, n_rows: int) -> float:
    """Return the weighted sum of the smaller ones."""
    total = distances.dtype.type(0)
    for t in range(n_rows):
        new, old = distances[t], closest[t]
        total += weights[t] * (new if new < old else old)
    return np.float64(total)


@compiled
def potentials(
    points: Points,
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
    they are, in the precision of ``closest``, after the origin is subtracted: no cancellation. Where ``kept``
    (n_candidates, n) has room, the distances are kept.
    """
    room, weights = _work_room(points, candidates, closest), points.weights
    for block in range(first, last):
        stop = min((block + 1) * block_rows, points.X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            _squared_distances(points, start, n_rows, room)
            for j in range(candidates.shape[0]):
                distances = room.distances[j]
                if weights.shape[0] > 0:
                    total = _weighted_sum(distances, closest[start:stop], weights[start:stop], n_rows)
                else:
                    total = _sum(distances, closest[start:stop], n_rows)
                totals[block, j] += total
                for t in range(n_rows if kept.shape[1] > 0 else 0):
                    kept[j, start + t] = distances[t]


@compiled
def come_closer(
    points: Points,
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
    room, weights = _work_room(points, centre[: 1 if known.shape[0] == 0 else 0], closest), points.weights
    for block in range(first, last):
        stop = min((block + 1) * block_rows, points.X.shape[0])
        for start in range(block * block_rows, stop, BATCH):
            n_rows = min(BATCH, stop - start)
            if known.shape[0] == 0:
                _squared_distances(points, start, n_rows, room)
            for t in range(n_rows):
                i = start + t
                d = room.distances[0, t] if known.shape[0] == 0 else known[i]
                if d < closest[i]:
                    closest[i] = d
                weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                masses[block, buckets[i]] += weight * np.float64(closest[i])


@borrowing
def _copy_rows(X: Array, rows: IntArray, copy: Array) -> None:
    """Write the rows listed; reference: ``copy[:] = X[rows]``, which takes a second to compile."""
    for t in range(rows.shape[0]):
        for f in range(X.shape[1]):
            copy[t, f] = X[rows[t], f]


@compiled
def choose(
    points: Points,
    order: Order,
    closest: Array,
    kept: Array,
    shares: Array,
    least: float,
    begin: int,
    chosen: IntArray,
    masses: Array,
) -> int:
    """Choose centre ``begin`` and the next ones of few rows; return how many there are then.

    Reference: :func:`steepest.solvers.kmeans_plus_plus.kmeans_plus_plus`. ``shares[step]`` tells the candidates,
    of the first step the first one, ``masses`` (1, n_buckets) are ``w_i closest_i`` by bucket. It stops where these
    fall to ``least``, for distances of a better precision.
    """
    n, trials = closest.shape[0], shares.shape[1]
    none = 0 * n  # no literal, for which all would be compiled once more
    places, targets, candidates = vector(trials, np.int64), vector(trials, np.float64), vector(trials, np.int64)
    totals, known, centres = matrix(1, trials, np.float64), kept[0], matrix(trials, points.X.shape[1], points.X)
    for step in range(begin, chosen.shape[0]):
        open_to_all = step == 0 or not added_up(masses[0]) > 0
        by_bucket = order.by_weight if open_to_all else masses[0]
        n_candidates = 1 if step == 0 else trials
        find_places(by_bucket, shares[step, :n_candidates], places, targets)
        for j in range(n_candidates):
            members = order.members[order.begins[places[j]] : order.begins[places[j] + 1]]
            candidates[j] = pick(members, points.weights, closest[: 0 if open_to_all else n], targets[j])
        best, known = 0, kept[0, :0]
        if n_candidates > 1:
            clear(totals)
            _copy_rows(points.X, candidates, centres)
            potentials(points, closest, centres, n, none, none + 1, totals, kept)
            best = first_lowest(totals[0])
            known = kept[best]
        chosen[step] = candidates[best]
        clear(masses)
        _copy_rows(points.X, chosen[step : step + 1], centres)
        come_closer(points, closest, centres[:1], known, order.buckets, n, none, none + 1, masses)
        if not least < added_up(masses[0]) < np.inf:
            return step + 1
    return int(chosen.shape[0])
