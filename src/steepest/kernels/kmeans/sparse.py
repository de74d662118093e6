"""The assignment step on CSR data, row by row: centres lie with the feature axis outermost, SIMD lanes are centres."""

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.moves import MOVED, nearest_exactly
from steepest.typing import Array, IntArray

CANCELS = 1e-3  # of |c|^2: a distance below has lost three digits


@compiled
def assign_sparse(
    data: Array,
    indices: IntArray,
    indptr: IntArray,
    weights: Array,
    centres: Array,
    transposed: Array,
    half_norms: Array,
    slope: float,
    offset: float,
    labels: IntArray,
    sums: Array,
    counted: IntArray,
    block_rows: int,
    first: int,
    last: int,
) -> None:
    """Assign rows to their nearest centres; arguments and reference as in :func:`.dense.assign_block`.

    ``transposed`` (d, k) are the centres, ``data, indices, indptr`` the rows; an absent entry is zero, so a score
    ``|c|^2 / 2 - x.c`` needs the present ones only.
    """
    n_rows, k = indptr.shape[0] - 1, centres.shape[0]
    scores = np.empty(k, data.dtype)
    row = np.zeros(centres.shape[1], np.float64)
    for block in range(first, last):
        total = sums[block]
        total[:], counted[block] = 0, 0
        for i in range(block * block_rows, min((block + 1) * block_rows, n_rows)):
            begin, end = indptr[i], indptr[i + 1]
            new = _nearest_of_row(
                data, indices, begin, end, centres, transposed, half_norms, slope, offset, scores, row
            )
            old = labels[i]
            if new != old:
                labels[i] = new
                counted[block, MOVED] += 1
                if total.shape[0] > 0:
                    weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
                    _add_entries(data, indices, begin, end, weight, total[new])
                    if old >= 0:
                        _add_entries(data, indices, begin, end, -weight, total[old])


@compiled
def _nearest_of_row(
    data: Array,
    indices: IntArray,
    begin: int,
    end: int,
    centres: Array,
    transposed: Array,
    half_norms: Array,
    slope: float,
    offset: float,
    scores: Array,
    row: Array,
) -> int:
    """Return the nearest centre of one row; near ties are decided by the distances in double precision."""
    half_norm = 0.0
    for j in range(scores.shape[0]):
        scores[j] = half_norms[j]
    for e in range(begin, end):
        value = data[e]
        half_norm += 0.5 * value * value
        products = transposed[indices[e]]
        for j in range(scores.shape[0]):
            scores[j] -= value * products[j]
    half_norm = float(data.dtype.type(half_norm))  # infinite where scores may be
    label = _nearest(scores, 2 * (slope * half_norm + offset))
    if label < 0:
        for e in range(begin, end):
            row[indices[e]] = data[e]
        label = nearest_exactly(row, centres)
        for e in range(begin, end):
            row[indices[e]] = 0.0
    return label


@compiled
def _add_entries(data: Array, indices: IntArray, begin: int, end: int, weight: float, total: Array) -> None:
    """Add a row to the sums of a cluster, as :func:`.rows.move_row` does; take it away if its weight is negative."""
    d = total.shape[0] - 2
    total[d] += weight
    total[d + 1] += np.sign(weight)
    for e in range(begin, end):
        total[indices[e]] += weight * data[e]


@compiled
def _nearest(scores: Array, slack: float) -> int:
    """Return where the smallest score is, or -1 if rounding may have made it so."""
    best, second, label = np.inf, np.inf, 0
    for j in range(scores.shape[0]):
        score = scores[j]
        if score < best:
            best, second, label = score, best, j
        elif score < second:
            second = score
    return label if second - best > slack else -1


@compiled
def square_trees(centres: Array, trees: Array) -> None:
    """Write, for each centre, a tree of sums of its features' squares, from which any range of them is summed.

    Leaf f is ``trees[j, size + f]``, node m the sum of nodes 2 m and 2 m + 1; ``trees[j, 1]`` is ``|c_j|^2``.
    """
    size = trees.shape[1] // 2
    for j in range(centres.shape[0]):
        for f in range(size):
            c = np.float64(centres[j, f]) if f < centres.shape[1] else 0.0
            trees[j, size + f] = c * c
        for m in range(size - 1, 0, -1):
            trees[j, m] = trees[j, 2 * m] + trees[j, 2 * m + 1]


@borrowing
def _range_sum(tree: Array, begin: int, end: int) -> float:
    """Return the sum of the leaves from ``begin`` up to ``end``, a node for every run of leaves that it is all of."""
    size, total = tree.shape[0] // 2, 0.0
    low, high = begin + size, end + size
    while low < high:
        if low % 2 == 1:
            total += tree[low]
            low += 1
        if high % 2 == 1:
            high -= 1
            total += tree[high]
        low, high = low // 2, high // 2
    return total


@compiled
def own_distances_sparse(
    data: Array,
    indices: IntArray,
    indptr: IntArray,
    centres: Array,
    trees: Array,
    labels: IntArray,
    start: int,
    stop: int,
    distances: Array,
) -> None:
    """Set ``distances[i] = |x_i - c_label(i)|^2``; reference as in :func:`.measures.own_distances`.

    ``|x - c|^2 = |c|^2 + sum over the entries of (x - c)^2 - c^2``. That cancels where entries of c are large compared
    with the distance. Then what c has outside of the entries, which are in their order, is summed up by itself, gap by
    gap (``trees``: :func:`square_trees`): no number is negative.
    """
    for i in range(start, stop):
        j, begin, end = labels[i], indptr[i], indptr[i + 1]
        distance = trees[j, 1]
        for e in range(begin, end):
            c = np.float64(centres[j, indices[e]])
            difference = data[e] - c
            distance += difference * difference - c * c
        if distance < CANCELS * trees[j, 1]:
            distance, before = 0.0, 0
            for e in range(begin, end):
                f = indices[e]
                difference = data[e] - np.float64(centres[j, f])
                distance += difference * difference + _range_sum(trees[j], before, f)
                before = f + 1
            distance += _range_sum(trees[j], before, centres.shape[1])
        distances[i] = distance


@compiled
def add_members_sparse(
    data: Array,
    indices: IntArray,
    indptr: IntArray,
    weights: Array,
    labels: IntArray,
    block_rows: int,
    first: int,
    last: int,
    sums: Array,
) -> None:
    """Sum the rows of each cluster, as :func:`.moves.add_members` does."""
    for block in range(first, last):
        sums[block] = 0
        for i in range(block * block_rows, min((block + 1) * block_rows, labels.shape[0])):
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            _add_entries(data, indices, indptr[i], indptr[i + 1], weight, sums[block, labels[i]])
