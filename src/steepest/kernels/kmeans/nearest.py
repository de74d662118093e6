"""The two nearest centres of a batch of points, a panel after the other.

Reference of the whole file: :func:`steepest.objectives.clustering.scores`.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.tiles import CENTRES, PANEL_BYTES, fetch_panel, meet_centres, pack_pairs, pack_panel
from steepest.kernels.vectors import VECTOR_BYTES, first_bit
from steepest.typing import Array, IntArray

BATCH = 256  # rows that are looked at together
ROOM = BATCH + PANEL_BYTES // 4  # for their numbers, and those of a panel more


def room_for_centres(n_clusters: int, n_features: int, dtype: Any) -> tuple[Array, Array]:
    """Return room for what :func:`pack_centres` writes."""
    n_groups = -(-n_clusters // CENTRES)
    return np.zeros((n_groups, n_features, CENTRES), dtype), np.full(n_groups * CENTRES, np.inf, dtype)


def pack_centres(centres: Array, table: Array, half_norms: Array) -> None:
    """Write the centres as the tiles read them, ``table[q, f, i] = -c_(2 q + i), f``, and ``|c|^2 / 2`` of each.

    Where their number is odd, another is infinitely far away.
    """
    k = len(centres)
    for i in range(CENTRES):
        np.negative(centres[i::CENTRES], out=table[: len(centres[i::CENTRES]), :, i])
    half_norms[:k] = np.einsum("jf,jf->j", centres, centres, dtype=np.float64) / 2


@compiled
def aligned(size: int, like: Array) -> Array:
    """Return room for ``size`` numbers that begins with a line of the cache: vectors are then read in one go."""
    room = np.empty(size + 64 // like.itemsize, like.dtype)
    skip = (-room.ctypes.data % 64) // like.itemsize
    return room[skip : skip + size]


@compiled
def batch_room(n_features: int, like: Array) -> tuple[Array, Array, IntArray]:
    """Return an empty panel, and room for four results of every point of a batch, and for a bit of each."""
    points, lanes = PANEL_BYTES // like.itemsize, VECTOR_BYTES // like.itemsize
    size = -(-n_features // lanes) * lanes * points
    work = aligned(size + 4 * BATCH, like)
    panel, results = work[:size].reshape((size // points, points)), work[size:].reshape((4, BATCH))
    return panel, results, np.empty(BATCH // lanes, np.int32)


@compiled
def nearest_two(
    X: Array,
    rows: IntArray,
    n_rows: int,
    shift: Array,
    panel: Array,
    table: Array,
    half_norms: Array,
    old: IntArray,
    slope: float,
    offset: float,
    results: Array,
    unsettled: IntArray,
) -> None:
    """Find the smallest and second smallest score ``|c|^2 / 2 - x.c`` of every row, and whose the smallest is.

    Scores differ from ``|x - c|^2 / 2`` by ``|x|^2 / 2``, which is the same for all centres. The rows of ``results``
    are ``|x|^2 / 2``, both scores, and the label (a number of the scores' type, so that all lanes have one width; the
    earlier centre wins a tie). A row's bit in ``unsettled`` is set where the label is not the ``old`` one or the scores
    differ by no more than two errors of ``slope |x|^2 / 2 + offset``. Of the ROOM places in ``rows``, those after the
    first ``n_rows`` are overwritten.
    """
    points, number = panel.shape[1], X.dtype.type
    n_places = (n_rows + points - 1) // points * points
    last = rows[n_rows - 1]
    for t in range(n_rows, n_places):
        rows[t] = last
    for t in range(points):
        rows[n_places + t] = last + 1 + t  # what probably comes next
    in_pairs = X.shape[1] == 2 and rows[n_rows - 1] - rows[0] == n_rows - 1
    factor, least = number(2 * slope), number(2 * offset)
    for first in range(0, n_places, points):
        if in_pairs and first + points <= n_rows:
            pack_pairs(X, rows[first], shift, panel, results, first)
        else:
            pack_panel(X, rows, shift, panel, results, first)
            fetch_panel(X, rows, first + points)
        meet_centres(panel, table, half_norms, results, old, factor, least, first, unsettled)


@compiled
def list_unsettled(unsettled: IntArray, n_rows: int, like: Array, picked: IntArray) -> int:
    """List the places of the unsettled rows; return how many there are."""
    lanes, n_picked = VECTOR_BYTES // like.itemsize, 0
    for word in range((n_rows + lanes - 1) // lanes):
        bits = unsettled[word]
        while bits != 0:
            picked[n_picked] = word * lanes + first_bit(bits)
            n_picked += picked[n_picked] < n_rows
            bits &= bits - 1
    return n_picked
