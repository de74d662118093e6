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
from steepest.kernels.kmeans.measures import MASS, MEMBERS
from steepest.kernels.kmeans.nearest import BATCH, ROOM, batch_room, list_unsettled, nearest_two
from steepest.kernels.team import claim, finish, join, next_turn
from steepest.typing import Array, IntArray

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
def assign_in_team(
    counters: IntArray,
    leads: bool,
    n_blocks: int,
    X: Array,
    weights: Array,
    shift: Array,
    centres: Array,
    table: Array,
    half_norms: Array,
    limits: Array,
    drift: Array,
    labels: IntArray,
    gaps: Array,
    sums: Array,
    counts: Array,
    moved: IntArray,
    block_rows: int,
) -> None:
    """Assign all rows to their nearest centres, block by block, as a pass of a :mod:`steepest.kernels.team`.

    ``labels`` (n,) and ``gaps`` (n,) are brought up to date; ``sums`` (n_blocks, k, d), ``counts`` (n_blocks, k, 2:
    weight, rows of positive weight) and ``moved`` (n_blocks,) receive what changed. Empty ``weights`` or ``gaps``
    mean: all ones, none kept. ``limits`` are

    - slope and offset: a score's rounding error is at most ``slope |x|^2 / 2 + offset``;
    - the bound on the relative rounding error of ``|x|^2``;
    - the gap above which a row surely keeps its label;
    - 1 if the sums are wanted, else 0.
    """
    turn = join(counters, leads)
    while turn >= 0:
        block = claim(counters)
        while block < n_blocks:
            _assign_block(
                X, weights, shift, centres, table, half_norms, limits, drift, labels, gaps, sums, counts, moved,
                block_rows, block,
            )  # fmt: skip
            finish(counters)
            block = claim(counters)
        turn = next_turn(counters, leads, turn, n_blocks)


@compiled
def _assign_block(
    X: Array,
    weights: Array,
    shift: Array,
    centres: Array,
    table: Array,
    half_norms: Array,
    limits: Array,
    drift: Array,
    labels: IntArray,
    gaps: Array,
    sums: Array,
    counts: Array,
    moved: IntArray,
    block_rows: int,
    block: int,
) -> None:
    """Assign the rows of a block."""
    panel, results, unsettled = batch_room(X.shape[1], X)
    rows, old, picked = np.empty(ROOM, np.int64), np.empty(BATCH, np.int32), np.empty(BATCH, np.int64)
    slope, offset, gap_slope, least_gap, with_sums = limits[0], limits[1], limits[2], limits[3], limits[4] > 0
    total, count = sums[block % sums.shape[0]], counts[block % counts.shape[0]]
    total[:], count[:], moved[block] = 0, 0, 0
    i, stop = block * block_rows, min((block + 1) * block_rows, X.shape[0])
    while i < stop:
        i, n_rows = _next_rows(i, stop, labels, gaps, drift, least_gap, rows, old)
        if n_rows == 0:
            break
        nearest_two(X, rows, n_rows, shift, panel, table, half_norms, old, slope, offset, results, unsettled)
        if gaps.shape[0] > 0:
            _bound(rows, n_rows, results, gap_slope + slope, offset, gaps)
        n_picked = list_unsettled(unsettled, n_rows, X, picked)
        if n_picked > 0:
            moved[block] += _settle(
                X, weights, shift, centres, rows, picked[:n_picked], results, slope, offset, labels, gaps, with_sums,
                total, count,
            )  # fmt: skip


@compiled
def _next_rows(
    i: int, stop: int, labels: IntArray, gaps: Array, drift: Array, least_gap: float, rows: IntArray, old: IntArray
) -> tuple[int, int]:
    """List the next rows from ``i`` on whose label may change, and the labels; return where to go on and how many."""
    if gaps.shape[0] == 0:
        mine = labels[i : min(i + BATCH, stop)]
        for t in range(BATCH):
            rows[t] = i + t
        for t in range(mine.shape[0]):
            old[t] = mine[t]
        return i + BATCH, mine.shape[0]
    n_rows = 0
    while i < stop and n_rows < BATCH:
        label = labels[i]
        gap = gaps[i] * ROUND_DOWN - drift[label]
        gaps[i] = gap
        rows[n_rows] = i
        old[n_rows] = label
        n_rows += not gap > least_gap
        i += 1
    return i, n_rows


@compiled
def _bound(rows: IntArray, n_rows: int, results: Array, slope: float, offset: float, gaps: Array) -> None:
    """Set the gap between the two nearest distances, from below."""
    kind = results.dtype.type
    tile_gaps = np.empty(BATCH, np.float32)
    two, zero = kind(2), kind(0)
    factor, least = kind(4 * slope), kind(4 * offset)
    norms, best, second = results[0], results[1], results[2]
    for t in range(BATCH):
        slack = factor * norms[t] + least
        upper = two * (norms[t] + best[t]) + slack
        lower = two * (norms[t] + second[t]) - slack
        lower = lower if lower > zero else zero
        tile_gaps[t] = np.sqrt(lower) - np.sqrt(upper if upper > zero else zero)
    for t in range(n_rows):
        gaps[rows[t]] = tile_gaps[t] * ROUND_DOWN - np.float32(1e-30)


@compiled
def _settle(
    X: Array,
    weights: Array,
    shift: Array,
    centres: Array,
    rows: IntArray,
    picked: IntArray,
    results: Array,
    slope: float,
    offset: float,
    labels: IntArray,
    gaps: Array,
    with_sums: bool,
    sums: Array,
    counts: Array,
) -> int:
    """Write the labels of the points picked, deciding near ties exactly; move those that changed from sum to sum."""
    moved, number = 0, results.dtype.type
    norms, best, second, label = results[0], results[1], results[2], results[3]
    factor, least = number(2 * slope), number(2 * offset)
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
        if with_sums and old >= 0:
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            into, out = np.uint64(new), np.uint64(old)  # without a sign, which would be asked for at every access
            counts[into, MASS] += weight
            counts[out, MASS] -= weight
            counts[into, MEMBERS] += weight > 0
            counts[out, MEMBERS] -= weight > 0
            for f in range(X.shape[1]):
                value = weight * (np.float64(X[i, f]) - np.float64(shift[f]))
                sums[into, f] += value
                sums[out, f] -= value
    return moved
