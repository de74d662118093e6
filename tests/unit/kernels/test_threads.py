"""Work shared among threads is done once, and its errors are heard of."""

import os
import threading
import time

import numpy as np
import pytest

from steepest.kernels import threads, waiting


@pytest.mark.parametrize("n_threads", ["1", "2", "5"])
@pytest.mark.parametrize("n_rows, block_rows", [(0, 3), (1, 3), (3, 3), (100, 7)])
def test_every_row_is_visited_once(n_threads, n_rows, block_rows, monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", n_threads)
    threads.dismiss_pool()
    visits = np.zeros(n_rows, dtype=int)

    def visit(start, stop):
        assert stop - start <= block_rows
        visits[start:stop] += 1

    threads.map_blocks(visit, n_rows, block_rows)
    threads.dismiss_pool()
    np.testing.assert_array_equal(visits, 1)


def test_results_come_in_order_and_blocks_may_call_for_threads_themselves(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "3")
    threads.dismiss_pool()

    def inner(start, stop):
        return threads.map_blocks(lambda a, b: (start + a, start + b), stop - start, 2)

    assert threads.map_blocks(inner, 8, 4) == [[(0, 2), (2, 4)], [(4, 6), (6, 8)]]
    for _ in range(200):  # more callers than threads: nobody waits for work that cannot begin
        assert sum(map(len, threads.map_blocks(inner, 40, 4))) == 20
    threads.dismiss_pool()


def test_an_error_in_any_thread_is_raised(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")

    def fail(start, stop):
        if start == 50:
            raise ValueError("row 50")

    with pytest.raises(ValueError, match="row 50"):
        threads.map_blocks(fail, 100, 1)


def test_no_block_is_begun_after_the_calling_thread_was_interrupted(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")
    begun, helped = [], threading.Event()

    def interrupted(start, stop):
        if threading.current_thread() is threading.main_thread():
            helped.wait()
            raise KeyboardInterrupt
        helped.set()
        begun.append(start)
        time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        threads.map_blocks(interrupted, 1000, 1)
    assert len(begun) < 100


def test_a_task_is_done_by_one_thread_or_cancelled():
    task = threads.submit(lambda a, b: a + b, 3, 4)
    assert task.result() == 7 and task.done() and not task.cancel()
    begun, released = threading.Event(), threading.Event()
    held = [threads.submit(lambda: begun.set() or released.wait()) for _ in range(max(1, threads.n_threads() - 1))]
    begun.wait()
    spare = threads.submit(pytest.fail, "was cancelled")
    assert spare.cancel() and not spare.cancel() and not spare.done()
    released.set()
    assert [task.result() for task in held] == [True] * len(held)


def test_an_error_of_a_task_is_raised_where_its_result_is_asked_for():
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result()


def test_threads_that_fell_asleep_are_woken(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")
    for pause in (0.0, 0.001, 0.02):
        for _ in range(20):
            time.sleep(pause)
            assert threads.submit(threading.get_ident).result() != threading.get_ident()


def test_dismissed_threads_leave_and_others_come(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "4")
    threads.dismiss_pool()
    before = threading.active_count()
    assert threads.submit(threading.active_count).result() == before + 3
    threads.dismiss_pool()
    assert threading.active_count() == before
    assert threads.submit(abs, -1).result() == 1
    threads.dismiss_pool()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    threads.submit(abs, -1).result()
    child = os.fork()
    if child == 0:
        os._exit(threads.submit(abs, -7).result())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_word_is_watched_until_it_changes_or_patience_ends():
    word = np.zeros(1, dtype=np.int64)
    assert waiting.changes(word, 1)
    assert not waiting.changes(word, 0)
    changing = threading.Timer(0.01, word.__setitem__, (0, 1))
    changing.start()
    while not waiting.changes(word, 0):
        pass
    assert word[0] == 1
    changing.join()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads choose no cores here")
@pytest.mark.parametrize(
    "taken, allowed, moves", [(0, {0, 1, 5}, [{1, 5}, {0, 1, 5}]), (1, {0, 1, 5}, []), (-1, {0, 1}, []), (0, {0}, [])]
)
def test_a_thread_leaves_a_core_that_is_taken_and_may_come_back(taken, allowed, moves, monkeypatch):
    made = []
    monkeypatch.setattr(threads, "core", lambda: 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: allowed)
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, cores: made.append(cores))
    threads.leave(taken)
    assert made == moves


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads choose no cores here")
def test_a_thread_that_may_not_choose_its_cores_works_where_it_is(monkeypatch):
    def refuse(thread, cores):
        raise PermissionError("not here")

    monkeypatch.setattr(threads, "core", lambda: 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {0, 1})
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert threads.submit(lambda: 7).result() == 7


def test_compiled_code_finds_what_the_system_offers_whatever_was_compiled_before():
    assert bool(waiting.YIELD) == hasattr(os, "sched_yield")
    assert bool(waiting.CORE) == (threads.core is not None)
