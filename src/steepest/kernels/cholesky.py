"""Cholesky factorisation and solution, compiled: serial, so that small systems never wait for threads."""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing


@borrowing
def cholesky_solve(matrix: Any, b: Any) -> Any:
    """Overwrite ``b`` with the solution of ``matrix x = b``; False if ``matrix`` is not positive definite enough.

    Reference: ``numpy.linalg.solve``. The lower triangle of ``matrix`` is overwritten by L with ``matrix = L L^T``::

        L_ij = (a_ij - sum_{k<j} L_ik L_jk) / L_jj  for j < i,      L_ii = sqrt(a_ii - sum_{k<i} L_ik^2)

    row by row, four columns at a time, so that row i is read once for four dot products. A pivot that cancels to
    1e-12 of its diagonal entry tells of dependent columns.
    """
    n = len(b)
    for i in range(n):
        row = matrix[i]
        _eliminate(matrix, row, i)
        square, product = 0.0, 0.0
        for k in range(i):
            square += row[k] * row[k]
            product += row[k] * b[k]
        pivot = row[i] - square
        if not pivot > 1e-12 * row[i]:
            return False
        row[i] = np.sqrt(pivot)
        b[i] = (b[i] - product) / row[i]  # L z = b as the rows of L come
    for i in range(n - 1, -1, -1):  # L^T x = z
        b[i] /= matrix[i, i]
        row, b_i = matrix[i], b[i]
        for k in range(i):
            b[k] -= b_i * row[k]
    return True


@borrowing
def _eliminate(matrix: Any, row: Any, i: Any) -> None:
    """Turn the first i entries of row i of the matrix into those of L, given the rows of L above."""
    j = 0
    while j + 4 <= i:
        r0, r1, r2, r3 = matrix[j], matrix[j + 1], matrix[j + 2], matrix[j + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for k in range(j):
            v = row[k]
            s0 += v * r0[k]
            s1 += v * r1[k]
            s2 += v * r2[k]
            s3 += v * r3[k]
        row[j] = (row[j] - s0) / r0[j]
        row[j + 1] = (row[j + 1] - s1 - row[j] * r1[j]) / r1[j + 1]
        row[j + 2] = (row[j + 2] - s2 - row[j] * r2[j] - row[j + 1] * r2[j + 1]) / r2[j + 2]
        rest = row[j] * r3[j] + row[j + 1] * r3[j + 1] + row[j + 2] * r3[j + 2]
        row[j + 3] = (row[j + 3] - s3 - rest) / r3[j + 3]
        j += 4
    while j < i:
        other = matrix[j]
        product = 0.0
        for k in range(j):
            product += row[k] * other[k]
        row[j] = (row[j] - product) / other[j]
        j += 1
