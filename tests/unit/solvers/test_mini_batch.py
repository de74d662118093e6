"""Mini-batches see every row once a pass, in a new order, and go where their formula says."""

from itertools import islice

import numpy as np
import pytest

from steepest.penalties import SquaredL2
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.mini_batch import batches, mini_batch_descent
from steepest.solvers.schedules import InverseTime
from steepest.solvers.updates import Adam
from tests.unit.solvers.problems import regression


def descend(objective, batch_size, n_passes=2, seed=0, **options):
    options = {"learning_rate": 0.01} | options
    steps = mini_batch_descent(
        objective, objective.start(), batch_size=batch_size, generator=np.random.default_rng(seed), **options
    )
    return list(islice(steps, n_passes + 1))


@pytest.mark.parametrize("batch_size", [1, 3, 10, 11])
def test_every_row_is_seen_once_a_pass(batch_size):
    drawn = list(batches(10, batch_size, np.random.default_rng(0)))
    np.testing.assert_array_equal(np.sort(np.concatenate(drawn)), np.arange(10))
    assert {len(rows) for rows in drawn[:-1]} <= {batch_size}


def test_each_pass_has_its_own_order():
    generator = np.random.default_rng(0)
    first, second = (np.concatenate(list(batches(10, 3, generator))) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.concatenate(list(batches(10, 3))), np.arange(10))


def test_updates_by_hand_without_shuffling():
    objective = regression(SquaredL2(0.3), n=7)
    steps = descend(objective, 3, n_passes=1, shuffle=False, watch=True)
    theta, path = objective.start(), []
    for rows in (range(3), range(3, 6), range(6, 7)):
        theta = theta - 0.01 * objective.batch(np.array(rows)).gradient(theta)
        path.append(theta)
    np.testing.assert_allclose(steps[1].updates, path, rtol=1e-13)
    np.testing.assert_array_equal(steps[1].theta, steps[1].updates[-1])
    np.testing.assert_allclose(steps[1].value, objective.value(theta), rtol=1e-13)
    np.testing.assert_allclose(steps[1].step_norm, np.linalg.norm(theta), rtol=1e-13)


def test_the_batch_gradients_average_to_the_gradient():
    objective = regression(SquaredL2(0.3), n=12)
    theta = np.random.default_rng(1).normal(size=7)
    mean = np.mean([objective.batch(rows).gradient(theta) for rows in batches(12, 4)], axis=0)
    np.testing.assert_allclose(mean, objective.gradient(theta), rtol=1e-12)


def test_one_batch_of_all_rows_is_gradient_descent():
    objective = regression()
    whole = list(islice(gradient_descent(objective, objective.start(), learning_rate=0.01), 4))
    ours = descend(objective, 200, n_passes=3)
    for a, b in zip(ours, whole, strict=True):
        np.testing.assert_allclose(a.theta, b.theta, rtol=1e-10)
        np.testing.assert_allclose(a.value, b.value, rtol=1e-10)


def test_updates_are_recorded_only_when_watched():
    assert descend(regression(), 50)[1].updates is None
    assert descend(regression(), 50, watch=True)[1].updates.shape == (4, 7)


def test_same_seed_same_run():
    one, two, other = (descend(regression(), 20, seed=seed)[-1].theta for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_update_rules_count_updates_not_passes():
    objective = regression(n=6)
    step = descend(objective, 2, n_passes=1, shuffle=False, update=Adam(), watch=True)[1]
    rule, theta = Adam(), objective.start()
    state = rule.start(theta)
    for t, start in enumerate((0, 2, 4), start=1):
        gradient = objective.batch(np.arange(start, start + 2)).gradient(theta)
        delta, state = rule.delta(theta, gradient, state, 0.01, t)
        theta = theta + delta
    np.testing.assert_allclose(step.theta, theta, rtol=1e-12)


def test_a_falling_rate_settles_where_a_fixed_one_does_not():
    objective = regression()
    best = np.linalg.lstsq(objective._extended(), objective.y)[0]
    schedule = InverseTime(0.02, decay=0.2)
    fixed, falling = (descend(objective, 1, n_passes=60, learning_rate=rate) for rate in (0.02, schedule))
    excess = [np.mean([step.value for step in steps[-20:]]) - objective.value(best) for steps in (fixed, falling)]
    assert excess[1] < 0.2 * excess[0]
    assert falling[-1].step_norm < 0.2 * fixed[-1].step_norm


def test_without_the_value_at_the_start_the_updates_are_the_same():
    objective = regression(n=7)
    blind, plain = (descend(objective, 3, whole_value=False, start=start) for start in (False, True))
    assert np.isnan(blind[0].value)
    assert np.isnan(blind[0].gradient_norm)
    np.testing.assert_array_equal(blind[2].theta, plain[2].theta)
