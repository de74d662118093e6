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

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.moves import LISTED, OFFSET, SLOPE, list_moves, move
from steepest.kernels.kmeans.nearest import BATCH, ROOM, panel_room
from steepest.kernels.kmeans.rows import lower_gaps
from steepest.kernels.kmeans.tiles import PANEL_BYTES, meet_centres, pack_pairs, pack_panel
from steepest.kernels.vectors import first_bit
from steepest.typing import Array, IntArray

ROUND_DOWN = np.float32(1 - 2.0**-20)
ROUND_UP = np.float32(1 + 2.0**-20)
MOST_MOVES = 2 * BATCH  # that are listed
ROUNDING, LEAST_GAP = 2, 3  # further limits; see assign_block


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
    move(X, weights, origin, labels, moved, total, found)


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
            list_moves(X, centres, start, rows, 0, bits, results, limits, labels, gaps, moved, found)
            if found[LISTED] > moved.shape[1] - points:
                move(X, weights, origin, labels, moved, total, found)
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
                list_moves(X, centres, 0, rows, first, bits, results, limits, labels, gaps, moved, found)
                if found[LISTED] > moved.shape[1] - points:
                    move(X, weights, origin, labels, moved, total, found)
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
