"""MLPRegressor and MLPClassifier make scikit-learn's updates, from its weights, in its order."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network as peer
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

import steepest.neural_network as ours

RNG = np.random.default_rng(0)
X = RNG.standard_normal((130, 5))
Y = X[:, 0] ** 2 - X[:, 1] + 0.1 * RNG.standard_normal(130)
TARGETS = {
    "two classes": np.where(Y > 0, "yes", "no"),
    "three classes": np.digitize(Y, [-0.5, 1.0]),
    "several labels": (np.column_stack([Y, X[:, 2]]) > 0).astype(int),
}
WEIGHTS = RNG.uniform(0.5, 2.0, 130)
BASE = {"hidden_layer_sizes": (7, 4), "random_state": 3, "batch_size": 32, "max_iter": 30}


@pytest.fixture(autouse=True)
def _few_passes_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def compare(name, y, sample_weight=None, *, X=X, curve=True, **parameters):
    a = getattr(ours, name)(**parameters).fit(X, y, sample_weight=sample_weight)
    b = getattr(peer, name)(**parameters).fit(X, y, sample_weight=sample_weight)
    hold(a, b, curve)
    return a, b


def hold(a, b, curve=True):
    assert (a.n_iter_, a.t_, a.n_layers_, a.n_outputs_) == (b.n_iter_, b.t_, b.n_layers_, b.n_outputs_)
    assert a.out_activation_ == b.out_activation_
    for mine, other in zip([*a.coefs_, *a.intercepts_], [*b.coefs_, *b.intercepts_], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-10)
    if curve:
        np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-10)
        assert a.loss_ == pytest.approx(b.loss_, rel=1e-10)
        assert a.best_loss_ == (None if b.best_loss_ is None else pytest.approx(b.best_loss_, rel=1e-10))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_regression_by_adam(activation, weights):
    compare("MLPRegressor", Y, weights, **BASE, activation=activation)


@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("momentum", [0.0, 0.9, 1.0])
def test_stochastic_gradients_under_every_schedule(learning_rate, nesterov, momentum):
    how = {**BASE, "max_iter": 60, "n_iter_no_change": 3, "tol": 1e-3, "learning_rate_init": 0.005}
    how |= {"learning_rate": learning_rate, "nesterovs_momentum": nesterov, "momentum": momentum, "solver": "sgd"}
    compare("MLPRegressor", Y, **how)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_classification(target, weights):
    a, b = compare("MLPClassifier", TARGETS[target], weights, **BASE, alpha=0.1)
    np.testing.assert_array_equal(a.predict(X), b.predict(X))
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-8)
    np.testing.assert_allclose(a.predict_log_proba(X), b.predict_log_proba(X), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("target", [*TARGETS, "real"])
def test_early_stopping_holds_out_the_same_rows_and_keeps_the_same_weights(target):
    name, y = ("MLPRegressor", Y) if target == "real" else ("MLPClassifier", TARGETS[target])
    a, b = compare(name, y, **{**BASE, "max_iter": 80}, early_stopping=True, n_iter_no_change=5)
    np.testing.assert_allclose(a.validation_scores_, b.validation_scores_, rtol=1e-10)
    assert a.best_validation_score_ == pytest.approx(b.best_validation_score_)
    np.testing.assert_array_equal(a.trace_["validation_score"][1:], a.validation_scores_)


def test_counts_by_the_poisson_deviance():
    compare("MLPRegressor", np.exp(Y / 3), **BASE, loss="poisson")


def test_several_outputs_share_the_path_and_the_reported_loss_is_the_one_minimised():
    y = np.column_stack([Y, X[:, 2] * Y, X[:, 3]])
    a, b = compare("MLPRegressor", y, **{**BASE, "n_iter_no_change": 99}, alpha=0.0, curve=False)
    np.testing.assert_allclose(a.loss_curve_, 3.0 * np.array(b.loss_curve_), rtol=1e-10)


def test_partial_fits_go_on_where_the_last_one_ended():
    for name, y, first in (
        ("MLPRegressor", Y, {}),
        ("MLPClassifier", TARGETS["three classes"], {"classes": [0, 1, 2]}),
    ):
        for how in ({"solver": "adam"}, {"solver": "sgd", "learning_rate": "invscaling"}):
            a, b = (
                getattr(room, name)((4,) if name == "MLPClassifier" else "squared_error", random_state=0, **how)
                for room in (ours, peer)
            )
            for start in (0, 40, 80):
                part = slice(start, start + 40)
                a.partial_fit(X[part], y[part], **first)
                b.partial_fit(X[part], y[part], **first)
            hold(a, b)


def test_warm_starts_go_on_with_fresh_velocity():
    a, b = (room.MLPRegressor(**BASE, warm_start=True, solver="sgd") for room in (ours, peer))
    for model in (a, b):
        model.fit(X, Y).fit(X, Y)
    hold(a, b)
    assert len(a.loss_curve_) == len(b.loss_curve_)


def test_a_random_state_object_is_drawn_from_alike():
    states = np.random.RandomState(5), np.random.RandomState(5)
    how = {**BASE, "max_iter": 200, "tol": 1e-2, "n_iter_no_change": 2}
    a, b = (
        room.MLPRegressor(**{**how, "random_state": s}).fit(X, Y) for room, s in zip((ours, peer), states, strict=True)
    )
    hold(a, b)
    assert states[0].randint(10**6) == states[1].randint(10**6)


def test_sparse_rows_and_no_shuffling():
    rng = np.random.default_rng(1)
    thin = np.where(rng.random(X.shape) < 0.5, X, 0.0)
    a = ours.MLPRegressor(**BASE, shuffle=False).fit(sparse.csr_matrix(thin), Y)
    hold(a, peer.MLPRegressor(**BASE, shuffle=False).fit(thin, Y))
    np.testing.assert_allclose(a.predict(sparse.csr_matrix(thin)), a.predict(thin), rtol=1e-12)


def test_single_precision_stays_single():
    a = ours.MLPRegressor(**BASE).fit(X.astype(np.float32), Y.astype(np.float32))
    b = peer.MLPRegressor(**BASE).fit(X.astype(np.float32), Y.astype(np.float32))
    assert {W.dtype for W in a.coefs_} == {np.dtype(np.float32)}
    np.testing.assert_allclose(a.loss_curve_, b.loss_curve_, rtol=1e-3)


def test_lbfgs_arrives_at_least_as_low():
    how = {"hidden_layer_sizes": (6,), "solver": "lbfgs", "alpha": 1.0, "activation": "tanh", "random_state": 1}
    a = ours.MLPRegressor(**how, max_iter=3000, tol=1e-6).fit(X, Y)
    b = peer.MLPRegressor(**how, max_iter=3000, tol=1e-6).fit(X, Y)
    assert a.loss_ <= b.loss_ * 1.02  # the valley has several ends


def test_every_parameter_has_the_peers_name_and_default():
    for name in ("MLPRegressor", "MLPClassifier"):
        assert getattr(ours, name)().get_params() == getattr(peer, name)().get_params()
