"""Threads over blocks of rows.

Kernels release the interpreter lock and work on a range of rows; this file cuts the rows into blocks whose
boundaries do not depend on the number of threads, so that sums over blocks come out the same on any machine.

To wake a thread takes as long as a short pass, and so does waking up from waiting for it. So a thread that has finished
looks out for the next task a while, in compiled code, before it goes to sleep, and who waits for it does the same: in
a row of passes all threads are awake. They offer their core to others meanwhile.
"""

import atexit
import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

import numpy as np

from steepest.typing import IntArray

T = TypeVar("T")

LINE = 8  # words of a line of the cache: each word has its own, lest threads that change one disturb who reads another
# Of a pool's board: how many tasks there have been, how often its threads were called to watch it, how many do, what is
# offered, and from which core.
POSTED, CALLED, WATCHING, CORE, OFFER, BOARD_WORDS = 0, LINE, 2 * LINE, 3 * LINE, 4 * LINE, 9 * LINE
NOTHING_CAME, TASK_CAME = -1, -2  # why a thread watches a board no longer

core: Callable[[], int] | None = None  # the number of the core on which the caller runs
if hasattr(os, "sched_setaffinity"):
    core = getattr(ctypes.PyDLL(None), "sched_getcpu", None)


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

    The calling thread starts at once, and the others take from it what is left. A function may itself call this one.
    """
    starts = range(0, n_rows, block_rows)
    if len(starts) == 1:
        return [function(0, n_rows)]
    results: list[Any] = [None] * len(starts)
    numbers = iter(range(len(starts)))  # one step of an iterator is one step of the interpreter

    def work() -> None:
        for i in numbers:
            results[i] = function(starts[i], min(starts[i] + block_rows, n_rows))

    others: list[Task] = []
    try:
        for _ in range(min(n_threads(), len(starts)) - 1):
            others.append(submit(work))
        work()
    finally:
        for _ in numbers:  # of blocks that nobody is to begin after an error
            pass
        for other in others:
            if not other.cancel():  # who has not begun by now finds nothing left
                other.result()
    return results


class Task:
    """A call that a thread of the pool makes, unless it is cancelled before."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._function, self._arguments = function, arguments
        self._taken = core() if core else -1
        self._claim, self._unfinished = Lock(), Lock()
        self._finished = np.zeros(1, dtype=np.int64)
        self._result: Any = None
        self._error: BaseException | None = None
        self._unfinished.acquire()

    def cancel(self) -> bool:
        """Return whether nobody has begun; nobody will, then."""
        return self._claim.acquire(blocking=False)

    def run(self) -> None:
        """Make the call."""
        if self.cancel():  # now nobody else will
            leave(self._taken)
            try:
                self._result = self._function(*self._arguments)
            except BaseException as error:
                self._error = error
            self._unfinished.release()
            self._finished[0] = 1

    def begun(self) -> bool:
        """Return whether a thread makes the call, or has made it."""
        return self._claim.locked()

    def done(self) -> bool:
        """Return whether the call is over."""
        return not self._unfinished.locked()

    def result(self) -> Any:
        """Return what the call returned, or raise what it raised, when it is over."""
        changes(self._finished, 0)
        with self._unfinished:
            if self._error is not None:
                raise self._error
            return self._result


def leave(taken: int) -> None:
    """Have the calling thread go on elsewhere if it runs on a core that is taken.

    Linux may wake a thread on the core of who wakes it, and leave both there for tens of milliseconds beside an idle
    one. A thread that for a moment may not be there is moved, and stays where it is then. Where a thread may not choose
    its cores, it stays.
    """
    if core and core() == taken:
        with suppress(OSError):
            allowed = os.sched_getaffinity(0)
            if len(allowed) > 1:
                os.sched_setaffinity(0, allowed - {taken})
                os.sched_setaffinity(0, allowed)


def give_way() -> None:
    """Let a thread that was woken on this core leave it now, and not some milliseconds later."""
    if core:
        os.sched_yield()


class Pool:
    """Threads that do tasks as they come."""

    def __init__(self, size: int) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._board = np.zeros(BOARD_WORDS, dtype=np.int64)
        self._calls: list[Task] = []
        self._threads = [Thread(target=self._work, name=f"steepest-{i}", daemon=True) for i in range(size)]
        for thread in self._threads:
            thread.start()

    def add(self, task: Task | None) -> None:
        """Let a thread do a task, or leave."""
        self._tasks.put(task)
        self._board[POSTED] += 1
        give_way()

    def watched_by(self, n_watching: int) -> IntArray:
        """Return the board; so many threads watch it, or are called to."""
        n_watching = min(n_watching, len(self._threads))
        self._board[CALLED] += 1  # who is about to leave stays; who has left is seen to have
        if self._board[WATCHING] < n_watching:
            self._calls = [call for call in self._calls if not call.begun()]
            for _ in range(n_watching - int(self._board[WATCHING]) - len(self._calls)):
                self._calls.append(Task(self._watch, (int(self._board[POSTED]),)))
                self._tasks.put(self._calls[-1])  # is not posted: not to be done by who watches
            give_way()
        return self._board

    def dismiss(self) -> None:
        """Let all threads leave."""
        for _ in self._threads:
            self.add(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task.run()
            del task

    def _next(self) -> Task | None:
        while True:
            posted = int(self._board[POSTED])
            try:
                return self._tasks.get_nowait()
            except Empty:
                if not self._watch(posted):
                    return self._tasks.get()

    def _watch(self, posted: int) -> bool:
        """Watch the board; return whether there may be another task than those posted before."""
        moved = -1
        while (reason := watch(self._board, posted, moved)) not in (TASK_CAME, NOTHING_CAME):
            leave(int(self._board[CORE]))
            moved = reason
        return reason == TASK_CAME


def changes(word: IntArray, seen: int) -> bool:
    """Wait a moment for ``word[0]`` to change, if compiled code, in which to wait, is used at all."""
    if "numba" not in sys.modules:
        return False
    from steepest.kernels import waiting

    return waiting.changes(word, seen)


def watch(board: IntArray, posted: int, moved: int) -> int:
    """Wait a moment for another task than those ``posted``, and take part in passes of compiled code meanwhile.

    Return whether a task came or nothing, or the number of a pass that is offered from the core on which this thread
    runs; of the pass for which it ``moved``, it is not to be told again.
    """
    if "numba" not in sys.modules:
        return NOTHING_CAME
    from steepest.kernels import relay

    return relay.watch(board, posted, moved)


_pool: Pool | None = None


def the_pool() -> Pool:
    """Return the threads that do tasks: one fewer than may work, as who asks takes part.

    A spare one would be woken in turns, on a core that is taken.
    """
    global _pool
    if _pool is None:
        _pool = Pool(max(1, n_threads() - 1))
    return _pool


def submit(function: Callable[..., Any], *arguments: Any) -> Task:
    """Let another thread call ``function`` as soon as one is free."""
    task = Task(function, arguments)
    the_pool().add(task)
    return task


@atexit.register
def dismiss_pool() -> None:
    """Let all threads leave; who asks for some later gets new ones."""
    if _pool is not None:
        _pool.dismiss()
    _forget_pool()


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_pool)
