"""LogisticRegression finds the minimum that scikit-learn finds."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from steepest.linear_model import LogisticRegression


def data(n=200, d=5):
    """Rows, labels of two classes that overlap, and of three."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    score = X @ rng.standard_normal(d) + rng.logistic(size=n)
    return X, np.where(score > 0, "b", "a"), np.digitize(score, [-1.0, 1.0])


def fit_peer(X, y, sample_weight=None, **parameters):
    """Fit the peer by a solver for the penalty, to all the digits it can reach."""
    solver = "newton-cg" if parameters.get("l1_ratio", 0) == 0 else "saga"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # near rounding its line search gives up and says so
        return peer.LogisticRegression(solver=solver, tol=1e-13, max_iter=20_000, **parameters).fit(X, y, sample_weight)


def compare(ours, theirs):
    """Hold coefficients and intercepts together; several intercepts may all be shifted alike."""
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    shift = theirs.intercept_.mean() if len(theirs.intercept_) > 1 else 0.0
    scale = 1 + np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-8 * scale)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_ - shift, rtol=0, atol=1e-8 * scale)


@pytest.mark.parametrize("C", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_penalties(C, l1_ratio, fit_intercept, n_classes):
    X, two, three = data()
    y = two if n_classes == 2 else three
    options = {"C": C, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    ours = LogisticRegression(tol=1e-12, **options).fit(X, y)
    compare(ours, fit_peer(X, y, **options))
    assert ours.certificate_.relative < 1e-9


def test_where_all_coefficients_vanish_the_intercepts_are_the_log_frequencies():
    # the peer's saga looks at coefficients only to decide that it is done, and stops before the intercepts are right
    X, two, three = data()
    for y in (two, three):
        model = LogisticRegression(C=0.01, l1_ratio=1.0, tol=1e-12).fit(X, y)
        assert not model.coef_.any()
        log_counts = np.log(np.unique(y, return_counts=True)[1])
        expected = np.diff(log_counts) if len(log_counts) == 2 else log_counts - log_counts.mean()
        np.testing.assert_allclose(model.intercept_, expected, atol=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_sparse_data_and_weights(n_classes, l1_ratio):
    X, two, three = data()
    y = two if n_classes == 2 else three
    rng = np.random.default_rng(1)
    S, sample_weight = sparse.csr_array(np.where(rng.random(X.shape) < 0.5, X, 0.0)), rng.random(len(y))
    options = {"l1_ratio": l1_ratio, "class_weight": "balanced"}
    compare(LogisticRegression(tol=1e-12, **options).fit(S, y, sample_weight), fit_peer(S, y, sample_weight, **options))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_penalty(n_classes):
    X, two, three = data()
    y = two if n_classes == 2 else three
    compare(LogisticRegression(C=np.inf, tol=1e-12).fit(X, y), fit_peer(X, y, C=np.inf))


@pytest.mark.parametrize("solver", ["auto", "newton", "lbfgs", "newton-cg", "newton-cholesky", "fista", "saga"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_solver_reaches_the_same_minimum(solver, n_classes):
    X, two, three = data()
    y = two if n_classes == 2 else three
    ours = LogisticRegression(solver=solver, tol=1e-11, max_iter=20_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_, fit_peer(X, y).coef_, atol=1e-8)


@pytest.mark.parametrize("solver", ["coordinate-descent", "fista", "proximal-gradient", "liblinear"])
def test_every_solver_for_kinks_reaches_the_same_minimum(solver):
    X, y, _ = data()
    ours = LogisticRegression(solver=solver, l1_ratio=1.0, C=0.2, tol=1e-11, max_iter=20_000).fit(X, y)
    theirs = fit_peer(X, y, l1_ratio=1.0, C=0.2)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    np.testing.assert_array_equal(ours.coef_ == 0, np.abs(theirs.coef_) < 1e-9)


def test_enough_rows_to_begin_on_a_sample():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60_000, 5)) * [1e-3, 1, 1, 1, 1e3] + [0, 0, 5, 0, 0]
    y = (X @ [1e3, 1, -1, 0, 1e-3] + rng.logistic(size=len(X)) > -5).astype(int)
    ours = LogisticRegression(tol=1e-10).fit(X, y)
    assert ours.n_iter_[0] <= 12
    scale = X.std(axis=0)
    theirs = peer.LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=100).fit(X, y)
    np.testing.assert_allclose(ours.coef_ * scale, theirs.coef_ * scale, atol=1e-8)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)


def test_probabilities():
    X, two, three = data()
    for y in (two, three):
        ours, theirs = LogisticRegression(tol=1e-12).fit(X, y), fit_peer(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
        np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), atol=1e-8)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_float32_stays_float32_and_near():
    X, two, three = data()
    for y in (two, three):
        ours = LogisticRegression(tol=1e-6).fit(X.astype(np.float32), y)
        assert ours.coef_.dtype == ours.intercept_.dtype == np.float32
        np.testing.assert_allclose(ours.coef_, fit_peer(X, y).coef_, atol=1e-4)


def test_the_deprecated_penalty_still_chooses():
    X, y, _ = data()
    for penalty, new in (("l1", {"l1_ratio": 1.0}), ("l2", {}), (None, {"C": np.inf})):
        with pytest.warns(FutureWarning, match="deprecated"):
            old = LogisticRegression(penalty=penalty, tol=1e-12).fit(X, y)
        np.testing.assert_array_equal(old.coef_, LogisticRegression(tol=1e-12, **new).fit(X, y).coef_)


def test_too_few_iterations_warn():
    X, y, _ = data()
    with pytest.warns(ConvergenceWarning, match="did not converge in 1 iterations; raise max_iter"):
        LogisticRegression(max_iter=1, tol=1e-12).fit(X, y)
