"""LogisticRegression as an estimator: what it accepts, refuses, says and leaves behind."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.linear_model import LogisticRegression
from steepest.trace import Trace


def data(n=80, d=3):
    """Two classes that overlap."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    return X, (X[:, 0] + rng.standard_normal(n) > 0).astype(int)


@pytest.mark.parametrize(
    "options, text",
    [
        ({"C": 0}, "C=0: must be a number above 0, or numpy.inf for no penalty"),
        ({"C": -1.0}, "C=-1.0: must be a number above 0"),
        ({"C": np.nan}, "C=nan: must be a number above 0"),
        ({"l1_ratio": 2}, "l1_ratio=2: must lie between 0 and 1"),
        ({"solver": "newtn"}, "did you mean 'newton'"),
        ({"solver": "lbfgs", "l1_ratio": 1.0}, "solver='lbfgs': needs a penalty without kinks; use 'auto'"),
        ({"solver": "coordinate-descent"}, "is for penalties with an L1 part"),
        ({"dual": True}, "dual=True: only the primal problem is solved here"),
        ({"max_iter": 0}, "max_iter=0: must be an integer of at least 1"),
        ({"tol": -1.0}, "tol=-1.0: must be a finite number not below 0"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(options, text):
    with pytest.raises(InvalidInputError, match=text.replace("(", r"\(")):
        LogisticRegression(**options).fit(*data())


def test_one_class_is_refused():
    X, _ = data()
    with pytest.raises(InvalidInputError, match="y holds one class only, 'x': a classifier needs at least 2 classes"):
        LogisticRegression().fit(X, np.full(len(X), "x"))


def test_separable_data_without_a_penalty_are_said_to_be_so():
    X, _ = data()
    for y in ((X[:, 0] > 0).astype(int), np.digitize(X[:, 0], [-0.5, 0.5])):
        with pytest.warns(ConvergenceWarning, match="perfectly separated by a hyperplane and there is no penalty"):
            model = LogisticRegression(C=np.inf).fit(X, y)
        assert model.score(X, y) == 1.0
        LogisticRegression(C=1e6).fit(X, y)  # a penalty, however weak, makes the minimum exist: no warning


def test_large_offsets_and_scales_lose_nothing():
    X, y = data()
    plain = LogisticRegression(C=np.inf, tol=1e-10).fit(X, y)
    scale, offset = np.array([1e6, 1.0, 1e-6]), np.array([0.0, 1e6, 0.0])
    moved = LogisticRegression(C=np.inf, tol=1e-10).fit(X * scale + offset, y)
    np.testing.assert_allclose(moved.coef_ * scale, plain.coef_, rtol=1e-6)
    np.testing.assert_allclose(moved.predict_proba(X * scale + offset), plain.predict_proba(X), atol=1e-6)


def test_constant_and_duplicated_columns():
    X, y = data()
    plain = LogisticRegression(tol=1e-10).fit(X, y)
    more = LogisticRegression(tol=1e-10).fit(np.c_[X, np.ones(len(X)), np.zeros(len(X))], y)
    np.testing.assert_allclose(more.coef_[0], [*plain.coef_[0], 0.0, 0.0], atol=1e-7)
    doubled = LogisticRegression(C=np.inf, tol=1e-10).fit(np.c_[X, X], y)
    free = LogisticRegression(C=np.inf, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(doubled.predict_proba(np.c_[X, X]), free.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("labels", [["no", "yes"], [-100, 100], [False, True], [2.0, 7.0]], ids=str)
@pytest.mark.parametrize("dtype", [None, np.int8])
def test_labels_of_any_kind(labels, dtype):
    X, y = data()
    if dtype is not None and not isinstance(labels[0], int):
        pytest.skip("small integers are asked for")
    target = np.array(labels, dtype=dtype)[y]
    model = LogisticRegression().fit(X, target)
    assert model.classes_.tolist() == labels and model.classes_.dtype == target.dtype
    np.testing.assert_array_equal(model.coef_, LogisticRegression().fit(X, y).coef_)
    assert set(model.predict(X).tolist()) == set(labels)


@pytest.mark.parametrize("form", [np.asfortranarray, sparse.csc_matrix, lambda X: np.rint(X * 3).astype(int) / 3])
def test_forms_of_the_same_data(form):
    X, y = data()
    X = np.rint(X * 3) / 3
    expected = LogisticRegression(tol=1e-10).fit(X, y).coef_
    np.testing.assert_allclose(LogisticRegression(tol=1e-10).fit(form(X), y).coef_, expected, rtol=1e-7)


def test_class_weights():
    X, y = data()
    with pytest.raises(ValueError, match="are not in class_weight"):
        LogisticRegression(class_weight={7: 2.0}).fit(X, y)
    by_class = LogisticRegression(class_weight={0: 2.0}, tol=1e-10).fit(X, y)  # a class left out counts 1
    by_sample = LogisticRegression(tol=1e-10).fit(X, y, np.where(y == 0, 2.0, 1.0))
    np.testing.assert_allclose(by_class.coef_, by_sample.coef_, rtol=1e-8)


def test_warm_start_goes_on():
    X, y = data()
    for target in (y, np.digitize(X[:, 0] + X[:, 1] ** 2, [0.0, 1.0])):
        model = LogisticRegression(warm_start=True, tol=1e-9).fit(X + 1e3, target)
        first = model.coef_
        model.fit(X + 1e3, target)
        assert model.n_iter_[0] <= 1
        np.testing.assert_allclose(model.coef_, first, atol=1e-7)
    with pytest.raises(InvalidInputError, match="warm_start=True: the last fit had coef_ of shape"):
        model.fit(X, y)


def test_sparsify_and_densify():
    X, y = data()
    model = LogisticRegression(l1_ratio=1.0, C=0.05).fit(X, y)
    scores = model.decision_function(X)
    assert sparse.issparse(model.sparsify().coef_)
    np.testing.assert_allclose(model.decision_function(sparse.csr_matrix(X)), scores)
    np.testing.assert_allclose(model.densify().decision_function(X), scores)
    with config_context(sparse_interface="sparray"):
        assert isinstance(model.sparsify().coef_, sparse.csr_array)
    np.testing.assert_allclose(model.decision_function(sparse.csr_array(X)), scores)


def test_callbacks_see_every_iteration(capsys):
    X, y = data()
    labels = np.where(y == 1, "yes", "no")
    monitor, trace = ScoringMonitor(scoring="accuracy"), Trace(parameters=True)
    model = LogisticRegression(tol=1e-8).set_callbacks(ProgressBar(), monitor, trace).fit(X, labels)
    assert model.trace_ is trace
    assert len(trace) == model.n_iter_[0] + 1
    np.testing.assert_allclose(trace.parameters[-1], [*model.coef_[0], *model.intercept_])
    assert np.all(np.diff(trace["value"]) <= 1e-9)
    assert trace["gradient_norm"][-1] < 1e-6
    assert "LogisticRegression" in capsys.readouterr().out


class StopAfter:
    """A callback that stops a fit after some iterations."""

    def __init__(self, n):
        self.n = n

    def setup(self, estimator, context):
        """Begin to count."""
        self.seen = 0

    def teardown(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_end(self, estimator, context):
        """Count, and stop when it is enough."""
        self.seen += 1
        return self.seen >= self.n


def test_a_callback_can_stop_the_fit():
    X, y = data()
    model = LogisticRegression(tol=1e-12).set_callbacks(StopAfter(2)).fit(X, y)
    assert model.n_iter_[0] == 2
    assert model.stopping_reason_.name == "CALLBACK"


def test_ctrl_c_keeps_the_last_complete_step(monkeypatch):
    from steepest.objectives.logistic import LogisticObjective

    X, y = data()
    original, calls = LogisticObjective.linearize, []

    def interrupted(self, theta):
        calls.append(theta)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, theta)

    monkeypatch.setattr(LogisticObjective, "linearize", interrupted)
    with pytest.warns(UserWarning, match="interrupted; the last complete step is kept"):
        model = LogisticRegression(tol=1e-12).fit(X, y)
    np.testing.assert_array_equal(model.coef_[0], calls[1][:-1])


def test_a_diverging_run_names_the_step_and_a_stable_rate():
    X, y = data()
    with pytest.raises(DivergenceError, match=r"diverged at step \d+.*the largest stable learning rate is about"):
        LogisticRegression(solver="gradient-descent", learning_rate=1e3).fit(100 * X, y)


def test_a_run_that_finds_no_step_warns_and_names_the_scale():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 3)), rng.integers(0, 2, 50)
    with pytest.warns(ConvergenceWarning, match="no step against the gradient.*scale the data"):
        LogisticRegression(solver="lbfgs").fit(1e80 * X, y)


@pytest.mark.parametrize("l1_ratio, kind", [(0.0, "gradient norm"), (1.0, "duality gap")])
def test_certificates(l1_ratio, kind):
    X, y = data()
    model = LogisticRegression(l1_ratio=l1_ratio, tol=1e-7).fit(X, y)
    assert model.certificate_.kind == kind
    assert model.certificate_.optimal


def test_a_class_of_negative_weight_is_refused():
    X, y = np.arange(6.0)[:, None], np.array([0, 1, 0, 1, 1, 1])
    with pytest.raises(ValueError, match=r"class_weight\[0\]=-2\.0: must be a finite number not below 0"):
        LogisticRegression(class_weight={0: -2}).fit(X, y)


@pytest.mark.parametrize("C", [0.1, 0.7])
def test_a_start_that_is_the_optimum_up_to_rounding_is_certified(C):
    model = LogisticRegression(C=C, class_weight="balanced", tol=1e-10)
    model.fit(sparse.csr_array((5, 1)), [0, 0, 1, 1, 2])
    assert 0.0 < model.certificate_.value < 1e-16  # what summing leaves of a gradient of zero
    assert model.certificate_.optimal


def l1_problem(n=120, d=60, n_classes=2, spread=0.1):
    """Columns that hardly differ, and classes that the first of them tells apart, but for noise."""
    rng = np.random.default_rng(268)
    X = rng.normal(size=(n, 1)) + spread * rng.normal(size=(n, d))
    bounds = np.quantile(X[:, 0], np.linspace(0, 1, n_classes + 1)[1:-1])
    return X, np.digitize(X[:, 0] + 0.3 * rng.normal(size=n), bounds)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_columns_that_hardly_differ_need_few_steps(n_classes):
    model = LogisticRegression(C=38.0, l1_ratio=1.0, tol=1e-8).fit(*l1_problem(n_classes=n_classes))
    assert model.n_iter_[0] < 30  # thousands, where coordinate descent alone solves each model
    assert model.certificate_.optimal


@pytest.mark.parametrize("n_classes", [3, 4])
def test_a_run_ends_where_values_cannot_be_told_apart(n_classes):
    X, y = l1_problem(d=1, n_classes=n_classes)
    model = LogisticRegression(C=7.5, l1_ratio=1.0, tol=1e-12, max_iter=500).fit(X, y)
    assert model.n_iter_[0] < 20
    assert model.certificate_.relative < 1e-11


def test_a_converged_run_with_an_l1_penalty_is_certified():
    rng = np.random.default_rng(0)
    for C in (0.3, 3.0, 30.0):
        X = rng.normal(size=(60, 40))
        y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
        model = LogisticRegression(C=C, l1_ratio=1.0, tol=1e-6).fit(X, y)
        assert model.stopping_reason_.converged and model.certificate_.optimal
