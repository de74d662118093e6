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

from steepest.kernels.compile import borrowing, chosen, inlined
from steepest.kernels.kmeans.arrays import Centres, Room, Rows, State
from steepest.kernels.kmeans.measures import clear
from steepest.kernels.kmeans.moves import (
    LISTED,
    OFFSET,
    ROUGH_OFFSET,
    ROUGH_SLOPE,
    SLOPE,
    list_moves,
    list_rough_moves,
    move,
)
from steepest.kernels.kmeans.nearest import BATCH, ROOM
from steepest.kernels.kmeans.rough import has_rough_table, pack_rough
from steepest.kernels.kmeans.rows import lower_gaps
from steepest.kernels.kmeans.tiles import meet_centres, pack_pairs, pack_panel
from steepest.kernels.vectors import first_bit
from steepest.typing import Array, IntArray

ROUND_DOWN = np.float32(1 - 2.0**-20)
ROUND_UP = np.float32(1 + 2.0**-20)
ROUNDING, LEAST_GAP, ROUGH_ROUNDING = 4, 5, 6  # further limits; see Centres


@inlined
def assign_block(data: Rows, centres: Centres, state: State, block: int, room: Room) -> None:
    """Assign the rows of a block to their nearest centres; see :class:`.State` for what is changed."""
    total, found = state.parts[block], state.counted[block]
    clear(total)
    for c in range(found.shape[0]):
        found[c] = 0
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
            list_moves(data, centres, state, room, room.rows, 0 * start, bits, found)
            if found[LISTED] > room.moved.shape[1] - points:
                move(data, state.labels, room.moved, total, found)
        start += points
    return start


@chosen
def _assign_listed(_data: Any, centres: Any, *_: Any) -> Any:
    """Assign those of the rows whose label may change: by their rough scores first, where these are used."""
    return _assign_roughly if has_rough_table(centres) else _assign_directly


@borrowing
def _assign_directly(
    data: Rows, centres: Centres, state: State, room: Room, total: Array, found: IntArray, start: int, stop: int
) -> None:
    points, n_rows = room.panel.shape[1], 0 * start  # no literal, for which all would be compiled once more
    while start < stop or n_rows > 0:
        start, n_rows = _next_rows(start, stop, centres, state, room, n_rows)
        n_now = n_rows if start >= stop else n_rows // points * points
        _assign_panels_of(data, centres, state, room, room.rows, room.old, n_now, points, total, found)
        n_rows = keep_rest(room.rows, room.old, n_now, n_rows)


@borrowing
def _assign_roughly(
    data: Rows, centres: Centres, state: State, room: Room, total: Array, found: IntArray, start: int, stop: int
) -> None:
    points, n_rows, n_close = room.panel.shape[1], 0 * start, 0 * start
    slope, least = np.float32(2 * centres.limits[ROUGH_SLOPE]), np.float32(2 * centres.limits[ROUGH_OFFSET])
    while start < stop or n_rows > 0:
        start, n_rows = _next_rows(start, stop, centres, state, room, n_rows)
        n_now = n_rows if start >= stop else n_rows // points * points
        for first in range(0, n_now, points):
            pack_rough(data.X, room.rows, data.origin, room.panel, first)
            bits = meet_centres(
                room.panel, centres.rough, centres.half_norms, room.results, room.old, first, slope, least,
                data.X, room.rows, first + points,
            )  # fmt: skip
            n_here = min(points, n_now - first)
            bits &= ~np.uint64(0) >> np.uint64(64 - n_here)
            if state.gaps.shape[0] > 0:
                limits = centres.limits[ROUGH_SLOPE], centres.limits[ROUGH_OFFSET], centres.limits[ROUGH_ROUNDING]
                _bound(room.rows, first, n_here, room.results, limits, state.gaps)
            n_close = list_rough_moves(data, centres, room, first, bits, found, n_close)
            if found[LISTED] > room.moved.shape[1] - points:
                move(data, state.labels, room.moved, total, found)
        n_rows = keep_rest(room.rows, room.old, n_now, n_rows)
        n_now = n_close if start >= stop else n_close // points * points
        _assign_panels_of(data, centres, state, room, room.close, room.close_old, n_now, ROOM, total, found)
        n_close = keep_rest(room.close, room.close_old, n_now, n_close)


@inlined
def _assign_panels_of(
    data: Rows, centres: Centres, state: State, room: Room, rows: IntArray, old: IntArray, n_rows: int, ahead: int,
    total: Array, found: IntArray,
) -> None:  # fmt: skip
    """Assign the first of the rows listed, with their ``old`` labels; those so far ``ahead`` are asked for."""
    points, number = room.panel.shape[1], centres.table.dtype.type
    slope, least = number(2 * centres.limits[SLOPE]), number(2 * centres.limits[OFFSET])
    for first in range(0, n_rows, points):
        pack_panel(data.X, rows, data.origin, room.panel, first)
        bits = meet_centres(
            room.panel, centres.table, centres.half_norms, room.results, old, first, slope, least,
            data.X, rows, first + ahead,
        )  # fmt: skip
        n_here = min(points, n_rows - first)
        bits &= ~np.uint64(0) >> np.uint64(64 - n_here)
        if state.gaps.shape[0] > 0:
            limits = centres.limits[SLOPE], centres.limits[OFFSET], centres.limits[ROUNDING]
            _bound(rows, first, n_here, room.results, limits, state.gaps)
        if bits != 0:
            list_moves(data, centres, state, room, rows, first, bits, found)
            if found[LISTED] > room.moved.shape[1] - points:
                move(data, state.labels, room.moved, total, found)


@borrowing
def keep_rest(rows: IntArray, old: IntArray, done: int, number: int) -> int:
    """Move those of the rows listed that are not done to the front, to fill a panel with others; return how many."""
    for t in range(done, number):
        rows[t - done], old[t - done] = rows[t], old[t]
    return number - done


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
def _bound(
    rows: IntArray, first: int, n_rows: int, results: Array, limits: tuple[float, float, float], gaps: Array
) -> None:
    """Set the gap between the two nearest distances, from below.

    With e a bound on the error of a score (``limits``: slope and offset), it is at least
    ``(2 (s_2 - s_1) - 4 e) / (D_2 + D_1)``, where D are the distances, from above.
    """
    kind = results.dtype.type
    slope, offset, wider = kind(5 * limits[0]), kind(5 * limits[1]), kind(4 * (limits[2] + limits[0]))
    two, zero = kind(2), kind(0)
    norms, best, second, lowered = results[0], results[1], results[2], results[4]
    for t in range(results.shape[1]):
        gap = two * (second[t] - best[t]) - (slope * norms[t] + offset)
        slack = wider * norms[t] + offset
        upper, lower = two * (norms[t] + second[t]) + slack, two * (norms[t] + best[t]) + slack
        both = np.sqrt(upper if upper > zero else zero) + np.sqrt(lower if lower > zero else zero)
        lowered[t] = gap / both if gap > zero else zero
    for t in range(n_rows):
        gaps[rows[np.uint64(first + t)]] = np.float32(lowered[np.uint64(t)]) * ROUND_DOWN - np.float32(1e-30)
