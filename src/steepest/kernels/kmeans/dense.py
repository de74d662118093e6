"""One assignment step of k-means on dense data: labels, and the change they make to the clusters' sums.

Labels are exact: each is the first minimum over j of ``sum_f (x_f - c_jf)^2`` evaluated in double precision (reference:
:func:`steepest.objectives.clustering.nearest`), whatever is done to save work:

- scores ``|c|^2 / 2 - x.c``, in single precision whatever that of the data, decide only where the two best differ by
  more than their rounding error can be; otherwise the distances themselves are computed;
- a point is skipped only if it provably keeps its label. Let g_i be a lower bound on the distance from x_i to the
  second nearest centre minus the distance to its own, and let centre j move by m_j. By the triangle inequality g_i
  loses at most ``drift_j = m_j + max_{l != j} m_l`` in a step, j being its label: while it stays above 0, so does the
  label. This is Hamerly's bound (2010) with both distances in one number; it is kept in single precision, rounded down.

Sums of a cluster are a row ``(sum w (x - origin), sum w, number of rows with w > 0)``, filled up with zeros.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.nearest import BATCH, ROOM, panel_room
from steepest.kernels.kmeans.tiles import (
    PANEL_BYTES,
    fetch_rows,
    lower_gaps,
    meet_centres,
    move_row,
    pack_pairs,
    pack_panel,
)
from steepest.kernels.vectors import first_bit
from steepest.typing import Array, IntArray

ROUND_DOWN = np.float32(1 - 2.0**-20)
ROUND_UP = np.float32(1 + 2.0**-20)
# what is counted of a block: rows that changed, near ties that were decided exactly, rows that are still to be moved
MOVED, DECIDED, LISTED = 0, 1, 2
MOST_MOVES = 2 * BATCH  # that are listed
SLOPE, OFFSET, ROUNDING, LEAST_GAP = 0, 1, 2, 3  # limits; see assign_block


@borrowing
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
def assign_block(
    X: Array,
    weights: Array,
    origin: Array,
    packed: Array,
    centres: Array,
    table: Array,
    half_norms: Array,
    limits: Array,
    drift: Array,
    labels: IntArray,
    gaps: Array,
    sums: Array,
    counted: IntArray,
    block_rows: int,
    block: int,
    panel: Array,
    results: Array,
) -> None:
    """Assign the rows of a block to their nearest centres.

    ``labels`` (n,) and ``gaps`` (n,) are brought up to date; ``sums`` (n_blocks, k, d and more) and ``counted``
    (n_blocks, a line of the cache) receive what changed. Empty ``weights`` or ``gaps`` mean: all ones, none
    kept; no clusters in ``sums``: not wanted; no panels in ``packed``: not packed in advance. ``limits`` are

    - slope and offset: a score's rounding error is at most ``slope |x|^2 / 2 + offset``;
    - the bound on the relative rounding error of ``|x|^2``;
    - the gap above which a row surely keeps its label.

    ``panel, results`` are what :func:`.nearest.panel_room` returns.
    """
    total, found = sums[block], counted[block]
    total[:], found[:] = 0, 0
    moved = np.empty((2, MOST_MOVES), np.int64)
    start, stop = block * block_rows, min((block + 1) * block_rows, X.shape[0])
    if packed.shape[0] > 0:
        start = _assign_packed(
            X, weights, origin, packed, centres, table, half_norms, limits, labels, gaps, results, moved, total, found,
            start, stop,
        )  # fmt: skip
    _assign_listed(
        X, weights, origin, centres, table, half_norms, limits, drift, labels, gaps, panel, results, moved, total,
        found, start, stop,
    )  # fmt: skip
    _move(X, weights, origin, labels, moved, total, found)


@compiled
def pack_rows(X: Array, origin: Array, block_rows: int, first: int, last: int, packed: Array) -> None:
    """Write the blocks' rows as panels, ``packed[p, 1 + f, t] = X[POINTS p + t, f] - origin[f]``, whole ones only."""
    panel = panel_room(X.shape[1], packed)[0]
    points, height = packed.shape[2], packed.shape[1]
    rows = np.empty(points, np.int64)
    for p in range(first * block_rows // points, min(last * block_rows // points, packed.shape[0])):
        if X.shape[1] == 2:
            pack_pairs(X, p * points, origin, panel)
        else:
            for t in range(points):
                rows[t] = p * points + t
            pack_panel(X, rows, origin, panel, 0)
        packed[p] = panel[:height]


@compiled
def _assign_packed(
    X: Array,
    weights: Array,
    origin: Array,
    packed: Array,
    centres: Array,
    table: Array,
    half_norms: Array,
    limits: Array,
    labels: IntArray,
    gaps: Array,
    results: Array,
    moved: IntArray,
    total: Array,
    found: IntArray,
    start: int,
    stop: int,
) -> int:
    """Assign rows, as many as make whole panels, which :func:`pack_rows` wrote; return where the others begin."""
    points, number, size = packed.shape[2], table.dtype.type, packed.shape[1] * packed.shape[2]
    slope, least = number(2 * limits[SLOPE]), number(2 * limits[OFFSET])
    rows = np.arange(points)
    while start + points <= stop:
        bits = meet_centres(
            packed, start // points * size, table, half_norms, results, labels, start, slope, least, X, rows[:0], 0
        )  # fmt: skip
        if bits != 0:
            _list_moves(X, centres, start, rows, 0, bits, results, limits, labels, gaps, moved, found)
            if found[LISTED] > moved.shape[1] - points:
                _move(X, weights, origin, labels, moved, total, found)
        start += points
    return start


@compiled
def _assign_listed(
    X: Array,
    weights: Array,
    origin: Array,
    centres: Array,
    table: Array,
    half_norms: Array,
    limits: Array,
    drift: Array,
    labels: IntArray,
    gaps: Array,
    panel: Array,
    results: Array,
    moved: IntArray,
    total: Array,
    found: IntArray,
    start: int,
    stop: int,
) -> None:
    """Assign those of the rows whose label may change."""
    points, number = panel.shape[1], table.dtype.type
    slope, least = number(2 * limits[SLOPE]), number(2 * limits[OFFSET])
    rows, old = np.empty(ROOM, np.int64), np.empty(BATCH, np.int32)
    lost, n_rows = np.empty(PANEL_BYTES // gaps.itemsize, gaps.dtype), 0
    while start < stop or n_rows > 0:
        start, n_rows = _next_rows(start, stop, labels, gaps, drift, lost, limits[LEAST_GAP], n_rows, rows, old)
        n_now = n_rows if start >= stop else n_rows // points * points
        for first in range(0, n_now, points):
            pack_panel(X, rows, origin, panel, first)
            bits = meet_centres(
                panel, 0, table, half_norms, results, old, first, slope, least, X, rows, first + points
            )  # fmt: skip
            n_here = min(points, n_now - first)
            bits &= ~np.uint64(0) >> np.uint64(64 - n_here)
            if gaps.shape[0] > 0:
                _bound(rows, first, n_here, results, limits, gaps)
            if bits != 0:
                _list_moves(X, centres, 0, rows, first, bits, results, limits, labels, gaps, moved, found)
                if found[LISTED] > moved.shape[1] - points:
                    _move(X, weights, origin, labels, moved, total, found)
        for t in range(n_now, n_rows):  # wait for others, to fill a panel
            rows[t - n_now], old[t - n_now] = rows[t], old[t]
        n_rows -= n_now


@borrowing
def _next_rows(
    i: int,
    stop: int,
    labels: IntArray,
    gaps: Array,
    drift: Array,
    lost: Array,
    least_gap: float,
    n_rows: int,
    rows: IntArray,
    old: IntArray,
) -> tuple[int, int]:
    """List the next rows from ``i`` on whose label may change, and the labels; return where to go on and how many.

    There may be ``n_rows`` in the list. It goes on with the last row, up to a whole panel, and with what probably comes
    next. ``lost`` is room for what the gaps of a few rows lose.
    """
    if gaps.shape[0] == 0:
        n_rows = min(BATCH, stop - i)
        for t in range(n_rows):
            rows[t] = i + t
            old[t] = labels[i + t]
        i += n_rows
    while i < stop and n_rows + lost.shape[0] <= BATCH:
        n_here = min(lost.shape[0], stop - i)
        for t in range(np.uint64(n_here)):
            lost[t] = drift[np.uint64(labels[np.uint64(i) + t])]
        bits = lower_gaps(gaps, i, lost[:n_here], ROUND_DOWN, np.float32(least_gap))
        while bits != 0:
            t = first_bit(bits)
            bits &= bits - np.uint64(1)
            rows[n_rows] = i + t
            old[n_rows] = labels[i + t]
            n_rows += 1
        i += n_here
    last = rows[max(n_rows - 1, 0)]
    for t in range(n_rows, BATCH):
        rows[t] = last
    for t in range(BATCH, ROOM):
        rows[t] = min(last + 1 + t - BATCH, labels.shape[0] - 1)
    return i, n_rows


@borrowing
def _bound(rows: IntArray, first: int, n_rows: int, results: Array, limits: Array, gaps: Array) -> None:
    """Set the gap between the two nearest distances, from below."""
    kind = results.dtype.type
    two, zero = kind(2), kind(0)
    factor, least = kind(4 * (limits[ROUNDING] + limits[SLOPE])), kind(4 * limits[OFFSET])
    norms, best, second, lowered = results[0], results[1], results[2], results[4]
    for t in range(results.shape[1]):
        slack = factor * norms[t] + least
        upper = two * (norms[t] + best[t]) + slack
        lower = two * (norms[t] + second[t]) - slack
        lower = lower if lower > zero else zero
        lowered[t] = np.sqrt(lower) - np.sqrt(upper if upper > zero else zero)
    for t in range(n_rows):
        gaps[rows[np.uint64(first + t)]] = np.float32(lowered[np.uint64(t)]) * ROUND_DOWN - np.float32(1e-30)


@borrowing
def _list_moves(
    X: Array,
    centres: Array,
    start: int,
    rows: IntArray,
    first: int,
    bits: Any,
    results: Array,
    limits: Array,
    labels: IntArray,
    gaps: Array,
    moved: IntArray,
    found: IntArray,
) -> None:
    """List those of the points whose bit is set that change their label, deciding near ties exactly.

    Point t is row ``start + rows[first + t]``. The list is ``moved``: rows and their new labels.
    """
    number = results.dtype.type
    slope, least = number(2 * limits[SLOPE]), number(2 * limits[OFFSET])
    before = n_moved = found[LISTED]
    while bits != 0:
        t = first_bit(bits)
        bits &= bits - np.uint64(1)
        i, new = start + rows[first + t], int(results[3, t])
        if not results[2, t] - results[1, t] > slope * results[0, t] + least:
            new = nearest_exactly(X[i], centres)
            found[DECIDED] += 1
            if gaps.shape[0] > 0:
                gaps[i] = 0
            if new == labels[i]:
                continue
        moved[0, n_moved], moved[1, n_moved] = i, new
        fetch_rows(X, moved[0], n_moved, 1)
        n_moved += 1
    found[MOVED] += n_moved - before
    found[LISTED] = n_moved


@borrowing
def _move(
    X: Array, weights: Array, origin: Array, labels: IntArray, moved: IntArray, total: Array, found: IntArray
) -> None:
    """Give the rows that are listed their new labels, and move them from sum to sum."""
    with_sums, weighted, weight = total.shape[0] > 0, weights.shape[0] > 0, 1.0
    for m in range(found[LISTED]):
        i, new = moved[0, m], moved[1, m]
        old = np.int64(labels[i])
        labels[i] = new
        if with_sums:
            if weighted:
                weight = np.float64(weights[i])
            move_row(X, i, origin, weight, 1.0 if weight > 0 else 0.0, total, new, old)
    found[LISTED] = 0


@compiled
def add_members(
    X: Array,
    weights: Array,
    origin: Array,
    labels: IntArray,
    block_rows: int,
    first: int,
    last: int,
    sums: Array,
) -> None:
    """Sum up the rows of each cluster, block by block.

    Reference: :func:`steepest.objectives.clustering.cluster_sums`.
    """
    for block in range(first, last):
        total = sums[block]
        total[:] = 0
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            move_row(X, i, origin, weight, 1.0 if weight > 0 else 0.0, total, np.int64(labels[i]), -1)
