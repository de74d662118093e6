"""Threads within one compiled call share tasks: each is done once, and phases do not overlap."""

import threading

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.crew import APART, await_all, claim, finish, open_words
from steepest.typing import Array, IntArray

N_TASKS, N_PHASES = 3, 400


@compiled
def add_up(words: IntArray, sums: Array, done: Array, mine: int) -> None:
    """In each phase, set every task's sum to that of all the sums of the phase before, and one."""
    for phase in range(1, N_PHASES + 1):
        for i in range(N_TASKS):
            task = (mine + i) % N_TASKS
            if claim(words, task, phase):
                total = 1.0
                for other in range(N_TASKS):
                    total += sums[(phase - 1) % 2, other]
                sums[phase % 2, task] = total % 1009.0
                done[task] += 1
                finish(words, task, phase)
        await_all(words, N_TASKS, phase)


def shared(n_threads: int) -> tuple[Array, Array]:
    words, sums, done = open_words(N_TASKS), np.zeros((2, N_TASKS)), np.zeros(N_TASKS)
    threads = [threading.Thread(target=add_up, args=(words, sums, done, mine)) for mine in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(words[::APART], 2 * N_PHASES)
    return sums, done


def test_every_task_is_done_once_a_phase_after_all_of_the_phase_before() -> None:
    alone, done = shared(1)
    np.testing.assert_array_equal(done, N_PHASES)
    for n_threads in (2, 5):
        sums, done = shared(n_threads)
        np.testing.assert_array_equal(done, N_PHASES)
        np.testing.assert_array_equal(sums, alone)


def test_a_task_is_claimed_once() -> None:
    words = open_words(2)
    assert claim(words, 1, 1)
    assert not claim(words, 1, 1)
    finish(words, 1, 1)
    assert not claim(words, 1, 1)
    assert claim(words, 1, 2)
    assert claim(words, 0, 1)


def test_a_single_task_needs_no_claim() -> None:
    words = open_words(1)
    assert words.size == 0
    assert claim(words, 0, 1)
    finish(words, 0, 1)
    await_all(words, 1, 1)
