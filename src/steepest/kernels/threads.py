"""Threads over blocks of rows.

Kernels release the interpreter lock and work on a range of rows; this file cuts the rows into blocks whose
boundaries do not depend on the number of threads, so that sums over blocks come out the same on any machine.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
    """Call ``function(start, stop)`` for every block of ``block_rows`` rows; return the results in order."""
    ranges = [(start, min(start + block_rows, n_rows)) for start in range(0, n_rows, block_rows)]
    if len(ranges) <= 1 or n_threads() == 1:
        return [function(start, stop) for start, stop in ranges]
    return list(_executor().map(lambda r: function(*r), ranges))


def share(function: Callable[[int, int], None], n_rows: int, block_rows: int) -> None:
    """Call ``function(start, stop)`` for every block of ``block_rows`` rows, in any order, on this thread too.

    The calling thread starts at once and the others take from it what is left: the way for work of a fraction of a
    millisecond. The function leaves its results where they belong.
    """
    starts = iter(range(0, n_rows, block_rows))  # one step of an iterator is one step of the interpreter

    def work() -> None:
        for start in starts:
            function(start, min(start + block_rows, n_rows))

    n_others = min(n_threads(), -(-n_rows // block_rows)) - 1
    others = [_executor().submit(work) for _ in range(n_others)]
    try:
        work()
    finally:
        for other in others:
            other.result()


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(n_threads(), thread_name_prefix="steepest")
    return _pool


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_pool)
