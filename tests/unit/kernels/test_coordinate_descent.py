"""Kernels of coordinate descent against their references in array code."""

import numpy as np
import pytest
from scipy import sparse

from steepest.kernels.cholesky import cholesky_solve
from steepest.kernels.columns import correlate_columns, correlate_rows, scan_columns, scan_rows, scan_sparse
from steepest.kernels.coordinate_descent import (
    epoch_on_columns,
    epoch_on_gram,
    epoch_on_sparse_columns,
    epochs_on_support,
    gap_on_gram,
    look_on_gram,
    path_on_gram,
    polish_on_gram,
    rounds_on_gram,
    soft_threshold,
)
from steepest.kernels.support_newton import newton_step, value_on_gram
from steepest.penalties import L1
from steepest.solvers.coordinate_descent import epoch
from steepest.solvers.design import scan
from steepest.solvers.duality import duality_gap, primal_value
from steepest.solvers.support_newton import newton_candidates, quadratic_value

PENALTIES = [(0.3, 0.0), (0.3, 0.2), (0.0, 0.2)]


@pytest.fixture
def problem():
    """Columns, one of them zero, a target, and coefficients with zeros."""
    rng = np.random.default_rng(5)
    Z = rng.standard_normal((30, 7)) / 5.0
    Z[:, 4] = 0.0
    w = np.array([1.0, 0.0, 0.5, 0.0, 0.0, 2.0, 0.1])
    return Z, Z @ rng.standard_normal(7) + rng.standard_normal(30), w


@pytest.mark.parametrize("positive", [False, True])
def test_soft_threshold_is_the_prox_of_l1(positive):
    for z in (-2.0, -0.5, 0.0, 0.5, 2.0):
        expected = L1(alpha=0.7, positive=positive).prox(np.array([z]), 1.0)[0]
        assert soft_threshold(z, 0.7, positive) == expected


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_epochs_equal_the_reference(problem, l1, l2, positive):
    Z, y, w = problem
    order = np.array([3, 0, 6, 1, 2, 4, 5])
    expected, residual = w.copy(), y - Z @ w
    epoch(Z, residual, expected, l1, l2, positive, order)

    by_gram, correlation = w.copy(), Z.T @ (y - Z @ w)
    epoch_on_gram(Z.T @ Z, correlation, by_gram, l1, l2, positive, order)
    np.testing.assert_allclose(by_gram, expected, atol=1e-13)
    np.testing.assert_allclose(correlation, Z.T @ residual, atol=1e-13)

    by_columns, r = w.copy(), y - Z @ w
    epoch_on_columns(np.ascontiguousarray(Z.T), (Z**2).sum(axis=0), r, by_columns, l1, l2, positive, order)
    np.testing.assert_allclose(by_columns, expected, atol=1e-13)
    np.testing.assert_allclose(r, residual, atol=1e-13)
    assert not np.array_equal(expected, w)


def test_sparse_epoch_equals_the_reference_on_centred_columns():
    rng = np.random.default_rng(2)
    X = np.where(rng.random((25, 6)) < 0.4, rng.standard_normal((25, 6)), 0.0)
    root = np.sqrt(rng.uniform(0.1, 1.0, 25))
    mass = root @ root
    means = root**2 @ X / mass
    Z, S = root[:, None] * (X - means), sparse.csc_array(root[:, None] * X)
    y = rng.standard_normal(25)
    y -= root * (root @ y) / mass
    expected, residual = np.zeros(6), y.copy()
    w, r = np.zeros(6), y.copy()
    order = np.arange(6)
    for _ in range(3):
        epoch(Z, residual, expected, 0.4, 0.1, False, order)
        norms = (Z**2).sum(axis=0)
        t = epoch_on_sparse_columns(S.data, S.indices, S.indptr, means, mass, norms, r, w, 0.4, 0.1, False, order)
        r += t * root
    np.testing.assert_allclose(w, expected, atol=1e-13)
    np.testing.assert_allclose(r, residual, atol=1e-13)
    assert np.count_nonzero(w) > 1


def test_epochs_on_the_support_equal_the_reference_on_its_columns(problem):
    Z, y, w = problem
    support, order = np.flatnonzero(w), np.array([2, 0, 3, 1])
    expected, residual = w.copy(), y - Z @ w
    for _ in range(3):
        epoch(Z, residual, expected, 0.3, 0.1, False, support[order])
    correlation = Z.T @ (y - Z @ w)
    epochs_on_support(Z.T @ Z, correlation, w, 0.3, 0.1, False, support, order[None], 3)
    np.testing.assert_allclose(w, expected, atol=1e-13)
    np.testing.assert_allclose(correlation, Z.T @ residual, atol=1e-13)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_the_look_at_a_point_gives_objective_and_gap(problem, l1, l2, positive):
    Z, y, w = problem
    r, seen = y - Z @ w, np.empty(2)
    look_on_gram(Z.T @ Z, Z.T @ y, w, y @ y, l1, l2, positive, 30, seen)
    gap = duality_gap(Z.T @ r, w, r @ r, r @ y, l1, l2, positive, 30)
    np.testing.assert_allclose(seen, [primal_value(r @ r, w, l1, l2), gap], rtol=1e-12)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), [*PENALTIES, (0.0, 0.0)])
def test_gap_on_gram_equals_the_reference(problem, l1, l2, positive):
    Z, y, w = problem
    r = y - Z @ w
    expected = duality_gap(Z.T @ r, w, r @ r, r @ y, l1, l2, positive, 30.0)
    assert gap_on_gram(Z.T @ r, Z.T @ y, w, y @ y, l1, l2, positive, 30.0) == pytest.approx(expected, rel=1e-12)
    assert expected > 0


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_rounds_lead_where_epochs_do(problem, l1, l2, positive):
    Z, y, w = problem
    gram, c, order, expected = Z.T @ Z, Z.T @ y, np.array([3, 0, 6, 1, 2, 4, 5]), w.copy()
    residual = y - Z @ w
    for _ in range(3000):
        epoch(Z, residual, expected, l1, l2, positive, order)
    for widest in (-1, 7):
        found, correlation, seen, done = w.copy(), Z.T @ (y - Z @ w), np.empty(2), 0
        while done < 5000:
            done += rounds_on_gram(
                gram, c, y @ y, l1, l2, positive, 1e-14, 5000 - done, 30.0, widest, 3, found, correlation, order[None],
                seen,
            )  # fmt: skip
            if seen[0] <= 1e-14:
                break
        r = y - Z @ found
        assert seen[0] == pytest.approx(duality_gap(Z.T @ r, found, r @ r, r @ y, l1, l2, positive), abs=1e-13)
        np.testing.assert_allclose(correlation, Z.T @ r, atol=1e-12)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert widest > 0 or seen[1] == 0


def test_rounds_end_after_so_many_epochs(problem):
    Z, y, w = problem
    seen = np.empty(2)
    done = rounds_on_gram(
        Z.T @ Z, Z.T @ y, y @ y, 0.01, 0.0, False, 0.0, 4, 30.0, -1, 3, w, Z.T @ (y - Z @ w), np.arange(7)[None], seen
    )
    assert 3 <= done <= 4 and seen[0] > 0


def test_path_on_gram_stops_where_the_tolerance_is_not_reached(problem):
    Z, y, _ = problem
    gram, c = Z.T @ Z, Z.T @ y
    penalties = np.array([[10.0, 0.0], [0.2, 0.0], [1e-4, 0.0]])
    w, coefficients, gaps, epochs = np.zeros(7), np.zeros((3, 7)), np.zeros(3), np.zeros(3, dtype=np.int64)
    done = path_on_gram(
        gram, c, y @ y, penalties, False, 1e-12, 30, w, c.copy(), np.arange(7)[None], 1, False,
        coefficients, gaps, epochs,
    )  # fmt: skip
    assert done == 1
    assert epochs.tolist() == [0, 1, 0]
    assert gaps[1] > 1e-12
    np.testing.assert_array_equal(coefficients[0], 0.0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 40])
def test_cholesky_solves(n):
    A = np.random.default_rng(n).standard_normal((n, n + 3))
    matrix, b = A @ A.T, A.sum(axis=1)
    x = b.copy()
    assert cholesky_solve(matrix.copy(), x)
    np.testing.assert_allclose(x, np.linalg.solve(matrix, b), rtol=1e-8, atol=1e-10)


def test_cholesky_refuses_dependent_columns():
    a = np.arange(1.0, 4.0)
    assert not cholesky_solve(np.outer(a, a), np.ones(3))


@pytest.mark.parametrize("dependent", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("free", [(), (0, 6)])
def test_newton_step_takes_the_best_candidate_of_the_reference(problem, l2, free, dependent):
    Z, y, w = problem
    l1 = np.full(7, 0.05)
    l1[list(free)] = 0.0  # coefficients that are not penalised
    if dependent:
        Z[:, 0] = Z[:, 2]
    gram, c = Z.T @ Z, Z.T @ y
    candidates = newton_candidates(gram, c, w, l1, l2)
    values = [quadratic_value(c, image, point, l1, l2) for point, image in candidates]
    moved, correlation = w.copy(), c - gram @ w
    assert newton_step(gram, c, correlation, moved, l1, l2, 0.0)
    assert value_on_gram(c, correlation, moved, l1, l2) == pytest.approx(min(values), rel=1e-6, abs=1e-9)
    np.testing.assert_allclose(correlation, c - gram @ moved, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("centre", [False, True])
def test_scans_equal_the_reference(dtype, centre):
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((40, 5)) + 100.0).astype(dtype)
    weights, y = rng.uniform(0.0, 1.0, 40), rng.standard_normal(40)
    shift = X[0].astype(np.float64) if centre else np.zeros(5)
    expected = np.array(scan(X.astype(np.float64) - shift, weights, y))
    out = np.empty((3, 5))
    scan_columns(np.asfortranarray(X), weights, y, centre, 0, 5, *out)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-9)
    halves = [scan_rows(X, weights, y, centre, *rows) for rows in ((0, 17), (17, 40))]
    np.testing.assert_allclose(sum(halves), expected, rtol=1e-12, atol=1e-9)
    if not centre:
        S = sparse.csc_array(X)
        scan_sparse(S.data, S.indices, S.indptr, weights, y, *out)
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_correlations_equal_array_code(dtype):
    rng = np.random.default_rng(1)
    X, v, columns = rng.standard_normal((30, 6)).astype(dtype), rng.standard_normal(30), np.array([5, 0, 3])
    out = np.empty(3)
    correlate_columns(np.asfortranarray(X), v, columns, 0, 3, out)
    np.testing.assert_allclose(out, X[:, columns].T.astype(np.float64) @ v, rtol=1e-12, atol=1e-13)
    whole = correlate_rows(X, v, 0, 30)
    np.testing.assert_allclose(whole, X.T.astype(np.float64) @ v, rtol=1e-12, atol=1e-13)


def test_polishing_makes_a_rough_solution_exact(problem):
    Z, y, w = problem
    gram, c = Z.T @ Z, Z.T @ y
    exact, residual = w.copy(), y - Z @ w
    for _ in range(2000):
        epoch(Z, residual, exact, 0.2, 0.0, False, np.arange(7))
    w = np.where(exact != 0.0, exact * 1.01, 0.0)
    gap = polish_on_gram(gram, c, c - gram @ w, w, y @ y, 0.2, 0.0, False, np.arange(7), 1e-2)
    np.testing.assert_allclose(w, exact, atol=1e-12)
    assert gap <= 1e-8
