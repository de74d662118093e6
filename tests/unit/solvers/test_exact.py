"""Every exact way reaches the same minimum, and reports it truly."""

import numpy as np
import pytest
from scipy import sparse

from steepest.exceptions import InvalidInputError
from steepest.losses import SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.penalties import NonNegative, SquaredL2
from steepest.solvers.exact import METHODS, ExactSolver, LeastSquares, exact
from steepest.solvers.exact.conjugate_gradients import conjugate_gradients, too_slow
from steepest.solvers.exact.frame import scaled
from steepest.solvers.exact.gather import gather_start
from steepest.solvers.exact.iterated_dual import iterated_dual
from steepest.solvers.loop import run
from steepest.solvers.stopping import Reason

SHAPES = [(40, 4), (80, 70), (20, 45)]


def problem(
    n, d, k=None, *, alpha=None, weighted=False, intercept=True, penalty=None, sparse_X=False, dtype=np.float64
):
    rng = np.random.default_rng(n + d)
    X = (rng.standard_normal((n, d)) + 2.0).astype(dtype)
    y = rng.standard_normal(n if k is None else (n, k)).astype(dtype)
    weights = (rng.random(n) * (rng.random(n) > 0.1)).astype(dtype) if weighted else None
    data = sparse.csr_array(X * (np.abs(X) > 2)) if sparse_X else X
    if alpha is None:
        return LinearObjective(data, y, penalty=penalty, sample_weight=weights, fit_intercept=intercept)
    return LinearObjective(
        data, y, SquaredError(), SquaredL2(2 * alpha), sample_weight=weights, fit_intercept=intercept, reduction="sum"
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("alpha", [None, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("sparse_X", [False, True])
def test_the_gradient_vanishes_and_the_step_tells_the_truth(method, n, d, k, alpha, weighted, intercept, sparse_X):
    objective = problem(n, d, k, alpha=alpha, weighted=weighted, intercept=intercept, sparse_X=sparse_X)
    steps = list(exact(objective, method))
    first, last = steps[0], steps[-1]
    np.testing.assert_array_equal(first.theta, objective.start())
    assert first.value == pytest.approx(objective.value(first.theta), rel=1e-10)
    assert first.gradient_norm == pytest.approx(np.linalg.norm(objective.gradient(first.theta)), rel=1e-10)
    assert last.value == pytest.approx(objective.value(last.theta), rel=1e-8, abs=1e-11 * first.value)
    assert np.linalg.norm(objective.gradient(last.theta)) <= 1e-9 * first.gradient_norm
    assert last.gradient_norm <= 1e-9 * first.gradient_norm


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "d"), [(20, 45), (30, 12)])
def test_an_undetermined_problem_gets_the_answer_of_least_norm(method, n, d):
    objective = problem(n, d, intercept=True)
    if n > d:
        objective.X[:, 1] = objective.X[:, 0]
    theta = list(exact(objective, method))[-1].theta
    Xc, yc = objective.X - objective.X.mean(axis=0), objective.y - objective.y.mean()
    np.testing.assert_allclose(theta[:d], np.linalg.pinv(Xc, rcond=1e-10) @ yc, atol=1e-9)


def test_iterative_methods_yield_every_iteration_and_never_rise():
    steps = list(exact(problem(80, 70, alpha=1.0), "conjugate-gradients"))
    assert [step.index for step in steps] == list(range(len(steps)))
    assert len(steps) > 20
    values = np.array([step.value for step in steps])
    assert np.all(np.diff(values) <= 1e-12 * values[0])


def test_values_of_iterates_are_those_of_the_objective():
    objective = problem(60, 8, 2, alpha=0.3, weighted=True)
    for step in exact(objective, "lsqr"):
        assert step.value == pytest.approx(objective.value(step.theta), rel=1e-9)
        assert step.gradient_norm == pytest.approx(np.linalg.norm(objective.gradient(step.theta)), rel=1e-6, abs=1e-8)


def test_reasons():
    assert run(exact(problem(40, 4)), max_iter=5).reason is Reason.EXACT
    assert run(exact(problem(40, 4), "lsqr"), max_iter=50).reason is Reason.GRADIENT_TOLERANCE


def test_large_square_data_are_iterated_and_fall_back_to_a_factorisation():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((2500, 620)), rng.standard_normal(2500)
    easy = ExactSolver(LinearObjective(X, y))
    hard = ExactSolver(LinearObjective(X * np.logspace(0, 3, 620), y), rcond=1e-10)
    for solver in (easy, hard):
        theta = list(solver.steps())[-1].theta
        expected = np.linalg.lstsq(np.c_[solver.problem.X, np.ones(2500)], y, rcond=None)[0]
        np.testing.assert_allclose(theta, expected, rtol=1e-7, atol=1e-10)
    assert "Cholesky" in hard.solution.method


def iterated(objective, tol, *, rough):
    """Return the first iterate at ``tol`` of conjugate gradients that may, or may not, use single precision."""
    least_squares = LeastSquares(objective)
    Y, _ = least_squares.centred_target()
    data, start, single = gather_start(least_squares, Y)
    if rough and least_squares.n < least_squares.d:
        iterates = iterated_dual(least_squares, data, Y, start, single, tol, np.inf)
    else:
        iterates = conjugate_gradients(least_squares, data, Y, start, single if rough else None, tol)
    return next(iterate for iterate in iterates if iterate.relative <= tol)


@pytest.mark.parametrize(("dtype", "tol", "exactness"), [(np.float64, 1e-12, 1e-9), (np.float32, 6e-8, 1e-4)])
@pytest.mark.parametrize(("n", "d"), [(50, 300), (300, 120)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [None, 1e-3])
def test_iterations_in_single_precision_cost_no_digits(n, d, alpha, weighted, dtype, tol, exactness):
    objective = problem(n, d, alpha=alpha, weighted=weighted, dtype=dtype)
    plain, rough = (iterated(objective, tol, rough=use) for use in (False, True))
    assert rough.index <= (1.4 if n < d else 1.0) * plain.index + 6
    assert rough.squares is not None
    assert np.linalg.norm(rough.W - plain.W) <= exactness * np.linalg.norm(plain.W)
    residuals = objective.y - objective.X @ rough.W[:, 0].astype(dtype)
    weights = np.ones(n) if objective.reduction.weights is None else objective.reduction.weights
    mean = weights @ residuals / weights.sum()
    np.testing.assert_allclose(rough.squares, weights @ (residuals - mean) ** 2, rtol=1e-4, atol=1e-8 * n)


@pytest.mark.parametrize(("n", "d"), [(400, 120), (40, 120)])
def test_iterations_in_single_precision_find_the_answer_of_least_norm(n, d):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    X[:, 1], X[:, 7] = X[:, 0], X[:, 3] + X[:, 4]
    W = iterated(LinearObjective(X, y), 1e-12, rough=True).W[:, 0]
    expected = np.linalg.pinv(X - X.mean(axis=0), rcond=1e-10) @ (y - y.mean())
    assert np.linalg.norm(W - expected) <= 1e-10 * np.linalg.norm(expected)


@pytest.mark.parametrize("size", [1e-60, 1e-25, 1e25, 1e60])
def test_numbers_that_single_precision_cannot_square_are_iterated_on_in_double(size):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 120)), rng.standard_normal(300)
    expected = iterated(LinearObjective(X, y), 1e-12, rough=False)
    with np.errstate(over="ignore", invalid="ignore"):  # as the loop does around every step
        found = iterated(LinearObjective(X * size, y), 1e-12, rough=True)
    np.testing.assert_allclose(found.W * size, expected.W, atol=1e-10 * np.abs(expected.W).max())


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("spread", "size", "method"),
    [(0, 1.0, "gradients"), (3, 1.0, "dual"), (0, 1e-60, "dual"), (0, 1e60, "dual"), (0, 1e5, "gradients")],
)
def test_wide_data_are_iterated_on_the_dual_and_fall_back_to_a_factorisation(spread, size, method, order):
    rng = np.random.default_rng(0)
    X = size * np.logspace(0, spread, 450)[:, None] * rng.standard_normal((450, 4500))
    X, y = np.asarray(X, order=order), rng.standard_normal(450)
    solver = ExactSolver(LinearObjective(X, y, penalty=SquaredL2(1e-2 * size**2)))
    with np.errstate(over="ignore", invalid="ignore"):  # as the loop does around every step
        theta = list(solver.steps())[-1].theta
    assert method in solver.solution.method
    Z = X - X.mean(axis=0)
    expected = Z.T @ np.linalg.solve(Z @ Z.T + 450 * 1e-2 * size**2 * np.eye(450), y - y.mean())
    np.testing.assert_allclose(theta[:-1] * size, expected * size, rtol=0, atol=1e-10 * np.abs(expected * size).max())


@pytest.mark.parametrize("at", [-1, -5])
def test_a_length_that_underflows_is_not_too_slow(at):
    progress = [0.5**i for i in range(12)]
    progress[at] = 0.0
    assert not too_slow(progress, 1e-12, 100)
    assert too_slow(progress, 1e-12, 10)


def test_wide_data_are_solved_where_squares_underflow():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((500, 4000)), rng.standard_normal(500)
    expected = list(exact(LinearObjective(X, y, penalty=SquaredL2(0.2))))[-1].theta
    theta = list(exact(LinearObjective(X, 1e-165 * y, penalty=SquaredL2(0.2))))[-1].theta
    np.testing.assert_allclose(theta / 1e-165, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize(("n", "d"), [(60, 7), (12, 20)])
def test_nonnegative_solutions_satisfy_the_optimality_conditions(n, d, k):
    objective = problem(n, d, k, penalty=NonNegative())
    theta = list(exact(objective))[-1].theta
    W, gradient = objective.coefficients(theta), objective.coefficients(objective.gradient(theta))
    scale = np.abs(objective.gradient(objective.start())).max()
    assert np.all(W >= 0)
    assert 0 < np.sum(W > 0) < W.size
    np.testing.assert_allclose(gradient[W > 0], 0.0, atol=1e-10 * scale)
    assert np.all(gradient[W == 0] >= -1e-10 * scale)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(("n", "d"), [(40, 4), (20, 45)])
def test_data_that_are_not_finite_are_refused(method, bad, n, d):
    objective = problem(n, d)
    objective.X[3, 2] = bad
    with pytest.raises(InvalidInputError, match="holds NaN or infinity: must be finite"):
        list(exact(objective, method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "d"), SHAPES)
@pytest.mark.parametrize("sparse_X", [False, True])
@pytest.mark.parametrize(("x", "y"), [(-515, 0), (-1000, -20), (540, 0), (1000, 300), (0, -1000), (300, -700)])
def test_the_unit_of_the_data_is_the_unit_of_the_answer(method, n, d, sparse_X, x, y):
    plain, far = (problem(n, d, sparse_X=sparse_X, weighted=True) for _ in range(2))
    far.X, far.y = scaled(far.X, x), np.ldexp(far.y, y)
    expected, steps = list(exact(plain, method))[-1], list(exact(far, method))
    theta = steps[-1].theta
    np.testing.assert_array_equal(np.ldexp(theta[:d], x - y), expected.theta[:d])
    np.testing.assert_array_equal(np.ldexp(theta[d:], -y), expected.theta[d:])
    assert steps[-1].value == np.ldexp(expected.value, 2 * y)


def test_the_unit_of_the_data_leaves_nothing_of_a_ridge_or_all_of_it():
    ridge = problem(40, 4, alpha=1.0)
    small = LinearObjective(np.ldexp(ridge.X, -600), ridge.y, ridge.loss, ridge.penalty, reduction="sum")
    expected = (ridge.X - ridge.X.mean(axis=0)).T @ ridge.y  # the matrix is nothing beside the ridge
    np.testing.assert_allclose(np.ldexp(list(exact(small))[-1].theta[:4], 600), expected, rtol=1e-12)
    large = LinearObjective(np.ldexp(ridge.X, 600), ridge.y, ridge.loss, ridge.penalty, reduction="sum")
    expected = list(exact(problem(40, 4)))[-1].theta[:4]
    np.testing.assert_allclose(np.ldexp(list(exact(large))[-1].theta[:4], 600), expected, rtol=1e-12)


def test_what_overflows_is_said():
    objective = problem(140, 4)
    objective.X[1] *= 1e200  # a row that is not looked at before
    with pytest.raises(InvalidInputError, match=r"numbers up to 3e\+200, whose squares overflow: scale the data"):
        list(exact(objective))
    objective = problem(40, 4)
    objective.y *= 1e200
    with pytest.raises(InvalidInputError, match=r"y holds numbers of about 2e\+200, whose squares overflow: divide y"):
        list(exact(objective))
    objective = problem(40, 4)
    objective.X, objective.y = np.ldexp(objective.X, -1000), np.ldexp(objective.y, 200)
    with pytest.raises(InvalidInputError, match=r"X of about .* need coefficients that overflow: scale X"):
        list(exact(objective))


@pytest.mark.parametrize(("method", "penalty"), [("auto", NonNegative()), *((method, None) for method in METHODS)])
@pytest.mark.parametrize("offset", [1e12, 6e14, 2e15])
def test_columns_far_from_zero_are_solved_as_the_same_columns_near_it(method, offset, penalty):
    far, near = (problem(40, 4, penalty=penalty) for _ in range(2))
    far.X[:, 0] += offset
    near.X[:, 0] = far.X[:, 0] - offset  # what the sum has kept of the column, exactly
    steps, expected = list(exact(far, method))[-1], list(exact(near, method))[-1]
    np.testing.assert_allclose(steps.theta[:4], expected.theta[:4], rtol=1e-9)
    assert steps.value == pytest.approx(expected.value, rel=1e-9)


@pytest.mark.parametrize("as_data", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_only_a_column_of_equal_numbers_is_constant(as_data):
    X = np.full((100, 3), 1.0 / 3.0)
    X[:, 1] = np.nextafter(1.0, 2.0)
    X[70, 1] = 1.0  # one number, the last digit: this column varies
    X[:, 2] = 1e-16 * np.arange(100)
    y = 1e16 * (1.0 - X[:, 1])
    theta = list(exact(LinearObjective(as_data(X), y), "svd", rcond=0.0))[-1].theta
    assert theta[0] == 0.0
    if as_data is np.asarray:
        np.testing.assert_allclose(theta[1:3], [-1e16, 0.0], rtol=1e-9, atol=1e3)


def test_unknown_methods_get_a_suggestion():
    with pytest.raises(InvalidInputError, match="did you mean 'cholesky'"):
        exact(problem(40, 4), "choleski")


def test_weights_that_sum_to_nothing_are_refused():
    objective = problem(40, 4)
    with pytest.raises(InvalidInputError, match="sample_weight sums to 0"):
        exact(LinearObjective(objective.X, objective.y, reduction="sum", sample_weight=np.zeros(40)))


@pytest.mark.parametrize(("n", "d"), [(300, 20), (2000, 80), (40, 90)])
def test_single_precision_data_are_solved_to_their_last_digits(n, d):
    objective = problem(n, d, alpha=1.0, dtype=np.float32)
    theta = list(exact(objective))[-1].theta
    X, y = objective.X.astype(float), objective.y.astype(float)
    Xc = X - X.mean(axis=0)
    expected = np.linalg.solve(Xc.T @ Xc + np.eye(d), Xc.T @ (y - y.mean()))
    assert theta.dtype == np.float32
    assert np.linalg.norm(theta[:d] - expected) <= 1e-6 * np.linalg.norm(expected)
