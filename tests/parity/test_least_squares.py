"""LinearRegression, Ridge and RidgeCV against scikit-learn on the same data."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse

from steepest.linear_model import LinearRegression, Ridge, RidgeCV, ridge_path


def gaussian(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d) + rng.standard_normal(n)


def with_condition(n, d, condition):
    X, y = gaussian(n, d)
    X -= X.mean(axis=0)
    U, _, Vt = np.linalg.svd(X, full_matrices=False)
    return U * np.logspace(0, -np.log10(condition), d) @ Vt, y


def cases():
    X, y = gaussian(200, 5)
    wide, wide_y = gaussian(30, 60)
    weights = np.random.default_rng(1).random(200)
    yield "tall", X, y, None
    yield "wide", wide, wide_y, None
    yield "weights", X, y, weights
    yield "weights of zero", X, y, weights * (weights > 0.3)
    yield "wide, weights of zero", wide, wide_y, (weights * (weights > 0.3))[:30]
    yield "two targets", X, np.c_[y, y**2], weights
    yield "one column of targets", X, y[:, None], None
    yield "one feature", X[:, :1], y, None
    yield "one sample", X[:1], y[:1], None
    yield "two samples", X[:2], y[:2], None
    yield "duplicate columns", np.c_[X, X[:, :2]], y, None
    yield "duplicate rows, wide", np.r_[wide[:9], wide[:9]], wide_y[:18], None
    yield "constant column", np.c_[X, np.full(200, 0.1)], y, None
    yield "large constant column", np.c_[X, np.full(200, 1e6 / 3)], y, None
    yield "columns 1e8 + noise", X + 1e8, y, None
    yield "wide, columns 1e8 + noise", wide + 1e8, wide_y, None
    yield "columns in different units", X * [1, 1e-2, 1e3, 10, 1e2], y, None
    yield "integers", (10 * X).astype(int), (3 * y).astype(int), None
    yield "booleans", X > 0, y, None
    yield "Fortran order", np.asfortranarray(X), y, None
    yield "strides", np.repeat(X, 2, axis=0)[::2, ::-1], y, None
    for condition in (1e2, 1e4, 1e5, 5e5, 2e6, 1e8, 1e12):
        yield f"condition {condition:g}", *with_condition(200, 8, condition), None


CASES = {name: case for name, *case in cases()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("model", ["LinearRegression", "Ridge"])
def test_coefficients_agree(name, fit_intercept, model):
    X, y, weights = CASES[name]
    ours = {"LinearRegression": LinearRegression, "Ridge": Ridge}[model](fit_intercept=fit_intercept)
    theirs = getattr(peer, model)(fit_intercept=fit_intercept)
    if model == "Ridge" and ("condition" in name or "1e8" in name):
        theirs.solver = "svd"  # its Cholesky on the unrefined Gram matrix has fewer digits than are compared here
    if model == "Ridge" and "condition" in name:
        ours.alpha = theirs.alpha = 1e-6
    ours.fit(X, y, weights)
    theirs.fit(X, y, weights)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    scale = max(float(np.abs(theirs.coef_).max()), 1e-300)
    tolerance = 1e-8 if "1e8" not in name or fit_intercept else 1e-6
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=tolerance * scale)
    prediction = theirs.predict(X)
    np.testing.assert_allclose(ours.predict(X), prediction, rtol=0, atol=1e-6 + 1e-8 * np.abs(prediction).max())
    if model == "LinearRegression":
        assert ours.rank_ == theirs.rank_
        np.testing.assert_allclose(ours.singular_, theirs.singular_, rtol=0, atol=1e-7 * max(theirs.singular_.max(), 1))
    assert ours.certificate_.optimal


def test_a_constant_column_has_no_effect_although_the_peer_gives_it_one():
    """Where all columns are constant, scikit-learn divides by what rounding left of them."""
    X, y = np.full((20, 3), 0.1), gaussian(20, 3)[1]
    model = LinearRegression().fit(X, y)
    np.testing.assert_array_equal(model.coef_, np.zeros(3))
    assert model.intercept_ == pytest.approx(y.mean())
    assert model.rank_ == 0


@pytest.mark.parametrize("condition", [1.0, 1e3, 1e5, 1e6])
def test_large_data_summed_in_single_precision_agree_to_double(condition):
    X, y = gaussian(41_000, 100)
    X = X * np.logspace(0, -2, 100) + 5.0
    X[:, 1] = X[:, 0] + X[:, 1] / condition
    ours, theirs = LinearRegression(tol=1e-12).fit(X, y), peer.LinearRegression(tol=1e-12).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-9 * np.abs(theirs.coef_).max())
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8)
    assert ours.rank_ == theirs.rank_


@pytest.mark.parametrize("solver", ["svd", "cholesky", "lsqr", "sparse_cg", "auto", "exact", "sag"])
@pytest.mark.parametrize("shape", [(120, 9), (25, 60)])
def test_every_ridge_solver_agrees(solver, shape):
    X, y = gaussian(*shape)
    ours = Ridge(alpha=0.7, solver=solver, tol=1e-12).fit(X, y)
    theirs = peer.Ridge(alpha=0.7, solver="svd").fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-10)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-10)


def test_alphas_for_each_target_agree():
    X, y = gaussian(80, 6)
    Y = np.c_[y, -y, y**2]
    alpha = [0.0, 1.0, 30.0]
    np.testing.assert_allclose(Ridge(alpha).fit(X, Y).coef_, peer.Ridge(alpha).fit(X, Y).coef_, rtol=1e-10)


@pytest.mark.parametrize("form", ["csr_array", "csc_matrix", "coo_matrix"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(150, 30), (30, 150)])
def test_sparse_data_agree_with_the_same_data_dense(form, weighted, index, shape):
    rng = np.random.default_rng(3)
    dense = rng.standard_normal(shape) * (rng.random(shape) < 0.2)
    X = getattr(sparse, form)(dense)
    for name in ("indices", "indptr"):
        if hasattr(X, name):
            setattr(X, name, getattr(X, name).astype(index))
    y, weights = rng.standard_normal(shape[0]), rng.random(shape[0]) if weighted else None
    ours = Ridge(0.3).fit(X, y, weights)
    np.testing.assert_allclose(ours.coef_, peer.Ridge(0.3).fit(dense, y, weights).coef_, atol=1e-10)
    ours = LinearRegression().fit(X, y, weights)
    theirs = peer.LinearRegression(tol=1e-10).fit(dense, y, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8 * np.abs(theirs.coef_).max())


@pytest.mark.parametrize("targets", [1, 2])
def test_nonnegative_least_squares_agrees(targets):
    X, y = gaussian(100, 8)
    X = np.abs(X)
    y = y if targets == 1 else np.c_[y, -y]
    ours, theirs = LinearRegression(positive=True).fit(X, y), peer.LinearRegression(positive=True).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-10)


def test_nonnegative_ridge_is_at_least_as_good_as_the_peer():
    X, y = gaussian(100, 8)
    ours, theirs = Ridge(positive=True).fit(X, y), peer.Ridge(positive=True, tol=1e-10).fit(X, y)

    def objective(model):
        return np.sum((y - model.predict(X)) ** 2) + np.sum(model.coef_**2)

    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert objective(ours) <= objective(theirs) * (1 + 1e-12)


@pytest.mark.parametrize("model", ["LinearRegression", "Ridge", "RidgeCV"])
def test_single_precision_stays_and_is_as_accurate(model):
    X, y = gaussian(500, 80)
    single = {"LinearRegression": LinearRegression, "Ridge": Ridge, "RidgeCV": RidgeCV}[model]()
    single.fit(X.astype(np.float32), y.astype(np.float32))
    exact = getattr(peer, model)().fit(X.astype(np.float32).astype(float), y.astype(np.float32).astype(float))
    assert single.coef_.dtype == np.float32
    assert np.asarray(single.intercept_).dtype == np.float32
    np.testing.assert_allclose(single.coef_, exact.coef_, atol=2e-6 * np.abs(exact.coef_).max())


@pytest.mark.parametrize("shape", [(60, 5), (20, 50), (30, 30), (1500, 7)])
@pytest.mark.parametrize("targets", [None, 1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_intercept": False},
        {"gcv_mode": "svd"},
        {"gcv_mode": "eigen"},
        {"scoring": "r2"},
        {"alpha_per_target": True},
    ],
)
def test_leave_one_out_agrees(shape, targets, weighted, options):
    rng = np.random.default_rng(5)
    X = rng.standard_normal(shape) + 3
    y = rng.standard_normal(shape[0] if targets is None else (shape[0], targets))
    weights = rng.random(shape[0]) if weighted else None
    options = {**options, "store_cv_results": True, "alphas": np.logspace(-3, 3, 7)}
    ours, theirs = RidgeCV(**options).fit(X, y, weights), peer.RidgeCV(**options).fit(X, y, weights)
    for name in ("alpha_", "coef_", "intercept_", "cv_results_"):
        assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name)), name
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(np.ravel(ours.best_score_), np.ravel(theirs.best_score_), rtol=1e-8)
    assert ours.certificate_.optimal


def test_leaving_one_out_is_what_fits_without_it_predict():
    X, y = gaussian(25, 4)
    weights = np.random.default_rng(2).random(25)
    stored = RidgeCV([0.5], store_cv_results=True, scoring="r2").fit(X, y, weights).cv_results_[:, 0]
    for i in range(25):
        rest = np.arange(25) != i
        without = Ridge(0.5).fit(X[rest], y[rest], weights[rest])
        assert stored[i] == pytest.approx(without.predict(X[i : i + 1])[0], rel=1e-10)


@pytest.mark.parametrize("cv", [3, 5])
def test_other_cross_validation_agrees(cv):
    X, y = gaussian(60, 5)
    ours, theirs = RidgeCV(cv=cv).fit(X, y), peer.RidgeCV(cv=cv).fit(X, y)
    assert ours.alpha_ == theirs.alpha_
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-12)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)


@pytest.mark.parametrize("shape", [(60, 5), (20, 50)])
def test_the_path_is_ridge_for_each_alpha(shape):
    X, y = gaussian(*shape)
    alphas, coefs, intercepts = ridge_path(X, np.c_[y, -y], alphas=[0.1, 1.0, 10.0])
    for alpha, coef, intercept in zip(alphas, coefs, intercepts, strict=True):
        model = peer.Ridge(alpha).fit(X, np.c_[y, -y])
        np.testing.assert_allclose(coef, model.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(intercept, model.intercept_, rtol=1e-9, atol=1e-12)


def test_ridge_without_penalty_takes_the_answer_of_least_norm():
    """scikit-learn's Cholesky may succeed on a singular matrix by luck of rounding; its lstsq is the right peer."""
    X, y = gaussian(50, 4)
    X = np.c_[X, X[:, :2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peer.LinearRegression().fit(X, y)
    np.testing.assert_allclose(Ridge(0.0).fit(X, y).coef_, theirs.coef_, atol=1e-10)
