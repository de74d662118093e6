"""What the tiles work with: the centres as they read them, room for a panel, and how far scores may be off.

Scores ``|c|^2 / 2 - x.c`` differ from ``|x - c|^2 / 2`` by ``|x|^2 / 2``, which is the same for all centres.
Reference: :func:`steepest.objectives.clustering.scores`.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.tiles import CENTRES, PANEL_BYTES
from steepest.kernels.room import matrix
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array

BATCH = 256  # rows that are listed together
ROOM = BATCH + PANEL_BYTES // 4  # for their numbers, and those of a panel more


def room_for_centres(n_clusters: int, n_features: int, dtype: Any) -> tuple[Array, Array]:
    """Return room for what :func:`pack_centres` writes."""
    n_groups = -(-n_clusters // CENTRES)
    return np.zeros((n_groups, n_features, CENTRES), dtype), np.full(n_groups * CENTRES, np.inf, dtype)


@borrowing
def pack_centres(centres: Array, origin: Array, table: Array, half_norms: Array) -> float:
    """Write the centres as the tiles read them, ``table[q, f, i] = o_f - c_(2 q + i), f``, and their ``|c - o|^2 / 2``.

    Return the largest of these. Where their number is odd, another is infinitely far away.
    """
    largest = 0.0
    for j in range(centres.shape[0]):
        square = 0.0
        for f in range(centres.shape[1]):
            difference = np.float64(centres[j, f] - origin[f])
            table[j // CENTRES, f, j % CENTRES] = -difference
            square += difference * difference
        half_norms[j] = square / 2
        largest = max(largest, square / 2)
    return largest


@compiled
def panel_room(n_features: int, like: Array) -> tuple[Array, Array]:
    """Return an empty panel, and room for five results of each of its points, for numbers ``like`` these."""
    points, lanes = PANEL_BYTES // like.itemsize, VECTOR_BYTES // like.itemsize
    return matrix(1 + -(-n_features // lanes) * lanes, points, like), matrix(5, points, like)


def score_rounding(n_features: int, dtype: Any) -> float:
    """Return a bound on the relative rounding error of d products and sums, and of what is done to x and c before.

    Each rounds by at most half the distance of two numbers, in whatever order they are summed.
    """
    return float((n_features + 8) * np.finfo(dtype).eps / 2)


@borrowing
def score_error(half_norms: Array, rounding: float, reach: float, typical: float) -> tuple[float, float]:
    r"""Return ``slope, offset`` so that a score's rounding error is at most ``slope |x|^2 / 2 + offset``.

    The score is of the precision of ``half_norms``. The offset is infinite if scores may overflow where ``|x|^2 / 2``
    does not.

    Notes
    -----
    A score ``|c|^2 / 2 - x.c`` of a centre with ``|c|^2 / 2 <= r`` (``reach``) rounds by at most ``u (|x| |c| + r)``.
    For any a > 0, ``|x| |c| <= a |x|^2 / 2 + |c|^2 / (2 a)``, which is tight for a = |c| / |x|. With the typical
    squared length T of the points, ``a^2 = 2 r / T``::

        slope = u a        offset = u r (1 + 1 / a) + m

    where m is what may be lost besides, in each product, to numbers below the smallest normal one. With M the largest
    number, ``|x|^2 / 2 <= M`` and ``r <= M / 16`` no partial sum exceeds ``r + |x| |c| <= M / 16 + M / 2``.
    """
    numbers = np.finfo(half_norms.dtype)
    if not reach <= numbers.max / 16:
        return 0.0, np.inf
    a = np.sqrt(2 * reach / typical) if reach > 0 and typical > 0 else 1.0
    lost = 4 * rounding / np.float64(numbers.eps) * np.float64(numbers.tiny)
    return rounding * a, rounding * reach * (1 + 1 / a) + lost
