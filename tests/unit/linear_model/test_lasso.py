"""Lasso and elastic net as estimators: edges, errors, options."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning

from steepest.linear_model import ElasticNet, Lasso, LassoCV
from steepest.solvers.stopping import Reason
from steepest.trace import Trace


@pytest.fixture
def data():
    X = np.random.default_rng(0).standard_normal((20, 5))
    return X, X @ [1.0, 2.0, 0.0, 0.0, -1.0] + 1.0


def test_float32_stays(data):
    X, y = (a.astype(np.float32) for a in data)
    for model in (Lasso(0.1).fit(X, y), LassoCV(cv=3).fit(X, y)):
        assert model.coef_.dtype == model.intercept_.dtype == model.dual_gap_.dtype == np.float32
        assert model.predict(X).dtype == np.float32


@pytest.mark.parametrize("order", ["C", "F"])
def test_x_is_neither_changed_nor_needs_an_order(data, order):
    X, y = np.asarray(data[0], order=order), data[1]
    X.flags.writeable = False
    before = X.copy()
    Lasso(0.1, copy_X=False).fit(X, y)
    np.testing.assert_array_equal(X, before)


def test_all_coefficients_vanish_at_a_large_alpha(data):
    X, y = data
    model = Lasso(1e6).fit(X, y)
    np.testing.assert_array_equal(model.coef_, 0.0)
    assert model.intercept_ == pytest.approx(y.mean())
    assert model.n_iter_ == 0
    assert model.certificate_.optimal


@pytest.mark.parametrize("rows", [1, 2])
def test_very_few_rows(data, rows):
    X, y = data
    assert Lasso(0.1).fit(X[:rows], y[:rows]).certificate_.optimal


def test_one_column_constant_columns_and_duplicates(data):
    X, y = data
    assert Lasso(0.1).fit(X[:, :1], y).coef_.shape == (1,)
    constant = Lasso(0.01).fit(np.c_[X, np.full(20, 1e8), np.zeros(20)], y)
    np.testing.assert_array_equal(constant.coef_[5:], 0.0)
    np.testing.assert_allclose(constant.coef_[:5], Lasso(0.01).fit(X, y).coef_, atol=1e-8)
    twice = Lasso(0.1, tol=1e-10).fit(np.c_[X, X], y)
    np.testing.assert_allclose(twice.coef_[:5] + twice.coef_[5:], Lasso(0.1, tol=1e-10).fit(X, y).coef_, atol=1e-8)


def test_a_target_without_variation(data):
    X, _ = data
    np.testing.assert_array_equal(Lasso(0.1).fit(X, np.full(20, 3.0)).coef_, 0.0)
    np.testing.assert_array_equal(Lasso(0.1, fit_intercept=False).fit(X, np.zeros(20)).coef_, 0.0)


def test_a_sparse_column_without_entries(data):
    X, y = data
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    X[:, 2] = 0.0
    dense, thin = Lasso(0.1, tol=1e-10).fit(X, y), Lasso(0.1, tol=1e-10).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(dense.coef_, thin.coef_, atol=1e-9)
    assert dense.intercept_ == pytest.approx(thin.intercept_, abs=1e-9)


def test_alpha_zero_warns_and_solves_least_squares(data):
    X, y = data
    with pytest.warns(UserWarning, match="alpha=0: nothing is penalised; LinearRegression"):
        model = Lasso(0.0, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, [1.0, 2.0, 0.0, 0.0, -1.0], atol=1e-6)
    assert model.certificate_.kind == "gradient norm"


def test_one_iteration_warns(data):
    with pytest.warns(ConvergenceWarning, match="Lasso did not converge in 1 iterations; raise max_iter"):
        model = Lasso(1e-4, max_iter=1, tol=1e-8).fit(*data)
    assert model.n_iter_ == 1
    assert model.stopping_reason_ is Reason.MAX_ITER
    assert not model.certificate_.optimal


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -0.1}, "alpha=-0.1: must be a finite number not below 0"),
        ({"selection": "cyclical"}, "selection='cyclical': must be one of 'cyclic', 'random'; did you mean 'cyclic'?"),
        ({"solver": "fist"}, "did you mean 'fista'?"),
        ({"max_iter": 0}, "max_iter=0: must be an integer of at least 1"),
        ({"tol": -1.0}, "tol=-1.0: must be a finite number not below 0"),
        ({"precompute": np.eye(3)}, r"precompute has shape \(3, 3\): must be \(5, 5\) for X with 5 features"),
        ({"precompute": "yes"}, "precompute='yes': must be one of 'auto'"),
    ],
)
def test_wrong_parameters_are_named(data, parameters, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        Lasso(**{"alpha": 0.1, **parameters}).fit(*data)


def test_a_ratio_outside_the_unit_interval():
    with pytest.raises(ValueError, match=r"l1_ratio=2: must lie between 0 and 1"):
        ElasticNet(l1_ratio=2).fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize("solver", ["auto", "fista"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(data, bad, solver):
    X, y = data
    for A, b in ((np.where(X > 1.5, bad, X), y), (X, np.where(y > 2.0, bad, y))):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            Lasso(0.1, solver=solver).fit(A, b)


def test_numbers_that_overflow_are_refused(data):
    X, y = data
    with pytest.raises(ValueError, match="so large that their products overflow: scale the data"):
        Lasso(0.1).fit(X * 1e200, y)


def test_a_given_gram_matrix(data):
    X, y = data
    centred = X - X.mean(axis=0)
    expected = Lasso(0.1, tol=1e-12).fit(centred, y).coef_
    given = Lasso(0.1, tol=1e-12, precompute=centred.T @ centred).fit(centred, y)
    np.testing.assert_allclose(given.coef_, expected, atol=1e-10)
    np.testing.assert_allclose(Lasso(0.1, tol=1e-12, precompute=True).fit(X, y).coef_, expected, atol=1e-10)
    with pytest.warns(UserWarning, match="columns that are not centred; computing it anew"):
        anew = Lasso(0.1, tol=1e-12, precompute=X.T @ X).fit(X, y)
    np.testing.assert_allclose(anew.coef_, expected, atol=1e-10)
    with pytest.raises(ValueError, match="precompute does not belong to X: its entry"):
        Lasso(0.1, precompute=2.0 * centred.T @ centred).fit(centred, y)


def test_warm_start_begins_at_the_solution(data):
    model = Lasso(0.1, tol=1e-6, warm_start=True).fit(*data)
    assert model.n_iter_ > 0
    assert model.fit(*data).n_iter_ == 0


def test_random_selection_repeats(data):
    first, second = (Lasso(0.1, selection="random", random_state=3).fit(*data) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)


def test_solvers_to_learn_from_reach_the_same(data):
    exact = Lasso(0.1, tol=1e-12).fit(*data)
    for solver, most in (("proximal-gradient", 10_000), ("fista", 10_000), ("fista", None)):
        model = Lasso(0.1, tol=1e-12, max_iter=most, solver=solver).fit(*data)
        np.testing.assert_allclose(model.coef_, exact.coef_, atol=1e-5)
        assert model.dual_gap_ <= 1e-11


class StopAt:
    """A callback that asks to stop after some iterations."""

    def __init__(self, limit):
        self.limit, self.seen = limit, 0

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        self.seen += context.task_name == "iteration"
        return self.seen >= self.limit


def test_callbacks_see_every_epoch_and_can_stop(data):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 100))
    y = X[:, 0] + rng.standard_normal(30)
    trace, stop = Trace(parameters=True), StopAt(3)
    model = Lasso(0.001, tol=1e-10).set_callbacks(trace, stop).fit(X, y)
    assert model.stopping_reason_ is Reason.CALLBACK
    assert stop.seen == 3
    assert trace.parameters.shape == (4, 101)
    monitor = ScoringMonitor(scoring="r2")
    Lasso(0.1).set_callbacks(monitor).fit(*data)


def test_an_interrupt_keeps_what_was_reached(data, monkeypatch):
    from steepest.solvers.gram_problem import GramProblem

    def interrupt(self, *args):
        raise KeyboardInterrupt

    monkeypatch.setattr(GramProblem, "advance", interrupt)
    with pytest.warns(UserWarning, match="interrupted; the last complete step is kept"):
        model = Lasso(0.1).fit(*data)
    np.testing.assert_array_equal(model.coef_, 0.0)
