"""Iterations of k-means within one compiled call, as passes of a :mod:`steepest.kernels.team`.

Between two passes the leader does what the array code of :class:`steepest.objectives.clustering.ClusteringObjective`
does: means, value and gradient (references: ``means``, ``partition_value_and_gradient``).
"""

from typing import Any, NamedTuple

import numpy as np

from steepest.kernels.compile import borrowing, chosen, compiled
from steepest.kernels.kmeans.arrays import Centres, Rows, State, work_room
from steepest.kernels.kmeans.dense import LEAST_GAP, ROUGH_ROUNDING, ROUND_UP, ROUNDING, assign_block
from steepest.kernels.kmeans.measures import add_parts, added_up
from steepest.kernels.kmeans.moves import DECIDED, MOVED, OFFSET, ROUGH_OFFSET, ROUGH_SLOPE, SLOPE, UNSETTLED
from steepest.kernels.kmeans.nearest import pack_centres, score_error
from steepest.kernels.kmeans.rough import has_rough_table, rough_error, round_centres
from steepest.kernels.team import claim, finish, join, next_turn
from steepest.typing import Array, IntArray

# what is to be done: how many assignments, whether the first is to the centres given; what was done: how many
# assignments, and how many rows moved in all since the sums were taken; how many moving rows are few enough to stop for
STEPS, GIVEN, DONE, MOVES, FEW = 0, 1, 2, 3, 4
TOLERANCE, SQUARE_SUM, LEAST_VALUE, TYPICAL, SPREAD = 7, 8, 9, 10, 11  # further limits; see Centres
VALUE, GRADIENT_NORM, WAY, CHANGED, TIES, CLOSE = 0, 1, 2, 3, 4, 5  # columns of the records
FEW_TIES = 200  # one row in so many: beyond, scores in the data's own precision are cheaper


class Run(NamedTuple):
    """An iteration's plan, and what it leaves.

    ``totals`` (k, d and more) hold each cluster's sums; ``plan`` and ``records[s]``, of step s, are named above;
    ``path[s]`` (k, d) are the centres of step s.
    """

    totals: Array
    plan: IntArray
    path: Array
    records: Array


@compiled
def iterate_in_team(
    counters: IntArray, leads: bool, n_blocks: int, data: Rows, centres: Centres, state: State, run: Run
) -> None:
    """Iterate: means of the clusters, then nearest centres.

    ``centres`` are those that the labels were assigned for. The iteration also ends where the array code has to look:
    before a step if a cluster is empty; after it if no centre moved, if the value cancels, if more rows have moved
    since the sums were taken anew than there are, if few moved, or if there were many near ties.
    """
    plan, records, limits = run.plan, run.records, centres.limits
    if leads:
        plan[DONE] = 0
        while plan[DONE] < plan[STEPS]:
            step = plan[DONE]
            given = step == 0 and plan[GIVEN] > 0
            if not given and not _means(run.totals, data.origin, run.path[step]):
                break
            records[step, WAY] = _advance(run.path[step], centres, data.origin, state.gaps.shape[0] > 0)
            records[step, CHANGED], records[step, TIES], records[step, CLOSE] = 0, 0, 0
            if given or records[step, WAY] > 0:
                turn = join(counters, leads)
                _claim_blocks(counters, n_blocks, data, centres, state)
                next_turn(counters, leads, turn, n_blocks)
                add_parts(state.parts, data.X.shape[1], run.totals)
                counted = state.counted
                records[step, CHANGED], records[step, TIES] = added_up(counted[:, MOVED]), added_up(counted[:, DECIDED])
                records[step, CLOSE] = added_up(counted[:, UNSETTLED])
            _evaluate(run.totals, centres.points, data.origin, limits[SQUARE_SUM], records[step])
            plan[DONE] += 1
            plan[MOVES] += np.int64(records[step, CHANGED])
            if _has_to_look(records[step], plan, limits, state.labels.shape[0]):
                break
    else:
        turn = join(counters, leads)
        while turn >= 0:
            _claim_blocks(counters, n_blocks, data, centres, state)
            turn = next_turn(counters, leads, turn, n_blocks)


@compiled
def _claim_blocks(counters: IntArray, n_blocks: int, data: Rows, centres: Centres, state: State) -> None:
    """Assign the rows of blocks that nobody else does, while there are any."""
    room = work_room(data.X.shape[1], centres.table, state.gaps)
    block = claim(counters)
    while block < n_blocks:
        assign_block(data, centres, state, block, room)
        finish(counters)
        block = claim(counters)


@borrowing
def _means(totals: Array, origin: Array, centres: Array) -> bool:
    """Write the mean of each cluster; return whether all have one."""
    d = centres.shape[1]
    for j in range(centres.shape[0]):
        if totals[j, d] == 0:
            return False
        for f in range(d):
            centres[j, f] = totals[j, f] / totals[j, d] + np.float64(origin[f])
    return True


@compiled
def _advance(new: Array, centres: Centres, origin: Array, bounds: bool) -> float:
    """Make ``new`` the centres, and write all that follows from them; return the length of the way."""
    points, limits, drift = centres.points, centres.limits, centres.drift
    total, longest, second, which = 0.0, 0.0, 0.0, 0
    for j in range(new.shape[0]):
        square = 0.0
        for f in range(new.shape[1]):
            difference = np.float64(new[j, f]) - np.float64(points[j, f])
            square += difference * difference
            points[j, f] = new[j, f]
        total += square
        way = np.sqrt(square)
        drift[j] = way
        if way > longest:
            longest, second, which = way, longest, j
        elif way > second:
            second = way
    reach = pack_centres(points, origin, centres.table, centres.half_norms)
    limits[SLOPE], limits[OFFSET] = score_error(centres.half_norms, limits[ROUNDING], reach, limits[TYPICAL])
    _round(centres, reach)
    if bounds:
        for j in range(new.shape[0]):
            drift[j] = (np.float64(drift[j]) + (second if j == which else longest)) * (2 * ROUND_UP - 1)
        finest = 4 * (new.shape[1] + 8) * 2.0**-52
        limits[LEAST_GAP] = finest * (limits[SPREAD] * np.sqrt(new.shape[1]) + np.sqrt(2 * reach))
    return float(np.sqrt(total))


@chosen
def _round(centres: Any, _reach: Any) -> Any:
    """Write what rough scores need of the centres, if they are used."""
    return _round_all if has_rough_table(centres) else _round_nothing


@compiled
def _round_all(centres: Centres, reach: float) -> None:
    limits = centres.limits
    errors = limits[ROUGH_ROUNDING], round_centres(centres.table, centres.rough)
    limits[ROUGH_SLOPE], limits[ROUGH_OFFSET] = rough_error(centres.half_norms, errors, reach, limits[TYPICAL])


@borrowing
def _round_nothing(centres: Centres, reach: float) -> None:
    pass


@borrowing
def _evaluate(totals: Array, centres: Array, origin: Array, square_sum: float, record: Array) -> None:
    """Record ``J(C, l)`` and the norm of its gradient."""
    d = centres.shape[1]
    explained, squares = 0.0, 0.0
    for j in range(totals.shape[0]):
        for f in range(d):
            c = np.float64(centres[j, f]) - np.float64(origin[f])
            gradient = 2 * (totals[j, d] * c - totals[j, f])
            explained += c * (totals[j, d] * c - gradient)
            squares += gradient * gradient
    record[VALUE], record[GRADIENT_NORM] = square_sum - explained, np.sqrt(squares)


@borrowing
def _has_to_look(record: Array, plan: IntArray, limits: Array, n_rows: int) -> bool:
    """Return whether what comes next is not for this file."""
    arrived = record[WAY] * record[WAY] <= limits[TOLERANCE]
    cancels = record[VALUE] <= limits[LEAST_VALUE]
    drifted, few = plan[MOVES] > n_rows, record[CHANGED] < plan[FEW]
    return bool(arrived or cancels or drifted or few or record[TIES] * FEW_TIES > n_rows)
