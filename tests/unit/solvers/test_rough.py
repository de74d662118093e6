"""A rough matrix, corrected on the data, leads to the same minimum, or is given up for one with more digits."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.kernels import bfloat16
from steepest.linear_model import LinearRegression
from steepest.losses import SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.penalties import SquaredL2
from steepest.solvers.exact import ExactSolver, LeastSquares, rough
from steepest.solvers.exact.rough import solve_roughly

needed = pytest.mark.skipif(not bfloat16.AVAILABLE, reason="this processor does not multiply in bfloat16")


@pytest.fixture
def always(monkeypatch):
    """Have data tried that are smaller than would pay."""
    monkeypatch.setattr(rough, "FROM_ENTRIES", 0)
    monkeypatch.setattr(rough, "COLUMNS_A_PASS", 1)


def data(n=6000, d=30, dtype=np.float64, order="C", correlation=0.0):
    rng = np.random.default_rng(n + d)
    X = rng.standard_normal((n, d))
    for j in range(1, d):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    y = X @ rng.standard_normal(d) + rng.standard_normal(n) + 5.0
    return np.asarray(X + 2.0, dtype=dtype, order=order), y.astype(dtype), rng.random(n) * (rng.random(n) > 0.1)


def minimum(X, y, s, ridge, intercept):
    """Return coefficients and intercept by an orthogonal factorisation."""
    X, y = X.astype(np.float64), y.astype(np.float64)
    s = np.ones(len(y)) if s is None else s
    x_mean, y_mean = (s @ X / s.sum(), s @ y / s.sum()) if intercept else (np.zeros(X.shape[1]), 0.0)
    root = np.sqrt(s)
    Z = np.vstack([root[:, None] * (X - x_mean), np.sqrt(ridge) * np.eye(X.shape[1])])
    w = np.linalg.lstsq(Z, np.r_[root * (y - y_mean), np.zeros(X.shape[1])], rcond=None)[0]
    return w, y_mean - x_mean @ w


@needed
@pytest.mark.parametrize(("dtype", "exactness"), [(np.float64, 1e-11), (np.float32, 3e-7)])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 50.0])
def test_the_minimum_is_reached_and_told_truly(always, ridge, intercept, weighted, order, dtype, exactness):
    X, y, s = data(dtype=dtype, order=order, correlation=0.5)
    s = s if weighted else None
    penalty = SquaredL2(2 * ridge) if ridge else None
    objective = LinearObjective(
        X, y, SquaredError(), penalty, sample_weight=s, fit_intercept=intercept, reduction="sum"
    )
    solver = ExactSolver(objective)
    first, last = list(solver.steps())
    assert "bfloat16" in solver.solution.method
    w, b = minimum(X, y, s, ridge, intercept)
    assert np.linalg.norm(solver.solution.coefficients[:, 0] - w) <= exactness * np.linalg.norm(w)
    assert solver.solution.intercept[0] == pytest.approx(b, abs=10 * exactness)
    double = LinearObjective(
        X.astype(float), y.astype(float), SquaredError(), penalty, sample_weight=s, fit_intercept=intercept,
        reduction="sum",
    )  # fmt: skip
    theta = np.r_[solver.solution.coefficients[:, 0], solver.solution.intercept if intercept else []]
    assert last.value == pytest.approx(double.value(theta), rel=1e-9)
    assert first.value == pytest.approx(double.value(double.start()), rel=1e-6)
    assert first.gradient_norm == pytest.approx(np.linalg.norm(double.gradient(double.start())), rel=1e-6)
    assert last.gradient_norm <= 1e-6 * first.gradient_norm
    left = np.linalg.norm(double.gradient(theta)[: X.shape[1]])
    assert left <= last.gradient_norm + 1e-14 * first.gradient_norm


@needed
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_singular_values_are_those_of_the_data(always, dtype):
    X, y, _ = data(dtype=dtype)
    model = LinearRegression().fit(X, y)
    assert "bfloat16" in model.solution_method_
    assert model.rank_ == X.shape[1]
    expected = np.linalg.svd(X.astype(float) - X.mean(axis=0, dtype=float), compute_uv=False)
    np.testing.assert_allclose(model.singular_, expected, rtol=1e-12 if dtype == np.float64 else 1e-6)


def dependent(X):
    X[:, 3] = X[:, 4] + 1e-3 * X[:, 5]


def constant(X):
    X[:, 3] = 7.0


def sorted_by_group(X):
    X[:, :20] = np.eye(20)[np.arange(len(X)) * 20 // len(X)]  # the sum of these columns is 1


def in_small_units(X):
    X[:, 3] *= 1e-8  # beside the others nothing, by the tolerance of 1e-6


@needed
@pytest.mark.parametrize("spoil", [dependent, constant, sorted_by_group, in_small_units])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_where_the_matrix_would_not_do_the_answer_is_that_of_before(always, monkeypatch, spoil, dtype):
    X, y, _ = data(dtype=dtype)
    spoil(X)
    model = LinearRegression().fit(X, y)
    monkeypatch.setattr(bfloat16, "AVAILABLE", False)
    before = LinearRegression().fit(X, y)
    assert model.solution_method_ == before.solution_method_
    assert "bfloat16" not in before.solution_method_
    np.testing.assert_array_equal(model.coef_, before.coef_)


@needed
def test_a_matrix_that_is_not_what_was_expected_is_noticed(always, monkeypatch):
    X, y, _ = data()
    whole = bfloat16.RoughMoments.of_all

    def damaged(self):
        m = whole(self)
        m.gram += np.diag(np.linspace(0.0, 5.0, len(m.gram))) * m.gram
        return m

    monkeypatch.setattr(bfloat16.RoughMoments, "of_all", damaged)
    assert solve_roughly(LeastSquares(LinearObjective(X, y)), 1e-6) is None


@needed
@pytest.mark.parametrize("place", ["X", "y"])
def test_numbers_that_are_not_finite_are_refused(always, place):
    X, y, _ = data()
    (X[:, 5] if place == "X" else y)[4321] = np.nan
    with pytest.raises(InvalidInputError, match="holds NaN or infinity"):
        list(ExactSolver(LinearObjective(X, y)).steps())


@needed
@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_numbers_that_single_precision_cannot_square_are_left_to_double(always, size):
    X, y, _ = data()
    solver = ExactSolver(LinearObjective(X * size, y))
    with np.errstate(over="ignore", invalid="ignore"):  # as the loop does around every step
        theta = list(solver.steps())[-1].theta
    assert "bfloat16" not in solver.solution.method
    np.testing.assert_allclose(theta[:-1] * size, minimum(X, y, None, 0.0, True)[0], rtol=1e-9)


@needed
def test_a_target_of_zeros_needs_no_step(always):
    X, y, _ = data()
    model = LinearRegression().fit(X, 0.0 * y)
    np.testing.assert_array_equal(model.coef_, 0.0)
    assert model.certificate_.optimal


@pytest.mark.parametrize(
    ("n", "d", "dtype", "k"),
    [
        (3000, 30, np.float32, 1),
        (60_000, 75, np.float32, 1),
        (30_000, 200, np.float64, 1),
        (30_000, 200, np.float32, 2),
    ],
)
def test_data_that_gain_nothing_are_not_tried(monkeypatch, n, d, dtype, k):
    def refused(*_, **__):
        raise AssertionError

    monkeypatch.setattr(bfloat16, "RoughMoments", refused)
    X = np.broadcast_to(np.arange(d, dtype=dtype), (n, d)).copy()
    assert solve_roughly(LeastSquares(LinearObjective(X, np.ones((n, k), dtype).squeeze())), 1e-6) is None


def test_a_processor_without_the_instruction_goes_the_other_way(always, monkeypatch):
    monkeypatch.setattr(bfloat16, "AVAILABLE", False)
    X, y, _ = data()
    model = LinearRegression().fit(X, y)
    assert model.solution_method_ == "Cholesky factorisation of the Gram matrix"
