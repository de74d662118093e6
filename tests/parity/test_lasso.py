"""The lasso and the elastic net against scikit-learn."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

import steepest.linear_model as ours


def data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + rng.normal(0.0, 2.0, d)
    w = np.zeros(d)
    w[:4] = [3.0, -2.0, 1.0, 0.5]
    return X, X @ w + rng.standard_normal(n) + 5.0


def fitted(module, name, X, y, sample_weight=None, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return getattr(module, name)(max_iter=50_000, **parameters).fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("form", ["C", "F", "sparse"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize(("n", "d"), [(60, 8), (40, 100)])
def test_coefficients_agree(n, d, l1_ratio, form, positive, fit_intercept, weighted):
    X, y = data(n, d)
    X = sparse.csc_array(np.where(np.abs(X) > 1.0, X, 0.0)) if form == "sparse" else np.asarray(X, order=form)
    weight = np.random.default_rng(1).uniform(0.0, 2.0, n) if weighted else None
    parameters = {"l1_ratio": l1_ratio, "alpha": 0.3, "positive": positive, "fit_intercept": fit_intercept}
    expected = fitted(peer, "ElasticNet", X, y, weight, tol=1e-14, **parameters)
    model = fitted(ours, "ElasticNet", X, y, weight, tol=1e-12, **parameters)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, atol=1e-8)
    assert model.dual_gap_ <= 1e-12 * np.var(y) * 10 + 1e-12 * np.mean(y**2)


def test_shapes_and_types_agree_for_several_outputs():
    X, y = data(60, 8)
    Y = np.c_[y, y[::-1]]
    for target in (y, Y, Y[:, :1]):
        expected, model = peer.Lasso(0.1, tol=1e-10).fit(X, target), ours.Lasso(0.1, tol=1e-10).fit(X, target)
        for name in ("coef_", "intercept_", "dual_gap_", "sparse_coef_"):
            assert np.shape(getattr(model, name)) == np.shape(getattr(expected, name)), name
        assert np.shape(model.n_iter_) == np.shape(expected.n_iter_)
        assert model.predict(X).shape == expected.predict(X).shape
        np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-6)
        for kind in ("spmatrix", "sparray"):
            with config_context(sparse_interface=kind):
                assert type(model.sparse_coef_) is type(expected.sparse_coef_)


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
@pytest.mark.parametrize(("n", "d"), [(60, 8), (40, 100)])
def test_paths_agree(name, n, d):
    X, y = data(n, d)
    expected = getattr(peer, name)(X, y, tol=1e-12, max_iter=100_000, alphas=20, eps=0.05)
    found = getattr(ours, name)(X, y, tol=1e-12, max_iter=100_000, alphas=20, eps=0.05)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("n", "d"), [(100, 8), (60, 80)])
def test_cross_validation_agrees(n, d, form, weighted):
    X, y = data(n, d)
    X = form(np.where(np.abs(X) > 1.0, X, 0.0))
    weight = np.random.default_rng(1).uniform(0.1, 2.0, n) if weighted else None
    parameters = {"l1_ratio": [0.5, 0.9], "cv": 3, "alphas": 15, "eps": 0.02, "tol": 1e-12}
    expected = fitted(peer, "ElasticNetCV", X, y, weight, **parameters)
    model = fitted(ours, "ElasticNetCV", X, y, weight, **parameters)
    np.testing.assert_allclose(model.alphas_, expected.alphas_, rtol=1e-10)
    np.testing.assert_allclose(model.mse_path_, expected.mse_path_, rtol=1e-6)
    assert model.l1_ratio_ == expected.l1_ratio_
    assert model.alpha_ == pytest.approx(expected.alpha_, rel=1e-10)
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1e-7)


def test_a_path_to_near_interpolation_that_the_peer_does_not_finish():
    """The peer's coordinate descent reaches max_iter here; its gap, measured, is far larger than ours."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((40, 90)) + 1.0
    y = X[:, 0] - 2.0 * X[:, 1] + rng.standard_normal(40)
    with pytest.warns(ConvergenceWarning):
        expected = peer.Lasso(1e-3, tol=1e-12, max_iter=2000).fit(X, y)
    model = ours.Lasso(1e-3, tol=1e-12, max_iter=2000).fit(X, y)
    assert model.dual_gap_ < 1e-3 * expected.dual_gap_
