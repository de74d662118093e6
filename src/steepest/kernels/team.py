"""Threads that stay awake between short passes over the same arrays.

To hand a task to a thread takes some ten microseconds if it is awake and 50 if not, as long as a pass over 100,000
numbers. The threads of a team have the arrays already: they wait for the next pass in compiled code, without the
interpreter lock, and go to sleep only after a fifth of a millisecond without one. A pass is cut into blocks that
whoever is free claims: its first thread, the *leader*, never waits for a thread that sleeps, it only finds more blocks
left to do.

A pass is written as::

    @compiled
    def pass_in_team(counters, leads, n_blocks, *arrays):
        turn = join(counters, leads)
        while turn >= 0:
            block = claim(counters)
            while block < n_blocks:
                ...                                   # what is to be done with this block
                finish(counters)
                block = claim(counters)
            turn = next_turn(counters, leads, turn, n_blocks)

What changes between two passes has to be in the arrays.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.kernels.atomics import fetch_add, load, store
from steepest.kernels.compile import borrowing
from steepest.kernels.threads import LINE, Task, n_threads, submit
from steepest.typing import IntArray

NEXT, DONE, TURN = 0, LINE, 2 * LINE  # the next block to claim, how many are done, which pass it is (negative: it was)
LEFT = 3 * LINE  # how often a thread has gone to sleep
PATIENCE = 1_000_000  # looks at the counter before a thread goes to sleep: a fifth of a millisecond


@borrowing
def join(counters: IntArray, leads: bool) -> int:
    """Open the next pass, or take part in the one that is open; return its number."""
    if not leads:
        return _stay(counters, load(counters, TURN))
    turn = abs(load(counters, TURN)) + 1
    store(counters, DONE, 0)
    store(counters, NEXT, 0)
    store(counters, TURN, turn)
    return turn  # type: ignore[no-any-return]


@borrowing
def claim(counters: IntArray) -> int:
    """Return the number of a block that nobody else does; beyond the last, there is nothing left."""
    return fetch_add(counters, NEXT, 1)  # type: ignore[no-any-return]


@borrowing
def finish(counters: IntArray) -> None:
    """Say that a block is done."""
    fetch_add(counters, DONE, 1)


@borrowing
def next_turn(counters: IntArray, leads: bool, turn: int, n_blocks: int) -> int:
    """Wait: the leader until all blocks are done, the others for the next pass; return its number, -1 to leave."""
    if leads:
        while load(counters, DONE) < n_blocks:
            pass
        return -1
    looks = 0
    while looks < PATIENCE:  # since all blocks are done: some take longer
        now = load(counters, TURN)
        if now != turn:
            return _stay(counters, now)
        looks += load(counters, DONE) >= n_blocks
    return _stay(counters, -1)


@borrowing
def _stay(counters: IntArray, turn: int) -> int:
    """Return the number of the pass; if there is none, note that a thread leaves."""
    if turn < 0:
        fetch_add(counters, LEFT, 1)
    return turn


class Team:
    """Who runs a pass, again and again.

    Parameters
    ----------
    function : callable
        A compiled pass, see above.
    n_blocks : int
        How many blocks it has.
    *arrays
        Its other arguments.
    alone : bool
        Whether a pass takes no longer than waking another thread: the calling one does it all, then.
    """

    def __init__(self, function: Callable[..., None], n_blocks: int, *arrays: Any, alone: bool = False) -> None:
        self._function = function
        self._counters = np.zeros(4 * LINE, dtype=np.int64)
        self._counters[NEXT] = self._counters[DONE] = n_blocks  # nothing is left to do of the pass before the first
        self._counters[TURN] = 1
        self._arguments = (n_blocks, *arrays)
        self._others: list[Task] = []
        self._n_others = 0 if alone or n_blocks == 1 else min(n_threads(), n_blocks) - 1

    def run(self) -> None:
        """Run one pass on all threads."""
        self._others = [other for other in self._others if not other.done()]
        try:
            for _ in range(self._n_others - len(self._others)):
                self._others.append(submit(self._function, self._counters, False, *self._arguments))
            self._function(self._counters, True, *self._arguments)
        except BaseException:
            self.dismiss()  # nobody is to wait for what is left of a pass that was broken off
            raise

    def dismiss(self) -> None:
        """Send the other threads to sleep at once: their cores are needed for something else."""
        self._counters[TURN] = -abs(self._counters[TURN])
