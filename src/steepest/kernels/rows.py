"""One row of a matrix: the same operations for dense and for sparse (CSR) rows.

A matrix is a C-ordered array, or a tuple ``(data, indices, indptr)``. Which form is used is decided when a kernel is
compiled, so a kernel that is written once costs nothing at run time.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload, register_jitable


def dot(X: Any, i: Any, w: Any) -> Any:
    """Return ``<x_i, w>``."""


def squared_length(X: Any, i: Any) -> Any:
    """Return ``<x_i, x_i>``."""


def add(X: Any, i: Any, w: Any, c: Any) -> Any:
    """Add ``c x_i`` to ``w``; return the squared norm and the absolute sum of the entries of ``w`` in the row."""


def truncate(X: Any, i: Any, w: Any, q: Any, u: Any, scale: Any, average: Any, a: Any) -> Any:
    """Move the row's weights ``scale w`` toward 0 by the L1 penalty they still owe, the mean being (average + a w)."""


def entries_key(X: Any, i: Any, n_columns: Any) -> Any:
    """Return the sum of the hashes of the row's entries, 64 bits that wrap around; of a dense row's first ones only."""


@register_jitable
def entry_hash(value: Any, column: Any) -> Any:
    """Return 64 bits that depend on all bits of a value and on its column; 0 for a value of 0."""
    bits = np.float64(value).view(np.uint64) + (column + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.uint64(0) if value == 0.0 else bits ^ (bits >> np.uint64(33))


@register_jitable
def _owed(w: Any, q: Any, u: Any, scale: Any) -> Any:
    """Return the stored weight after its part of the cumulative penalty ``u``, of which ``-q`` was paid before."""
    if w > 0.0:
        return max(0.0, w - (u + q) / scale)
    if w < 0.0:
        return min(0.0, w + (u - q) / scale)
    return w * 1.0


@register_jitable
def truncate_all(w: Any, q: Any, u: Any) -> Any:
    """Do as ``truncate`` does for a row without zeros."""
    for j in range(w.shape[0]):
        old = w[j]
        new = _owed(old, q[j], u, 1.0)
        w[j] = new
        q[j] += new - old


@overload(dot)
def _dot(X: Any, i: Any, w: Any) -> Any:
    if isinstance(X, types.Array):

        def dense(X: Any, i: Any, w: Any) -> Any:
            total = 0.0
            for j in range(X.shape[1]):
                total += w[j] * X[i, j]
            return total

        return dense

    def sparse(X: Any, i: Any, w: Any) -> Any:
        data, indices, indptr = X
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += w[indices[k]] * data[k]
        return total

    return sparse


@overload(entries_key)
def _entries_key(X: Any, i: Any, n_columns: Any) -> Any:
    if isinstance(X, types.Array):

        def dense(X: Any, i: Any, n_columns: Any) -> Any:
            key = np.uint64(0)
            for j in range(n_columns):
                key += entry_hash(X[i, j], np.uint64(j + 1))
            return key

        return dense

    def sparse(X: Any, i: Any, n_columns: Any) -> Any:
        data, indices, indptr = X
        key = np.uint64(0)
        for k in range(indptr[i], indptr[i + 1]):
            key += entry_hash(data[k], np.uint64(indices[k] + 1))
        return key

    return sparse


@overload(squared_length)
def _squared_length(X: Any, i: Any) -> Any:
    if isinstance(X, types.Array):

        def dense(X: Any, i: Any) -> Any:
            total = 0.0
            for j in range(X.shape[1]):
                total += np.float64(X[i, j]) * X[i, j]
            return total

        return dense

    def sparse(X: Any, i: Any) -> Any:
        data, _, indptr = X
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += np.float64(data[k]) * data[k]
        return total

    return sparse


@overload(add)
def _add(X: Any, i: Any, w: Any, c: Any) -> Any:
    if isinstance(X, types.Array):

        def dense(X: Any, i: Any, w: Any, c: Any) -> Any:
            squares = sizes = 0.0
            for j in range(X.shape[1]):
                new = w[j] + c * X[i, j]
                w[j] = new
                squares += new * new
                sizes += abs(new)
            return squares, sizes

        return dense

    def sparse(X: Any, i: Any, w: Any, c: Any) -> Any:
        data, indices, indptr = X
        squares = sizes = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            new = w[j] + c * data[k]
            w[j] = new
            squares += new * new
            sizes += abs(new)
        return squares, sizes

    return sparse


@overload(truncate)
def _truncate(X: Any, i: Any, w: Any, q: Any, u: Any, scale: Any, average: Any, a: Any) -> Any:
    if isinstance(X, types.Array):

        def dense(X: Any, i: Any, w: Any, q: Any, u: Any, scale: Any, average: Any, a: Any) -> Any:
            for j in range(X.shape[1]):
                old = w[j]
                new = _owed(old, q[j], u, scale)
                w[j] = new
                q[j] += scale * (new - old)
                if a != 0.0:
                    average[j] -= a * (new - old)

        return dense

    def sparse(X: Any, i: Any, w: Any, q: Any, u: Any, scale: Any, average: Any, a: Any) -> Any:
        _, indices, indptr = X
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            old = w[j]
            new = _owed(old, q[j], u, scale)
            w[j] = new
            q[j] += scale * (new - old)
            if a != 0.0:
                average[j] -= a * (new - old)

    return sparse
