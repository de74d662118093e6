"""Any function as an objective: what it may return, and what is said when it returns something else."""

import math

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.objectives.function import FunctionObjective


def quartic(x):
    return np.sum(x**4) + x.flat[0] * x.flat[-1]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_numeric_gradient_and_hessian(shape, sign):
    objective = FunctionObjective(quartic, shape=shape, sign=sign)
    theta = np.random.default_rng(0).normal(size=math.prod(shape))
    expected = 4 * theta**3
    expected[0] += theta[-1]
    expected[-1] += theta[0]
    value, gradient = objective.value_and_gradient(theta)
    np.testing.assert_allclose(value, sign * quartic(theta), rtol=1e-14)
    np.testing.assert_allclose(gradient, sign * expected, rtol=1e-8, atol=1e-9)
    hessian = np.diag(12 * theta**2)
    hessian[0, -1] += 1
    hessian[-1, 0] += 1
    np.testing.assert_allclose(objective.hessian(theta), sign * hessian, atol=2e-4)


def test_own_gradient_is_used():
    objective = FunctionObjective(lambda x: x @ x, lambda x: 3 * x, shape=(2,), sign=-1.0)
    np.testing.assert_array_equal(objective.gradient(np.array([1.0, 2.0])), [-3.0, -6.0])


def test_one_number_in_an_array_is_a_number():
    objective = FunctionObjective(lambda x: x**2, lambda x: 2 * x, shape=(1,))
    assert objective.value_and_gradient(np.array([3.0])) == (9.0, np.array([6.0]))
    scalar = FunctionObjective(lambda x: float(x) ** 2, lambda x: [2 * float(x)], shape=())
    assert scalar.value_and_gradient(np.array([3.0])) == (9.0, np.array([6.0]))


def test_a_function_that_writes_into_its_argument_does_no_harm():
    def f(x):
        x *= 2
        return float(x @ x)

    def gradient(x):
        x *= 8
        return x

    theta = np.array([1.0, 2.0])
    for objective in (FunctionObjective(f, shape=(2,)), FunctionObjective(f, gradient, shape=(2,))):
        value, slope = objective.value_and_gradient(theta)
        assert value == 20.0
        np.testing.assert_allclose(slope, [8.0, 16.0], rtol=1e-8)
        np.testing.assert_array_equal(theta, [1.0, 2.0])


def test_overflow_is_infinity():
    objective = FunctionObjective(lambda x: math.exp(x), shape=())
    assert objective.value(np.array([1e4])) == math.inf
    value, gradient = objective.value_and_gradient(np.array([1e4]))
    assert value == math.inf
    assert np.all(np.isnan(gradient))


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (None, "f returned None: must return a number (is the return statement missing?)"),
        (1j, "f returned the complex number 1j: must be real"),
        ("high", "f returned 'high': must be a real number"),
        (np.ones(2), "f returned an array of shape (2,): must be one number (a sum, a mean)"),
        (np.ones(0), "f returned an array of shape (0,): must be one number (a sum, a mean)"),
        ({}, "f returned {}: must be a real number"),
    ],
)
def test_what_f_must_not_return(returned, text):
    with pytest.raises(InvalidInputError) as caught:
        FunctionObjective(lambda x: returned, shape=(2,)).value(np.zeros(2))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (np.ones(3), "gradient returned shape (3,) for an x of shape (2,): must be alike"),
        (np.ones((2, 1)), "gradient returned shape (2, 1) for an x of shape (2,): must be alike"),
        (1.0, "gradient returned shape () for an x of shape (2,): must be alike"),
        (None, "gradient returned None: must be real numbers of shape (2,), as x"),
        (np.ones(2) * 1j, "gradient returned array([0.+1.j, 0.+1.j]): must be real numbers of shape (2,), as x"),
    ],
)
def test_what_a_gradient_must_not_return(returned, text):
    with pytest.raises(InvalidInputError) as caught:
        FunctionObjective(lambda x: 0.0, lambda x: returned, shape=(2,)).gradient(np.zeros(2))
    assert str(caught.value) == text


@pytest.mark.parametrize(("f", "gradient"), [(3, None), (lambda x: 0.0, "x")])
def test_what_is_no_function_is_refused(f, gradient):
    with pytest.raises(InvalidInputError, match=r"(f=3|gradient='x'): must be a function of x"):
        FunctionObjective(f, gradient, shape=(2,))


# ---------------------------------------------------------------------- bounds


def test_bounds_project():
    box = (np.array([0.0, -np.inf]), np.array([1.0, 5.0]))
    objective = FunctionObjective(lambda x: x @ x, shape=(2,), bounds=box)
    np.testing.assert_array_equal(objective.prox(np.array([-2.0, 7.0]), 0.3), [0.0, 5.0])
    assert objective.penalty_value(np.array([0.5, -9.0])) == 0.0
    assert objective.penalty_value(np.array([1.5, 0.0])) == math.inf
    assert objective.penalty_lipschitz() == math.inf
    free = FunctionObjective(lambda x: x @ x, shape=(2,))
    assert free.penalty_lipschitz() == 0.0
    np.testing.assert_array_equal(free.prox(np.array([-2.0, 7.0]), 0.3), [-2.0, 7.0])


def test_numeric_gradients_stay_within_the_bounds():
    seen = []

    def f(x):
        seen.append(x.copy())
        return -np.log(x[0]) + x[0] * x[1] ** 2

    low, high = np.array([1e-3, -1.0]), np.array([1.0, 1.0])
    objective = FunctionObjective(f, shape=(2,), bounds=(low, high))
    at_corner = objective.gradient(np.array([1.0, 0.5]))
    assert np.all(seen >= low)
    assert np.all(seen <= high)
    # along the coordinate at its bound the slope is that a step inside; along the other it is exact
    np.testing.assert_allclose(at_corner, [-0.75, 1.0], rtol=1e-4)
    np.testing.assert_allclose(at_corner[1], 1.0, rtol=1e-9)


# ---------------------------------------------------------------------- rows


def mean_square(x, A, b):
    return np.mean((A @ x - b) ** 2)


def test_batches_average_to_the_whole():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(12, 2)), rng.normal(size=12)
    objective = FunctionObjective(mean_square, shape=(2,), data=(A, b))
    assert objective.n_samples == 12
    theta = np.array([1.0, -1.0])
    parts = [objective.batch(np.arange(i, i + 4)).gradient(theta) for i in (0, 4, 8)]
    np.testing.assert_allclose(np.mean(parts, axis=0), objective.gradient(theta), rtol=1e-7)
    np.testing.assert_allclose(objective.gradient(theta), 2 * A.T @ (A @ theta - b) / 12, rtol=1e-7)


def test_data_of_unlike_lengths_are_refused():
    with pytest.raises(InvalidInputError, match=r"data: the arrays have lengths \[3, 4\]: must be alike"):
        FunctionObjective(mean_square, shape=(2,), data=(np.ones((4, 2)), np.ones(3)))
