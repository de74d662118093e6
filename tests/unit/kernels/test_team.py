"""A team does every block of every pass once, whoever does it."""

import time

import numpy as np
import pytest

from steepest.kernels import team
from steepest.kernels.compile import compiled

N_BLOCKS = 40


@compiled
def count(counters, leads, n_blocks, given, done):
    """Add the number given to every block's."""
    turn = team.join(counters, leads)
    while turn >= 0:
        block = team.claim(counters)
        while block < n_blocks:
            done[block] += given[0]
            team.finish(counters)
            block = team.claim(counters)
        turn = team.next_turn(counters, leads, turn, n_blocks)


@pytest.fixture
def counting():
    """A number to add, the blocks' sums, and a team that adds it, of as many threads as are allowed then."""

    def of(n_blocks=N_BLOCKS):
        given, done = np.ones(1), np.zeros(n_blocks)
        return given, done, team.Team(count, n_blocks, given, done)

    return of


@pytest.mark.parametrize("n_threads", ["1", "2", "3", "7"])
def test_every_block_of_every_pass_is_done_once(n_threads, monkeypatch, counting):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", n_threads)
    given, done, runner = counting()
    for step in range(2000):
        given[0] = step
        runner.run()
        assert np.all(done == step * (step + 1) / 2)


def test_threads_that_went_to_sleep_are_called_again(monkeypatch, counting):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")
    _, done, runner = counting()
    for step in range(1, 4):
        runner.run()
        assert np.all(done == step)
        first = runner._others[0]
        while not first.done():
            time.sleep(0.001)
    runner.run()
    assert runner._others[0] is not first


def test_threads_that_were_dismissed_are_called_again(monkeypatch, counting):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")
    _, done, runner = counting()
    for step in range(1, 200):
        runner.run()
        assert np.all(done == step)
        runner.dismiss()
        if step % 20 == 0:
            runner._others[0].result()


@pytest.mark.parametrize("passes", [0, 1])
def test_a_leader_that_is_interrupted_leaves_nobody_waiting(passes, monkeypatch):
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "2")
    left_over = [passes]

    def broken_off(counters, leads, n_blocks, given, done):
        if leads and not left_over[0]:
            counters[team.DONE] = 0  # a pass is open whose blocks nobody does
            counters[team.TURN] += 1
            raise KeyboardInterrupt
        left_over[0] -= leads
        count(counters, leads, n_blocks, given, done)

    runner = team.Team(broken_off, N_BLOCKS, np.ones(1), np.zeros(N_BLOCKS))
    for _ in range(passes):
        runner.run()
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    deadline = time.monotonic() + 5.0
    while not all(other.done() for other in runner._others) and time.monotonic() < deadline:
        time.sleep(0.001)
    left = all(other.done() for other in runner._others)
    runner.dismiss()
    assert left


def test_one_block_needs_no_other_thread(counting):
    _, done, runner = counting(n_blocks=1)
    runner.run()
    assert done[0] == 1
    assert not runner._others
