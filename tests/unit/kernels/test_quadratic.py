"""The kernel that minimises a quadratic with an L1 penalty."""

import numpy as np
import pytest

from steepest.kernels.quadratic import descend_coordinates, minimize_quadratic


def problem(d=12, spread=0.01):
    """A Hessian of columns that hardly differ, a slope at u, and weights of which two are zero."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(40, 1)) + spread * rng.normal(size=(40, d))
    l1 = np.full(d, 0.5)
    l1[[3, 7]] = 0.0
    return Z.T @ Z, Z.T @ rng.normal(size=40), rng.normal(size=d), l1


def violation(slope, u, l1):
    """Length of the shortest subgradient."""
    at_zero = np.maximum(np.abs(slope) - l1, 0.0)
    return np.linalg.norm(np.where(u != 0.0, slope + l1 * np.sign(u), at_zero))


@pytest.mark.parametrize("spread", [1.0, 0.01])
def test_the_minimum_has_no_slope_left(spread):
    H, slope, u, l1 = problem(spread=spread)
    start, first = u.copy(), slope.copy()
    sweeps = minimize_quadratic(H, slope, u, l1, 1e-12, 5000)
    np.testing.assert_allclose(slope, first + H @ (u - start), atol=1e-8)
    assert violation(slope, u, l1) < 1e-8
    assert sweeps < 200


def test_sweeps_alone_agree_where_they_converge():
    H, slope, u, l1 = problem(spread=1.0)
    other, other_slope = u.copy(), slope.copy()
    assert descend_coordinates(H, slope, u, l1, 1e-13, 10_000) < 10_000
    minimize_quadratic(H, other_slope, other, l1, 1e-13, 10_000)
    np.testing.assert_allclose(u, other, atol=1e-9)


def test_a_single_sweep_updates_each_coordinate_once():
    H, slope, u, l1 = problem()
    expected, expected_slope = u.copy(), slope.copy()
    for j in range(len(u)):
        aim = H[j, j] * expected[j] - expected_slope[j]
        new = np.sign(aim) * max(abs(aim) - l1[j], 0.0) / H[j, j]
        expected_slope += (new - expected[j]) * H[j]
        expected[j] = new
    descend_coordinates(H, slope, u, l1, 0.0, 1)
    np.testing.assert_allclose(u, expected, rtol=1e-12)
