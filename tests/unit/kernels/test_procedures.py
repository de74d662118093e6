"""Procedures are compiled for the precision that is asked for, and kernels call them by their address."""

from typing import Any

import numpy as np
import pytest

from steepest.kernels.compile import borrowing
from steepest.kernels.procedures import Integers, Numbers, Reals, as_in, call, procedure
from steepest.kernels.products import address


@procedure
def add_picked(x: Numbers, picked: Integers, n: int, factor: float, total: Reals) -> None:
    third = as_in(x, 1.0 / 3.0)
    for i in range(n):
        x[picked[i]] += third
        total[0] += factor * x[picked[i]]


@procedure
def subtract_picked(x: Numbers, picked: Integers, n: int, factor: float, total: Reals) -> None:
    for i in range(n):
        x[picked[i]] -= as_in(x, factor)
        total[0] -= 1.0


@borrowing
def call_both(first: int, second: int, x: Any, picked: Any, total: Any) -> None:
    for at in (first, second):
        call(at, (address(x, 1), address(picked, 0), 2, 0.5, address(total, 0)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_kernel_calls_what_is_at_an_address(dtype: Any) -> None:
    x, picked, total = np.arange(5, dtype=dtype), np.array([3, 0]), np.zeros(1)
    call_both(add_picked.address(dtype), subtract_picked.address(dtype), x, picked, total)
    third = dtype(1) / dtype(3)
    added = [dtype(1) + third, dtype(4) + third]
    np.testing.assert_array_equal(x, [dtype(0), added[0] - dtype(0.5), 2, 3, added[1] - dtype(0.5)])
    assert total[0] == 0.5 * float(added[1]) + 0.5 * float(added[0]) - 2.0


def test_each_precision_has_a_form_which_stays_where_it_is() -> None:
    addresses = [add_picked.address(dtype) for dtype in (np.float64, np.float32, np.float64)]
    assert addresses[0] == addresses[2] != addresses[1]


def test_python_calls_it_with_arrays() -> None:
    x, total = np.zeros(2, np.float32), np.zeros(1)
    add_picked(x, np.array([1]), 1, 3.0, total)
    np.testing.assert_array_equal(x, [0, np.float32(1) / np.float32(3)])
    assert total[0] == 3.0 * float(x[1])
