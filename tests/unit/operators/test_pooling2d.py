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
from steepest.kernels.pooling import largest, spread
from steepest.operators.pooling2d import Windows, largest_by_taps, spread_by_taps
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
    windows = Windows.of(*how)
    padded, out = windows.pad(x, -np.inf), windows.out_size(6, 9)
    y, places = largest(padded, windows.size, windows.stride, out)
    expected, chosen = largest_by_taps(padded, windows, out)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(places, chosen)
    assert y.dtype == dtype
    dy = rng.integers(-9, 9, y.shape).astype(dtype)  # sums of integers do not depend on their order
    dx, by_taps = np.zeros_like(padded), np.zeros_like(padded)
    spread(dy, windows.size, windows.stride, places, dx)
    spread_by_taps(dy, windows, chosen, by_taps)
    np.testing.assert_array_equal(dx, by_taps)


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


@pytest.mark.parametrize("how", SETTINGS)
def test_padding_does_not_win_over_minus_infinity(how: Any) -> None:
    y, cache = max_pool2d_forward(np.full((2, 1, 6, 7), -np.inf), *how)
    dx = max_pool2d_backward(np.ones(y.shape), cache)
    assert dx.sum() == y.size
    y, cache = max_pool2d_forward(np.zeros((2, 1, 6, 7)), *how)  # of equal numbers the first wins, here as there
    np.testing.assert_array_equal(dx, max_pool2d_backward(np.ones(y.shape), cache))


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


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
@pytest.mark.parametrize(
    ("dy", "text"),
    [
        (np.ones((1, 1, 4, 4)), r"dy has shape \(1, 1, 4, 4\): must be \(1, 1, 2, 2\)"),
        (np.ones((1, 1, 2, 2), dtype=np.float16), "dy has dtype float16: must be float32 or float64"),
        (np.full((1, 1, 2, 2), "a"), "dy has dtype <U1: must be float32 or float64"),
    ],
)
def test_slopes_that_are_none_are_named(forward: Any, backward: Any, dy: Any, text: str) -> None:
    _, cache = forward(np.ones((1, 1, 4, 4)))
    with pytest.raises(InvalidInputError, match=text):
        backward(dy, cache)


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_slopes_may_be_whole_numbers_or_a_list(forward: Any, backward: Any) -> None:
    _, cache = forward(np.ones((1, 1, 4, 4)))
    expected = backward(np.ones((1, 1, 2, 2)), cache)
    for dy in (np.ones((1, 1, 2, 2), dtype=int), np.ones((1, 1, 2, 2)).tolist()):
        found = backward(dy, cache)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)
