"""A 64-bit key for every row of a matrix, by which equal rows find each other; reference: ``solvers.visits``."""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.rows import entries_key, mix


@compiled
def add_row_keys(X: Any, y: Any, keys: Any, start: Any, stop: Any) -> None:
    """Write into ``keys[start:stop]`` the keys of rows (x_i, y_i); reference: ``solvers.visits.reference_keys``.

    ``X`` is a matrix as in ``steepest.kernels.rows``.
    """
    for i in range(start, stop):
        keys[i] = entries_key(X, i) + mix(y[i], np.uint64(0))
