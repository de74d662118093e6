"""Lasso and elastic-net paths: grids, options, errors."""

from inspect import signature

import numpy as np
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import InvalidInputError
from steepest.kernels.multitask import epoch_on_blocks
from steepest.linear_model import Lasso, LassoCV, enet_path, lasso_path
from steepest.linear_model.path import alpha_grid
from steepest.solvers.duality import duality_gap
from steepest.solvers.multitask import epoch, multitask_gap


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


@pytest.mark.parametrize("check_input", [True, False])
def test_a_single_column_is_an_array_of_one_target(data, check_input):
    X, y = data
    start, alone = np.ones(5), lasso_path(X, y, alphas=3, coef_init=np.ones(5))[1]
    found = lasso_path(X, y[:, None], alphas=3, coef_init=start[None], check_input=check_input)[1]
    assert found.shape == sklearn.linear_model.lasso_path(X, y[:, None], alphas=3)[1].shape == (1, 5, 3)
    np.testing.assert_array_equal(found[0], alone)


@pytest.mark.parametrize(("n_targets", "shape"), [(None, r"\(5,\)"), (1, r"\(1, 5\)"), (2, r"\(2, 5\)")])
def test_a_start_of_another_shape_is_refused(data, n_targets, shape):
    X, y = data
    Y = y if n_targets is None else np.repeat(y[:, None], n_targets, axis=1)
    with pytest.raises(InvalidInputError, match=r"coef_init has shape \(5, 2\): must be " + shape):
        lasso_path(X, Y, alphas=3, coef_init=np.zeros((5, 2)))


@pytest.mark.parametrize("ratio", [-0.1, 1.1, np.nan])
def test_a_share_outside_its_range_is_refused(data, ratio):
    with pytest.raises(InvalidInputError, match=f"l1_ratio={ratio}: must lie between 0 and 1"):
        enet_path(*data, l1_ratio=ratio, alphas=[0.1])


@pytest.mark.parametrize("ratio", [1.0, 0.4])
@pytest.mark.parametrize("selection", ["cyclic", "random"])
def test_several_targets_share_their_support_as_in_scikit_learn(data, ratio, selection):
    X, y = data
    Y = np.c_[y, X @ np.arange(5.0), y[::-1]]
    alphas, coefs, gaps, epochs = enet_path(
        X, Y, l1_ratio=ratio, alphas=6, eps=0.01, tol=1e-12, max_iter=10_000, return_n_iter=True, selection=selection,
        random_state=0,
    )  # fmt: skip
    expected = sklearn.linear_model.enet_path(X, Y, l1_ratio=ratio, alphas=6, eps=0.01, tol=1e-13, max_iter=100_000)
    np.testing.assert_allclose(alphas, expected[0])
    assert coefs.shape == (3, 5, 6) and len(epochs) == 6 and gaps.max() <= 1e-12 * np.sum(Y**2)
    np.testing.assert_allclose(coefs, expected[1], atol=1e-6)
    used = coefs != 0
    assert np.array_equal(used.any(axis=0), used.all(axis=0)) and 0 < used.sum() < used.size


def test_several_targets_start_where_they_are_told_and_may_be_weighted(data):
    X, y = data
    Y, weights = np.c_[y, y[::-1]], np.arange(len(y)) % 3
    path = enet_path(X, Y, alphas=[0.1], tol=1e-12, sample_weight=weights)[1]
    rows = np.repeat(np.arange(len(y)), weights)
    repeated = enet_path(X[rows], Y[rows], alphas=[0.1], tol=1e-12)[1]
    np.testing.assert_allclose(path, repeated, atol=1e-6)
    again = enet_path(
        X, Y, alphas=[0.1], tol=1e-6, sample_weight=weights, coef_init=path[..., 0], return_n_iter=True, max_iter=1
    )
    np.testing.assert_allclose(again[1], path, atol=1e-6)


def test_what_several_targets_do_not_have_is_said(data):
    X, y = data
    with pytest.raises(ValueError, match="positive=True: is for one target"):
        lasso_path(X, np.c_[y, y], positive=True)
    with pytest.raises(ValueError, match="X is sparse: a path of several targets takes a dense one"):
        lasso_path(sparse.csc_array(X), np.c_[y, y])


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.3, 0.2), (0.0, 0.2)])
def test_the_compiled_epoch_of_blocks_equals_the_reference(l1, l2):
    rng = np.random.default_rng(0)
    Z, Y, W = rng.standard_normal((30, 6)) / 5, rng.standard_normal((30, 3)), np.zeros((6, 3))
    Z[:, 2], W[:3] = 0.0, rng.standard_normal((3, 3))
    expected, residual, order = W.copy(), Y - Z @ W, np.array([3, 0, 5, 1, 2, 4])
    left = np.ascontiguousarray(residual.T)
    epoch(Z, residual, expected, l1, l2, order)
    epoch_on_blocks(np.ascontiguousarray(Z.T), left, W, l1, l2, order)
    np.testing.assert_allclose(W, expected, atol=1e-13)
    np.testing.assert_allclose(left.T, residual, atol=1e-13)
    for column in range(3):  # of one target alone, rows have one number: the gap is the one of the lasso
        r, w = Y[:, column] - Z @ W[:, column], W[:, column]
        expected_gap = duality_gap(Z.T @ r, w, r @ r, r @ Y[:, column], l1, l2, False)
        gap = multitask_gap(Z, Y[:, [column]], W[:, [column]], l1, l2)
        assert gap == pytest.approx(expected_gap)


def test_the_lasso_takes_what_the_elastic_net_takes():
    lasso, both = (dict(signature(path).parameters) for path in (lasso_path, enet_path))
    del both["l1_ratio"]
    assert lasso == both
    assert signature(LassoCV.path) == signature(lasso_path)


def test_wrong_options_are_named(data):
    with pytest.raises(TypeError, match="l1_ratio"):
        lasso_path(*data, l1_ratio=0.5)
    with pytest.raises(ValueError, match=r"precompute has shape \(2, 2\): must be \(5, 5\)"):
        lasso_path(*data, precompute=np.eye(2))
    X, y = data
    with pytest.raises(InvalidInputError, match=r"precompute has shape \(2, 2\): must be \(5, 5\)"):
        lasso_path(X, np.c_[y, y], precompute=np.eye(2))
