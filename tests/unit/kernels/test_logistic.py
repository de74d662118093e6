"""The fused logistic and softmax kernels against the objective they compute."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from steepest.kernels import logistic, softmax
from steepest.losses import LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.linear import LinearObjective
from steepest.objectives.logistic import LogisticObjective
from steepest.penalties import SquaredL2

mpmath = pytest.importorskip("mpmath")
EMPTY = np.empty(0)


def test_exponentials_are_right_to_an_ulp_or_two():
    x = np.concatenate([-np.geomspace(1e-18, 700, 500), [0.0, -0.34657, -0.34658, -708.0]])
    expected = np.array([float(mpmath.exp(mpmath.mpf(v))) for v in x])
    ours = x.copy()
    logistic.exponentials(ours, np.empty(len(x), np.int64), len(x))
    np.testing.assert_allclose(ours[x > -40], expected[x > -40], rtol=4e-15)
    np.testing.assert_allclose(ours, expected, rtol=2e-13)  # k log 2 is rounded once, and |k| reaches 1000


def test_exponentials_of_hugely_negative_numbers_are_tiny():
    x = np.array([-1e4, -1e300, -np.inf])
    logistic.exponentials(x, np.empty(3, np.int64), 3)
    assert np.all((x > 0) & (x < 1e-300))


def test_log_one_plus_is_right_to_an_ulp_or_two():
    e = np.concatenate([np.geomspace(1e-300, 1, 400), [0.0, 0.5, 1.0]])
    ours = np.array([logistic.log_one_plus(v) for v in e])
    np.testing.assert_allclose(ours, np.log1p(e), rtol=1e-15, atol=0)


@pytest.mark.parametrize("n, d", [(1, 1), (7, 3), (300, 20), (1000, 5), (64, 300), (5000, 2)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_value_gradient_and_curvature_equal_the_objective(n, d, weighted, dtype):
    rng = np.random.default_rng(n + d)
    X, y = rng.standard_normal((n, d)).astype(dtype), rng.integers(0, 2, n).astype(float)
    s = rng.random(n) if weighted else None
    theta = rng.standard_normal(d + 1)
    reference = LinearObjective(X.astype(float), y, LogisticLoss(), sample_weight=s, reduction="sum")
    value, gradient = reference.value_and_gradient(theta)
    curvature = np.empty(n)
    ours = logistic.value_and_gradient(X, y, EMPTY if s is None else s, theta, curvature)
    np.testing.assert_allclose(ours[0], value, rtol=1e-12)
    np.testing.assert_allclose(ours[1], gradient, rtol=1e-10, atol=1e-12 * n)
    expected = reference.loss.curvature(y, reference.scores(theta)) * (1.0 if s is None else s)
    np.testing.assert_allclose(curvature, expected, rtol=1e-12)
    v = rng.standard_normal(d + 1)
    np.testing.assert_allclose(
        logistic.hessian_product(X, curvature, v), reference.hessian(theta) @ v, rtol=1e-9, atol=1e-11 * n
    )


def test_no_digit_is_lost_at_extreme_scores():
    X = np.array([[40.0], [-40.0], [800.0], [-800.0]])
    y = np.array([1.0, 0.0, 0.0, 1.0])
    value, gradient = logistic.value_and_gradient(X[:2], y[:2], EMPTY, np.array([1.0, 0.0]), EMPTY)
    assert value == pytest.approx(2 * float(mpmath.log1p(mpmath.exp(-40))), rel=1e-13)
    assert gradient[0] == pytest.approx(-80 * expit(-40.0), rel=1e-13)
    value, gradient = logistic.value_and_gradient(X[2:], y[2:], EMPTY, np.array([1.0, 0.0]), EMPTY)
    assert value == 1600.0
    np.testing.assert_allclose(gradient, [1600.0, 0.0])


@pytest.mark.parametrize("n, d, k", [(1, 1, 3), (200, 5, 3), (1000, 7, 10), (2100, 3, 24)])
@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_equals_the_objective(n, d, k, weighted):
    rng = np.random.default_rng(n + d)
    X, y = rng.standard_normal((n, d)), rng.integers(0, k, n)
    s = rng.random(n) if weighted else None
    reference = LinearObjective(X, y, SoftmaxCrossEntropy(), sample_weight=s, reduction="sum", n_outputs=k)
    rows = rng.standard_normal((k, d + 1))
    flat = np.concatenate([rows[:, :-1].T.ravel(), rows[:, -1]])
    value, gradient = reference.value_and_gradient(flat)
    shares = np.empty((k, n))
    weights = EMPTY if s is None else s
    ours = softmax.value_and_gradient(X, y, weights, rows, shares)
    np.testing.assert_allclose(ours[0], value, rtol=1e-12)
    np.testing.assert_allclose(
        np.concatenate([ours[1][:, :-1].T.ravel(), ours[1][:, -1]]), gradient, rtol=1e-10, atol=1e-12 * n
    )
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, rtol=1e-14)
    v = rng.standard_normal((k, d + 1))
    product = softmax.hessian_product(X, weights, shares, v)
    expected = reference.hessian(flat) @ np.concatenate([v[:, :-1].T.ravel(), v[:, -1]])
    np.testing.assert_allclose(
        np.concatenate([product[:, :-1].T.ravel(), product[:, -1]]), expected, rtol=1e-9, atol=1e-11 * n
    )


@pytest.mark.parametrize("k", [3, softmax.MANY])
def test_softmax_survives_extreme_scores(k):
    X, y = np.array([[1.0], [-1.0]]), np.array([0, 2])
    rows = np.zeros((k, 2))
    rows[[0, 2], 0] = 1e4, -1e4
    value, gradient = softmax.value_and_gradient(X, y, EMPTY, rows, EMPTY.reshape(0, 0))
    assert 0.0 <= value < 1e-300 and np.abs(gradient).max() < 1e-300
    value, _ = softmax.value_and_gradient(X, y[::-1].copy(), EMPTY, rows, EMPTY.reshape(0, 0))
    assert value == 4e4


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_hessian_forms_agree_with_differences_of_the_gradient(n_classes, kind, fit_intercept):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    data = X if kind == "dense" else sparse.csr_array(X)
    y = rng.integers(0, n_classes, 40)
    y = y.astype(float) if n_classes == 2 else y
    objective = LogisticObjective(
        data, y, n_classes, SquaredL2(0.7), C=2.0, sample_weight=rng.random(40), fit_intercept=fit_intercept
    )
    theta, v = rng.standard_normal((2, objective.n_parameters))
    value, gradient, product = objective.linearize(theta)
    assert value == pytest.approx(objective.value(theta), rel=1e-12)
    h = 1e-6
    numeric = (objective.gradient(theta + h * v) - objective.gradient(theta - h * v)) / (2 * h)
    np.testing.assert_allclose(product(v), numeric, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(objective.hessian(theta) @ v, product(v), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(gradient, objective.gradient(theta), rtol=1e-12)
    chosen = np.arange(0, objective.n_parameters, 2)
    np.testing.assert_allclose(
        objective.restricted_hessian(theta, chosen),
        objective.hessian(theta)[np.ix_(chosen, chosen)],
        rtol=1e-9,
        atol=1e-10,
    )
    assert np.all(objective.curvature_diagonal() >= np.diagonal(objective.hessian(theta)) * (1 - 1e-12))
