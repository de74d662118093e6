"""Gradient descent goes exactly where its formula says."""

from itertools import islice

import numpy as np
import pytest

from steepest.solvers.backtracking import backtracking_descent
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.loop import run
from steepest.solvers.schedules import InverseTime, ReduceOnPlateau
from steepest.solvers.stopping import GradientTolerance, Reason
from steepest.solvers.updates import Adam, Momentum
from tests.unit.solvers.problems import Rosenbrock, parabola, regression


def visited(steps, n_steps):
    return np.array([step.theta for step in islice(steps, n_steps + 1)])


def test_visits_what_one_computes_by_hand():
    steps = gradient_descent(parabola(2.0), np.array([-1.0]), learning_rate=0.25)
    np.testing.assert_array_equal(visited(steps, 4).ravel(), [-1.0, -0.5, -0.25, -0.125, -0.0625])


def test_a_step_says_what_it_did():
    steps = gradient_descent(parabola(2.0, 4.0), np.array([1.0, 1.0]), learning_rate=0.1)
    start, step = islice(steps, 2)
    assert (start.index, start.value) == (0, 3.0)
    assert start.gradient_norm == np.hypot(2.0, 4.0)
    np.testing.assert_allclose(step.theta, [0.8, 0.6])
    np.testing.assert_allclose(
        [step.value, step.gradient_norm, step.step_size, step.step_norm],
        [0.8**2 + 2 * 0.6**2, np.hypot(1.6, 2.4), 0.1, 0.1 * np.hypot(2.0, 4.0)],
    )
    # the step is -0.1 (2, 4): the curvature along it is (2 * 4 + 4 * 16) / (4 + 16)
    np.testing.assert_allclose(step.curvature, 3.6)


def test_earlier_steps_are_not_written_into():
    steps = gradient_descent(parabola(1.0), np.array([1.0]), learning_rate=0.5)
    thetas = [step.theta for step in islice(steps, 3)]
    np.testing.assert_array_equal(thetas, [[1.0], [0.5], [0.25]])


def test_a_schedule_gives_the_rates():
    steps = gradient_descent(parabola(1.0), np.array([1.0]), learning_rate=InverseTime(0.5, decay=1.0))
    np.testing.assert_allclose(visited(steps, 2).ravel(), [1.0, 0.5, 0.5 * (1 - 0.25)])


def test_a_plateau_schedule_sees_the_values():
    # at rate 2 the parabola is crossed for ever; the plateau halves the rate, which then hits the minimum
    schedule = ReduceOnPlateau(2.0, factor=0.5, patience=2)
    steps = list(islice(gradient_descent(parabola(1.0), np.array([1.0]), learning_rate=schedule), 5))
    assert [step.step_size for step in steps[1:]] == [2.0, 2.0, 1.0, 1.0]
    assert steps[-1].value == 0.0


@pytest.mark.parametrize("update", [Momentum(0.8), Adam()])
def test_update_rules_are_followed(update):
    objective, theta = parabola(1.0, 3.0), np.array([1.0, -1.0])
    path = visited(gradient_descent(objective, theta, learning_rate=0.1, update=update), 5)
    state = update.start(theta)
    for t in range(1, 6):
        delta, state = update.delta(theta, np.array([1.0, 3.0]) * theta, state, 0.1, t)
        theta = theta + delta
        np.testing.assert_allclose(path[t], theta, rtol=1e-14)


@pytest.mark.parametrize("update", [None, Momentum(0.5)])
def test_stride_leaves_out_steps_and_changes_none(update):
    def make(stride, max_iter=None):
        return gradient_descent(
            parabola(1.0, 3.0),
            np.array([1.0, -1.0]),
            learning_rate=0.1,
            update=update,
            stride=stride,
            max_iter=max_iter,
        )

    every = list(islice(make(1), 11))
    seldom = run(make(4, 10), max_iter=10)
    np.testing.assert_array_equal(seldom.trace["index"], [0, 4, 8, 10])
    for name in ("value", "gradient_norm", "step_norm", "curvature"):
        expected = [getattr(every[index], name) for index in (0, 4, 8, 10)]
        np.testing.assert_array_equal(seldom.trace[name], expected)


def test_float32_stays_float32():
    rng = np.random.default_rng(0)
    objective = regression()
    objective.X, objective.y = objective.X.astype(np.float32), objective.y.astype(np.float32)
    theta = rng.normal(size=objective.n_parameters).astype(np.float32)
    for update in (None, Momentum(), Adam()):
        for step in islice(gradient_descent(objective, theta, learning_rate=np.float64(0.01), update=update), 3):
            assert step.theta.dtype == np.float32


# ---------------------------------------------------------------------- backtracking


def test_a_rate_close_to_the_stable_limit_is_not_kept():
    # at 1/2 the steep error would turn round and keep 95% of its length in every step
    steps = backtracking_descent(parabola(3.9, 0.6), np.ones(2), first_rate=0.5)
    assert run(steps, max_iter=500, stopping=[GradientTolerance(1e-10)]).n_iter < 50


def test_backtracking_follows_the_curvature_both_ways():
    steep = run(backtracking_descent(parabola(1e4, 1e3), np.ones(2)), max_iter=300, stopping=[GradientTolerance(1e-9)])
    flat = run(
        backtracking_descent(parabola(1e-4, 1e-5), np.ones(2)), max_iter=300, stopping=[GradientTolerance(1e-12)]
    )
    for result in (steep, flat):
        assert result.reason is Reason.GRADIENT_TOLERANCE
        assert result.n_iter < 150
        np.testing.assert_allclose(result.theta, 0.0, atol=1e-6)


def test_backtracking_never_rises():
    result = run(backtracking_descent(Rosenbrock(), np.array([-1.2, 1.0])), max_iter=500)
    assert np.all(np.diff(result.trace["value"]) <= 0)
    assert result.value < 0.2


def test_backtracking_ends_in_rounding():
    result = run(backtracking_descent(regression(), np.zeros(7)), max_iter=5000)
    assert result.reason in (Reason.ROUNDING, Reason.GRADIENT_TOLERANCE)
    assert result.last.gradient_norm < 1e-12


class WrongSign(Rosenbrock):
    def gradient(self, theta):
        return -super().gradient(theta)


def test_a_wrong_gradient_is_not_called_convergence():
    result = run(backtracking_descent(WrongSign(), np.array([-1.2, 1.0])), max_iter=50)
    assert (result.reason, result.n_iter, result.success) == (Reason.NO_DESCENT, 0, False)
    assert "or its gradient is wrong" in result.message


def test_backtracking_at_a_minimum_ends_at_once():
    result = run(backtracking_descent(parabola(1.0), np.zeros(1)), max_iter=50)
    assert (result.reason, result.n_iter) == (Reason.GRADIENT_TOLERANCE, 0)
