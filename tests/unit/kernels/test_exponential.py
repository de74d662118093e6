"""The exponential as a fraction is right to rounding."""

from typing import Any

import numpy as np
import pytest

from steepest.kernels.exponential import fraction


@pytest.mark.parametrize(("dtype", "lowest"), [(np.float64, -708.0), (np.float32, -87.0)])
class TestFraction:
    def test_equals_the_exponential(self, dtype: Any, lowest: float) -> None:
        x = np.concatenate([np.linspace(lowest, 0, 1001), -np.logspace(-12, 0, 50), [-0.0]]).astype(dtype)
        found = np.array([np.divide(*fraction(value)) for value in x])
        expected = np.exp(x.astype(np.float64))
        errors = np.abs(found - expected) / expected
        np.testing.assert_array_less(errors, (4 + np.abs(x) / 4) * np.finfo(dtype).eps)

    def test_stays_a_normal_number_far_below(self, dtype: Any, lowest: float) -> None:
        expected = np.exp(lowest)
        for value in (2 * lowest, -np.inf):
            a, b = fraction(dtype(value))
            assert a / b == pytest.approx(expected, rel=1e-5)
            assert a / b > 0

    def test_nan_stays(self, dtype: Any, lowest: float) -> None:
        assert np.isnan(fraction(dtype(np.nan))[0])
