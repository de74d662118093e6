"""Whatever the convex problem, whatever the method: the minimum is reached, and nothing depends on units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize as scipy_minimize
from scipy.special import logsumexp

from steepest import maximize, minimize
from steepest.solvers.catalogue import SOLVERS
from steepest.solvers.stopping import Reason

seeds = st.integers(0, 10_000)
dimensions = st.integers(1, 6)
methods = st.sampled_from(sorted(SOLVERS))


def convex_problem(seed, d):
    """Return a smooth, strongly convex function with its gradient, and a start."""
    rng = np.random.default_rng(seed)
    A, b, centre = rng.normal(size=(2 * d, d)), rng.normal(size=2 * d), rng.normal(size=d)

    def f(x):
        return logsumexp(A @ x + b) + 0.25 * np.sum((x - centre) ** 2)

    def gradient(x):
        z = A @ x + b
        return A.T @ np.exp(z - logsumexp(z)) + 0.5 * (x - centre)

    return f, gradient, rng.normal(size=d)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, d=dimensions, method=methods)
def test_all_methods_reach_the_minimum_of_a_convex_function(seed, d, method):
    f, gradient, start = convex_problem(seed, d)
    result = minimize(f, start, gradient, method=method, max_iter=5000)
    assert result.success
    assert np.linalg.norm(gradient(result.x)) < 1e-6
    # strong convexity (1/2) bounds the distance by the gradient: |x - x*| <= 2 |g|
    peer = scipy_minimize(f, start, jac=gradient, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(result.x, peer.x, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, d=dimensions, method=methods)
def test_numeric_gradients_reach_it_too(seed, d, method):
    f, gradient, start = convex_problem(seed, d)
    result = minimize(f, start, method=method, max_iter=3000)
    assert np.linalg.norm(gradient(result.x)) < 1e-5


@settings(max_examples=40, deadline=None)
@given(seed=seeds, d=dimensions, scale=st.integers(-20, 20))
def test_scaling_f_by_a_power_of_two_scales_the_run(seed, d, scale):
    f, gradient, start = convex_problem(seed, d)
    factor = 2.0**scale
    one = minimize(f, start, gradient, learning_rate=0.1, max_iter=20, tol=None)
    other = minimize(
        lambda x: factor * f(x),
        start,
        lambda x: factor * gradient(x),
        learning_rate=0.1 / factor,
        max_iter=20,
        tol=None,
    )
    np.testing.assert_array_equal(one.trace.parameters, other.trace.parameters)
    np.testing.assert_array_equal(factor * one.trace["value"], other.trace["value"])


@settings(max_examples=40, deadline=None)
@given(seed=seeds, d=dimensions, method=methods)
def test_maximize_is_minimize_upside_down(seed, d, method):
    f, gradient, start = convex_problem(seed, d)
    down = minimize(f, start, gradient, method=method, max_iter=30)
    up = maximize(lambda x: -f(x), start, lambda x: -gradient(x), method=method, max_iter=30)
    np.testing.assert_array_equal(up.x, down.x)
    assert (up.fun, up.nit, up.reason) == (-down.fun, down.nit, down.reason)


@settings(max_examples=60, deadline=None)
@given(curvature=st.floats(1e-3, 1e3), share=st.floats(0.01, 0.95), start=st.floats(0.1, 100))
def test_below_the_stable_rate_a_parabola_is_descended(curvature, share, start):
    result = minimize(
        lambda x: 0.5 * curvature * x**2,
        start,
        lambda x: curvature * x,
        learning_rate=2 * share / curvature,
        max_iter=30,
    )
    values = result.trace["value"]
    assert np.all(np.diff(values) <= 1e-12 * values[0])


@settings(max_examples=60, deadline=None)
@given(curvature=st.floats(1e-3, 1e3), share=st.floats(1.1, 100), start=st.floats(0.1, 100))
def test_above_the_stable_rate_it_diverges_and_the_rate_is_named(curvature, share, start):
    limit = 2 / curvature
    result = minimize(
        lambda x: 0.5 * curvature * x**2, start, lambda x: curvature * x, learning_rate=share * limit, max_iter=1000
    )
    assert result.reason is Reason.DIVERGED
    named = float(result.message.rsplit("about ", 1)[1])
    assert named == pytest.approx(limit, rel=5e-3)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, d=dimensions)
def test_bounds_hold_at_every_step_and_the_corner_is_optimal(seed, d):
    f, gradient, start = convex_problem(seed, d)
    rng = np.random.default_rng(seed + 1)
    low = rng.normal(size=d)
    high = low + rng.uniform(0.0, 1.0, size=d)
    result = minimize(f, start, gradient, bounds=list(zip(low, high, strict=True)), max_iter=3000)
    assert np.all(result.trace.parameters >= low)
    assert np.all(result.trace.parameters <= high)
    slope = gradient(result.x)
    np.testing.assert_allclose(np.clip(result.x - slope, low, high), result.x, atol=1e-6)
