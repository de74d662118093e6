"""A 64-bit key for every row of a matrix, by which equal rows find each other; reference: ``solvers.visits``."""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.rows import entries_key, entry_hash


@compiled
def write_row_keys(X: Any, y: Any, n_columns: Any, keys: Any, start: Any, stop: Any) -> None:
    """Write the keys of rows ``start`` to ``stop``; reference: ``solvers.visits.reference_keys``.

    ``X`` is a matrix as in ``steepest.kernels.rows``.
    """
    for i in range(start, stop):
        keys[i] = entries_key(X, i, n_columns) + entry_hash(y[i], np.uint64(0))


@compiled
def any_repeated(keys: Any, table: Any) -> Any:
    """Return whether some key occurs twice; reference: ``len(set(keys)) < len(keys)``.

    ``table`` is zeros, 2^m of them and more than there are keys. A key's place is given by its last m bits, or is the
    next one that is free.
    """
    last = np.uint64(table.shape[0] - 1)
    zeros = 0
    for key in keys:
        if key == 0:  # looks like a free place
            zeros += 1
            continue
        place = key & last
        while table[place] != 0:
            if table[place] == key:
                return True
            place = (place + np.uint64(1)) & last
        table[place] = key
    return zeros > 1
