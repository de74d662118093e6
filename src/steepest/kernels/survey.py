r"""The first look at data that are to be iterated on: one pass for all that iterations start from.

With a guess c of the columns' means and a target of (weighted) mean zero, a reading of X gives::

    sum_i s_i (x_i - c)              of which the means follow, c + sum / sum_i s_i
    sum_i s_i (x_i - c) y_i          which is Xc^T S y: the c drops out, as sum_i s_i y_i = 0

and, on the way, a copy of ``x_i - c`` in single precision: half the bytes, for passes that need no more digits.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing
from steepest.kernels.threads import map_blocks
from steepest.typing import Array

_ENTRIES = 1 << 17  # of X in a block
_CHUNKS = 32  # parts of the rows, each summed by itself
_ROWS = 4  # taken together: the sums are read and written once for all of them


def reference_survey(X: Array, weights: Array, y: Array, guess: Array) -> tuple[Array, Array, Array]:
    """Return the same as :func:`survey`: the formulas as they are read."""
    Z = X.astype(np.float64) - guess
    return weights @ Z, (weights * y) @ Z, Z.astype(np.float32)


def survey(X: Array, weights: Array, y: Array, guess: Array, *, copy: bool) -> tuple[Array, Array, Array | None]:
    """Return the two sums (d,) of X (n, d), and with ``copy`` the centred copy in the order of X."""
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        X = np.ascontiguousarray(X)
    n, d = X.shape
    made = np.empty_like(X, dtype=np.float32) if copy else np.empty((0, 0), dtype=np.float32)
    weighted = weights * y
    if not X.flags.c_contiguous:
        sums, products = np.empty(d), np.empty(d)

        def columns(start: int, stop: int) -> None:
            _survey_columns(X.T, weights, weighted, guess, start, stop, made.T, sums, products)

        map_blocks(columns, d, max(1, _ENTRIES // max(n, 1)))
        return sums, products, made if copy else None
    rows = -(-max(_ENTRIES // max(d, 1), n // _CHUNKS, 1) // _ROWS) * _ROWS
    parts = np.zeros((-(-n // rows), 2, d))

    def block(start: int, stop: int) -> None:
        _survey_rows(X, weights, weighted, guess, start, stop, made, *parts[start // rows])

    map_blocks(block, n, rows)
    sums, products = parts.sum(axis=0)
    return sums, products, made if copy else None


@borrowing
def _survey_rows(
    X: Any, s: Any, sy: Any, guess: Any, start: Any, stop: Any, copy: Any, sums: Any, products: Any
) -> None:
    """Add rows ``start`` to ``stop`` of X (n, d) to both sums; twin of the reference above."""
    whole = start + (stop - start) // _ROWS * _ROWS
    for i in range(start, whole, _ROWS):
        x0, x1, x2, x3 = X[i], X[i + 1], X[i + 2], X[i + 3]
        s0, s1, s2, s3 = s[i], s[i + 1], s[i + 2], s[i + 3]
        t0, t1, t2, t3 = sy[i], sy[i + 1], sy[i + 2], sy[i + 3]
        for j in range(X.shape[1]):
            c = guess[j]
            z0, z1, z2, z3 = x0[j] - c, x1[j] - c, x2[j] - c, x3[j] - c
            sums[j] += (s0 * z0 + s1 * z1) + (s2 * z2 + s3 * z3)
            products[j] += (t0 * z0 + t1 * z1) + (t2 * z2 + t3 * z3)
    for i in range(whole, stop):
        for j in range(X.shape[1]):
            z = X[i, j] - guess[j]
            sums[j] += s[i] * z
            products[j] += sy[i] * z
    if copy.size > 0:
        for i in range(start, stop):
            for j in range(X.shape[1]):
                copy[i, j] = X[i, j] - guess[j]


@borrowing
def _survey_columns(
    X: Any, s: Any, sy: Any, guess: Any, start: Any, stop: Any, copy: Any, sums: Any, products: Any
) -> None:
    """Write both sums of columns ``start`` to ``stop`` of X given as its transpose (d, n); twin of the reference."""
    for j in range(start, stop):
        total, product = 0.0, 0.0
        for i in range(X.shape[1]):
            z = X[j, i] - guess[j]
            total += s[i] * z
            product += sy[i] * z
        sums[j], products[j] = total, product
        if copy.size > 0:
            for i in range(X.shape[1]):
                copy[j, i] = X[j, i] - guess[j]
