"""Threads over blocks of rows.

Kernels release the interpreter lock and work on a range of rows; this file cuts the rows into blocks whose
boundaries do not depend on the number of threads, so that sums over blocks come out the same on any machine.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_pool: ThreadPoolExecutor | None = None


def n_threads() -> int:
    """Return how many threads kernels use: ``STEEPEST_NUM_THREADS``, ``OMP_NUM_THREADS``, or the cores allowed."""
    for name in ("STEEPEST_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_blocks(function: Callable[[int, int], T], n_rows: int, block_rows: int) -> list[T]:
    """Call ``function(start, stop)`` for every block of ``block_rows`` rows, in any order; return the results in order.

    The calling thread starts at once, and the others take from it what is left: waking them takes about as long as a
    small block. A function may itself call this one.
    """
    starts = range(0, n_rows, block_rows)
    if len(starts) == 1:
        return [function(0, n_rows)]
    results: list[Any] = [None] * len(starts)
    numbers = iter(range(len(starts)))  # one step of an iterator is one step of the interpreter

    def work() -> None:
        for i in numbers:
            results[i] = function(starts[i], min(starts[i] + block_rows, n_rows))

    others = [submit(work) for _ in range(min(n_threads(), len(starts)) - 1)]
    try:
        work()
    finally:
        for other in others:
            if not other.cancel():  # who has not begun by now finds nothing left
                other.result()
    return results


def submit(function: Callable[..., T], *arguments: Any) -> Future[T]:
    """Let another thread call ``function`` as soon as one is free."""
    global _pool
    if _pool is None:
        # one fewer, as the calling thread takes part; a spare one would be woken in turns, on a core that is taken
        _pool = ThreadPoolExecutor(max(1, n_threads() - 1), thread_name_prefix="steepest")
    return _pool.submit(function, *arguments)


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_pool)
