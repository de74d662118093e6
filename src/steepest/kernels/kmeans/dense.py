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

from steepest.kernels.compile import borrowing, inlined
from steepest.kernels.kmeans.arrays import Centres, Room, Rows, State
from steepest.kernels.kmeans.moves import LISTED, OFFSET, SLOPE, list_moves, move
from steepest.kernels.kmeans.nearest import BATCH, ROOM
from steepest.kernels.kmeans.rows import lower_gaps
from steepest.kernels.kmeans.tiles import meet_centres, pack_pairs, pack_panel
from steepest.kernels.vectors import first_bit
from steepest.typing import Array, IntArray

ROUND_DOWN = np.float32(1 - 2.0**-20)
ROUND_UP = np.float32(1 + 2.0**-20)
ROUNDING, LEAST_GAP = 2, 3  # further limits; see Centres


@inlined
def assign_block(data: Rows, centres: Centres, state: State, block: int, room: Room) -> None:
    """Assign the rows of a block to their nearest centres; see :class:`.State` for what is changed."""
    total, found = state.parts[block], state.counted[block]
    total[:], found[:] = 0, 0
    start, stop = block * state.block_rows, min((block + 1) * state.block_rows, data.X.shape[0])
    if state.gaps.shape[0] == 0 and (data.packed.shape[0] > 0 or data.X.shape[1] == 2):
        start = _assign_panels(data, centres, state, room, total, found, start, stop)
    _assign_listed(data, centres, state, room, total, found, start, stop)
    move(data, state.labels, room.moved, total, found)


@inlined
def _assign_panels(
    data: Rows, centres: Centres, state: State, room: Room, total: Array, found: IntArray, start: int, stop: int
) -> int:
    """Assign rows that are packed or of two features, as many as make whole panels; return where the others begin."""
    points, number, panel = room.panel.shape[1], centres.table.dtype.type, room.panel
    slope, least = number(2 * centres.limits[SLOPE]), number(2 * centres.limits[OFFSET])
    while start + points <= stop:
        if data.packed.shape[0] > 0:
            panel = data.packed[start // points]
        else:
            pack_pairs(data.X, start, data.origin, panel)
        bits = meet_centres(
            panel, centres.table, centres.half_norms, room.results, state.labels, start, slope, least, data.X,
            room.rows[:0], 0,
        )  # fmt: skip
        if bits != 0:
            for t in range(points):
                room.rows[t] = start + t
            list_moves(data, centres, state, room, np.int64(0), bits, found)
            if found[LISTED] > room.moved.shape[1] - points:
                move(data, state.labels, room.moved, total, found)
        start += points
    return start


@inlined
def _assign_listed(
    data: Rows, centres: Centres, state: State, room: Room, total: Array, found: IntArray, start: int, stop: int
) -> None:
    """Assign those of the rows whose label may change."""
    points, number, n_rows = room.panel.shape[1], centres.table.dtype.type, np.int64(0)
    slope, least = number(2 * centres.limits[SLOPE]), number(2 * centres.limits[OFFSET])
    while start < stop or n_rows > 0:
        start, n_rows = _next_rows(start, stop, centres, state, room, n_rows)
        n_now = n_rows if start >= stop else n_rows // points * points
        for first in range(np.int64(0), n_now, points):
            pack_panel(data.X, room.rows, data.origin, room.panel, first)
            bits = meet_centres(
                room.panel, centres.table, centres.half_norms, room.results, room.old, first, slope, least,
                data.X, room.rows, first + points,
            )  # fmt: skip
            n_here = min(points, n_now - first)
            bits &= ~np.uint64(0) >> np.uint64(64 - n_here)
            if state.gaps.shape[0] > 0:
                _bound(room.rows, first, n_here, room.results, centres.limits, state.gaps)
            if bits != 0:
                list_moves(data, centres, state, room, first, bits, found)
                if found[LISTED] > room.moved.shape[1] - points:
                    move(data, state.labels, room.moved, total, found)
        for t in range(n_now, n_rows):  # wait for others, to fill a panel
            room.rows[t - n_now], room.old[t - n_now] = room.rows[t], room.old[t]
        n_rows -= n_now


@borrowing
def _next_rows(i: int, stop: int, centres: Centres, state: State, room: Room, n_rows: int) -> tuple[int, int]:
    """List the next rows from ``i`` on whose label may change, and the labels; return where to go on and how many.

    There may be ``n_rows`` in the list. It goes on with the last row, up to a whole panel, and with what probably comes
    next.
    """
    labels, gaps, rows, old, lost = state.labels, state.gaps, room.rows, room.old, room.lost
    drift, least_gap = centres.drift, np.float32(centres.limits[LEAST_GAP])
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
        bits = lower_gaps(gaps, i, lost[:n_here], ROUND_DOWN, least_gap)
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
