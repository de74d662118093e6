"""The one-pass moments and the fused residual products equal their references."""

import numpy as np
import pytest

from steepest.kernels import gram
from steepest.kernels.gram import moments, outer_gram, reference_moments
from steepest.kernels.residual import reference_residual_products, residual_products
from steepest.kernels.survey import reference_survey, survey

RNG_SEED = 7


def data(n, d, k, dtype, order, offset=3.0):
    rng = np.random.default_rng(RNG_SEED)
    X = np.asarray(rng.standard_normal((n, d)) + offset, dtype=dtype, order=order)
    return X, rng.standard_normal((n, k)).astype(dtype), rng.random(n)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize(
    ("n", "d", "k"), [(1, 1, 1), (63, 3, 1), (700, 9, 2), (130, 70, 1), (5000, 48, 4), (2100, 23, 1), (300, 257, 1)]
)
@pytest.mark.parametrize("small", [-1, gram._SMALL])  # also small data by the kernel
def test_moments_equal_their_reference(n, d, k, dtype, order, weighted, centre, small, monkeypatch):
    monkeypatch.setattr(gram, "_SMALL", small)
    X, Y, s = data(n, d, k, dtype, order)
    weights = s if weighted else None
    ours, reference = moments(X, Y, weights, centre=centre), reference_moments(X, Y, weights, centre)
    tolerance = 1e-12  # also for float32, as the data are few
    for name in ("weight", "x_mean", "y_mean", "gram", "cross", "y_square"):
        expected = getattr(reference, name)
        scale = np.max(np.abs(expected)) + np.sqrt(n)
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=0, atol=tolerance * scale, err_msg=name)


def test_the_blas_way_for_many_columns_equals_the_reference_too():
    X, Y, s = data(650, gram.THREADED_UP_TO + 1, 1, np.float64, "C")
    ours, reference = moments(X, Y, s), reference_moments(X, Y, s, True)
    np.testing.assert_allclose(ours.gram, reference.gram, atol=1e-10)
    np.testing.assert_allclose(ours.cross, reference.cross, atol=1e-10)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("d", [3, 80, 260])
def test_single_precision_on_request_approximates_the_matrix(d, order):
    X, Y, s = data(5000, d, 1, np.float64, order)
    ours, reference = moments(X, Y, s, dtype=np.float32), reference_moments(X, Y, s, True)
    np.testing.assert_allclose(ours.x_mean, reference.x_mean, rtol=1e-8)
    np.testing.assert_allclose(ours.weight, reference.weight, rtol=1e-13)
    np.testing.assert_allclose(ours.y_square, reference.y_square, rtol=1e-12)
    error = np.abs(ours.gram - reference.gram).max() / reference.gram.max()
    assert 1e-12 < error < ours.rounding
    assert moments(X, Y, s).rounding < 1e-15


def test_large_float32_data_are_multiplied_in_their_own_precision():
    X, Y, _ = data(6000, 50, 1, np.float32, "C")
    ours, reference = moments(X, Y), reference_moments(X, Y, None, True)
    error = np.abs(ours.gram - reference.gram).max() / reference.gram.max()
    assert 1e-12 < error < ours.rounding < 1e-6


def test_large_offsets_lose_no_digits():
    X, Y, _ = data(3000, 4, 1, np.float64, "C", offset=0.0)
    shifted = moments(X + 1e8, Y)
    np.testing.assert_allclose(
        shifted.gram, reference_moments((X + 1e8) - 1e8, Y, None, True).gram, rtol=1e-10, atol=1e-7
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("d", [3, 80])
def test_moments_say_when_data_are_not_finite(bad, d):
    X, Y, _ = data(100, d, 1, np.float64, "C")
    assert moments(X, Y).finite
    X[57, 1] = bad
    assert not moments(X, Y).finite


def test_moments_do_not_depend_on_the_number_of_threads(monkeypatch):
    X, Y, _ = data(40_000, 5, 1, np.float64, "C")
    many = moments(X, Y).gram
    monkeypatch.setenv("STEEPEST_NUM_THREADS", "1")
    np.testing.assert_array_equal(moments(X, Y).gram, many)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (5, 3), (1001, 7), (130, 300)])
def test_residual_products_equal_their_reference(n, d, dtype, order, weighted):
    X, Y, s = data(n, d, 1, dtype, order)
    y, w, mean = Y[:, 0].astype(np.float64), np.linspace(-1, 1, d), X.mean(axis=0, dtype=np.float64)
    weights = s if weighted else None
    r, g, rss = residual_products(X, y, weights, mean, w)
    expected = reference_residual_products(X, y, weights, mean, w)
    np.testing.assert_allclose(r, expected[0], atol=1e-12 * d)
    np.testing.assert_allclose(g, expected[1], atol=1e-12 * n * d)
    np.testing.assert_allclose(rss, expected[2], rtol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d"), [(5, 3), (1001, 7), (130, 300)])
def test_residual_products_in_single_precision_equal_their_reference(n, d, order, weighted):
    X, Y, s = data(n, d, 1, np.float32, order)
    y, w, mean = Y[:, 0], np.linspace(-1, 1, d), X.mean(axis=0, dtype=np.float64)
    weights = s if weighted else None
    r, g, rss = residual_products(X, y, weights, mean, w, np.float32)
    expected = reference_residual_products(X, y, weights, mean, w)
    assert r.dtype == g.dtype == np.float32
    np.testing.assert_allclose(r, expected[0], atol=1e-5 * np.abs(expected[0]).max())
    np.testing.assert_allclose(g, expected[1], atol=1e-5 * np.abs(expected[1]).max())
    np.testing.assert_allclose(rss, expected[2], rtol=1e-5)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize(("n", "d"), [(1, 1), (5, 3), (1001, 7), (270, 600)])
def test_the_survey_equals_its_reference(n, d, dtype, order, copied):
    X, Y, s = data(n, d, 1, dtype, order)
    guess = X[:3].mean(axis=0, dtype=np.float64)
    sums, products, copy = survey(X, s, Y[:, 0].astype(np.float64), guess, copy=copied)
    expected = reference_survey(X, s, Y[:, 0].astype(np.float64), guess)
    np.testing.assert_allclose(sums, expected[0], atol=1e-12 * n)
    np.testing.assert_allclose(products, expected[1], atol=1e-12 * n)
    if copied:
        np.testing.assert_allclose(copy, expected[2], rtol=1e-6, atol=1e-6)
    else:
        assert copy is None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d"), [(3, 5000), (40, 90), (610, 620)])
def test_outer_gram_equals_its_formula(n, d, weighted):
    X, _, s = data(n, d, 1, np.float64, "C")
    mean = X.mean(axis=0)
    Z = (X - mean) * (np.sqrt(s)[:, None] if weighted else 1.0)
    np.testing.assert_allclose(outer_gram(X, mean, s if weighted else None), Z @ Z.T, atol=1e-10 * d)
