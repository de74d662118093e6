"""Coordinate descent: working sets, screening, gaps, extrapolation."""

import numpy as np
import pytest
from scipy import sparse

import steepest.solvers.refined_gram as refined_gram
import steepest.solvers.working_set as working_set_module
from steepest.objectives.linear import LinearObjective
from steepest.objectives.reduction import Reduction
from steepest.penalties import L1, ElasticNet, SquaredL2
from steepest.solvers.anderson import Anderson
from steepest.solvers.coordinate_descent import CoordinateDescent, coordinate_descent, prepare
from steepest.solvers.design import Design
from steepest.solvers.duality import duality_gap
from steepest.solvers.loop import run
from steepest.solvers.path import follow_path
from steepest.solvers.screening import gap_safe
from steepest.solvers.stopping import DualityGapTolerance, Reason
from steepest.solvers.subproblem import Strength, shuffled
from steepest.solvers.working_set import WorkingSet

SHAPES = [(60, 8), (30, 120)]


def data(n, d, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + rng.normal(0.0, 2.0, d)
    w = np.zeros(d)
    w[:4] = [3.0, -2.0, 1.0, 0.5]
    return X, X @ w + rng.standard_normal(n) + 5.0


def objective(n, d, penalty, *, weights=None, intercept=True, form=np.asarray, seed=0):
    X, y = data(n, d, seed)
    return LinearObjective(form(X), y, penalty=penalty, sample_weight=weights, fit_intercept=intercept)


@pytest.mark.parametrize("form", [np.ascontiguousarray, np.asfortranarray, sparse.csc_array])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("penalty", [L1(0.2), ElasticNet(0.2, 0.5), L1(0.2, positive=True), SquaredL2(0.1)])
@pytest.mark.parametrize("shape", SHAPES)
def test_reaches_the_optimum_by_the_objectives_own_gap(shape, penalty, intercept, form):
    problem = objective(*shape, penalty, intercept=intercept, form=form)
    result = run(coordinate_descent(problem, problem.start(), tolerance=1e-12), max_iter=1000)
    assert result.reason is Reason.DUALITY_GAP
    assert problem.duality_gap(result.theta) <= 1e-9 * problem.value(problem.start())
    assert result.value == pytest.approx(problem.value(result.theta), rel=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_of_zero_remove_samples(shape):
    n, d = shape
    weights = np.r_[np.zeros(10), np.ones(n - 10)]
    X, y = data(n, d)
    thetas = []
    for A, b, s in ((X, y, weights), (X[10:], y[10:], None)):
        problem = LinearObjective(A, b, penalty=L1(0.3), sample_weight=s)
        thetas.append(run(coordinate_descent(problem, problem.start(), tolerance=1e-13), max_iter=5000).theta)
    np.testing.assert_allclose(*thetas, atol=1e-9)


def test_the_columns_form_finds_the_same_as_the_gram_form(monkeypatch):
    expected, found = [], []
    for form in (np.asfortranarray, sparse.csc_array):
        for where in (expected, found):
            limit = 4096 if where is expected else 0
            monkeypatch.setattr(working_set_module, "GRAM_LIMIT", limit)
            problem = objective(30, 120, ElasticNet(0.3, 0.9), form=form)
            where.append(run(coordinate_descent(problem, problem.start(), tolerance=1e-14), max_iter=5000).theta)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_steps_count_epochs_and_the_gap_falls():
    problem = objective(30, 120, L1(0.05))
    result = run(coordinate_descent(problem, problem.start(), tolerance=1e-10), max_iter=1000)
    index, gap = result.trace["index"], result.trace["duality_gap"]
    assert index[0] == 0
    assert np.all(np.diff(index) > 0)
    assert gap[-1] < 1e-6 * gap[0]
    assert np.all(np.diff(result.trace["value"]) <= 1e-12)


def test_watching_yields_every_epoch():
    problem = objective(30, 120, L1(0.05))
    result = run(coordinate_descent(problem, problem.start(), tolerance=1e-8, watch=True), max_iter=1000)
    np.testing.assert_array_equal(np.diff(result.trace["index"]), 1)


def test_max_epochs_is_kept_and_a_gap_rule_stops():
    problem = objective(30, 120, L1(0.01))
    steps = coordinate_descent(problem, problem.start(), max_epochs=3)
    assert run(steps, max_iter=3).n_iter == 3
    stop = DualityGapTolerance(0.5 * problem.value(problem.start()))
    result = run(coordinate_descent(problem, problem.start()), max_iter=1000, stopping=[stop])
    assert result.reason is Reason.DUALITY_GAP


def test_without_a_tolerance_it_ends_at_rounding():
    problem = objective(60, 8, L1(0.1))
    result = run(coordinate_descent(problem, problem.start(), tolerance=0.0, max_epochs=10_000), max_iter=10_000)
    assert result.reason in (Reason.ROUNDING, Reason.DUALITY_GAP)
    assert problem.duality_gap(result.theta) <= 1e-12 * problem.value(problem.start())


def test_several_outputs_are_solved_each_to_its_own_gap():
    X, y = data(30, 120)
    Y = np.c_[y, 1e-3 * y[::-1], np.full(30, 2.0)]
    problem = LinearObjective(X, Y, penalty=L1(1e-4))
    descent = CoordinateDescent(problem, problem.start(), tolerance=1e-8, max_epochs=10_000)
    result = run(descent.steps(), max_iter=10_000)
    for k, epochs in enumerate(descent.epochs):
        single = LinearObjective(X, Y[:, k], penalty=L1(1e-4))
        alone = CoordinateDescent(single, single.start(), tolerance=1e-8, max_epochs=10_000)
        theta = run(alone.steps(), max_iter=10_000).theta
        np.testing.assert_allclose(problem.coefficients(result.theta)[:, k], theta[:-1], atol=1e-6)
        assert (epochs == 0) == (k == 2)


def test_a_random_order_finds_the_same_and_repeats():
    problem = objective(30, 120, L1(0.1))
    thetas = []
    for seed in (0, 0, 1):
        orders = shuffled(np.random.default_rng(seed))
        steps = coordinate_descent(problem, problem.start(), tolerance=1e-13, orders=orders)
        thetas.append(run(steps, max_iter=1000).theta)
    np.testing.assert_array_equal(thetas[0], thetas[1])
    np.testing.assert_allclose(thetas[0], thetas[2], atol=1e-8)


def test_hard_near_interpolation_converges():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((40, 90)) + 1.0
    y = X[:, 0] - 2.0 * X[:, 1] + rng.standard_normal(40)
    problem = LinearObjective(X, y, penalty=L1(1e-3))
    result = run(coordinate_descent(problem, problem.start(), tolerance=1e-12, max_epochs=1000), max_iter=1000)
    assert result.reason is Reason.DUALITY_GAP
    assert problem.duality_gap(result.theta) <= 1e-10


def test_screening_never_rules_out_a_column_of_the_solution():
    problem = objective(30, 120, L1(0.05))
    solution = problem.coefficients(
        run(coordinate_descent(problem, problem.start(), tolerance=1e-14), max_iter=9999).theta
    )
    work = prepare(problem, problem.start(), False)[0]
    work.begin(Strength(0.05, 0.0))
    sizes = []
    while work.gap > 1e-12 * work.squared_target:
        work.advance(1e-12 * work.squared_target, 1, lambda n_epochs, n: np.arange(n)[None])
        assert set(np.flatnonzero(solution)) <= set(work.candidates)
        sizes.append(len(work.candidates))
    assert sizes[-1] < 120


def test_gap_safe_keeps_what_the_ball_reaches():
    columns, products = np.array([2, 5, 9]), np.array([-0.99, 0.5, 0.99])
    kept = gap_safe(columns, products, np.ones(3), gap=1e-3, l1=1.0, l2=0.0, positive=True)
    assert kept.tolist() == [9]


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.5, 0.3), (0.0, 0.3)])
@pytest.mark.parametrize("positive", [False, True])
def test_the_gap_bounds_the_distance_to_the_optimum(l1, l2, positive):
    rng = np.random.default_rng(1)
    Z, y = rng.standard_normal((20, 5)), rng.standard_normal(20)

    def value(w):
        return 0.5 * np.sum((y - Z @ w) ** 2) + l1 * np.abs(w).sum() + 0.5 * l2 * w @ w

    starts = np.abs(rng.standard_normal((200, 5))) if positive else rng.standard_normal((200, 5))
    best = min(value(w) for w in starts)
    for w in starts[:20]:
        r = y - Z @ w
        assert value(w) - duality_gap(Z.T @ r, w, r @ r, r @ y, l1, l2, positive) <= best


def test_anderson_finds_the_limit_of_an_affine_map():
    rng = np.random.default_rng(0)
    T = 0.9 * np.linalg.qr(rng.standard_normal((4, 4)))[0]
    w, b = np.zeros(4), rng.standard_normal(4)
    anderson = Anderson(depth=5)
    for _ in range(6):
        anderson.push(w, 2.0 * w)
        w = T @ w + b
    guess, image = anderson.extrapolate()
    np.testing.assert_allclose(guess, np.linalg.solve(np.eye(4) - T, b), atol=1e-5)
    np.testing.assert_allclose(image, 2.0 * guess, atol=1e-12)


def test_anderson_has_no_guess_for_a_sequence_that_stands_still():
    anderson = Anderson(depth=2)
    for _ in range(3):
        anderson.push(np.ones(3), np.ones(3))
    assert anderson.ready
    assert anderson.extrapolate() is None


@pytest.mark.parametrize("gram", [True, False])
def test_a_path_meets_every_single_solution(gram):
    strengths = [Strength(l1, 0.1 * l1) for l1 in (3.0, 1.0, 0.1, 0.01)]
    problem = objective(60, 8, L1(1.0))
    path = follow_path(prepare(problem, problem.start(), gram)[0], strengths, tolerance=1e-13, max_epochs=9999)
    for i, strength in enumerate(strengths):
        single = prepare(problem, problem.start(), gram)[0]
        single.begin(strength)
        while not single.gap <= 1e-13 * single.squared_target:
            single.advance(1e-13 * single.squared_target, 9999, lambda n_epochs, n: np.arange(n)[None])
        np.testing.assert_allclose(path.coefficients[i], single.w, atol=1e-8)
        assert path.intercepts[i] == pytest.approx(single.intercept, abs=1e-8)


@pytest.fixture
def eager(monkeypatch):
    """Let single precision be taken up for small data too."""
    monkeypatch.setattr(refined_gram, "LEAST_ENTRIES", 1)
    monkeypatch.setattr(refined_gram, "LEAST_COLUMNS", 1)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize(("l1", "l2", "positive"), [(0.05, 0.0, False), (0.02, 0.3, False), (0.05, 0.0, True)])
def test_a_matrix_in_single_precision_corrected_by_the_data_gives_the_same(
    eager, order, weighted, centre, l1, l2, positive
):
    rng = np.random.default_rng(3)
    X = np.asarray(rng.standard_normal((3000, 12)) + rng.normal(2.0, 1.0, 12), order=order)
    y = X @ np.where(np.arange(12) < 5, rng.standard_normal(12), 0.0) + rng.standard_normal(3000)
    s = rng.random(3000) if weighted else None
    penalty = ElasticNet(l1 + l2, l1 / (l1 + l2), positive=positive)
    objective = LinearObjective(X, y, penalty=penalty, sample_weight=s, fit_intercept=centre)
    thetas, gaps = [], []
    for once in (True, False):
        problems = prepare(objective, objective.start(), once=once)
        assert isinstance(problems[0], refined_gram.RefinedGramProblem) == once
        result = run(CoordinateDescent(objective, tolerance=1e-8, problems=problems).steps(), max_iter=100)
        thetas.append(result.theta)
        gaps.append(problems[0].gap)
    assert np.abs(problems[0].gram).max() > 0
    np.testing.assert_allclose(thetas[0], thetas[1], rtol=1e-11, atol=1e-11)
    assert max(gaps) <= 1e-8 * problems[0].squared_target


def test_the_penalty_that_leaves_nothing_is_told_from_the_data_not_from_single_precision(eager):
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((2000, 6)), rng.standard_normal(2000)
    largest = float(np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max()) / 2000
    for share, zeros in ((1.0 + 1e-9, 6), (1.0 - 1e-5, 5)):
        objective = LinearObjective(X, y, penalty=L1(share * largest))
        problems = prepare(objective, objective.start(), once=True)
        run(CoordinateDescent(objective, problems=problems).steps(), max_iter=100)
        assert np.sum(problems[0].w == 0.0) == zeros


def test_sums_too_large_for_single_precision_are_formed_in_double(eager):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((500, 3)) * 1e25
    objective = LinearObjective(X, X @ np.ones(3) / 1e25, penalty=L1(1e-3))
    with np.errstate(over="ignore", invalid="ignore"):
        problems = prepare(objective, objective.start(), once=True)
    assert problems[0].finite
    assert not isinstance(problems[0], refined_gram.RefinedGramProblem)


def ill_conditioned():
    """Columns of very different lengths far from the origin, fewer rows than columns."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 200)) * np.exp(rng.normal(size=200)) + 100.0 * rng.normal(size=200)
    return X, X @ rng.normal(size=200) + rng.normal(size=60)


def test_newtons_steps_spare_thousands_of_epochs_on_ill_conditioned_data():
    X, y = ill_conditioned()
    alpha = 1e-4 * np.abs(X.T @ y).max() / len(y)
    problem = LinearObjective(X, y, penalty=ElasticNet(alpha, 0.9), fit_intercept=False)
    descent = CoordinateDescent(problem, problem.start(), tolerance=1e-12, max_epochs=100_000)
    assert run(descent.steps(), max_iter=100_000).reason is Reason.DUALITY_GAP
    assert descent.epochs[0] < 500  # some 12,000 without


def test_dependent_columns_in_the_support_are_sorted_out():
    X, y = ill_conditioned()
    X = np.hstack([X, np.random.default_rng(6).normal(size=(60, 300))])
    problem = LinearObjective(X, y, penalty=L1(0.05), fit_intercept=False)
    descent = CoordinateDescent(problem, problem.start(), tolerance=1e-12, max_epochs=20_000)
    assert run(descent.steps(), max_iter=20_000).reason is Reason.DUALITY_GAP
    assert descent.epochs[0] < 3000  # 20,000 do not suffice without Newton's steps on more columns than rows


def test_an_output_that_takes_all_its_epochs_leaves_the_others_theirs():
    rng = np.random.default_rng(5)
    hard = rng.normal(size=(60, 100)) * np.exp(rng.normal(size=100)) + 100.0 * rng.normal(size=100)
    easy = rng.normal(size=(60, 300))
    X = np.hstack([hard, easy])
    Y = np.stack([hard @ rng.normal(size=100), easy @ (rng.normal(size=300) * (rng.random(300) < 0.3))], axis=1)
    together = LinearObjective(X, Y, penalty=L1(0.05), fit_intercept=False)
    descent = CoordinateDescent(together, together.start(), tolerance=1e-12, max_epochs=20)
    assert run(descent.steps(), max_iter=20).reason is Reason.MAX_ITER
    assert descent.epochs == [20, 20]


def test_coefficients_that_are_almost_zero_do_not_stop_newtons_steps():
    rng = np.random.default_rng(528)
    X = (rng.normal(size=(10, 60)) > 1.0).astype(float)  # columns that depend on each other, some of them equal
    y = X @ (rng.normal(size=60) * (rng.random(60) < 0.3)) + 0.1 * rng.normal(size=10)
    problem = LinearObjective(X, y, penalty=L1(0.0003))
    descent = CoordinateDescent(problem, problem.start(), tolerance=1e-12, max_epochs=5000)
    assert run(descent.steps(), max_iter=5000).reason is Reason.DUALITY_GAP
    assert descent.epochs[0] < 300  # 1760 where a step to such a coefficient has to lower the objective


def test_the_matrix_of_a_growing_working_set_lies_in_one_piece():
    X = np.random.default_rng(0).standard_normal((20, 30))
    working_set = WorkingSet(Design(X, Reduction(1.0), False))
    for columns in ([3, 7], [1, 8, 9, 20], [25]):
        working_set.add(np.array(columns))
        gram, chosen = working_set.gram, X[:, working_set.columns]
        assert gram.flags.c_contiguous
        np.testing.assert_allclose(gram, chosen.T @ chosen, rtol=1e-12, atol=1e-12)
