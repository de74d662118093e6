"""Ridge's own promises; its numbers are held to scikit-learn's in tests/parity."""

import numpy as np
import pytest
import sklearn.linear_model
from scipy import sparse

from steepest.exceptions import InvalidInputError
from steepest.linear_model import Ridge, ridge_path
from steepest.solvers.stopping import Reason


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    return X, X @ [1.0, -2.0, 3.0] + 4.0 + 0.1 * rng.standard_normal(60)


def test_the_objective_is_the_one_in_the_first_line(data):
    X, y = data
    model = Ridge(alpha=2.5).fit(X, y)
    residuals = y - X @ model.coef_ - model.intercept_
    np.testing.assert_allclose(-2 * X.T @ residuals + 2 * 2.5 * model.coef_, 0.0, atol=1e-10)
    assert residuals.sum() == pytest.approx(0.0, abs=1e-10)
    value = residuals @ residuals + 2.5 * model.coef_ @ model.coef_
    assert model.trace_["value"][-1] == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("solver", ["gradient-descent", "proximal-gradient", "fista", "newton", "lbfgs"])
def test_teaching_solvers_reach_the_exact_answer(data, solver):
    taught = Ridge(solver=solver, tol=1e-10).fit(*data)
    np.testing.assert_allclose(taught.coef_, Ridge().fit(*data).coef_, atol=1e-7)
    assert taught.solver_ == solver


def test_the_solver_used_is_named(data):
    assert Ridge().fit(*data).solver_ == "Cholesky factorisation of the Gram matrix"
    assert Ridge(solver="lsqr").fit(*data).solver_ == "lsqr"


def test_a_looser_tolerance_stops_earlier(data):
    X, y = data[0] * [1.0, 3.0, 10.0], data[1]
    loose, tight = (Ridge(solver="sparse_cg", tol=tol).fit(X, y) for tol in (0.5, 1e-12))
    assert loose.n_iter_ < tight.n_iter_
    assert loose.stopping_reason_ is tight.stopping_reason_ is Reason.GRADIENT_TOLERANCE


def test_a_limit_on_iterations_does_not_stop_a_method_that_has_others_to_fall_back_on():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((400, 6000))
    model = Ridge(max_iter=2).fit(X, X[:, 0] + rng.standard_normal(400))
    assert model.stopping_reason_ is Reason.GRADIENT_TOLERANCE
    assert model.certificate_.relative < 1e-11
    with pytest.warns(UserWarning, match="did not converge in 2 iterations"):
        assert Ridge(max_iter=2, solver="sparse_cg").fit(X, X[:, 0] + X[:, 1]).n_iter_ == 2


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"alpha": -1}, "alpha=-1: must be finite numbers not below 0"),
        ({"alpha": np.nan}, "alpha=nan: must be finite numbers not below 0"),
        ({"alpha": "a"}, "alpha='a': must be finite numbers not below 0"),
        ({"alpha": [1.0, 2.0]}, "must be one number, or one for each of the 1 targets"),
        ({"positive": True, "solver": "svd"}, "solver='svd' does not support positive=True"),
    ],
)
def test_bad_parameters_are_named(data, parameters, text):
    with pytest.raises(InvalidInputError, match=text):
        Ridge(**parameters).fit(*data)


@pytest.mark.parametrize("alphas", [[], [0.0], [-1.0, 1.0], [np.inf], 1.0])
def test_a_path_wants_positive_alphas(data, alphas):
    with pytest.raises(InvalidInputError, match="must be a list of finite numbers above 0"):
        ridge_path(*data, alphas=alphas)


def test_a_sparse_target_is_refused_as_there():
    X = np.arange(6.0).reshape(3, 2)
    for model in (Ridge(), sklearn.linear_model.Ridge()):
        with pytest.raises(TypeError, match=r"Sparse data was passed.*dense data is required"):
            model.fit(X, sparse.csr_array(X[:, :1]))
