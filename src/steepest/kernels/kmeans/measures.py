"""Sums over all rows: moments of the data, the SSE, distances to the own centre."""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing
from steepest.typing import Array, IntArray


@borrowing
def clear(table: Array) -> None:
    """Write zeros; an assignment of slices takes longer to compile."""
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            table[i, j] = 0


@borrowing
def added_up(numbers: Any) -> Any:
    """Return the sum of some numbers."""
    result = numbers.dtype.type(0)
    for i in range(numbers.shape[0]):
        result += numbers[i]
    return result


@borrowing
def add_moments(X: Array, weights: Array, near: Array, block_rows: int, first: int, last: int, sums: Array) -> None:
    """Set ``sums[block] = sum_i w_i (x_i - near), sum_i w_i (x_i - near)^2, max_i |x_i - near|`` by feature.

    Four rows are added up before they meet the sums; what lacks of the last four has weight 0.
    """
    for block in range(first, last):
        totals, squares, largest = sums[block, 0], sums[block, 1], sums[block, 2]
        stop = min((block + 1) * block_rows, X.shape[0])
        for i in range(block * block_rows, stop, 4):
            i1, i2, i3 = min(i + 1, stop - 1), min(i + 2, stop - 1), min(i + 3, stop - 1)
            w0, w1, w2, w3 = 1.0, 1.0 * (i + 1 < stop), 1.0 * (i + 2 < stop), 1.0 * (i + 3 < stop)
            if weights.shape[0] > 0:
                w0, w1, w2, w3 = w0 * weights[i], w1 * weights[i1], w2 * weights[i2], w3 * weights[i3]
            x0, x1, x2, x3 = X[i], X[i1], X[i2], X[i3]
            for f in range(X.shape[1]):
                d0, d1 = np.float64(x0[f]) - near[f], np.float64(x1[f]) - near[f]
                d2, d3 = np.float64(x2[f]) - near[f], np.float64(x3[f]) - near[f]
                totals[f] += (w0 * d0 + w1 * d1) + (w2 * d2 + w3 * d3)
                squares[f] += (w0 * d0 * d0 + w1 * d1 * d1) + (w2 * d2 * d2 + w3 * d3 * d3)
                a, b, c, d = abs(d0), abs(d1), abs(d2), abs(d3)
                a, c = a if a > b else b, c if c > d else d
                a = a if a > c else c
                largest[f] = a if a > largest[f] else largest[f]


@borrowing
def add_parts(parts: Array, n_features: int, totals: Array) -> None:
    """Add the blocks' sums up, in their order; a cluster without members is exactly empty.

    Reference: ``totals += parts.sum(axis=0)``. The members are counted in the second column behind the features.
    """
    for block in range(parts.shape[0]):
        for j in range(totals.shape[0]):
            for f in range(totals.shape[1]):
                totals[j, f] += parts[block, j, f]
    for j in range(totals.shape[0]):
        if totals[j, n_features + 1] == 0:
            for f in range(totals.shape[1]):
                totals[j, f] = 0


@borrowing
def own_distances(X: Array, centres: Array, labels: IntArray, start: int, stop: int, distances: Array) -> None:
    """Set ``distances[i] = |x_i - c_label(i)|^2`` (reference: ``((X - centres[labels])**2).sum(axis=1)``)."""
    for i in range(start, stop):
        j = labels[i]
        distance = 0.0
        for f in range(X.shape[1]):
            difference = np.float64(X[i, f]) - np.float64(centres[j, f])
            distance += difference * difference
        distances[i] = distance


@borrowing
def sse_blocks(
    X: Array, weights: Array, centres: Array, labels: IntArray, block_rows: int, first: int, last: int, sse: Array
) -> None:
    """Set ``sse[block] = sum_i w_i |x_i - c_label(i)|^2`` (reference: ``weights @ own squared distances``)."""
    for block in range(first, last):
        total = 0.0
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            j = labels[i]
            distance = 0.0
            for f in range(X.shape[1]):
                difference = np.float64(X[i, f]) - np.float64(centres[j, f])
                distance += difference * difference
            total += distance * (np.float64(weights[i]) if weights.shape[0] > 0 else 1.0)
        sse[block] = total
