"""Lasso and elastic-net paths: grids, options, errors."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from steepest.linear_model import Lasso, enet_path, lasso_path
from steepest.linear_model.path import alpha_grid


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((40, 5))
    return X, X @ [1.0, 2.0, 0.0, 0.0, -1.0]


@pytest.mark.parametrize("positive", [False, True])
def test_the_grid_begins_where_the_first_coefficient_appears(data, positive):
    alphas, coefs, _ = lasso_path(*data, alphas=5, eps=0.01, positive=positive, tol=1e-12)
    np.testing.assert_array_equal(coefs[:, 0], 0.0)
    assert np.count_nonzero(
        Lasso(0.999 * alphas[0], fit_intercept=False, positive=positive, tol=1e-12).fit(*data).coef_
    )
    np.testing.assert_allclose(alphas[1:] / alphas[:-1], 0.01**0.25)


def test_a_target_without_correlation_has_a_tiny_grid():
    np.testing.assert_array_equal(alpha_grid(np.zeros(3), 1.0, 1e-3, 4, False), np.full(4, 1e-15))


def test_each_point_is_the_lasso_there(data):
    alphas, coefs, gaps, epochs = lasso_path(*data, alphas=8, tol=1e-12, return_n_iter=True)
    for alpha, w in zip(alphas, coefs.T, strict=True):
        single = Lasso(alpha, fit_intercept=False, tol=1e-12).fit(*data).coef_
        np.testing.assert_allclose(w, single, atol=1e-8)
    assert gaps.shape == (8,)
    assert len(epochs) == 8


def test_gram_start_and_order_do_not_matter(data):
    X, y = data
    expected = enet_path(X, y, alphas=[0.1, 0.01], tol=1e-13)[1]
    for options in (
        {"precompute": X.T @ X},
        {"precompute": False},
        {"coef_init": np.ones(5)},
        {"selection": "random", "random_state": 0},
    ):
        np.testing.assert_allclose(enet_path(X, y, alphas=[0.1, 0.01], tol=1e-13, **options)[1], expected, atol=1e-7)


def test_float32_stays(data):
    X, y = (a.astype(np.float32) for a in data)
    assert lasso_path(X, y, alphas=3)[1].dtype == np.float32


def test_unfinished_alphas_warn(data):
    with pytest.warns(ConvergenceWarning, match="1 of 1 alphas did not converge, the first is 0.001"):
        lasso_path(*data, alphas=[0.001], max_iter=1, tol=1e-12)


def test_several_targets_are_refused(data):
    X, y = data
    with pytest.raises(ValueError, match=r"y has shape \(40, 2\): a path takes one target"):
        lasso_path(X, np.c_[y, y])
    assert lasso_path(X, y[:, None], alphas=3)[1].shape == (5, 3)


def test_wrong_options_are_named(data):
    with pytest.raises(ValueError, match="l1_ratio: the lasso has none"):
        lasso_path(*data, l1_ratio=0.5)
    with pytest.raises(ValueError, match=r"precompute has shape \(2, 2\): must be \(5, 5\)"):
        lasso_path(*data, precompute=np.eye(2))
