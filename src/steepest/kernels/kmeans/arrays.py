"""What the kernels hand to each other, in tuples."""

from typing import NamedTuple

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import BATCH, ROOM, panel_room
from steepest.kernels.kmeans.tiles import PANEL_BYTES, pack_pairs, pack_panel
from steepest.kernels.room import matrix, vector
from steepest.typing import Array, IntArray

MOST_MOVES = 2 * BATCH  # that are listed


class Rows(NamedTuple):
    """The data: ``X`` (n, d), ``weights`` (n,) or empty for all ones, and the ``origin`` (d,) of sums and scores.

    ``packed`` holds them as the tiles read them, see :func:`pack_rows`, or nothing.
    """

    X: Array
    weights: Array
    origin: Array
    packed: Array


class Centres(NamedTuple):
    """The centres, and what follows from them.

    ``points`` (k, d) are the centres, ``table`` and ``half_norms`` what the tiles read of them
    (:func:`.nearest.pack_centres`), ``rough`` the same in bfloat16 (:func:`.rough.round_centres`) if that is used,
    ``drift`` (k,) what a row's gap loses in this step. ``limits`` are named where they are read (``SLOPE`` and so on):

    - slope and offset: a score's rounding error is at most ``slope |x|^2 / 2 + offset``;
    - the bound on the relative rounding error of ``|x|^2``;
    - these three once more, of rough scores;
    - the gap above which a row surely keeps its label;
    - of an iteration, the squared way that ends it, the sum of squares of the data, the value up to which a value
      cancels, the typical square of a row, and the largest number.
    """

    points: Array
    table: Array
    rough: Array
    half_norms: Array
    limits: Array
    drift: Array


class State(NamedTuple):
    """What an assignment changes, in blocks of ``block_rows`` rows.

    ``labels`` (n,) and ``gaps`` (n,), empty if none are kept, are brought up to date; ``parts`` (n_blocks, k, d and
    more), without clusters if not wanted, and ``counted`` (n_blocks, a line of the cache) receive what changed.
    """

    labels: IntArray
    gaps: Array
    parts: Array
    counted: IntArray
    block_rows: int


class Room(NamedTuple):
    """Where a thread works: a panel and the results of its points, rows and their old labels, moves, lost gaps.

    And rows, with their old labels, that rough scores do not settle.
    """

    panel: Array
    results: Array
    rows: IntArray
    old: IntArray
    moved: IntArray
    lost: Array
    close: IntArray
    close_old: IntArray


@compiled
def pack_rows(X: Array, origin: Array, block_rows: int, first: int, last: int, packed: Array) -> None:
    """Write the blocks' rows as panels, ``packed[p, 1 + f, t] = X[POINTS p + t, f] - origin[f]``, whole ones only."""
    panel = panel_room(X.shape[1], packed)[0]
    points, height = packed.shape[2], packed.shape[1]
    rows = vector(points, np.int64)
    for p in range(first * block_rows // points, min(last * block_rows // points, packed.shape[0])):
        if X.shape[1] == 2:
            pack_pairs(X, p * points, origin, panel)
        else:
            for t in range(points):
                rows[t] = p * points + t
            pack_panel(X, rows, origin, panel, 0)
        for h in range(height):
            for t in range(points):
                packed[p, h, t] = panel[h, t]


@compiled
def work_room(n_features: int, like: Array, gaps: Array) -> Room:
    """Return room to assign rows of so many features, for scores ``like`` these."""
    panel, results = panel_room(n_features, like)
    rows, old, moved = vector(ROOM, np.int64), vector(BATCH, np.int32), matrix(2, MOST_MOVES, np.int64)
    lost, close, close_old = vector(PANEL_BYTES // gaps.itemsize, gaps), vector(ROOM, np.int64), vector(ROOM, np.int32)
    for t in range(ROOM):
        close[t], close_old[t] = 0, 0
    return Room(panel, results, rows, old, moved, lost, close, close_old)
