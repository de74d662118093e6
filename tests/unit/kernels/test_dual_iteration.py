"""Compiled conjugate gradients on the dual solve what array code multiplies by."""

import numpy as np
import pytest

from steepest.kernels import team
from steepest.kernels.dual_iteration import DualIteration, reference_dual_product


def problem(n, d, dtype, order, weighted, centre):
    rng = np.random.default_rng(2)
    X = np.asarray(rng.standard_normal((n, d)), dtype=dtype, order=order)
    root = np.sqrt(rng.random(n) + 0.1) if weighted else np.ones(n)
    b = rng.standard_normal(n)
    return X, root, b - root * (root @ b) / (root @ root) if centre else b


def solve(X, root, b, ridge, centre, goal):
    iteration = DualIteration(X, root, ridge, centre=centre)
    iteration.begin(b)
    lengths = [np.linalg.norm(b)]
    while lengths[-1] > goal and len(lengths) < 200:
        lengths += iteration.advance(goal)
    return iteration, lengths


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize(("dtype", "exact"), [(np.float64, 1e-11), (np.float32, 1e-5)])
@pytest.mark.parametrize(("n", "d"), [(7, 30), (60, 3000)])
def test_the_iteration_solves_the_dual_system(n, d, dtype, exact, centre, weighted, order):
    X, root, b = problem(n, d, dtype, order, weighted, centre)
    iteration, lengths = solve(X, root, b, 0.5, centre, exact * np.linalg.norm(b))
    a = iteration.solution
    left = b - reference_dual_product(X.astype(np.float64), root, a, centre=centre) - 0.5 * a
    assert np.linalg.norm(left) <= 4 * exact * np.linalg.norm(b)
    assert lengths[-1] == pytest.approx(np.linalg.norm(iteration.residual))
    np.testing.assert_allclose(iteration.adjoint(), X.T.astype(np.float64) @ (root * a), rtol=0, atol=exact * 10)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    X, root, b = problem(300, 4000, np.float32, "C", True, True)
    found = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(team, "n_threads", lambda n=n_threads: n)
        found.append(solve(X, root, b, 1.0, True, 1e-5)[0].solution.copy())
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


def test_a_solved_system_is_left_alone():
    X, root, b = problem(7, 30, np.float64, "C", False, False)
    iteration, _ = solve(X, root, b, 0.5, False, 1e-11)
    before = iteration.solution.copy()
    assert iteration.advance(1.0) == []
    np.testing.assert_array_equal(iteration.solution, before)
    iteration.begin(np.zeros(7))
    assert iteration.advance(0.0) == []
