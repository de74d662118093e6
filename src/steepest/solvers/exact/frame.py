r"""The origin and the units in which a least-squares problem is solved.

With ``X' = (X - 1 o^T) / u`` and ``Y' = Y / t``, for an intercept where o is not zero, the objective is::

    |Y - X W - 1 b^T|^2 + ridge |W|^2 = t^2 (|Y' - X' W' - 1 b'^T|^2 + (ridge / u^2) |W'|^2)
    W = (t / u) W'        b = t b' - o^T W

so that the minimum of one gives the minimum of the other. Two kinds of data need it; others are left as they are:

* Numbers whose squares overflow or vanish. u and t are powers of two: dividing by them rounds nothing.
* Columns that are large beside their spread. A mean is rounded by ``eps |m|``, and what an error e in it does to the
  coefficients is of the order of ``(e / spread)^2``: nothing, up to a ratio of about 1e8. Beyond, o is taken from the
  column itself, as the difference of two numbers within a factor of 2 of each other is exact (Sterbenz, 1974).

A column is constant if its numbers are equal: no bound on rounding tells it from one that hardly varies.
"""

from dataclasses import dataclass
from math import frexp, isfinite, ldexp
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.typing import Array

FINE = 300  # numbers between 2^-300 and 2^300 have squares, and sums of them, to spare
FAR = float(1 << 24)  # a column this much larger than its spread is moved
LOOKED_AT = 64


@dataclass
class Frame:
    """The data as they are solved, and where they came from.

    Attributes
    ----------
    X : array or sparse array (n, d)
        ``(X - 1 o^T) / u``; the user's own where o is 0 and u is 1.
    origin : array (d,)
        o.
    exponent : int
        u is 2 to this power.
    constant : bool array (d,)
        The columns of X that do not vary, other than those of zeros, where there is an intercept.
    """

    X: Any
    origin: Array
    exponent: int
    constant: NDArray[np.bool_]


def framed(X: Any, ridge: float, centre: bool) -> Frame:
    """Return X in its frame; the coefficients are held back by ``ridge``, at the least."""
    d = X.shape[1]
    origin, constant = np.zeros(d), np.zeros(d, dtype=bool)
    if centre and sparse.issparse(X):
        constant = _constant_sparse(X)
    elif centre and X.dtype == np.float64 and len(X):  # single precision is centred in double: nothing is lost
        constant, far = _constant_and_far(X)
        origin[far] = X[0, far]
        if far.any():
            X = X - origin
    exponent = beside_ridge(size_exponent(X.data if sparse.issparse(X) else X), ridge)
    return Frame(scaled(X, -exponent), origin, exponent, constant)


def scaled(A: Any, exponent: int) -> Any:
    """Return ``2^exponent A``, which is A itself if the exponent is 0."""
    if exponent == 0:
        return A
    if sparse.issparse(A):
        A = A.copy()
        A.data = np.ldexp(A.data, exponent)
        return A
    with np.errstate(over="ignore"):
        return np.ldexp(A, exponent)


def size_exponent(A: Array) -> int:
    """Return the exponent e for which the largest number is about 2^e; 0 where none needs it."""
    looked_at = A[:: max(1, len(A) // LOOKED_AT)]
    seen = float(np.max(np.abs(looked_at), initial=0.0))
    if not isfinite(seen) or ldexp(1.0, -FINE) <= seen <= ldexp(1.0, FINE):
        return 0
    largest = float(np.max(np.abs(A), initial=0.0))
    exponent = frexp(largest)[1]
    return exponent if isfinite(largest) and abs(exponent) > FINE else 0


def beside_ridge(exponent: int, ridge: float) -> int:
    """Return the exponent of the units of data of this size: those of the ridge's root where they are small beside it.

    Examples
    --------
    >>> beside_ridge(-400, 0.0), beside_ridge(-400, 2.0**-600), beside_ridge(-400, 1.0)
    (-400, -300, 0)
    """
    if exponent < 0 and ridge > 0:
        return min(max(exponent, frexp(ridge)[1] // 2), 0)
    return exponent


def _constant_and_far(X: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which columns do not vary, and which vary little beside their size; by some rows, unless equal there."""
    some = X[:: max(1, len(X) // LOOKED_AT)]
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.ptp(some, axis=0)
        far = np.isfinite(some[0]) & (np.abs(some[0]) > FAR * spread)
    constant = np.zeros(len(far), dtype=bool)
    equal = np.flatnonzero(far & (spread == 0))
    if equal.size:
        constant[equal] = np.all(X[:, equal] == X[0, equal], axis=0)
    return constant, far & ~constant


def _constant_sparse(X: Any) -> NDArray[np.bool_]:
    """Return which columns of X (CSR or CSC) have all of their numbers stored, and equal."""
    n, d = X.shape
    constant = np.zeros(d, dtype=bool)
    if not 0 < n <= X.nnz:
        return constant
    stored = np.diff(X.indptr) if X.format == "csc" else np.bincount(X.indices, minlength=d)
    full = np.flatnonzero(stored == n)
    columns = X[:, full].toarray()
    constant[full] = np.all(columns == columns[0], axis=0)
    return constant
