"""Scaling and its undoing."""

import numpy as np
import pytest

from steepest.report.fit import Scaling

X = np.random.default_rng(0).standard_normal((30, 4)) * [1, 1e6, 1e-3, 1] + [0, 1e3, 5, 0.1]
X[:, 3] = 0.1  # constant: its standard deviation is rounding


def test_scaled_features_have_mean_zero_and_unit_variance():
    scaled = Scaling.of(X, standardize=True).apply(X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled[:, :3].std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(scaled[:, 3], 0, atol=1e-15)


@pytest.mark.parametrize("standardize", [False, True])
def test_coefficients_in_original_units_predict_the_same(standardize):
    scaling = Scaling.of(X, standardize=standardize)
    coefficients, intercept = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 0.5, 0.0]]), np.array([0.5, -0.5])
    original, original_intercept = scaling.undo(coefficients, intercept)
    expected = scaling.apply(X) @ coefficients.T + intercept
    np.testing.assert_allclose(X @ original.T + original_intercept, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_squares_of_features_neither_vanish_nor_overflow(size):
    scaled = Scaling.of(X[:, :1] * size, standardize=True).apply(X[:, :1] * size)
    np.testing.assert_allclose(scaled, Scaling.of(X[:, :1], standardize=True).apply(X[:, :1]), rtol=1e-12)


def test_a_column_of_zeros_stays_one():
    np.testing.assert_array_equal(Scaling.of(np.zeros((3, 1)), standardize=True).apply(np.zeros((3, 1))), 0.0)
