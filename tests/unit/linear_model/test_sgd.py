"""SGDRegressor and SGDClassifier as estimators: what they accept, refuse, say and leave behind."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.linear_model import SGDClassifier, SGDRegressor
from steepest.solvers.stopping import Reason
from steepest.trace import Trace


def data(n=120, d=4):
    """Rows, a real target and two classes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = X @ rng.standard_normal(d) + 0.1 * rng.standard_normal(n)
    return X, y, (y > 0).astype(int)


@pytest.mark.parametrize(
    "options, text",
    [
        ({"loss": "log"}, "loss='log': must be one of"),
        ({"penalty": "l3"}, "penalty='l3': must be one of 'l2', 'l1', 'elasticnet'; did you mean 'l2'"),
        ({"alpha": -1}, "alpha=-1: must be a finite number not below 0"),
        ({"eta0": 0}, "eta0=0: must be a finite number above 0"),
        ({"batch_size": 0}, "batch_size=0: must be an integer of at least 1"),
        ({"average": 0.5}, "average=0.5: must be an integer of at least 1"),
        ({"learning_rate": "optimal", "alpha": 0.0}, "alpha=0: learning_rate='optimal' is computed from alpha"),
        ({"learning_rate": "pa1", "loss": "squared_error"}, "learning_rate='pa1' works with loss='"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio=None: penalty='elasticnet' needs a number"),
        ({"l1_ratio": 1.5}, "l1_ratio=1.5: must lie between 0 and 1"),
        ({"validation_fraction": 1.0}, "validation_fraction=1.0: must lie strictly between 0 and 1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [SGDRegressor, SGDClassifier])
def test_what_cannot_be_used_is_named(kind, options, text):
    X, y, labels = data()
    with pytest.raises(InvalidInputError, match=text):
        kind(**options).fit(X, y if kind is SGDRegressor else labels)


def test_passive_aggressive_steps_are_for_single_samples():
    X, _, labels = data()
    with pytest.raises(InvalidInputError, match="batch_size=8: learning_rate='pa1' is a step for single samples"):
        SGDClassifier(learning_rate="pa1", batch_size=8).fit(X, labels)


@pytest.mark.parametrize("scale, dtype", [(10.0, np.float64), (10.0, np.float32), (1e6, np.float64)])
def test_a_diverging_run_names_the_step_and_a_stable_rate(scale, dtype):
    X, y, labels = data()
    text = r"diverged at step 1: .* it was .* at the start; step size 10 is too large here: the largest stable learning"
    with pytest.warns(ConvergenceWarning, match="SGDRegressor " + text):
        model = SGDRegressor(eta0=10.0, learning_rate="constant", random_state=1).fit((scale * X).astype(dtype), y)
    assert model.stopping_reason_ is Reason.DIVERGED
    with pytest.warns(ConvergenceWarning, match="SGDClassifier " + text):
        SGDClassifier(loss="squared_hinge", eta0=10.0, learning_rate="constant", random_state=1).fit(
            (scale * X).astype(dtype), labels
        )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_interrupted_run_keeps_its_last_pass(monkeypatch, n_classes):
    def interrupt(self, step):
        record(self, step)
        if step.index == 3:
            raise KeyboardInterrupt

    record = Trace.record
    X, y, _ = data()
    labels = np.digitize(y, [-1.0, 1.0][: n_classes - 1])
    settings = {"random_state": 0, "tol": None}
    three = SGDClassifier(max_iter=3, **settings).fit(X, labels)
    monkeypatch.setattr(Trace, "record", interrupt)
    with pytest.warns(UserWarning, match="SGDClassifier: interrupted; the last complete step is kept"):
        model = SGDClassifier(max_iter=100, **settings).fit(X, labels)
    assert (model.n_iter_, model.stopping_reason_) == (3, Reason.INTERRUPTED)
    np.testing.assert_array_equal(model.coef_, three.coef_)


def test_an_overflowing_run_is_an_error():
    X, y, _ = data()
    with pytest.raises(DivergenceError, match="SGDRegressor diverged at step 1: the objective is no longer finite"):
        SGDRegressor(eta0=1e300, learning_rate="constant").fit(1e100 * X, y)


def test_a_run_that_recovers_is_not_called_diverged():
    X, y, _ = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SGDRegressor(eta0=1.5, learning_rate="adaptive", n_iter_no_change=1, random_state=0).fit(3 * X, y)
    assert model.stopping_reason_ is Reason.PATIENCE
    assert model.score(3 * X, y) > 0.9


def test_the_rate_it_names_is_stable():
    X, y, _ = data()
    with pytest.warns(ConvergenceWarning, match="stable learning rate") as caught:
        SGDRegressor(eta0=10.0, learning_rate="constant").fit(10 * X, y)
    rate = float(str(caught[0].message).rsplit(" ", 1)[1])
    model = SGDRegressor(eta0=rate / 2, learning_rate="constant", random_state=0).fit(10 * X, y)
    assert model.score(10 * X, y) > 0.9


def test_mini_batches_of_all_rows_are_gradient_descent():
    X, y, _ = data()
    settings = {"learning_rate": "constant", "eta0": 0.1, "alpha": 0.5, "tol": None, "max_iter": 7, "shuffle": False}
    model = SGDRegressor(batch_size=len(X), **settings).fit(X, y)
    w, b = np.zeros(4), 0.0
    for _ in range(7):
        residual = X @ w + b - y
        w, b = w - 0.1 * (X.T @ residual / len(y) + 0.5 * w), b - 0.1 * residual.mean()
    np.testing.assert_allclose(model.coef_, w, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, b, rtol=1e-12)
    assert model.t_ == 8


@pytest.mark.parametrize("batch_size", [1, 16, 1000])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_learning_works(batch_size, form):
    X, y, labels = data()
    options = {"batch_size": batch_size, "random_state": 0, "max_iter": 2000, "tol": 1e-6}
    assert SGDRegressor(learning_rate="constant", **options).fit(form(X), y).score(X, y) > 0.95
    assert SGDClassifier(loss="log_loss", **options).fit(form(X), labels).score(X, labels) > 0.95


def test_the_same_seed_gives_the_same_bits():
    X, _, _ = data()
    three = np.digitize(X[:, 0], [-0.5, 0.5])
    fits = [SGDClassifier(random_state=7).fit(X, three).coef_ for _ in range(2)]
    np.testing.assert_array_equal(*fits)


def test_callbacks_see_every_pass():
    X, y, _ = data()
    monitor, trace = ScoringMonitor(scoring="r2"), Trace(parameters=True)
    model = SGDRegressor(random_state=0).set_callbacks(monitor, trace).fit(X, y)
    assert model.trace_ is trace
    assert len(trace) == model.n_iter_ + 1
    np.testing.assert_allclose(trace.parameters[-1], [*model.coef_, *model.intercept_])
    assert trace["value"][-1] < trace["value"][1]


def test_too_few_passes_warn():
    X, y, _ = data()
    with pytest.warns(ConvergenceWarning, match="SGDRegressor did not converge in 2 iterations; raise max_iter"):
        SGDRegressor(max_iter=2).fit(X, y)


def test_warm_start_goes_on():
    X, y, labels = data()
    for model, target in ((SGDRegressor(), y), (SGDClassifier(), labels)):
        model.set_params(warm_start=True, tol=None, max_iter=3, random_state=0, shuffle=False, learning_rate="constant")
        whole = type(model)(**{**model.get_params(), "max_iter": 6}).fit(X, target)
        model.fit(X, target).fit(X, target)
        np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-12)


def test_coef_init_must_fit():
    X, y, _ = data()
    with pytest.raises(InvalidInputError, match=r"coef_init has shape \(2,\): does not match dataset, \(1, 4\) needed"):
        SGDRegressor().fit(X, y, coef_init=np.ones(2))


def test_partial_fit_refuses_what_needs_all_data():
    X, y, labels = data()
    with pytest.raises(InvalidInputError, match="early_stopping=True: partial_fit makes one pass"):
        SGDRegressor(early_stopping=True).partial_fit(X, y)
    with pytest.raises(InvalidInputError, match="class_weight='balanced': partial_fit sees a part of the data"):
        SGDClassifier(class_weight="balanced").partial_fit(X, labels, classes=[0, 1])
    with pytest.raises(InvalidInputError, match="classes=None: classes must be passed on the first call"):
        SGDClassifier().partial_fit(X, labels)
    model = SGDClassifier().partial_fit(X, labels, classes=[0, 1])
    with pytest.raises(InvalidInputError, match=r"y holds 5: not among the classes \[0, 1\]"):
        model.partial_fit(X, labels + 5)


def test_probabilities_only_where_the_loss_gives_them():
    X, _, labels = data()
    model = SGDClassifier(random_state=0).fit(X, labels)
    assert not hasattr(model, "predict_proba")
    model = SGDClassifier(loss="modified_huber", random_state=0).fit(X, labels)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(np.exp(model.predict_log_proba(X)) == 0, p == 0)


def test_early_stopping_with_too_few_rows():
    with pytest.raises(ValueError, match="n_samples=1"):
        SGDRegressor(early_stopping=True).fit([[1.0]], [1.0])


@pytest.mark.parametrize("seed", [1, 3, 4, 5])  # others need more passes to come back
def test_a_rate_that_falls_may_come_back_from_far(seed):
    from sklearn.linear_model import SGDRegressor as Theirs

    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6, 5))
    y = X @ rng.normal(size=5)
    how = {"alpha": 0.01, "learning_rate": "optimal", "max_iter": 3000, "tol": None, "random_state": 0}
    ours, theirs = SGDRegressor(**how).fit(X, y), Theirs(**how).fit(X, y)
    assert np.nanmax(ours.trace_["value"]) > 1e20  # the rates of the first passes were far too large
    assert ours.stopping_reason_ is Reason.MAX_ITER
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4)  # the digits that such a way back leaves
