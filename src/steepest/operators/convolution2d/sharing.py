"""How the blocks of a batch are shared among threads."""

from collections.abc import Callable
from typing import TypeVar

from steepest.kernels.threads import map_blocks, n_threads

T = TypeVar("T")

THREADED_PRODUCTS = 5_000_000  # fewer take a tenth of a millisecond or two: no longer than waking threads that sleep
SHARED_PRODUCTS = 100_000_000  # fewer are done before one thread could help another that is held up
SHARES = 4  # of each thread


def share(tasks: int, products: int) -> int:
    """Return how many of the tasks a thread takes at a time, where nothing is summed over tasks."""
    if products < THREADED_PRODUCTS:
        return max(1, tasks)
    shares = n_threads() * (SHARES if products >= SHARED_PRODUCTS else 1)
    return max(1, -(-tasks // shares))


def map_parts(function: Callable[[int, int], T], tasks: int, parts: int, products: int) -> list[T]:
    """Do the tasks in so many parts, whose sums are to be added, for any number of threads."""
    size = -(-tasks // parts)
    if products < THREADED_PRODUCTS:
        return [function(start, min(start + size, tasks)) for start in range(0, tasks, size)]
    return map_blocks(function, tasks, size)
