"""The assignment step on CSR data, row by row: centres lie with the feature axis outermost, SIMD lanes are centres."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array, IntArray


@compiled
def assign_sparse(
    data: Array,
    indices: IntArray,
    indptr: IntArray,
    weights: Array,
    centres: Array,
    transposed: Array,
    half_norms: Array,
    rounding: float,
    reach: float,
    labels: IntArray,
    sums: Array,
    counts: Array,
    moved: IntArray,
    block_rows: int,
    first: int,
    last: int,
) -> None:
    """Assign rows to their nearest centres; arguments and reference as in :func:`.dense.assign_blocks`.

    ``transposed`` (d, k) are the centres, ``data, indices, indptr`` the rows; an absent entry is zero, so a score
    ``|c|^2 / 2 - x.c`` needs the present ones only.
    """
    n_rows, k = indptr.shape[0] - 1, centres.shape[0]
    scores = np.empty(k, data.dtype)
    row = np.zeros(centres.shape[1], np.float64)
    for block in range(first, last):
        total, count = sums[block % sums.shape[0]], counts[block % counts.shape[0]]
        for i in range(block * block_rows, min((block + 1) * block_rows, n_rows)):
            entries = range(indptr[i], indptr[i + 1])
            for j in range(k):
                scores[j] = half_norms[j]
            half_norm = 0.0
            for e in entries:
                value = data[e]
                half_norm += 0.5 * value * value
                products = transposed[indices[e]]
                for j in range(k):
                    scores[j] -= value * products[j]
            new = _nearest(scores, 2 * rounding * (half_norm + reach))
            if new < 0:
                for e in entries:
                    row[indices[e]] = data[e]
                new = _nearest_dense(row, centres)
                for e in entries:
                    row[indices[e]] = 0.0
            old = labels[i]
            if new == old:
                continue
            labels[i] = new
            moved[block] += 1
            if total.shape[0] == 0:
                continue
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            member = 1.0 if weight > 0 else 0.0
            count[new, 0] += weight
            count[new, 1] += member
            if old >= 0:
                count[old, 0] -= weight
                count[old, 1] -= member
            for e in entries:
                total[new, indices[e]] += weight * data[e]
                if old >= 0:
                    total[old, indices[e]] -= weight * data[e]


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
def _nearest_dense(row: Array, centres: Array) -> int:
    """Return the first centre at the smallest distance, computed in double precision."""
    best, label = np.inf, 0
    for j in range(centres.shape[0]):
        distance = 0.0
        for f in range(row.shape[0]):
            difference = row[f] - np.float64(centres[j, f])
            distance += difference * difference
        if distance < best:
            best, label = distance, j
    return label


@compiled
def own_distances_sparse(
    data: Array,
    indices: IntArray,
    indptr: IntArray,
    centres: Array,
    norms: Array,
    labels: IntArray,
    start: int,
    stop: int,
    distances: Array,
) -> None:
    """Set ``distances[i] = |x_i - c_label(i)|^2``; reference as in :func:`.measures.own_distances`.

    With ``norms`` = |c|^2, ``|x - c|^2 = |c|^2 + sum over the entries of (x - c)^2 - c^2``, at least 0.
    """
    for i in range(start, stop):
        j = labels[i]
        distance = norms[j]
        for e in range(indptr[i], indptr[i + 1]):
            c = np.float64(centres[j, indices[e]])
            difference = data[e] - c
            distance += difference * difference - c * c
        distances[i] = max(distance, 0.0)


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
    counts: Array,
) -> None:
    """Sum the rows of each cluster, as :func:`.measures.add_members` does."""
    for block in range(first, last):
        for i in range(block * block_rows, min((block + 1) * block_rows, labels.shape[0])):
            j = labels[i]
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            counts[block, j, 0] += weight
            counts[block, j, 1] += 1.0 if weight > 0 else 0.0
            for e in range(indptr[i], indptr[i + 1]):
                sums[block, j, indices[e]] += weight * data[e]
