"""Proximal gradient and FISTA reach the optimum that subgradients certify."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from steepest.objectives.function import FunctionObjective
from steepest.penalties import L1, ElasticNet, NonNegative, NoPenalty
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.loop import run
from steepest.solvers.proximal import proximal_gradient
from steepest.solvers.stopping import GradientTolerance, Reason
from steepest.trace import Trace
from tests.unit.solvers.problems import classification, parabola, regression


def solve(objective, *, tol=1e-10, max_iter=20000, **options):
    steps = proximal_gradient(objective, objective.start(), **options)
    return run(steps, max_iter=max_iter, stopping=[GradientTolerance(tol)])


every_form = pytest.mark.parametrize("accelerated", [False, True])
every_rate = pytest.mark.parametrize("backtracking", [False, True])


@every_form
@every_rate
@pytest.mark.parametrize("penalty", [NoPenalty(), L1(0.2), ElasticNet(0.3, 0.5), NonNegative()])
@pytest.mark.parametrize("make", [regression, classification])
def test_the_optimum_is_reached(make, penalty, accelerated, backtracking):
    objective = make(penalty)
    rate = None if backtracking else 1.0 / objective.lipschitz()
    result = solve(objective, learning_rate=rate, accelerated=accelerated)
    assert result.reason in (Reason.GRADIENT_TOLERANCE, Reason.ROUNDING)
    # 0 must be a subgradient: the gradient of F is minus a slope of P, in every coefficient
    w, slope = objective.coefficients(result.theta), objective.smooth_value_and_gradient(result.theta)[1]
    inner = slope[:-1] + penalty.l2 * w
    away = w != 0
    np.testing.assert_allclose(inner[away], -penalty.l1 * np.sign(w[away]), atol=1e-8)
    assert np.all(inner[~away] >= -penalty.l1 - 1e-8)
    assert penalty.positive or np.all(inner[~away] <= penalty.l1 + 1e-8)
    np.testing.assert_allclose(slope[-1], 0.0, atol=1e-8)


@every_form
def test_non_negative_least_squares_as_scipy(accelerated):
    objective = regression(NonNegative(), fit_intercept=False)
    result = solve(objective, learning_rate=1.0 / objective.lipschitz(), accelerated=accelerated)
    peer = lsq_linear(objective.X, objective.y, bounds=(0, np.inf), tol=1e-15)
    np.testing.assert_allclose(result.theta, peer.x, atol=1e-8)


def test_without_a_penalty_it_is_gradient_descent():
    objective, theta = parabola(1.0, 3.0), np.array([1.0, -1.0])
    ours = islice(proximal_gradient(objective, theta, learning_rate=0.1), 6)
    for step, other in zip(ours, gradient_descent(objective, theta, learning_rate=0.1), strict=False):
        np.testing.assert_allclose(step.theta, other.theta, rtol=1e-14)
        np.testing.assert_allclose(step.value, other.value, rtol=1e-14)
        np.testing.assert_allclose(step.gradient_norm, other.gradient_norm, rtol=1e-12)


def test_plain_steps_never_rise():
    objective = regression(L1(0.2))
    values = solve(objective, learning_rate=1.0 / objective.lipschitz(), max_iter=200).trace["value"]
    assert np.all(np.diff(values) <= 1e-14)
    assert values[-1] < values[0]


def test_fista_keeps_its_bound_and_needs_fewer_steps():
    objective = regression(L1(0.01), n=60, d=40)
    lipschitz = objective.lipschitz()
    best = solve(objective, learning_rate=1 / lipschitz, accelerated=True, tol=1e-13)
    distance = float(best.theta @ best.theta)
    plain, fast = (
        solve(objective, learning_rate=1 / lipschitz, accelerated=accelerated, max_iter=3000, tol=0.0).trace["value"]
        for accelerated in (False, True)
    )
    t = np.arange(1, len(fast))
    assert np.all(fast[1:] - best.value <= 2 * lipschitz * distance / (t + 1) ** 2 + 1e-12)

    def needed(values):
        return int(np.argmax(values - best.value < 1e-8))

    assert 0 < 3 * needed(fast) < needed(plain) or (needed(plain) == 0 and needed(fast) > 0)


@every_form
def test_stride_leaves_out_steps_and_changes_none(accelerated):
    objective = regression(L1(0.2))
    options = {"learning_rate": 1.0 / objective.lipschitz(), "accelerated": accelerated}
    every = solve(objective, max_iter=10, **options)
    seldom = solve(objective, max_iter=10, stride=4, **options)
    strided = run(proximal_gradient(objective, objective.start(), stride=4, max_iter=10, **options), max_iter=10)
    assert seldom.n_iter == 12
    np.testing.assert_array_equal(strided.trace["index"], [0, 4, 8, 10])
    np.testing.assert_allclose(strided.trace["value"], every.trace["value"][[0, 4, 8, 10]], rtol=1e-12)
    np.testing.assert_allclose(strided.trace["step_norm"][1:], every.trace["step_norm"][[4, 8, 10]], rtol=1e-8)


def test_a_start_outside_is_brought_inside():
    box = (np.array([1.0, -1.0]), np.array([2.0, 1.0]))
    objective = FunctionObjective(lambda x: x @ x, lambda x: 2 * x, shape=(2,), bounds=box)
    result = run(proximal_gradient(objective, np.array([9.0, 9.0])), max_iter=100)
    np.testing.assert_array_equal(result.trace["value"][0], 5.0)
    np.testing.assert_allclose(result.theta, [1.0, 0.0], atol=1e-9)


@every_form
@every_rate
def test_nothing_is_asked_outside_the_bounds(accelerated, backtracking):
    seen = []

    def f(x):
        seen.append(x.copy())
        return float(np.sum(x * np.log(x)) + 5.0 * (x[0] + x[1] - 1.2) ** 2)

    low, high = np.array([1e-3, 1e-3]), np.array([0.25, 2.0])
    objective = FunctionObjective(f, shape=(2,), bounds=(low, high))
    steps = proximal_gradient(
        objective, np.array([0.2, 1.9]), learning_rate=None if backtracking else 0.04, accelerated=accelerated
    )
    result = run(steps, max_iter=500, stopping=[GradientTolerance(1e-7)])
    assert result.success
    assert np.all(seen >= low)
    assert np.all(seen <= high)
    assert result.theta[0] == 0.25


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-6, 1e6), accelerated=st.booleans())
def test_backtracking_finds_the_rate_at_any_scale(scale, accelerated):
    objective = parabola(scale, 0.3 * scale)
    steps = proximal_gradient(objective, np.array([1.0, -1.0]), accelerated=accelerated)
    result = run(steps, max_iter=500, stopping=[GradientTolerance(1e-9 * scale)])
    assert result.success
    assert np.all(result.trace["step_size"][1:] <= 2.5 / (0.3 * scale))


def test_nowhere_defined_is_no_convergence():
    def f(x):
        return 1.0 if x[0] == 1.0 else float("nan")

    objective = FunctionObjective(f, lambda x: np.ones(1), shape=(1,))
    result = run(proximal_gradient(objective, np.ones(1)), max_iter=10)
    assert (result.reason, result.theta[0]) == (Reason.NO_DESCENT, 1.0)


def test_the_step_size_is_that_of_the_step_taken():
    H = np.diag([1.0, 10.0])
    objective = FunctionObjective(lambda x: x @ H @ x / 2, lambda x: H @ x, shape=(2,))
    result = run(proximal_gradient(objective, np.ones(2)), max_iter=6, trace=Trace(parameters=True))
    path = result.trace.parameters
    np.testing.assert_allclose(result.trace["step_size"][1:, None] * (path[:-1] @ H), path[:-1] - path[1:], rtol=1e-9)
