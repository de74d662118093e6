"""Work shared among threads is done once, and its errors are heard of."""

import numpy as np
import pytest

from steepest.kernels import threads


@pytest.mark.parametrize("n_threads", ["1", "2", "5"])
@pytest.mark.parametrize("n_rows, block_rows", [(0, 3), (1, 3), (3, 3), (100, 7)])
def test_every_row_is_visited_once(n_threads, n_rows, block_rows, monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", n_threads)
    threads._forget_pool()
    visits = np.zeros(n_rows, dtype=int)

    def visit(start, stop):
        assert stop - start <= block_rows
        visits[start:stop] += 1

    threads.map_blocks(visit, n_rows, block_rows)
    threads._forget_pool()
    np.testing.assert_array_equal(visits, 1)


def test_results_come_in_order_and_blocks_may_call_for_threads_themselves(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "3")
    threads._forget_pool()

    def inner(start, stop):
        return threads.map_blocks(lambda a, b: (start + a, start + b), stop - start, 2)

    assert threads.map_blocks(inner, 8, 4) == [[(0, 2), (2, 4)], [(4, 6), (6, 8)]]
    for _ in range(200):  # more callers than threads: nobody waits for work that cannot begin
        assert sum(map(len, threads.map_blocks(inner, 40, 4))) == 20
    threads._forget_pool()


def test_an_error_in_any_thread_is_raised(monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")

    def fail(start, stop):
        if start == 50:
            raise ValueError("row 50")

    with pytest.raises(ValueError, match="row 50"):
        threads.map_blocks(fail, 100, 1)
