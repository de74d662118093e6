"""Sums over all rows: moments of the data, the SSE, distances to the own centre."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array, IntArray

MASS, MEMBERS = np.uint64(0), np.uint64(1)  # columns of the counts


@compiled
def add_rows(X: Array, weights: Array, block_rows: int, first: int, last: int, sums: Array) -> None:
    """Set ``sums[block] = sum_i w_i x_i`` over the block's rows (reference: ``weights @ X``)."""
    for block in range(first, last):
        total = sums[block]
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            for f in range(X.shape[1]):
                total[f] += weight * np.float64(X[i, f])


@compiled
def add_squares(X: Array, weights: Array, mean: Array, block_rows: int, first: int, last: int, sums: Array) -> None:
    """Set ``sums[block] = sum_i w_i (x_i - mean)^2``, feature by feature (reference: ``weights @ (X - mean)**2``)."""
    for block in range(first, last):
        total = sums[block]
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            for f in range(X.shape[1]):
                difference = np.float64(X[i, f]) - mean[f]
                total[f] += weight * difference * difference


@compiled
def add_members(
    X: Array,
    weights: Array,
    origin: Array,
    labels: IntArray,
    block_rows: int,
    first: int,
    last: int,
    sums: Array,
    counts: Array,
) -> None:
    """Sum ``w_i (x_i - origin)`` over the block's rows of each cluster, and count ``w_i`` and whether it is positive.

    Reference: :func:`steepest.objectives.clustering.cluster_sums`.
    """
    for block in range(first, last):
        total, count = sums[block], counts[block]
        total[:], count[:] = 0, 0
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            j = np.uint64(labels[i])  # without a sign, which would be asked for at every access
            weight = np.float64(weights[i]) if weights.shape[0] > 0 else 1.0
            count[j, MASS] += weight
            count[j, MEMBERS] += weight > 0
            for f in range(X.shape[1]):
                total[j, f] += weight * (np.float64(X[i, f]) - np.float64(origin[f]))


@compiled
def add_parts(part_sums: Array, part_counts: Array, sums: Array, counts: Array) -> None:
    """Add the blocks' sums and counts up, in their order; a cluster without members is exactly empty.

    Reference: ``sums += part_sums.sum(axis=0)``, ``counts += part_counts.sum(axis=0)``.
    """
    for block in range(part_sums.shape[0]):
        for j in range(counts.shape[0]):
            counts[j, 0] += part_counts[block, j, 0]
            counts[j, 1] += part_counts[block, j, 1]
            for f in range(sums.shape[1]):
                sums[j, f] += part_sums[block, j, f]
    for j in range(counts.shape[0]):
        if counts[j, 1] == 0:
            sums[j], counts[j] = 0, 0


@compiled
def own_distances(X: Array, centres: Array, labels: IntArray, start: int, stop: int, distances: Array) -> None:
    """Set ``distances[i] = |x_i - c_label(i)|^2`` (reference: ``((X - centres[labels])**2).sum(axis=1)``)."""
    for i in range(start, stop):
        j = labels[i]
        distance = 0.0
        for f in range(X.shape[1]):
            difference = np.float64(X[i, f]) - np.float64(centres[j, f])
            distance += difference * difference
        distances[i] = distance


@compiled
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
