"""Which rows a pass of stochastic gradient descent visits, and how often: a weight of 2 means the row twice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.kernels.keys import any_repeated, write_row_keys
from steepest.kernels.threads import map_blocks
from steepest.typing import Array, IntArray

BLOCK_ROWS = 65536
GOLDEN, FIRST, SECOND = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53))
LONGEST = 64  # a pass visits at most so many times the number of rows
FEW_COLUMNS = 4  # enough to tell most rows apart


def reference_keys(X: Array, y: Array) -> "NDArray[np.uint64]":
    """Return a key for every row (y_i, x_i): the sum over its non-zero entries of a hash of value and column.

    Equal rows have equal keys; among n different rows two share a key with probability of about n^2 / 2^65. The hash is
    MurmurHash3's finaliser (A. Appleby, 2011) of the value's bits plus a multiple of the golden ratio's.
    """
    table = np.column_stack([y, X]).astype(np.float64)
    with np.errstate(over="ignore"):  # modulo 2^64 on purpose
        offsets: NDArray[np.uint64] = np.arange(1, table.shape[1] + 1, dtype=np.uint64) * GOLDEN
        bits: NDArray[np.uint64] = table.view(np.uint64) + offsets
        for factor in (FIRST, SECOND):
            bits = (bits ^ (bits >> np.uint64(33))) * factor
        bits ^= bits >> np.uint64(33)
        keys: NDArray[np.uint64] = np.where(table == 0.0, np.uint64(0), bits).sum(axis=1, dtype=np.uint64)
    return keys


def row_keys(X: Any, y: Array | IntArray, n_columns: int | None = None) -> "NDArray[np.uint64]":
    """Return what :func:`reference_keys` returns, of dense or CSR rows, of dense ones' first columns if so asked."""
    rows = (X.data, X.indices, X.indptr) if sparse.issparse(X) else X
    n_columns = X.shape[1] if n_columns is None else min(n_columns, X.shape[1])
    keys = np.empty(len(y), np.uint64)
    map_blocks(lambda start, stop: write_row_keys(rows, y, n_columns, keys, start, stop), len(y), BLOCK_ROWS)
    return keys


def has_repeats(X: Any, y: Array | IntArray, rows: IntArray) -> bool:
    """Return whether two of the rows are equal, up to a coincidence of keys."""
    table = np.empty(2 << max(len(rows) - 1, 1).bit_length(), np.uint64)
    for n_columns in (FEW_COLUMNS, None):  # most data are told to have no repeats by a few columns
        table[:] = 0
        keys = row_keys(X, y, n_columns)
        if not any_repeated(keys if len(rows) == len(keys) else keys[rows], table):
            return False
    return True


def plan_visits(X: Any, y: Array | IntArray, weight: Array | None, *, shuffled: bool) -> tuple[IntArray, Array | None]:
    """Return the rows to visit, in the order that is shuffled before every pass, and how often each is visited.

    Parameters
    ----------
    X, y : array (n, d) or CSR array, array (n,)
        The rows and their targets.
    weight : array (n,) or None
        Their weights, at least 0.
    shuffled : bool
        Whether the order of the rows has no meaning.

    Returns
    -------
    order : array of int
        Row numbers; a row of weight 0 is left out, one of weight w >= 1 stands there floor(w) times.
    visits : array (n,) in weight's dtype, or None
        How often each row is visited, if some more than once: a visit then carries the weight w / visits.

    Notes
    -----
    One update with twice the slope is not two updates: the second would be made elsewhere, at another rate. If w
    shall mean w copies of a row, then the copies have to be visited. And if the result shall not depend on how the
    copies came in, as one row of weight 2, as two neighbours or as two rows far apart, then they have to be found:
    where a row is repeated, the rows are sorted by a key of their content before they are shuffled. Where no row is
    repeated, which is the rule, they keep the order they came in.

    A pass visits at most ``LONGEST`` n rows; weights beyond that scale the slope, as all weights below 2 do.
    """
    n = len(y)
    order = np.arange(n, dtype=np.int32) if weight is None else np.flatnonzero(weight).astype(np.int32)
    visits = None
    if weight is not None and np.max(weight, initial=0.0) >= 2.0 and np.sum(weight, dtype=np.float64) <= LONGEST * n:
        visits = np.maximum(np.floor(weight), weight.dtype.type(1))
    if shuffled and (visits is not None or has_repeats(X, y, order)):
        order = order[np.argsort(row_keys(X, y)[order], kind="stable")]
    return (order, None) if visits is None else (np.repeat(order, visits[order].astype(np.int64)), visits)
