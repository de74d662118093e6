"""L-BFGS: its direction is BFGS's, and it reaches minima as scipy does."""

from collections import deque

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from steepest.losses import AbsoluteError
from steepest.penalties import SquaredL2
from steepest.solvers.lbfgs import lbfgs, two_loop
from steepest.solvers.loop import run
from steepest.solvers.newton import newton
from steepest.solvers.stopping import GradientTolerance, Reason
from tests.unit.solvers.problems import Rosenbrock, classification, parabola, regression


def solve(objective, theta, tol=1e-10, max_iter=1000, **options):
    return run(lbfgs(objective, theta, **options), max_iter=max_iter, stopping=[GradientTolerance(tol)])


def test_two_loops_are_the_bfgs_matrix():
    rng = np.random.default_rng(0)
    H = np.diag([1.0, 2.0, 5.0, 10.0])
    S = rng.normal(size=(3, 4))
    pairs = deque((s, H @ s, 1.0 / float(s @ H @ s)) for s in S)
    s, y, rho = pairs[-1]
    B = np.eye(4) / (rho * float(y @ y))
    for s, y, rho in pairs:
        V = np.eye(4) - rho * np.outer(y, s)
        B = V.T @ B @ V + rho * np.outer(s, s)
    g = rng.normal(size=4)
    np.testing.assert_allclose(two_loop(pairs, g), -B @ g, rtol=1e-12)
    np.testing.assert_allclose(B @ y, s, rtol=1e-12)


@pytest.mark.parametrize("d", [2, 10, 50])
def test_rosenbrock_as_scipy(d):
    theta = np.full(d, -1.0)
    theta[::2] = 1.2
    ours = solve(Rosenbrock(), theta, tol=1e-8)
    peer = scipy_minimize(
        Rosenbrock().value, theta, jac=Rosenbrock().gradient, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 1e-16}
    )
    assert ours.success
    assert ours.value <= peer.fun + 1e-12
    assert ours.n_iter <= 2 * peer.nit


@pytest.mark.parametrize("make", [regression, classification])
def test_agrees_with_newton(make):
    objective = make(SquaredL2(0.1))
    ours, exact = solve(objective, objective.start(), tol=1e-11), run(newton(objective, objective.start()), max_iter=30)
    np.testing.assert_allclose(ours.theta, exact.theta, atol=1e-9)


def test_ill_conditioned_parabola():
    result = solve(parabola(*np.logspace(0, 4, 20)), np.ones(20), tol=1e-8, memory=20)
    assert result.success


def test_memory_one_still_converges():
    assert solve(classification(SquaredL2(0.1)), np.zeros(7), memory=1).success


def test_kinks_are_not_called_convergence():
    objective = regression(loss=AbsoluteError())
    result = solve(objective, objective.start(), max_iter=5000)
    assert result.reason in (Reason.NO_DESCENT, Reason.MAX_ITER)
    assert not result.success


def test_a_wrong_gradient_is_not_called_convergence():
    class WrongSign(Rosenbrock):
        def gradient(self, theta):
            return -super().gradient(theta)

    assert solve(WrongSign(), np.array([-1.2, 1.0])).reason is Reason.NO_DESCENT


def test_ends_in_rounding_without_a_tolerance():
    objective = classification()
    result = run(lbfgs(objective, objective.start()), max_iter=2000)
    assert result.reason is Reason.ROUNDING
    assert result.last.gradient_norm < 1e-8


def test_float32_stays_float32():
    objective = classification(SquaredL2(0.1))
    objective.X, objective.y = objective.X.astype(np.float32), objective.y.astype(np.float32)
    result = solve(objective, objective.start(), tol=1e-5)
    assert result.theta.dtype == np.float32
    assert result.success
