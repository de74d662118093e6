"""Numbers so large or so small that their squares are not: the right answer, or an error that says so."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.linear_model import (
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeCV,
    ridge_path,
)


def data(n=120, d=3):
    rng = np.random.default_rng(n + d)
    X = rng.standard_normal((n, d)) + 1.0
    return X, X @ np.arange(1.0, d + 1) + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize(("n", "d"), [(120, 3), (20, 30)])
@pytest.mark.parametrize("exponent", [-515, -565, -1000, 540, 1000])
@pytest.mark.parametrize("positive", [False, True])
def test_least_squares_in_any_unit(n, d, exponent, positive):
    X, y = data(n, d)
    expected = LinearRegression(positive=positive).fit(X, y)
    model = LinearRegression(positive=positive).fit(np.ldexp(X, exponent), y)
    np.testing.assert_array_equal(np.ldexp(model.coef_, exponent), expected.coef_)
    assert model.intercept_ == expected.intercept_
    assert model.certificate_.optimal
    if not positive:
        assert model.rank_ == expected.rank_
        np.testing.assert_allclose(np.ldexp(model.singular_, -exponent), expected.singular_, rtol=1e-12)


@pytest.mark.parametrize("exponent", [-400, 400])
@pytest.mark.parametrize("mode", ["eigen", "svd"])
@pytest.mark.parametrize(("n", "d"), [(120, 3), (20, 30)])
def test_ridge_in_any_unit(n, d, mode, exponent):
    X, y = data(n, d)
    alphas = np.array([0.1, 1.0, 10.0])
    far, moved = np.ldexp(X, exponent), np.ldexp(alphas, 2 * exponent)
    weights = np.where(np.arange(n) % 7 == 0, 0.0, 1.0)
    expected = RidgeCV(alphas, gcv_mode=mode, store_cv_results=True).fit(X, y, weights)
    model = RidgeCV(moved, gcv_mode=mode, store_cv_results=True).fit(far, y, weights)
    np.testing.assert_allclose(np.ldexp(model.coef_, exponent), expected.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.cv_results_, expected.cv_results_, rtol=1e-10)
    assert model.alpha_ == np.ldexp(expected.alpha_, 2 * exponent)
    for paths in zip(ridge_path(far, y, alphas=moved)[1:], ridge_path(X, y, alphas=alphas)[1:], strict=True):
        np.testing.assert_allclose(np.ldexp(paths[0], exponent * (paths[0].ndim - 1)), paths[1], rtol=1e-12)


@pytest.mark.parametrize("model", [Ridge(1.0), RidgeCV([1.0]), LinearRegression(), Ridge(1.0, positive=True)])
@pytest.mark.parametrize("offset", [6e14, 2e15])
def test_a_column_far_from_zero_is_not_taken_for_constant(model, offset):
    X, y = data()
    far = X + offset
    coef = model.fit(far, y).coef_.copy()
    np.testing.assert_allclose(coef, model.fit(far - offset, y).coef_, rtol=1e-9)
    assert np.all(coef > 0.5)


def test_the_certificate_does_not_depend_on_the_unit():
    X, y = data()
    assert LinearRegression().fit(np.ldexp(X, -565), y).certificate_.relative == pytest.approx(
        LinearRegression().fit(X, y).certificate_.relative
    )


@pytest.mark.parametrize(
    ("model", "what"),
    [
        (LogisticRegression(C=np.inf), "both"),
        (LogisticRegression(), "large"),
        (LogisticRegression(solver="lbfgs"), "large"),
        (LinearRegression(solver="gradient-descent"), "both"),
        (LinearRegression(solver="lbfgs"), "both"),
        (Ridge(solver="fista"), "large"),
    ],
)
def test_other_solvers_name_the_scale_they_cannot_work_in(model, what):
    X, y = data()
    if isinstance(model, LogisticRegression):
        y = y > y.mean()
    with pytest.raises(InvalidInputError, match=r"X holds numbers of about 4e\+160, whose squares overflow: divide"):
        model.fit(1e160 * X, y)
    if what == "both":
        with pytest.raises(InvalidInputError, match=r"X holds numbers of about 4e-160, whose squares vanish: divide"):
            model.fit(1e-160 * X, y)
    else:
        np.testing.assert_allclose(model.fit(1e-160 * X, y).coef_, 0.0, atol=1e-150)


@pytest.mark.parametrize(("n", "d"), [(120, 3), (20, 30)])
def test_coordinate_descent_says_what_vanishes(n, d):
    X, y = data(n, d)
    np.testing.assert_array_equal(Lasso(0.1).fit(1e-160 * X, y).coef_, 0.0)
    with pytest.raises(InvalidInputError, match="of X holds numbers so small that their squares vanish: scale X up"):
        Lasso(1e-161).fit(1e-160 * X, y)
    with pytest.raises(InvalidInputError, match="y varies so little that its squares vanish: scale y up"):
        Lasso(1e-171).fit(X, 1e-170 * y)
    with pytest.raises(InvalidInputError, match="products overflow: scale the data"):
        Lasso().fit(1e-170 * X, 1e170 * y)
    with pytest.raises(InvalidInputError, match="products overflow: scale the data"):
        LassoCV().fit(1e160 * X, y)
