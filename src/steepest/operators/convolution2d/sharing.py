"""How the tasks of a batch are shared among threads."""

from math import prod
from typing import Any

import numpy as np

from steepest.kernels.relay import Shared, run
from steepest.kernels.scratch import scratch
from steepest.kernels.threads import n_threads
from steepest.typing import Array

THREADED_PRODUCTS = 5_000_000  # fewer take a tenth of a millisecond or two: no longer than waking threads that sleep
SHARED_PRODUCTS = 100_000_000  # fewer are done before one thread could help another that is held up
SHARES = 4  # of each thread


def share(kernel: Shared, tasks: int, products: int, *arguments: Any) -> None:
    """Do the tasks, of which nothing is summed."""
    shares = workers(products) * (SHARES if products >= SHARED_PRODUCTS else 1)
    run(kernel, workers(products), tasks, max(1, -(-tasks // shares)), *arguments)


def share_parts(
    kernel: Shared, tasks: int, parts: int, products: int, *arguments: Any, shape: tuple[int, ...], dtype: Any
) -> Array:
    """Do the tasks in so many parts, for any number of threads; return the sum of an array that each adds to."""
    size = max(1, -(-tasks // parts))
    parts = max(1, -(-tasks // size))
    found = scratch("found", parts * prod(shape), dtype).reshape(parts, *shape)
    found.fill(0)
    run(kernel, workers(products), tasks, size, *arguments, found)
    return np.asarray(found.sum(axis=0))


def workers(products: int) -> int:
    """Return how many threads do so many products."""
    return n_threads() if products >= THREADED_PRODUCTS else 1


def spaces(name: str, count: int, size: int, dtype: Any) -> Array:
    """Return work space of so many workers, in which the calling thread's is the first."""
    return scratch(name, count * size, dtype).reshape(count, size)
