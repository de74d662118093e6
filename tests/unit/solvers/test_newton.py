"""Newton's method: exact on parabolas, quadratic near minima, safe elsewhere."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize

from steepest.losses import HuberLoss, LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.linear import LinearObjective
from steepest.penalties import SquaredL2
from steepest.solvers.loop import run
from steepest.solvers.newton import newton, newton_direction
from steepest.solvers.stopping import GradientTolerance, Reason
from tests.unit.solvers.problems import Rosenbrock, classification, parabola, regression


def solve(objective, theta, tol=1e-10, max_iter=200):
    return run(newton(objective, theta), max_iter=max_iter, stopping=[GradientTolerance(tol)])


def test_one_step_on_a_parabola():
    result = solve(parabola(1.0, 1e6), np.array([3.0, -2.0]))
    assert result.n_iter == 1
    np.testing.assert_allclose(result.theta, 0.0, atol=1e-14)


def test_least_squares_in_one_step():
    objective = regression(n=50)
    expected = np.linalg.lstsq(objective._extended(), objective.y)[0]
    result = solve(objective, objective.start())
    assert result.n_iter <= 2
    np.testing.assert_allclose(result.theta, expected, rtol=1e-10)


def test_the_error_is_squared_near_the_minimum():
    objective = classification()
    best = solve(objective, objective.start(), tol=1e-15).theta
    steps = newton(objective, objective.start())
    errors = [float(np.linalg.norm(next(steps).theta - best)) for _ in range(6)]
    assert errors[3] < 2.0 * errors[2] ** 2
    assert errors[4] < 2.0 * errors[3] ** 2 + 1e-14


def test_logistic_steps_are_weighted_least_squares():
    objective = classification()
    theta = np.full(7, 0.1)
    Z, z = objective._extended(), objective.scores(theta)
    p = 1 / (1 + np.exp(-z))
    s = p * (1 - p)
    root = np.sqrt(s)
    expected = np.linalg.lstsq(Z * root[:, None], root * (z - (p - objective.y) / s))[0]
    steps = newton(objective, theta)
    next(steps)
    np.testing.assert_allclose(next(steps).theta, expected, rtol=1e-9)


def test_rosenbrock_from_many_starts():
    for seed in range(10):
        theta = np.random.default_rng(seed).uniform(-3, 3, size=4)
        result = solve(Rosenbrock(), theta)
        peer = scipy_minimize(
            Rosenbrock().value, theta, jac=Rosenbrock().gradient, method="BFGS", options={"gtol": 1e-9}
        )
        assert result.success
        assert result.value <= peer.fun + 1e-9
        assert np.all(np.diff(result.trace["value"]) <= 1e-12)


@pytest.mark.parametrize("loss", [HuberLoss(1.0), LogisticLoss()])
def test_a_column_given_twice_makes_the_hessian_singular(loss):
    objective = regression(loss=loss, n=80)
    y = (objective.y > objective.y.mean()).astype(float) if isinstance(loss, LogisticLoss) else objective.y
    y = np.where(np.arange(80) % 5 == 0, 1 - y, y) if isinstance(loss, LogisticLoss) else y
    twice = LinearObjective(np.hstack([objective.X, objective.X[:, :1]]), y, loss)
    once = LinearObjective(objective.X, y, loss)
    result, expected = solve(twice, twice.start()), solve(once, once.start())
    assert result.success
    np.testing.assert_allclose(result.value, expected.value, rtol=1e-10)


def test_softmax_has_a_singular_hessian_and_converges():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), rng.integers(0, 3, size=90)
    objective = LinearObjective(X, y, SoftmaxCrossEntropy(), n_outputs=3)
    assert solve(objective, objective.start()).last.gradient_norm < 1e-10


def test_saddles_are_left():
    class Saddle:
        def value_and_gradient(self, t):
            return float(t[0] ** 2 - t[1] ** 2 + t[1] ** 4), np.array([2 * t[0], -2 * t[1] + 4 * t[1] ** 3])

        def hessian(self, t):
            return np.diag([2.0, -2 + 12 * t[1] ** 2])

    result = solve(Saddle(), np.array([1.0, 1e-3]))
    np.testing.assert_allclose(np.abs(result.theta), [0.0, 0.5**0.5], atol=1e-9)


@pytest.mark.parametrize("H", [np.zeros((2, 2)), np.diag([1.0, 0.0]), np.diag([-1.0, -3.0]), np.diag([1.0, -1.0])])
def test_every_direction_descends(H):
    gradient = np.array([1.0, 2.0])
    assert newton_direction(H, gradient) @ gradient < 0


def test_a_hessian_that_is_not_finite_is_no_convergence():
    class Broken(Rosenbrock):
        def hessian(self, theta):
            return np.full((2, 2), np.nan)

    assert solve(Broken(), np.zeros(2)).reason is Reason.NO_DESCENT


def test_float32_stays_float32():
    objective = classification(SquaredL2(0.1))
    small = LinearObjective(
        objective.X.astype(np.float32), objective.y.astype(np.float32), LogisticLoss(), SquaredL2(0.1)
    )
    result = solve(small, small.start(), tol=1e-6)
    assert result.theta.dtype == np.float32
    np.testing.assert_allclose(result.theta, solve(objective, objective.start()).theta, atol=1e-5)
