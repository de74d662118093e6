"""Pooling by itself: windows, ties, errors."""

from typing import Any

import numpy as np
import pytest

from steepest import (
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool2d_forward,
    max_pool2d,
    max_pool2d_backward,
    max_pool2d_forward,
)
from steepest.exceptions import InvalidInputError
from steepest.operators.pooling2d import largest_by_taps, spread_by_taps
from tests.contracts.derivatives import assert_gradient, breaks

PAIRS = [(max_pool2d_forward, max_pool2d_backward), (avg_pool2d_forward, avg_pool2d_backward)]
SETTINGS = [(2, None, 0), (2, None, 1), ((2, 3), (1, 2), (1, 0)), (3, 1, 1), ((1, 4), (5, 1), (0, 2))]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("how", SETTINGS)
def test_the_kernels_equal_their_references(how: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (2, 3, 6, 9)).astype(dtype)  # many are alike
    x[0, 1, 2, 3] = np.nan
    x[1, 2] = -np.inf
    y, cache = max_pool2d_forward(x, *how)
    windows, out = cache.windows, (y.shape[2], y.shape[3])
    expected, chosen = largest_by_taps(windows.pad(x, -np.inf), windows, out)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(cache.chosen, chosen)
    assert y.dtype == dtype
    dy = rng.integers(-9, 9, y.shape).astype(dtype)  # sums of integers do not depend on their order
    dx = windows.pad(np.zeros_like(x), 0.0)
    spread_by_taps(dy, windows, chosen, dx)
    np.testing.assert_array_equal(max_pool2d_backward(dy, cache), windows.crop(dx))


@pytest.mark.parametrize("how", SETTINGS)
@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_the_backward_is_that_of_the_forward(forward: Any, backward: Any, how: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.permutation(2 * 2 * 6 * 7).reshape(2, 2, 6, 7) / 10.0  # no two numbers alike: no kinks near
    y, cache = forward(x, *how)
    dy = rng.standard_normal(y.shape)
    dx = backward(dy, cache)
    assert_gradient(lambda v: float(np.sum(dy * forward(v, *how)[0])), dx, x)
    assert breaks(lambda: assert_gradient(lambda v: float(np.sum(dy * forward(v, *how)[0])), 2 * dx, x))


def test_of_equal_numbers_the_first_gets_the_slope() -> None:
    _, cache = max_pool2d_forward(np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(max_pool2d_backward(np.ones((1, 1, 1, 1)), cache)[0, 0], [[1, 0], [0, 0]])


def test_padding_never_wins_and_counts_as_zero_in_a_mean() -> None:
    x = np.full((1, 1, 2, 2), -3.0)
    assert max_pool2d(x, 2, padding=1).max() == -3.0
    assert avg_pool2d(x, 2, padding=1)[0, 0, 0, 0] == -0.75


def test_nan_is_passed_on() -> None:
    x = np.zeros((1, 1, 2, 4))
    x[0, 0, 0, 0] = np.nan
    np.testing.assert_array_equal(max_pool2d(x)[0, 0], [[np.nan, 0.0]])


def test_minus_infinity_is_a_number_like_others() -> None:
    y, cache = max_pool2d_forward(np.full((1, 1, 2, 2), -np.inf))
    assert y.item() == -np.inf
    assert max_pool2d_backward(np.ones((1, 1, 1, 1)), cache).sum() == 1.0


def test_single_precision_and_empty_batches_stay() -> None:
    y = max_pool2d(np.zeros((0, 3, 4, 4), dtype=np.float32))
    assert y.shape == (0, 3, 2, 2)
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "how", "text"),
    [
        (np.ones((3, 4, 4)), {}, r"x has shape \(3, 4, 4\): must be \(N, C, H, W\)"),
        (np.ones((1, 1, 4, 4)), {"size": 0}, "size=0: must be a positive integer"),
        (np.ones((1, 1, 4, 4)), {"stride": 0}, "stride=0: must be a positive integer"),
        (np.ones((1, 1, 4, 4)), {"padding": 2}, "padding=2: must be at most half of size=2"),
        (np.ones((1, 1, 2, 4)), {"size": 3}, "the output side would be below 1"),
        (np.ones((1, 1, 4, 4), dtype=complex), {}, "x has dtype complex128"),
    ],
)
def test_errors(x: Any, how: Any, text: str) -> None:
    for pool in (max_pool2d, avg_pool2d):
        with pytest.raises(InvalidInputError, match=text):
            pool(x, **how)


def test_slopes_must_have_the_shape_of_the_output() -> None:
    _, cache = max_pool2d_forward(np.ones((1, 1, 4, 4)))
    with pytest.raises(InvalidInputError, match=r"dy has shape \(1, 1, 4, 4\): must be \(1, 1, 2, 2\)"):
        max_pool2d_backward(np.ones((1, 1, 4, 4)), cache)
