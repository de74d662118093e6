"""Products in register tiles, and the panels they read, equal their references."""

import numpy as np
import pytest

from steepest.kernels.tiles import LINE, add_gram, fill_from_columns, fill_from_rows, lanes, reference_add_gram

ROWS = 24


def panel_of(columns, dtype):
    width = lanes(dtype)
    return np.zeros((-(-columns // width), ROWS, width), dtype=dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("columns", [1, 7, 8, 9, 16, 23, 24, 25, 40, 57, 100])
@pytest.mark.parametrize("rows", [0, 1, 17, ROWS])
def test_the_lower_triangle_equals_its_reference(columns, rows, dtype):
    panel = panel_of(columns, dtype)
    width = panel.shape[0] * panel.shape[2]
    flat = np.random.default_rng(columns).standard_normal((ROWS, width)).astype(dtype)
    flat[:, columns:] = 0.0
    panel[...] = flat.reshape(ROWS, *panel.shape[::2]).transpose(1, 0, 2)
    ours, expected = np.ones((width, width)), np.ones((width, width))
    add_gram(panel, rows, columns, ours, panel.ctypes.data, 3, 8 * LINE, 24)
    reference_add_gram(panel[:, :rows], expected)
    lower = np.tril_indices(columns)
    atol = 1e-13 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(ours[lower], expected[lower], rtol=0, atol=atol)


@pytest.mark.parametrize("given", [np.float64, np.float32])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("d", [1, 5, 8, 16, 19, 33])
@pytest.mark.parametrize(("first", "rows"), [(0, ROWS), (3, 7), (30, 20), (49, 1)])
def test_panels_hold_the_shifted_rows_and_zeros_beyond_them(given, dtype, d, first, rows):
    X = np.random.default_rng(d).standard_normal((50, d)).astype(given)
    panel = panel_of(d, dtype)
    shift = np.linspace(-3, 3, panel.shape[0] * panel.shape[2]).astype(np.float32).astype(np.float64)
    expected = np.zeros((rows, len(shift)))
    expected[:, :d] = X[first : first + rows].astype(np.float64) - shift[:d]
    rounding = 1e-15 if dtype == np.float64 else 5e-7
    for fill, data in ((fill_from_rows, X), (fill_from_columns, np.ascontiguousarray(X.T))):
        panel[...] = 0.0
        fill(data, shift, first, rows, panel)
        flat = panel.transpose(1, 0, 2).reshape(ROWS, -1)
        np.testing.assert_allclose(flat[:rows], expected, rtol=0, atol=rounding)


def test_reading_ends_with_the_data():
    whole = np.full(10 * 3 + 64, np.nan)
    X = whole[:30].reshape(10, 3)
    X[...] = 1.0
    panel = panel_of(3, np.float64)
    fill_from_rows(X, np.zeros(panel.shape[0] * panel.shape[2]), 0, 10, panel)
    assert np.isfinite(panel).all()
    assert panel.sum() == 30.0
