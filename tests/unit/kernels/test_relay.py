"""Threads that share a pass in compiled code do every task once, whoever comes, fails or leaves."""

import multiprocessing
import os
import signal
import threading
import time

import numpy as np
import pytest

from steepest.kernels import relay, threads
from steepest.kernels.atomics import fetch_add, load, store
from steepest.kernels.compile import compiled
from steepest.kernels.relay import Turn, run, shared
from steepest.kernels.waiting import core, rest

N_TASKS, BLOCK = 1000, 7
LONG = 1 << 24  # looks: some ten seconds
SHORT = 1 << 18


@shared
def add(given, done, sums, turn):
    """Add a number to every task's, and write the sum of a block to its place."""
    for task in range(turn.start, turn.stop):
        done[task] += given[0]
        sums[turn.block] += done[task]


@shared
def mark_space(spaces, mixed, turn):
    """Use a worker's space, and count who finds that another used it meanwhile."""
    space = spaces[turn.worker]
    for round in range(20):
        for i in range(len(space)):
            space[i] = turn.block * 100 + round
        rest(True)
        for i in range(len(space)):
            mixed[turn.block] += space[i] != turn.block * 100 + round


@shared
def meet(words, done, turn):
    """Wait in each block until all have been begun, or for a while."""
    fetch_add(words, 0, 1)
    looks = 0
    while load(words, 0) < len(done) and looks < SHORT:
        looks += 1
        rest(True)
    done[turn.block] = 1 + turn.worker


@shared
def fail(helpers_only, done, turn):
    """Fail in block 5: whoever does it, or a helper, which leaves block 5 to them."""
    if turn.block == 5 and (turn.worker > 0 or not helpers_only):
        raise ValueError("block 5")
    looks = 0
    while helpers_only and turn.worker == 0 and turn.block < 5 and looks < 10_000_000:
        looks += 1
    done[turn.block] += 1


@shared
def hold(words, done, turn):
    """Say that a pass has begun, and go on when told."""
    store(words, 0, 1)
    looks = 0
    while load(words, 8) == 0 and looks < LONG:
        looks += 1
        rest(True)
    done[turn.block] += 1


@compiled
def core_now():
    """Return the number of this thread's core."""
    return core()


@pytest.fixture(autouse=True, params=["2"])
def n_threads(request, monkeypatch):
    """Set how many threads there are; a test may ask for others."""
    monkeypatch.setenv("STEEPEST_NUM_THREADS", request.param)
    threads.dismiss_pool()
    yield int(request.param)
    threads.dismiss_pool()


def work(n_tasks=N_TASKS, block=BLOCK, allowed=None, passes=1):
    """Return what so many passes leave: the tasks' numbers, and the blocks' sums."""
    done, sums = np.zeros(n_tasks), np.zeros(-(-n_tasks // block))
    for step in range(1, passes + 1):
        run(add, allowed or threads.n_threads(), n_tasks, block, np.full(1, step / 3), done, sums)
    return done, sums


@pytest.mark.parametrize("n_threads", ["1", "2", "5"], indirect=True)
@pytest.mark.parametrize("n_tasks, block", [(0, 3), (1, 3), (3, 3), (100, 7), (100, 1)])
def test_every_task_of_every_pass_is_done_once(n_threads, n_tasks, block):
    done, _ = work(n_tasks, block, passes=200)
    assert np.all(done == sum(step / 3 for step in range(1, 201)))


@pytest.mark.parametrize("n_threads", ["2", "5"], indirect=True)
def test_results_have_the_same_bits_for_any_number_of_threads(n_threads):
    expected = work(allowed=1, passes=50)
    for _ in range(20):
        for found, wanted in zip(work(passes=50), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("n_threads", ["2", "5"], indirect=True)
def test_each_worker_of_a_pass_has_space_of_its_own(n_threads):
    mixed = np.zeros(100, dtype=np.int64)
    for allowed in (n_threads, 2):
        run(mark_space, allowed, len(mixed), 1, np.zeros((allowed, 64), dtype=np.int64), mixed)
    assert not mixed.any()


@pytest.mark.parametrize("n_threads", ["2", "5"], indirect=True)
def test_threads_that_are_asleep_or_awake_take_part(n_threads):
    for pause in (0.0, 0.0, 0.0, 0.001, 0.02):
        assert any(met(n_threads, pause) for _ in range(20))


def met(n_threads, pause):
    """Return whether all threads were in a pass at once."""
    time.sleep(pause)
    words, done = np.zeros(1, dtype=np.int64), np.zeros(n_threads, dtype=np.int64)
    run(meet, n_threads, n_threads, 1, words, done)
    return sorted(done) == list(range(1, n_threads + 1))


def test_who_is_busy_is_not_waited_for():
    begun, released = threading.Event(), threading.Event()
    busy = threads.submit(lambda: begun.set() or released.wait())
    begun.wait()
    for _ in range(100):
        done, _ = work()
        assert np.all(done == 1 / 3)
    assert len(threads.the_pool()._calls) == 1  # who is to come is called once, however many passes there are
    released.set()
    assert busy.result()


@pytest.mark.parametrize("n_threads", ["2", "5"], indirect=True)
def test_several_threads_may_begin_passes_at_once(n_threads):
    found = []

    def caller():
        found.append(work(passes=300)[0])

    callers = [threading.Thread(target=caller) for _ in range(3)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert len(found) == 3
    assert np.all(np.array(found) == sum(step / 3 for step in range(1, 301)))


def test_a_pass_in_a_block_of_another_call_for_threads_is_done():
    def inner(start, stop):
        return work(passes=20)[0]

    expected = sum(step / 3 for step in range(1, 21))
    assert np.all(np.array(threads.map_blocks(inner, 20, 1)) == expected)


@pytest.mark.parametrize("n_threads", ["1", "2", "5"], indirect=True)
def test_an_error_is_raised_and_the_next_pass_is_done(n_threads):
    for _ in range(20):
        done = np.zeros(50)
        with pytest.raises(ValueError, match="block 5"):
            run(fail, n_threads, 50, 1, False, done)
        assert done.max() == 1 and done[5] == 0
        assert np.all(work()[0] == 1 / 3)


def test_what_a_helper_fails_in_is_done_by_the_caller():
    failed = 0
    for _ in range(50):
        done = np.zeros(50)
        run(fail, 2, 50, 1, True, done)
        np.testing.assert_array_equal(done, 1)
        failed += threads.the_pool()._board[relay.NUMBER] > 0
    assert failed


def test_dismissed_threads_are_not_waited_for_and_others_come():
    stop = threading.Event()

    def dismiss():
        while not stop.is_set():
            threads.dismiss_pool()
            time.sleep(0.001)

    dismissing = threading.Thread(target=dismiss)
    dismissing.start()
    for _ in range(50):
        done, _ = work(passes=20)
        assert np.all(done == sum(step / 3 for step in range(1, 21)))
    stop.set()
    dismissing.join()


def test_an_interrupt_is_raised_after_the_pass():
    words, done = np.zeros(9, dtype=np.int64), np.zeros(20)

    def interrupt():
        while not words[0]:
            time.sleep(0.001)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        words[8] = 1

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        run(hold, 2, len(done), 1, words, done)
    interrupting.join()
    np.testing.assert_array_equal(done, 1)
    assert np.all(work()[0] == 1 / 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    work(passes=10)
    child = os.fork()
    if child == 0:
        os._exit(7 * any(met(2, 0.0) for _ in range(20)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert np.all(work()[0] == 1 / 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_children_of_a_process_whose_threads_are_in_a_pass_are_not_held_up():
    words, done = np.zeros(9, dtype=np.int64), np.zeros(2)
    other = threading.Thread(target=run, args=(hold, 2, 2, 1, words, done))
    other.start()
    while not words[0]:
        time.sleep(0.001)
    with multiprocessing.get_context("fork").Pool(2) as children:
        found = children.map_async(int_sum, range(4)).get(timeout=60)
    words[8] = 1
    other.join()
    np.testing.assert_array_equal(done, 1)
    assert found == [int_sum(0)] * 4


def int_sum(_):
    """Return a number that tells whether passes were done."""
    return float(work(passes=10)[0].sum())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads choose no cores here")
def test_a_thread_does_not_take_part_on_the_core_of_who_asks_until_it_has_moved():
    allowed = os.sched_getaffinity(0)
    board = np.zeros(threads.BOARD_WORDS, dtype=np.int64)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        board[threads.CORE] = core_now()
        assert board[threads.CORE] == min(allowed)
        board[relay.STATE], board[relay.NUMBER] = relay.OPEN, 3
        assert threads.watch(board, 0, -1) == 3
        assert board[relay.STATE] == relay.OPEN and board[threads.WATCHING] == 0
        board[relay.STATE] = 0
        assert threads.watch(board, 0, -1) == threads.NOTHING_CAME
        assert threads.watch(board, 7, -1) == threads.TASK_CAME
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_kernel_does_the_tasks_of_a_turn_when_called_as_such():
    done, sums = np.zeros(10), np.zeros(5)
    add(np.ones(1), done, sums, Turn(2, 4, 6, 0))
    np.testing.assert_array_equal(done, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(sums, [0, 0, 2, 0, 0])
