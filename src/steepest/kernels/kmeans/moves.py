"""Rows that change their cluster: which those are, near ties decided exactly, and the sums that follow them."""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.arrays import Centres, Room, Rows, State
from steepest.kernels.kmeans.rows import fetch_rows, move_row
from steepest.kernels.vectors import first_bit
from steepest.typing import Array, IntArray

# what is counted of a block: rows that changed, near ties that were decided exactly, rows that are still to be moved,
# rows that rough scores did not settle
MOVED, DECIDED, LISTED, UNSETTLED = 0, 1, 2, 3
SLOPE, OFFSET, ROUGH_SLOPE, ROUGH_OFFSET = 0, 1, 2, 3  # limits; see Centres


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


@borrowing
def list_moves(
    data: Rows, centres: Centres, state: State, room: Room, rows: IntArray, first: int, bits: Any, found: IntArray
) -> None:
    """List those of the points whose bit is set that change their label, deciding near ties exactly.

    Point t is row ``rows[first + t]``. The list is ``room.moved``: rows and their new labels.
    """
    labels, gaps, results, moved = state.labels, state.gaps, room.results, room.moved
    number = results.dtype.type
    slope, least = number(2 * centres.limits[SLOPE]), number(2 * centres.limits[OFFSET])
    before = n_moved = found[LISTED]
    while bits != 0:
        t = first_bit(bits)
        bits &= bits - np.uint64(1)
        i, new = rows[first + t], int(results[3, t])
        if not results[2, t] - results[1, t] > slope * results[0, t] + least:
            new = nearest_exactly(data.X[i], centres.points)
            found[DECIDED] += 1
            if gaps.shape[0] > 0:
                gaps[i] = 0
            if new == labels[i]:
                continue
        moved[0, n_moved], moved[1, n_moved] = i, new
        fetch_rows(data.X, moved[0], n_moved, 1)
        n_moved += 1
    found[MOVED] += n_moved - before
    found[LISTED] = n_moved


@borrowing
def list_rough_moves(
    data: Rows, centres: Centres, room: Room, first: int, bits: Any, found: IntArray, n_close: int
) -> int:
    """List those of the points whose bit is set that change their label by their rough scores, or need better ones.

    The latter go to ``room.close``, where there are ``n_close``; return how many there are then.
    """
    rows, results, moved = room.rows, room.results, room.moved
    slope, least = np.float32(2 * centres.limits[ROUGH_SLOPE]), np.float32(2 * centres.limits[ROUGH_OFFSET])
    before, n_moved, n_before = found[LISTED], found[LISTED], n_close
    while bits != 0:
        t = first_bit(bits)
        bits &= bits - np.uint64(1)
        i, gap = rows[first + t], results[2, t] - results[1, t]
        far = int(gap > slope * results[0, t] + least)
        moved[0, n_moved], moved[1, n_moved] = i, int(results[3, t])  # both are written: which counts is not foreseen
        room.close[n_close], room.close_old[n_close] = i, room.old[first + t]
        fetch_rows(data.X, moved[0], n_moved, 1)
        n_moved, n_close = n_moved + far, n_close + 1 - far
    found[MOVED] += n_moved - before
    found[LISTED] = n_moved
    found[UNSETTLED] += n_close - n_before
    return n_close


@borrowing
def move(data: Rows, labels: IntArray, moved: IntArray, total: Array, found: IntArray) -> None:
    """Give the rows that are listed their new labels, and move them from sum to sum."""
    with_sums, weighted, weight = total.shape[0] > 0, data.weights.shape[0] > 0, 1.0
    for m in range(found[LISTED]):
        i, new = moved[0, m], moved[1, m]
        old = np.int64(labels[i])
        labels[i] = new
        if with_sums:
            if weighted:
                weight = np.float64(data.weights[i])
            move_row(data.X, i, data.origin, weight, 1.0 if weight > 0 else 0.0, total, new, old)
    found[LISTED] = 0


@compiled
def add_members(data: Rows, labels: IntArray, block_rows: int, first: int, last: int, sums: Array) -> None:
    """Sum up the rows of each cluster, block by block.

    Reference: :func:`steepest.objectives.clustering.cluster_sums`.
    """
    for block in range(first, last):
        total = sums[block]
        total[:] = 0
        for i in range(block * block_rows, min((block + 1) * block_rows, data.X.shape[0])):
            weight = np.float64(data.weights[i]) if data.weights.shape[0] > 0 else 1.0
            move_row(data.X, i, data.origin, weight, 1.0 if weight > 0 else 0.0, total, np.int64(labels[i]), -1)
