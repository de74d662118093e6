"""Products in register tiles equal those of arrays, whatever the shape, and touch nothing else."""

from typing import Any

import numpy as np
import pytest

from steepest.kernels.products import (
    NEXT,
    lay_out,
    padded,
    panel_size,
    product,
    product_with_panels,
    product_with_transpose,
)

DTYPES = [np.float64, np.float32]
SHAPES = [
    (1, 1, 1),
    (4, 2, 2),
    (4, 1, 2),
    (9, 1, 40),
    (32, 16, 16),
    (7, 33, 17),
    (13, 130, 70),
    (5, 3, 100),
    (3, 16, 32),
    (10, 9, 40),
    (6, 10, 0),
]
UNTOUCHED = 7.0


def matrices(m: int, n: int, terms: int, dtype: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(0)
    A, B = rng.standard_normal((m, terms)).astype(dtype), rng.standard_normal((terms, n)).astype(dtype)
    return A, B, np.full((m + 1, n + 3), UNTOUCHED, dtype), 40 * np.finfo(dtype).eps * max(terms, 1)


def assert_product(C: np.ndarray, expected: np.ndarray, atol: float) -> None:
    m, n = expected.shape
    np.testing.assert_allclose(C[:m, :n], expected, rtol=0, atol=atol)
    np.testing.assert_array_equal(C[m:], UNTOUCHED)
    np.testing.assert_array_equal(C[:, n:], UNTOUCHED)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestProduct:
    def test_with_a_row_added(self, shape: tuple[int, int, int], turned: bool, dtype: Any) -> None:
        A, B, C, atol = matrices(*shape, dtype)
        m, n, terms = shape
        s = np.arange(n, dtype=dtype)
        left, steps = (A.T.copy(), (1, m)) if turned else (A, (terms, 1))
        product(left, *steps, B, n, s, C, n + 3, m, n, terms)
        assert_product(C, A @ B + s, atol)

    def test_with_nothing_added(self, shape: tuple[int, int, int], turned: bool, dtype: Any) -> None:
        A, B, _, atol = matrices(*shape, dtype)
        m, n, terms = shape
        C = np.full(m * n + 2, UNTOUCHED, dtype)
        left, steps = (A.T.copy(), (1, m)) if turned else (A, (terms, 1))
        product(left, *steps, B, n, 0, C[1:], n, m, n, terms)
        np.testing.assert_allclose(C[1:-1].reshape(m, n), A @ B, rtol=0, atol=atol)
        np.testing.assert_array_equal(C[[0, -1]], UNTOUCHED)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_product_with_a_transpose(shape: tuple[int, int, int], dtype: Any) -> None:
    A, B, C, atol = matrices(*shape, dtype)
    m, n, terms = shape
    W, panel = B.T.copy(), np.full(panel_size(terms) + 5, np.nan, dtype)
    multiply = product.address(dtype)
    product_with_transpose(A, terms, W, terms, C, n + 3, m, n, terms, panel[5:], multiply)
    assert_product(C, A @ B, atol)
    assert np.isnan(panel[:5]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_product_with_panels(shape: tuple[int, int, int], dtype: Any) -> None:
    A, B, C, atol = matrices(*shape, dtype)
    m, n, terms = shape
    panels = np.full((terms + 2) * padded(n), np.nan, dtype)
    left, cut, room = A.T.copy(), terms // 3, terms + 2
    lay_out(B, n, cut, n, panels, 0, room)  # in two parts
    lay_out(B[cut:], n, terms - cut, n, panels, cut, room)
    product_with_panels(left, NEXT, m, panels, room, C, n + 3, m, n, terms, product.address(dtype))
    assert_product(C, A @ B, atol)


def test_an_entry_does_not_depend_on_the_tile_it_falls_into() -> None:
    A, B, _, _ = matrices(20, 40, 30, np.float32)
    found = np.zeros((2, 20, 40), np.float32)
    product(A, 30, 1, B, 40, 0, found[0], 40, 20, 40, 30)
    for start, stop in ((0, 7), (7, 8), (8, 20)):
        product(A[start:], 30, 1, B, 40, 0, found[1, start:], 40, stop - start, 40, 30)
    np.testing.assert_array_equal(*found)
