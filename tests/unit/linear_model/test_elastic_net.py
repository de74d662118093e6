"""Elastic net: its penalty's two ends, and cross-validation with its folds."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit

from steepest.kernels.gram import moments
from steepest.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV
from steepest.linear_model.folds import column_folds, gram_folds, without
from steepest.solvers.path import follow_path
from steepest.solvers.subproblem import Strength


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((60, 6)) + 2.0
    return X, X @ [1.0, 2.0, 0.0, 0.0, -1.0, 0.0] + np.random.default_rng(1).standard_normal(60)


def test_a_ratio_of_one_is_the_lasso(data):
    np.testing.assert_array_equal(ElasticNet(0.1, l1_ratio=1.0).fit(*data).coef_, Lasso(0.1).fit(*data).coef_)


def test_a_ratio_of_zero_is_ridge_regression(data):
    X, y = data
    A, b = X - X.mean(axis=0), y - y.mean()
    expected = np.linalg.solve(A.T @ A + 60 * 0.3 * np.eye(6), A.T @ b)
    np.testing.assert_allclose(ElasticNet(0.3, l1_ratio=0.0, tol=1e-12).fit(X, y).coef_, expected, atol=1e-8)


@pytest.mark.parametrize("centre", [True, False])
def test_moments_without_a_part_are_the_moments_of_the_rest(data, centre):
    X, y = data
    Y, s = y[:, None], np.random.default_rng(2).uniform(0.5, 1.0, 60)
    found = without(moments(X, Y, s, centre=centre), moments(X[:20], Y[:20], s[:20], centre=centre), centre)
    expected = moments(X[20:], Y[20:], s[20:], centre=centre)
    for name in ("weight", "x_mean", "y_mean", "gram", "cross", "y_square"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cv", [KFold(3), ShuffleSplit(3, train_size=20, test_size=10, random_state=0)])
def test_folds_by_gram_and_by_columns_are_the_same_problem(data, cv):
    X, y = data
    weight = np.random.default_rng(2).uniform(0.5, 1.0, 60)
    splits = list(cv.split(X))
    whole, by_gram = gram_folds(X, y, weight, splits, True)
    same, by_columns = column_folds(X, y, weight, splits, True)
    np.testing.assert_allclose(whole.c, same.c, atol=1e-10)
    assert whole.squared_target == pytest.approx(same.squared_target)
    for a, b in zip(by_gram, by_columns, strict=True):
        np.testing.assert_allclose(a.problem.c, b.problem.c, atol=1e-10)
        assert a.problem.squared_target == pytest.approx(b.problem.squared_target)
        assert a.problem.mean == pytest.approx(b.problem.mean)


def test_errors_do_not_depend_on_how_folds_are_computed(data):
    paths = [LassoCV(cv=3, tol=1e-12, precompute=p).fit(*data).mse_path_ for p in (True, "auto")]
    X, y = data
    paths.append(LassoCV(cv=3, tol=1e-12, n_jobs=2).fit(np.asfortranarray(X), y).mse_path_)
    np.testing.assert_allclose(paths[1], paths[0], rtol=1e-9)
    np.testing.assert_allclose(paths[2], paths[0], rtol=1e-9)


def test_the_refit_is_the_plain_fit_at_the_chosen_alpha(data):
    model = ElasticNetCV(l1_ratio=[0.5, 0.9], cv=3, tol=1e-10).fit(*data)
    plain = ElasticNet(model.alpha_, l1_ratio=model.l1_ratio_, tol=1e-10).fit(*data)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-9)
    assert model.certificate_.optimal
    assert model.alphas_.shape == (2, 100)
    assert model.mse_path_.shape == (2, 100, 3)


@pytest.mark.parametrize("n_jobs", [None, 4])
def test_the_paths_of_a_fold_do_not_meet_in_several_threads(monkeypatch, n_jobs):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 300))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(60)
    errors = []
    for n_threads in ("1", "4"):
        monkeypatch.setenv("STEEPEST_NUM_THREADS", n_threads)
        how = {"l1_ratio": [0.1, 0.3, 0.5, 0.7, 0.9], "cv": 2, "alphas": 30}
        errors.append(ElasticNetCV(**how, n_jobs=None if n_threads == "1" else n_jobs).fit(X, y).mse_path_)
    np.testing.assert_array_equal(*errors)


def test_given_alphas_are_sorted(data):
    model = LassoCV(alphas=[0.01, 1.0, 0.1], cv=3).fit(*data)
    np.testing.assert_array_equal(model.alphas_, [1.0, 0.1, 0.01])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"l1_ratio": 0.0}, "l1_ratio=0: no alpha makes all coefficients zero"),
        ({"l1_ratio": [0.5, 1.5]}, "must lie between 0 and 1"),
        ({"alphas": [0.1, -1.0]}, r"alphas\[1\]=-1.0: must be a finite number not below 0"),
        ({"eps": 0.0}, "eps=0.0: must be a finite number above 0"),
        ({"alphas": 0}, "alphas=0: must be an integer of at least 1"),
    ],
)
def test_wrong_parameters_are_named(data, parameters, message):
    with pytest.raises(ValueError, match=message):
        ElasticNetCV(**parameters).fit(*data)


def test_unfinished_paths_warn(data):
    with pytest.warns(ConvergenceWarning) as caught:
        LassoCV(cv=3, max_iter=1, tol=1e-12).fit(*data)
    assert "of 300 alphas of all folds did not converge, the first is" in str(caught[0].message)
    assert "LassoCV did not converge in 1 iterations" in str(caught[1].message)
    assert {warning.filename for warning in caught} == {__file__}  # the line of the user


def test_metadata_goes_to_the_splitter(data):
    groups = np.repeat(np.arange(6), 10)
    with pytest.raises(ValueError, match="groups: fit takes further arguments only with metadata routing"):
        LassoCV(cv=GroupKFold(3)).fit(*data, groups=groups)
    with config_context(enable_metadata_routing=True):
        model = LassoCV(cv=GroupKFold(3)).fit(*data, groups=groups)
    assert model.mse_path_.shape == (100, 3)


def test_errors_from_moments_are_those_of_the_rows(data):
    X, y = data
    weight = np.random.default_rng(2).uniform(0.5, 1.0, 60)
    fold = gram_folds(X, y, weight, list(KFold(3).split(X)), True)[1][1]
    path = follow_path(fold.problem, [Strength(0.5, 0.0), Strength(0.01, 0.0)], tolerance=1e-8, max_epochs=100)
    expected = fold._errors_of_rows(path, X, y, weight)
    np.testing.assert_allclose(fold.errors(path, X, y, weight), expected, rtol=1e-11)
    assert expected.min() > 0.1


def test_errors_of_a_perfect_fit_keep_their_digits():
    X = np.random.default_rng(0).standard_normal((60, 3))
    model = LassoCV(cv=3, alphas=[1e-9], tol=1e-14).fit(X, X @ [1.0, 2.0, 3.0] + 4.0)
    assert 0.0 < model.mse_path_.max() < 1e-16
