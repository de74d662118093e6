"""Moments with a matrix in bfloat16 equal their reference, and what is not rounded equals the moments proper."""

import numpy as np
import pytest

from steepest.kernels import bfloat16
from steepest.kernels.bfloat16 import RoughMoments, reference_rough_gram
from steepest.kernels.gram import reference_moments

pytestmark = pytest.mark.skipif(not bfloat16.AVAILABLE, reason="this processor does not multiply in bfloat16")


def data(n, d, dtype=np.float32, order="C"):
    rng = np.random.default_rng(n + d)
    X = np.asarray(rng.standard_normal((n, d)) + 3.0, dtype=dtype, order=order)
    return X, rng.standard_normal((n, 1)).astype(dtype), rng.random(n)


def of_all(X, Y, weights=None, centre=True):
    rough = RoughMoments(X, Y, weights, centre=centre)
    rough.of_some()
    return rough, rough.of_all()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (63, 3), (257, 16), (5001, 23), (2600, 530)])
def test_moments_equal_their_reference(n, d, dtype, order, weighted, centre):
    X, Y, s = data(n, d, dtype, order)
    weights = s if weighted else None
    rough, ours = of_all(X, Y, weights, centre)
    exact = reference_moments(X, Y, weights, centre)
    off = exact.x_mean - rough.x_shift
    expected = reference_rough_gram(X, weights, rough.x_shift) - exact.weight * centre * np.outer(off, off)
    scale = np.abs(expected).max() + 1.0
    if n > 1:
        # sums of squares in single precision; weighted numbers are rounded before, some few of them the other way
        np.testing.assert_allclose(ours.gram, expected, rtol=0, atol=(3e-5 if weighted else 1e-5) * scale)
    np.testing.assert_allclose(ours.cross, exact.cross, rtol=0, atol=1e-6 * scale)
    np.testing.assert_allclose(ours.x_mean, exact.x_mean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.y_mean, exact.y_mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.y_square, exact.y_square, rtol=1e-12, atol=1e-12)
    assert ours.weight == pytest.approx(exact.weight, rel=1e-12)


def test_the_matrix_is_off_by_what_is_said():
    X, Y, _ = data(60_000, 90)
    _, ours = of_all(X, Y)
    exact = reference_moments(X, Y, None, True)
    off = np.linalg.norm(ours.gram - exact.gram, 2) / len(X)
    assert 0.3 * ours.rounding < off < ours.rounding


def test_the_first_look_is_at_rows_spread_over_the_data_and_is_not_lost():
    X, Y, _ = data(60_000, 20)
    rough = RoughMoments(X, Y)
    some = rough.of_some()
    assert len(X) / 10 < some.weight < len(X) / 5
    np.testing.assert_allclose(some.gram / some.weight, np.cov(X.T), atol=0.1)
    assert rough.of_all().weight == len(X)


def test_columns_of_few_values_are_not_rounded():
    rng = np.random.default_rng(0)
    X = (rng.random((40_000, 30)) < np.linspace(0.01, 0.99, 30)).astype(np.float32)
    X[:, :5] = rng.integers(0, 12, (40_000, 5))
    Y = rng.standard_normal((40_000, 1)).astype(np.float32)
    _, ours = of_all(X, Y)
    exact = reference_moments(X, Y, None, True)
    np.testing.assert_allclose(ours.gram, exact.gram, rtol=0, atol=1e-6 * np.abs(exact.gram).max())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["X", "Y"])
def test_moments_say_when_data_are_not_finite(bad, where):
    X, Y, _ = data(3000, 9)
    (X if where == "X" else Y)[2345, 0] = bad
    assert not of_all(X, Y)[1].finite


def test_moments_do_not_depend_on_the_number_of_threads(monkeypatch):
    X, Y, _ = data(40_000, 11)
    many = of_all(X, Y)[1]
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "1")
    one = of_all(X, Y)[1]
    np.testing.assert_array_equal(one.gram, many.gram)
    np.testing.assert_array_equal(one.cross, many.cross)
