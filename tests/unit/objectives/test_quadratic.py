"""A quadratic's derivatives, and that summing up rows changes nothing."""

import numpy as np
import pytest
from scipy import sparse

from steepest.foundations.derivatives import numeric_gradient
from steepest.losses import HalfSquaredError, SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.objectives.quadratic import DENSE_EIGENVALUES, QuadraticObjective
from steepest.penalties import L1, NoPenalty, SquaredL2


def random_quadratic(d=4, columns=(), seed=0, **options):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(d, d))
    shape = (d, *columns)
    return QuadraticObjective(A @ A.T, rng.normal(size=shape), 0.7, centre=rng.normal(size=shape), **options)


@pytest.mark.parametrize("columns", [(), (3,)])
def test_derivatives(columns):
    objective = random_quadratic(columns=columns)
    theta = np.random.default_rng(1).normal(size=objective.c.size)
    value, gradient = objective.value_and_gradient(theta)
    assert value == objective.value(theta)
    np.testing.assert_array_equal(gradient, objective.gradient(theta))
    np.testing.assert_allclose(gradient, numeric_gradient(objective.value, theta), rtol=1e-7, atol=1e-8)
    eye, zero = np.eye(theta.size), objective.gradient(np.zeros(theta.size))
    columns_of_H = [objective.gradient(e) - zero for e in eye]
    np.testing.assert_allclose(objective.hessian(theta), columns_of_H, atol=1e-12)


def test_value_by_hand():
    objective = random_quadratic()
    theta = np.array([1.0, 2.0, 3.0, 4.0])
    d = theta - objective.centre
    expected = d @ objective.H @ d / 2 - objective.c @ d + 0.7
    np.testing.assert_allclose(objective.value(theta), expected, rtol=1e-13)


@pytest.mark.parametrize("d", [3, DENSE_EIGENVALUES + 1])
def test_lipschitz_is_the_largest_eigenvalue(d):
    objective = random_quadratic(d)
    largest = np.linalg.eigvalsh(objective.H)[-1]
    assert largest * (1 - 1e-12) <= objective.lipschitz() <= largest * 1.0001


LAYOUTS = [
    {"dtype": dtype, "n_outputs": k, "weighted": weighted, "is_sparse": is_sparse, "fit_intercept": fit_intercept}
    for dtype in (np.float32, np.float64)
    for k in (None, 3)
    for weighted in (False, True)
    for is_sparse in (False, True)
    for fit_intercept in (False, True)
]


def linear(dtype, n_outputs, weighted, is_sparse, fit_intercept, penalty, loss, n=20000):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(n, 4)) + 1.0).astype(dtype)
    y = rng.normal(size=(n,) if n_outputs is None else (n, n_outputs)).astype(dtype)
    weights = rng.uniform(0, 2, n).astype(dtype) if weighted else None
    X = sparse.csr_array(X) if is_sparse else X
    return LinearObjective(X, y, loss, penalty, sample_weight=weights, fit_intercept=fit_intercept)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("loss", [HalfSquaredError(), SquaredError()])
def test_summed_up_rows_say_the_same(layout, loss):
    objective = linear(penalty=SquaredL2(0.3), loss=loss, **layout)
    summed = objective.quadratic()
    theta = np.random.default_rng(1).normal(size=objective.n_parameters).astype(layout["dtype"])
    precise = layout["dtype"] == np.float64
    rtol = 1e-11 if precise else 1e-4
    value, gradient = objective.value_and_gradient(theta)
    ours, slope = summed.value_and_gradient(theta)
    assert slope.dtype == layout["dtype"]
    np.testing.assert_allclose(ours, value, rtol=rtol)
    np.testing.assert_allclose(slope, gradient, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(summed.lipschitz(), objective.lipschitz(), rtol=2e-3)
    np.testing.assert_array_equal(summed.prox(theta, 0.5), objective.prox(theta, 0.5))


def test_the_value_keeps_its_digits_where_the_residuals_are_tiny():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 3)) + 100.0
    w = np.array([3.0, -2.0, 1.0])
    y = X @ w + 1e4 + 1e-6 * rng.normal(size=5000)
    objective = LinearObjective(X, y)
    summed = objective.quadratic()
    theta = summed.centre.ravel() + 1e-12
    # around zero the same number would be the difference of two of size 1e8
    np.testing.assert_allclose(summed.value(theta), objective.value(theta), rtol=1e-3)
    assert 4e-13 < summed.value(theta) < 6e-13


def test_penalties_come_along():
    objective = linear(np.float64, None, False, False, True, L1(0.2), HalfSquaredError())
    summed, theta = objective.quadratic(), np.array([1.0, -2.0, 0.5, 0.1, 7.0])
    np.testing.assert_allclose(summed.penalty_value(theta), 0.2 * 3.6)
    assert summed.penalty_lipschitz() == np.inf
    smooth = linear(np.float64, None, False, False, True, SquaredL2(0.2), HalfSquaredError()).quadratic()
    assert smooth.penalty_lipschitz() == 0.2
    assert linear(np.float64, None, False, False, True, NoPenalty(), HalfSquaredError()).penalty_lipschitz() == 0.0
