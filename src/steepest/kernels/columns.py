"""Compiled passes over the columns of a design: moments, correlations, gathering."""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.room import matrix, vector


@borrowing
def scan_columns(
    X: Any, weights: Any, y: Any, centre: Any, start: Any, stop: Any, sums: Any, squares: Any, xy: Any
) -> None:
    """Write ``sum s x``, ``sum s x^2`` and ``sum s x y`` of columns start..stop of a Fortran-ordered ``X``.

    Where ``centre`` is set, x is taken relative to its first row, which spares the later subtraction of squared means
    its cancellation. Reference: ``steepest.solvers.design.scan``.
    """
    n_samples = X.shape[0]
    for j in range(start, stop):
        shift = np.float64(X[0, j]) if centre else 0.0
        total, square, product = 0.0, 0.0, 0.0
        for i in range(n_samples):
            x = np.float64(X[i, j]) - shift
            s_x = weights[i] * x
            total += s_x
            square += s_x * x
            product += s_x * y[i]
        sums[j], squares[j], xy[j] = total, square, product


@compiled
def scan_rows(X: Any, weights: Any, y: Any, centre: Any, start: Any, stop: Any) -> Any:
    """Return the same three sums as ``scan_columns``, (3, n_features), over rows start..stop of a C-ordered ``X``."""
    n_features = X.shape[1]
    result, shift = matrix(3, n_features, np.float64), vector(n_features, np.float64)
    sums, squares, xy = result[0], result[1], result[2]
    for j in range(n_features):
        sums[j], squares[j], xy[j] = 0.0, 0.0, 0.0
        shift[j] = np.float64(X[0, j]) if centre else 0.0
    for i in range(start, stop):
        s_i, y_i = weights[i], y[i]
        for j in range(n_features):
            x = np.float64(X[i, j]) - shift[j]
            s_x = s_i * x
            sums[j] += s_x
            squares[j] += s_x * x
            xy[j] += s_x * y_i
    return result


@borrowing
def correlate_columns(X: Any, v: Any, columns: Any, start: Any, stop: Any, out: Any) -> None:
    """Write ``out_k = x_j.v`` for j = columns_k, k in start..stop; ``X`` in Fortran order; reference: array code."""
    for k in range(start, stop):
        j = columns[k]
        product = 0.0
        for i in range(X.shape[0]):
            product += np.float64(X[i, j]) * v[i]
        out[k] = product


@compiled
def correlate_rows(X: Any, v: Any, start: Any, stop: Any) -> Any:
    """Return ``X[start:stop].T @ v[start:stop]`` of a C-ordered ``X``, in double precision."""
    n_features = X.shape[1]
    result = vector(n_features, np.float64)
    for j in range(n_features):
        result[j] = 0.0
    for i in range(start, stop):
        v_i = v[i]
        for j in range(n_features):
            result[j] += np.float64(X[i, j]) * v_i
    return result


@compiled
def scan_sparse(data: Any, indices: Any, indptr: Any, weights: Any, y: Any, sums: Any, squares: Any, xy: Any) -> None:
    """Write the three sums of ``scan_columns`` for sparse columns, without a shift."""
    for j in range(len(indptr) - 1):
        total, square, product = 0.0, 0.0, 0.0
        for p in range(indptr[j], indptr[j + 1]):
            x = np.float64(data[p])
            i = indices[p]
            s_x = weights[i] * x
            total += s_x
            square += s_x * x
            product += s_x * y[i]
        sums[j], squares[j], xy[j] = total, square, product


@compiled
def correlate_sparse(data: Any, indices: Any, indptr: Any, v: Any, columns: Any, out: Any) -> None:
    """Write ``out_k = x_j.v`` for j = columns_k; reference: ``X[:, j].T @ v``."""
    for k in range(len(columns)):
        j = columns[k]
        product = 0.0
        for p in range(indptr[j], indptr[j + 1]):
            product += np.float64(data[p]) * v[indices[p]]
        out[k] = product


@compiled
def gather_columns(X: Any, columns: Any, means: Any, root: Any, start: Any, stop: Any, out: Any) -> None:
    """Write ``out_k = root (x_j - means_j)`` for j = columns_k, k in start..stop; reference: array indexing."""
    for k in range(start, stop):
        j = columns[k]
        mean = means[j]
        for i in range(X.shape[0]):
            out[k, i] = root[i] * (np.float64(X[i, j]) - mean)
