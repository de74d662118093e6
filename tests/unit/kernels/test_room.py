"""New arrays within kernels are as large as asked for, writable, and live as long as someone holds them."""

import gc

import numpy as np
import pytest

from steepest.kernels.compile import compiled
from steepest.kernels.room import matrix, vector


@compiled
def _counted(size, like):
    numbers = vector(size, like)
    for i in range(size):
        numbers[i] = i
    return numbers


@compiled
def _table(rows, columns):
    table = matrix(rows, columns, np.int64)
    for i in range(rows):
        for j in range(columns):
            table[i, j] = 10 * i + j
    return table[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_a_vector_is_of_the_kind_asked_for(dtype):
    kept = [_counted(n, np.empty(0, dtype)) for n in range(200)]
    gc.collect()
    for n, numbers in enumerate(kept):
        assert numbers.dtype == dtype
        np.testing.assert_array_equal(numbers, np.arange(n))
        assert numbers.ctypes.data % 32 == 0


def test_a_row_keeps_its_matrix():
    rows = [_table(3, columns) for columns in range(100)]
    for columns, row in enumerate(rows):
        np.testing.assert_array_equal(row, 10 + np.arange(columns))
