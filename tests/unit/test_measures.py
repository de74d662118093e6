"""Measures of predictions are those of scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from steepest import measures

WEIGHTS = [None, np.random.default_rng(0).uniform(0.1, 2.0, 20)]


@pytest.mark.parametrize("sample_weight", WEIGHTS)
@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_the_share_of_right_rows(shape, sample_weight):
    rng = np.random.default_rng(1)
    y, chosen = rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    expected = metrics.accuracy_score(y, chosen, sample_weight=sample_weight)
    assert 0.0 < expected < 1.0
    assert measures.accuracy(y, chosen, sample_weight) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("sample_weight", WEIGHTS)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
def test_the_share_of_the_spread_explained(shape, constant, sample_weight):
    rng = np.random.default_rng(1)
    y = rng.standard_normal(shape)
    predicted = y + 0.5 * rng.standard_normal(shape)
    if constant:
        y.reshape(20, -1)[:, -1] = 2.0
    for guess in (predicted, y):
        expected = metrics.r2_score(y, guess, sample_weight=sample_weight)
        assert measures.r_squared(y, guess, sample_weight) == pytest.approx(expected, rel=1e-12)


def test_the_root_mean_squared_error():
    rng = np.random.default_rng(1)
    y, guess = rng.standard_normal((2, 40))
    expected = metrics.root_mean_squared_error(y, guess)
    assert measures.root_mean_squared_error(y, guess) == pytest.approx(expected, abs=1e-14)
    assert measures.root_mean_squared_error(y, y) == 0.0


def test_the_log_loss():
    rng = np.random.default_rng(1)
    classes = np.array(["a", "b", "c"])
    y, shares = rng.choice(classes, 40), rng.dirichlet(np.ones(3), 40)
    expected = metrics.log_loss(y, shares, labels=classes)
    assert measures.log_loss(y, shares, classes) == pytest.approx(expected, abs=1e-13)


def test_a_certain_error_costs_much_but_not_infinity():
    assert 700 < measures.log_loss(np.array(["a"]), np.array([[0.0, 1.0]]), np.array(["a", "b"])) < 710


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_measures_do_not_depend_on_the_unit(size):
    y, guess = np.random.default_rng(1).standard_normal((2, 40))
    assert measures.r_squared(size * y, size * guess) == pytest.approx(measures.r_squared(y, guess), rel=1e-13)
    rmse = size * measures.root_mean_squared_error(y, guess)
    assert measures.root_mean_squared_error(size * y, size * guess) == pytest.approx(rmse, rel=1e-13)
