"""LinearRegression's own promises; its numbers are held to scikit-learn's in tests/parity."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sklearn.linear_model
from scipy import sparse
from sklearn.callback import ProgressBar, ScoringMonitor

from steepest.exceptions import InvalidInputError
from steepest.linear_model import LinearRegression
from steepest.solvers.stopping import Reason
from steepest.trace import Trace


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    return X, X @ [1.0, -2.0, 3.0] + 4.0 + 0.1 * rng.standard_normal(80)


def test_a_fit_leaves_its_evidence(data):
    model = LinearRegression().fit(*data)
    assert model.stopping_reason_ is Reason.EXACT
    assert model.n_iter_ == 1
    assert model.certificate_.kind == "gradient norm"
    assert model.certificate_.relative < 1e-13
    assert list(model.trace_["index"]) == [0, 1]
    assert model.trace_["value"][1] < model.trace_["value"][0]
    assert model.trace_.about["solver"] == model.solution_method_ == "Cholesky factorisation of the Gram matrix"


@pytest.mark.parametrize("solver", ["gradient-descent", "proximal-gradient", "fista", "newton", "lbfgs"])
def test_teaching_solvers_reach_the_exact_answer(data, solver):
    exact = LinearRegression().fit(*data)
    taught = LinearRegression(solver=solver, tol=1e-10).fit(*data)
    np.testing.assert_allclose(taught.coef_, exact.coef_, atol=1e-7)
    assert taught.n_iter_ >= 1


def test_neither_data_nor_weights_are_written_to(data):
    X, y = data
    weights = np.linspace(0, 1, 80)
    before = X.copy(), y.copy(), weights.copy()
    LinearRegression(copy_X=False).fit(X, y, weights)
    for now, then in zip((X, y, weights), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_read_only_data_are_accepted(data):
    X, y = data
    X.flags.writeable = y.flags.writeable = False
    assert LinearRegression().fit(X, y).certificate_.optimal


def test_singular_values_survive_a_copy_without_the_matrix(data):
    model = LinearRegression().fit(*data)
    expected = np.linalg.svd(data[0] - data[0].mean(axis=0), compute_uv=False)
    for twin in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_allclose(twin.singular_, expected, rtol=1e-12)
    assert "_solution" not in pickle.loads(pickle.dumps(LinearRegression().fit(*data))).__dict__


def test_singular_values_are_refused_where_none_are_known(data):
    assert not hasattr(LinearRegression(), "singular_")
    X, y = data
    assert not hasattr(LinearRegression(solver="lsqr").fit(sparse.csr_array(X), y), "rank_")
    with pytest.raises(AttributeError, match="only after a fit of dense data without positive=True"):
        _ = LinearRegression(positive=True).fit(X, y).singular_


def test_the_certificate_says_which_directions_count(data):
    X, y = data
    assert LinearRegression().fit(X, y).certificate_.within == ""
    assert LinearRegression().fit(X[:3], y[:3]).certificate_.within == ""  # more columns than rows: none is left out
    spoiled = X.copy()
    spoiled[3, 1] = 1e30
    n_columns = X.shape[1]
    certificate = LinearRegression().fit(spoiled, y).certificate_
    assert f"within 1 of {n_columns} directions" in str(certificate)
    twice = LinearRegression().fit(np.column_stack([X, X[:, 0]]), y).certificate_
    assert twice.within.startswith(f"{n_columns} of {n_columns + 1} directions")


@pytest.mark.parametrize("solver", ["conjugate-gradients", "lsqr", "gradient-descent", "auto"])
@pytest.mark.parametrize("weighted", [False, True])
def test_rank_and_singular_values_are_there_after_iterations_too(data, solver, weighted):
    X, y = data
    X = np.column_stack([X, X[:, 0] + X[:, 1]])
    s = np.linspace(0.5, 2.0, len(y)) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = LinearRegression(solver=solver, max_iter=5 if solver == "gradient-descent" else 1000).fit(X, y, s)
    theirs = sklearn.linear_model.LinearRegression().fit(X, y, s)
    assert ours.rank_ == theirs.rank_ == X.shape[1] - 1
    np.testing.assert_allclose(ours.singular_, theirs.singular_, atol=1e-6 * theirs.singular_[0])


def test_callbacks_see_a_fit(data, capsys):
    X, y = data
    monitor, trace = ScoringMonitor(scoring="r2"), Trace(parameters=True)
    model = LinearRegression(solver="conjugate-gradients", tol=1e-12)
    model.set_callbacks(ProgressBar(), monitor, trace).fit(X, y)
    assert model.trace_ is trace
    assert len(trace.parameters) == model.n_iter_ + 1
    np.testing.assert_allclose(trace.parameters[-1], [*model.coef_, model.intercept_])
    assert monitor.get_logs()


class StopAt:
    """A callback that stops a fit."""

    def __init__(self, iterations):
        self.iterations, self.seen = iterations, 0

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **_):
        pass

    def on_fit_task_end(self, estimator, context, **_):
        self.seen += 1
        return self.seen >= self.iterations


def test_a_callback_stops_an_iterative_fit(data):
    model = LinearRegression(solver="lsqr", tol=1e-14).set_callbacks(StopAt(2)).fit(*data)
    assert model.stopping_reason_ is Reason.CALLBACK
    assert model.n_iter_ == 2
    assert not model.certificate_.optimal


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"solver": "choleski"}, "solver='choleski': must be one of .*; did you mean 'cholesky'"),
        ({"tol": -1}, "tol=-1: must be a finite number not below 0"),
        ({"max_iter": 0}, "max_iter=0: must be an integer of at least 1"),
        ({"positive": True, "solver": "svd"}, "solver='svd' does not support positive=True: use 'auto' or 'fista'"),
        ({"positive": True, "solver": "newton"}, "solver='newton' with positive=True: must be one of 'auto', 'exact'"),
    ],
)
def test_bad_parameters_are_named(data, parameters, text):
    with pytest.raises(InvalidInputError, match=text):
        LinearRegression(**parameters).fit(*data)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_values_are_named(data, bad):
    X, y = data
    X[4, 1] = bad
    with pytest.raises(ValueError, match="holds NaN or infinity"):
        LinearRegression().fit(X, y)


@pytest.mark.parametrize("solver", ["svd", "lsqr", "conjugate-gradients"])
def test_the_length_of_a_step_is_that_of_the_step(solver):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 4)) * [1.0, 3.0, 0.3, 1.0]
    model = LinearRegression(solver=solver).set_callbacks(Trace(parameters=True)).fit(X, X @ [1.0, 2.0, 0.0, -1.0])
    told = model.trace_["step_norm"][1:]
    way = np.linalg.norm(np.diff(model.trace_.parameters, axis=0), axis=1)
    np.testing.assert_allclose(told[np.isfinite(told)], way[np.isfinite(told)])
