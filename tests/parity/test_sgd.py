"""SGDRegressor and SGDClassifier make scikit-learn's updates in scikit-learn's order.

Rates at which an update overshoots are left out: there the iteration is chaotic, and two ways of rounding part
exponentially fast. So is the perceptron on sparse rows: scores that tie with 0 up to rounding decide it. Rows that are
repeated are visited in another order than scikit-learn's: see ``steepest.solvers.visits``.
"""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as peer
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from steepest.linear_model import SGDClassifier, SGDRegressor

REGRESSION = ["squared_error", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"]
CLASSIFICATION = ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"]


def data(seed=0, n=250, d=6):
    """Rows, a real target, and labels of two and of three classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) + 0.3 * rng.standard_normal(n)
    return X, y, np.where(y > 0, "yes", "no"), np.digitize(y, [-1.0, 1.0])


def some_zeros(X):
    """A sparse copy in which most entries are dropped."""
    return sparse.csr_matrix(np.where(np.random.default_rng(1).random(X.shape) < 0.4, X, 0.0))


def compare(ours, theirs, rtol=1e-10):
    """Hold every fitted number to the peer's."""
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=rtol, atol=1e-11)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=rtol, atol=1e-11)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)


def fit_both(name, X, y, *, sample_weight=None, **parameters):
    """Fit ours and the peer, with both their warnings of too few iterations silenced."""
    ours = {"SGDRegressor": SGDRegressor, "SGDClassifier": SGDClassifier}[name](**parameters)
    theirs = getattr(peer, name)(**parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return ours.fit(X, y, sample_weight=sample_weight), theirs.fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("loss", REGRESSION + CLASSIFICATION)
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
def test_all_losses_penalties_and_schedules(loss, penalty, learning_rate):
    X, y, two, three = data()
    options = {"loss": loss, "penalty": penalty, "learning_rate": learning_rate}
    options |= {"alpha": 1e-3, "max_iter": 8, "random_state": 3}
    if loss in REGRESSION:
        compare(*fit_both("SGDRegressor", X, y, **options))
    for labels in (two, three):
        compare(*fit_both("SGDClassifier", X, labels, **options))


@pytest.mark.parametrize("loss", ["squared_error", "huber", "squared_epsilon_insensitive"])
@pytest.mark.parametrize("penalty", ["l2", "l1", "elasticnet", None])
@pytest.mark.parametrize("average", [False, 50])
def test_sparse_rows(loss, penalty, average):
    X, y, two, three = data(d=30)  # wide enough for no two rows to be empty, which would be one row repeated
    if average and penalty in ("l1", "elasticnet"):
        pytest.skip("the peer's mean charges earlier weights again; see SGDRegressor's notes")
    options = {"loss": loss, "penalty": penalty, "alpha": 1e-3, "max_iter": 8, "random_state": 3, "average": average}
    compare(*fit_both("SGDRegressor", some_zeros(X), y, **options))
    options["learning_rate"] = "constant"
    for labels in (two, three):
        compare(*fit_both("SGDClassifier", some_zeros(X), labels, **options))


@pytest.mark.parametrize("loss", ["hinge", "log_loss", "modified_huber"])
@pytest.mark.parametrize("average", [False, True, 100])
def test_the_optimal_schedule_with_class_and_sample_weights(loss, average):
    X, _, two, three = data()
    sample_weight = np.random.default_rng(2).random(len(X)) + 0.5
    for labels in (two, three):
        options = {"loss": loss, "alpha": 0.1, "random_state": 3, "average": average, "class_weight": "balanced"}
        compare(*fit_both("SGDClassifier", X, labels, sample_weight=sample_weight, **options), rtol=1e-8)


@pytest.mark.parametrize("learning_rate", ["pa1", "pa2"])
def test_passive_aggressive_steps(learning_rate):
    X, y, two, three = data()
    options = {"learning_rate": learning_rate, "random_state": 1, "penalty": None, "eta0": 0.5, "max_iter": 5}
    compare(*fit_both("SGDRegressor", X, y, loss="epsilon_insensitive", **options))
    for labels in (two, three):
        compare(*fit_both("SGDClassifier", X, labels, loss="hinge", **options))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_order_and_intercept(shuffle, fit_intercept):
    X, y, _, _ = data()
    options = {"shuffle": shuffle, "fit_intercept": fit_intercept}
    compare(*fit_both("SGDRegressor", X, y, random_state=np.random.RandomState(5).randint(100), **options))


def test_a_random_state_object_is_drawn_from_alike():
    X, y, two, three = data()
    for name, target in (("SGDRegressor", y), ("SGDClassifier", two), ("SGDClassifier", three)):
        ours = {"SGDRegressor": SGDRegressor, "SGDClassifier": SGDClassifier}[name]
        settings = {"max_iter": 3, "tol": None, "eta0": 0.001, "learning_rate": "constant"}
        a = ours(random_state=np.random.RandomState(7), **settings).fit(X, target)
        b = getattr(peer, name)(random_state=np.random.RandomState(7), **settings).fit(X, target)
        compare(a, b)


def test_early_stopping_holds_out_the_same_rows():
    X, y, two, three = data()  # without a penalty the peer scores the true weights, too
    options = {"early_stopping": True, "penalty": None, "random_state": 4, "learning_rate": "constant"}
    compare(*fit_both("SGDRegressor", X, y, **options))
    for labels in (two, three):
        compare(*fit_both("SGDClassifier", X, labels, loss="hinge", **options))


def test_partial_fit_call_by_call():
    X, y, two, three = data()
    for name, target in (("SGDRegressor", y), ("SGDClassifier", two), ("SGDClassifier", three)):
        # the peer's classifier forgets its intercept between calls while it averages: only its regressor is held to
        for average in (False, 60) if name == "SGDRegressor" else (False,):
            settings = {"random_state": 0, "average": average, "alpha": 0.05}
            ours = {"SGDRegressor": SGDRegressor, "SGDClassifier": SGDClassifier}[name](**settings)
            theirs = getattr(peer, name)(**settings)
            more = {} if name == "SGDRegressor" else {"classes": np.unique(target)}
            for start in range(0, 250, 50):
                rows = slice(start, start + 50)
                ours.partial_fit(X[rows], target[rows], **more)
                theirs.partial_fit(X[rows], target[rows], **more)
            compare(ours, theirs, rtol=1e-8)


def test_float32_agrees_to_single_precision():
    X, y, two, _ = data()
    for name, target in (("SGDRegressor", y.astype(np.float32)), ("SGDClassifier", two)):
        options = {"random_state": 0, "max_iter": 5, "tol": None, "learning_rate": "constant", "eta0": 0.001}
        ours, theirs = fit_both(name, X.astype(np.float32), target, **options)
        assert ours.coef_.dtype == ours.intercept_.dtype == np.float32
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_probabilities(loss):
    X, _, two, three = data()
    for labels in (two, three):
        options = {"loss": loss, "random_state": 0, "learning_rate": "constant"}
        ours, theirs = fit_both("SGDClassifier", X, labels, **options)
        np.testing.assert_allclose(ours.predict_proba(10 * X), theirs.predict_proba(10 * X), atol=1e-9)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-8)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
