"""Threads that stay inside one compiled call and share its work, task by task.

To wake a thread takes some ten microseconds, as long as a whole training step of a small network. So each thread makes
the same compiled call, and all go through the same phases. A phase has a fixed number of tasks, whatever the number of
threads, so that results do not depend on it; whoever comes first claims a task, once that task's part of the phase
before is finished. Whoever needs what the others did in a phase awaits them all. A thread that comes late, or never,
finds its tasks done by the others.

What a task did in phase p is the number in its word of ``words``: 2 p - 1 once claimed, 2 p once finished.
"""

import numpy as np

from steepest.kernels.atomics import load, replace, store
from steepest.kernels.compile import borrowing
from steepest.kernels.waiting import rest
from steepest.typing import IntArray

APART = 16  # words from one task's to the next: two lines of the cache, which processors fetch together
PATIENCE = 4096  # looks at a word before the core is offered to others: some 50 microseconds


def open_words(n_tasks: int) -> IntArray:
    """Return the words of tasks of which none has begun; none for a single task, which needs no claim."""
    return np.zeros(n_tasks * APART if n_tasks > 1 else 0, dtype=np.int64)


@borrowing
def claim(words: IntArray, task: int, phase: int) -> bool:
    """Return whether a task of this phase, counted from 1, is the caller's: nobody else has it."""
    return words.size == 0 or bool(replace(words, task * APART, 2 * phase - 2, 2 * phase - 1))


@borrowing
def finish(words: IntArray, task: int, phase: int) -> None:
    """Say that a task is finished."""
    if words.size > 0:
        store(words, task * APART, 2 * phase)


@borrowing
def await_all(words: IntArray, n_tasks: int, phase: int) -> None:
    """Return when all tasks of this phase are finished."""
    for task in range(n_tasks if words.size > 0 else 0):
        looks = 0
        while load(words, task * APART) < 2 * phase:
            looks += 1
            rest(looks > PATIENCE)
