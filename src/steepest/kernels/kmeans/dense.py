"""One assignment step of k-means on dense data: labels, and the change they make to the clusters' sums.

Labels are exact: each is the first minimum over j of ``sum_f (x_f - c_jf)^2`` evaluated in double precision (reference:
:func:`steepest.objectives.clustering.nearest`), whatever is done to save work:

- scores ``|c|^2 / 2 - x.c`` decide only where the two best differ by more than their rounding error can be; otherwise
  the distances themselves are computed;
- a point is skipped only if it provably keeps its label. Let g_i be a lower bound on the distance from x_i to the
  second nearest centre minus the distance to its own, and let centre j move by m_j. By the triangle inequality g_i
  loses at most ``drift_j = m_j + max_{l != j} m_l`` in a step, j being its label: while it stays above 0, so does the
  label. This is Hamerly's bound (2010) with both distances in one number; it is kept in single precision, rounded down.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import LANES, MANY_FEATURES, aligned, fetch_rows, nearest_two, pack_rows, tile_room
from steepest.kernels.kmeans.rows import ROWS, nearest_two_of_rows
from steepest.typing import Array, IntArray

FEW_BYTES = 40  # rows of fewer are fetched in time by themselves
ROUND_DOWN = np.float32(1 - 2.0**-20)
ROUND_UP = np.float32(1 + 2.0**-20)


@compiled
def nearest_exactly(x: Array, centres: Array) -> int:
    """Return the first centre at the smallest distance, computed in double precision."""
    best, label = np.inf, 0
    for j in range(centres.shape[0]):
        distance = 0.0
        for f in range(x.shape[0]):
            difference = np.float64(x[f]) - np.float64(centres[j, f])
            distance += difference * difference
        if distance < best:
            best, label = distance, j
    return label


@compiled
def assign_blocks(
    X: Array,
    weights: Array,
    shift: Array,
    centres: Array,
    packed: Array,
    half_norms: Array,
    rounding: float,
    slope: float,
    offset: float,
    drift: Array,
    least_gap: float,
    labels: IntArray,
    gaps: Array,
    sums: Array,
    counts: Array,
    moved: IntArray,
    block_rows: int,
    first: int,
    last: int,
) -> float:
    """Assign the rows of blocks ``first`` ... ``last - 1`` to their nearest centres.

    ``labels`` (n,) and ``gaps`` (n,) are brought up to date; ``sums`` (n_blocks, k, d), ``counts`` (n_blocks, k, 2:
    weight, rows of positive weight) and ``moved`` (n_blocks,) receive what changed. Empty ``weights``, ``gaps`` or
    ``sums`` mean: all ones, none kept, not wanted. ``rounding`` bounds the relative rounding error of ``|x|^2``,
    ``slope |x|^2 / 2 + offset`` the error of a score. What is returned has no meaning.
    """
    d, k = packed.shape[1], packed.shape[0]
    by_rows = d >= MANY_FEATURES
    tile, room, (norms, best, second, label) = tile_room(0 if by_rows else d, X)
    rows_block = aligned(ROWS * d if by_rows else 0, X).reshape((ROWS if by_rows else 0, d))
    rows_scores = aligned(k * ROWS if by_rows else 0, X).reshape((k if by_rows else 0, ROWS))
    rows_block[:] = 0
    rows, old, picked = np.empty(LANES, np.int64), np.empty(LANES, np.int32), np.empty(LANES, np.int64)
    read, row_bytes = 0.0, X.shape[1] * X.itemsize
    for block in range(first, last):
        total, count = sums[block % sums.shape[0]], counts[block % counts.shape[0]]
        total[:], count[:], moved[block] = 0, 0, 0
        i, stop = block * block_rows, min((block + 1) * block_rows, X.shape[0])
        while i < stop:
            i, n_rows = _next_rows(i, stop, labels, gaps, drift, least_gap, rows, old)
            if n_rows == 0:
                break
            if by_rows:
                nearest_two_of_rows(
                    X, rows, n_rows, shift, rows_block, packed, half_norms, rows_scores, norms, best, second, label
                )
            else:
                if row_bytes >= FEW_BYTES:
                    read += fetch_rows(X, rows[:n_rows])
                pack_rows(X, rows, n_rows, shift, tile, norms)
                nearest_two(tile, packed, half_norms, room, best, second, label)
            if gaps.shape[0] > 0:
                _bound(rows, n_rows, norms, best, second, rounding + slope, offset, gaps)
            n_picked = _pick(n_rows, old, norms, best, second, label, slope, offset, picked)
            if n_picked > 0:
                moved[block] += _settle(
                    X, weights, shift, centres, rows, picked[:n_picked], norms, best, second, label, slope, offset,
                    labels, gaps, total, count,
                )  # fmt: skip
    return read


@compiled
def _next_rows(
    i: int, stop: int, labels: IntArray, gaps: Array, drift: Array, least_gap: float, rows: IntArray, old: IntArray
) -> tuple[int, int]:
    """List the next rows from ``i`` on whose label may change, and the labels; return where to go on and how many."""
    n_rows = 0
    if gaps.shape[0] == 0:
        n_rows = min(LANES, stop - i)
        for t in range(n_rows):
            rows[t] = i + t
        for t in range(n_rows):
            old[t] = labels[i + t]
        return i + n_rows, n_rows
    while i < stop and n_rows < LANES:
        label = labels[i]
        gap = gaps[i] * ROUND_DOWN - drift[label]
        gaps[i] = gap
        rows[n_rows] = i
        old[n_rows] = label
        n_rows += not gap > least_gap
        i += 1
    return i, n_rows


@compiled
def _bound(
    rows: IntArray, n_rows: int, norms: Array, best: Array, second: Array, slope: float, offset: float, gaps: Array
) -> None:
    """Set the gap between the two nearest distances, from below."""
    kind = best.dtype.type
    tile_gaps = np.empty(LANES, np.float32)
    two, zero = kind(2), kind(0)
    factor, least = kind(4 * slope), kind(4 * offset)
    for t in range(LANES):
        slack = factor * norms[t] + least
        upper = two * (norms[t] + best[t]) + slack
        lower = two * (norms[t] + second[t]) - slack
        lower = lower if lower > zero else zero
        tile_gaps[t] = np.sqrt(lower) - np.sqrt(upper if upper > zero else zero)
    for t in range(n_rows):
        gaps[rows[t]] = tile_gaps[t] * ROUND_DOWN - np.float32(1e-30)


@compiled
def _pick(
    n_rows: int,
    old: IntArray,
    norms: Array,
    best: Array,
    second: Array,
    label: Array,
    slope: float,
    offset: float,
    picked: IntArray,
) -> int:
    """List the points whose label changes or is a near tie; return how many there are.

    Most tiles have few of them: they are found without a branch.
    """
    flags = np.empty(LANES, np.int32)
    factor, least = best.dtype.type(2 * slope), best.dtype.type(2 * offset)
    total = np.int32(0)
    for t in range(n_rows):
        near = not second[t] - best[t] > factor * norms[t] + least
        flags[t] = near | (np.int32(label[t]) != old[t])
        total += flags[t]
    if total == 0:
        return 0
    n_picked = 0
    for t in range(n_rows):
        picked[n_picked] = t
        n_picked += flags[t]
    return n_picked


@compiled
def _settle(
    X: Array,
    weights: Array,
    shift: Array,
    centres: Array,
    rows: IntArray,
    picked: IntArray,
    norms: Array,
    best: Array,
    second: Array,
    label: Array,
    slope: float,
    offset: float,
    labels: IntArray,
    gaps: Array,
    sums: Array,
    counts: Array,
) -> int:
    """Write the labels of the points picked, deciding near ties exactly; move those that changed from sum to sum."""
    moved = 0
    factor, least = best.dtype.type(2 * slope), best.dtype.type(2 * offset)
    for t in picked:
        i = rows[t]
        new = int(label[t])
        if not second[t] - best[t] > factor * norms[t] + least:
            new = nearest_exactly(X[i], centres)
            if gaps.shape[0] > 0:
                gaps[i] = 0
        old = labels[i]
        if new == old:
            continue
        labels[i] = new
        moved += 1
        if sums.shape[0] > 0:
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            _move(X, i, shift, weight, new, old, sums, counts)
    return moved


@compiled
def _move(X: Array, i: int, shift: Array, weight: float, new: int, old: int, sums: Array, counts: Array) -> None:
    """Move row i from the sums of cluster ``old`` (none if negative) to those of ``new``."""
    member = 1.0 if weight > 0 else 0.0
    counts[new, 0] += weight
    counts[new, 1] += member
    if old < 0:
        for f in range(X.shape[1]):
            sums[new, f] += weight * (np.float64(X[i, f]) - np.float64(shift[f]))
        return
    counts[old, 0] -= weight
    counts[old, 1] -= member
    for f in range(X.shape[1]):
        value = weight * (np.float64(X[i, f]) - np.float64(shift[f]))
        sums[new, f] += value
        sums[old, f] -= value
