"""The register tiles and transforms by themselves, against array code."""

from typing import Any

import numba
import numpy as np
import pytest
from scipy.linalg import solve_toeplitz

from steepest.kernels.convolution.levinson import durbin
from steepest.kernels.convolution.tiles import copy_rows, dot_tile, outer_tile
from steepest.kernels.convolution.transforms import (
    FORMS,
    FROM_IMAGE,
    FROM_KERNEL,
    FROM_SLOPES,
    TO_IMAGE,
    TO_KERNEL,
    matrices,
    transform_back,
    transform_image,
    transform_planes,
)
from steepest.kernels.scratch import scratch
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.solvers.toeplitz import SymmetricToeplitz

DTYPES = [np.float32, np.float64]


@numba.njit
def run_outer(a: Any, x: Any, offset: Any, terms: int, out: Any, pitch: int, more: bool) -> None:
    outer_tile(4, 2, a, 4, x, 1, offset, terms, out, 2, pitch, more, 5)


@numba.njit
def run_dot(a: Any, a_pitch: int, last: int, x: Any, offset: Any, count: int, out: Any) -> None:
    dot_tile(4, 4, a, 1, a_pitch, last, x, 2, offset, 1, count, out, 3, x, 0)


@numba.njit
def run_narrow_dot(a: Any, x: Any, offset: Any, count: int, out: Any) -> None:
    dot_tile(3, 3, a, 0, 100, 2, x, 0, offset, 0, count, out, 0, a, 0)


@numba.njit
def run_copy(step: int, count: int, x: Any, shift: Any, out: Any) -> None:
    if step == 1:
        copy_rows(1, 2, count, x, 1, 50, shift, out, 2, 60)
    else:
        copy_rows(2, 2, count, x, 1, 50, shift, out, 2, 60)


@numba.njit
def run_planes(form: Any, kernel: bool, x: Any, x_pitch: int, out: Any, pitch: int) -> None:
    if kernel:
        transform_planes(form, FROM_KERNEL, x, 0, x_pitch, out, 0, pitch)
    else:
        transform_planes(form, TO_KERNEL, x, 0, x_pitch, out, 0, pitch)


@numba.njit
def run_image(
    form: Any, slopes: bool, rows: int, x: Any, where: Any, low: int, high: int, line: int, zeros: Any, across: int,
    out: Any,
) -> None:  # fmt: skip
    L = len(zeros) // 12
    if slopes and rows == 4:
        transform_image(form, FROM_SLOPES, 4, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)
    elif slopes and rows == 2:
        transform_image(form, FROM_SLOPES, 2, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)
    elif slopes:
        transform_image(form, FROM_SLOPES, 1, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)
    elif rows == 4:
        transform_image(form, FROM_IMAGE, 4, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)
    elif rows == 2:
        transform_image(form, FROM_IMAGE, 2, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)
    else:
        transform_image(form, FROM_IMAGE, 1, x, 0, line, where, low, high, zeros, across, out, 0, 2 * L, 0)


@numba.njit
def run_back(
    form: Any, rows: int, x: Any, across: int, shift: Any, spare: Any, count: int, where: Any, out: Any, pitch: int
) -> None:
    L = len(spare) // 4
    if rows == 4:
        transform_back(form, 4, x, 0, 2 * L, across, shift, spare, count, where, out, 0, pitch, 0)
    elif rows == 2:
        transform_back(form, 2, x, 0, 2 * L, across, shift, spare, count, where, out, 0, pitch, 0)
    else:
        transform_back(form, 1, x, 0, 2 * L, across, shift, spare, count, where, out, 0, pitch, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("terms", [0, 1, 7])
def test_outer_tile(terms: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    width = 2 * VECTOR_BYTES // np.dtype(dtype).itemsize
    a, x = rng.standard_normal(4 * (terms + 1)).astype(dtype), rng.standard_normal(400).astype(dtype)
    offset, out = rng.integers(0, 300, terms + 1), np.zeros(400, dtype=dtype)
    run_outer(a, x, offset, terms, out, 90, False)
    shifted = np.array([x[1 + o : 1 + o + width] for o in offset[:terms]]).reshape(terms, width)
    expected = a[4:].reshape(terms, 4).T @ shifted
    found = np.array([out[2 + 90 * m : 2 + 90 * m + width] for m in range(4)])
    np.testing.assert_allclose(found, expected, atol=1e-5 if dtype is np.float32 else 1e-14)
    assert np.count_nonzero(out) <= 4 * width
    run_outer(a, x, offset, terms, out, 90, True)
    twice = np.array([out[2 + 90 * m : 2 + 90 * m + width] for m in range(4)])
    np.testing.assert_allclose(twice, 2 * expected, atol=1e-5 if dtype is np.float32 else 1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("last", [0, 2, 9])
@pytest.mark.parametrize("count", [0, 3, VECTOR_BYTES // 4, 90])
def test_dot_tile(count: int, last: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal(500).astype(dtype), rng.standard_normal(500).astype(dtype)
    offset, out = rng.integers(0, 300, 6), np.ones(30, dtype=dtype)
    a[101 + 100 * min(last, 3) - 100 + count :], x[2 + offset[1:5].max() + count :] = np.nan, np.nan  # not to be read
    run_dot(a, 100, last, x, offset, count, out)
    rows = np.array([a[1 + 100 * min(m, last) :][:count] for m in range(4)])
    columns = np.array([x[2 + o : 2 + o + count] for o in offset[1:5]])
    np.testing.assert_allclose(
        out[3:19].reshape(4, 4), 1 + rows @ columns.T, atol=1e-4 if dtype is np.float32 else 1e-13
    )
    np.testing.assert_array_equal(np.delete(out, range(3, 19)), 1)


def test_a_dot_tile_that_fills_no_vector_leaves_what_follows_alone() -> None:
    rng = np.random.default_rng(0)
    a, x, out = rng.standard_normal(300), rng.standard_normal(300), np.ones(32)
    run_narrow_dot(a, x, np.array([0, 5, 100]), 40, out)
    columns = np.array([x[o : o + 40] for o in (0, 5, 100)])
    np.testing.assert_allclose(out[:9].reshape(3, 3), 1 + a.reshape(3, 100)[:, :40] @ columns.T, atol=1e-13)
    np.testing.assert_array_equal(out[9:], 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 17, 24])
def test_copy_rows(count: int, step: int, dtype: Any) -> None:
    x = np.arange(2 + 50 + step * (max(count, 1) - 1), dtype=dtype)  # ends with the last number needed
    out = np.zeros(100, dtype=dtype)
    run_copy(step, count, x, dtype(0.5), out)
    for r in range(2):
        np.testing.assert_array_equal(
            out[2 + 60 * r : 2 + 60 * r + count], x[1 + 50 * r :][: step * count : step] + 0.5
        )
    assert np.count_nonzero(out) == 2 * count


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("which", [FROM_KERNEL, TO_KERNEL])
def test_transforms_between_planes(which: int, form: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    matrix, L = np.array(matrices(form)[which]), VECTOR_BYTES // np.dtype(dtype).itemsize
    n_out, n_in = matrix.shape
    x, out = rng.standard_normal((n_in, n_in, L)).astype(dtype), np.empty((n_out * n_out, L), dtype=dtype)
    run_planes(form, which == FROM_KERNEL, x.ravel(), L, out.ravel(), L)
    expected = np.einsum("ai,ijl,bj->abl", matrix, x, matrix)
    np.testing.assert_allclose(out.reshape(expected.shape), expected, atol=1e-4 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: type(form).__name__)
@pytest.mark.parametrize("which", [FROM_IMAGE, FROM_SLOPES])
@pytest.mark.parametrize(("rows", "spared"), [(1, 0), (1, 2), (2, 0), (2, 1), (4, 0), (4, 1)])
def test_transforms_of_images(rows: int, spared: int, which: int, form: Any, dtype: Any) -> None:
    """Tiles of rows 0, step, ... of an image with one row and one column of padding around it."""
    rng = np.random.default_rng(0)
    matrix, L, step = np.array(matrices(form)[which]), VECTOR_BYTES // np.dtype(dtype).itemsize, form.step
    n, stride = matrix.shape[1], form.stride if which == FROM_IMAGE else 1
    across = max(L // rows - spared, 1)
    pace, height, width = stride * step, stride * step * rows, stride * step * across
    image = rng.standard_normal((height, width)).astype(dtype)
    padded = np.pad(image, ((1, stride * n), (1, stride * n)))
    reach = [(1 - pace * t, height + 1 - pace * t) for t in range(rows)]
    where = [[(pace * t - 1) * width - 1, *(-(-end // stride) for end in reach[t])] for t in range(rows)]
    out, zeros = np.zeros((len(matrix) ** 2, 2 * L), dtype=dtype), np.zeros(12 * L, dtype)
    run_image(
        form, which == FROM_SLOPES, rows, image.ravel(), np.ravel(where), 1, width + 1, stride * width, zeros, across,
        out.ravel(),
    )  # fmt: skip
    if rows > step:  # no vector is made of so many rows
        assert not out.any()
        return
    tiles = [padded[pace * t :: stride, pace * p :: stride][:n, :n] for t in range(rows) for p in range(across)]
    expected = np.einsum("ai,tij,bj->abt", matrix, np.array(tiles), matrix).reshape(len(out), -1)
    np.testing.assert_allclose(out[:, : rows * across], expected, atol=1e-4 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: type(form).__name__)
@pytest.mark.parametrize(("rows", "spared"), [(1, 0), (1, 2), (2, 0), (2, 1), (4, 0), (4, 1)])
def test_transform_back_writes_nothing_beyond_the_image(rows: int, spared: int, form: Any, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    L, step = VECTOR_BYTES // np.dtype(dtype).itemsize, form.step
    across = max(L // rows - spared, 1)
    height, width = step * rows - 1, max(step * across - 3, 1)  # the last row and columns of the tiles are outside
    planes = rng.standard_normal((form.side**2, 2 * L)).astype(dtype)
    out = np.zeros(height * width + 100, dtype=dtype)
    where = np.array([[step * t * width, 0, height - step * t] for t in range(rows)]).ravel()
    run_back(form, rows, planes.ravel(), across, dtype(0.5), np.empty(4 * L, dtype), width, where, out, width)
    if rows > step:
        assert not out.any()
        return
    tiles, matrix = (
        planes[:, : rows * across].reshape(form.side, form.side, rows, across),
        np.array(matrices(form)[TO_IMAGE]),
    )
    expected = 0.5 + np.einsum("ai,ijtp,bj->tapb", matrix, tiles, matrix).reshape(step * rows, step * across)
    found = out[: height * width].reshape(height, width)
    np.testing.assert_allclose(found, expected[:height, :width], atol=1e-4 if dtype is np.float32 else 1e-12)
    assert not out[height * width :].any()


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: type(form).__name__)
def test_the_transforms_are_a_convolution(form: Any) -> None:
    """``A^T [(G g) (B^T d)]`` is the correlation of d with g, exactly, in one dimension."""
    into, kernel, back = (np.array(matrices(form)[which]) for which in (FROM_IMAGE, FROM_KERNEL, TO_IMAGE))
    rng = np.random.default_rng(0)
    d, g = rng.standard_normal(form.side), rng.standard_normal(form.taps)
    np.testing.assert_allclose(back @ ((kernel @ g) * (into @ d)), np.correlate(d, g, mode="valid"), atol=1e-13)


@pytest.mark.parametrize("k", [1, 2, 5, 100])
def test_durbin_solves_for_the_first_column_of_the_inverse(k: int) -> None:
    r = 0.9 ** np.arange(k) + np.where(np.arange(k) == 0, 0.5, 0.0)
    a = np.empty(k)
    error = durbin(r, a, np.empty(k))
    np.testing.assert_allclose(a / error, solve_toeplitz(r, np.eye(k)[0]), atol=1e-13)


def test_durbin_notices_what_is_not_positive_definite() -> None:
    assert durbin(np.array([1.0, 2.0, 0.0]), np.empty(3), np.empty(3)) <= 0
    assert SymmetricToeplitz(np.array([1.0, 2.0, 0.0])).inverse() is None


@pytest.mark.parametrize("k", [1, 2, 9, 64])
def test_the_inverse_is_that_of_the_dense_matrix(k: int) -> None:
    rng = np.random.default_rng(k)
    x = rng.standard_normal(200)
    r = np.array([x[: 200 - m] @ x[m:] for m in range(k)])
    matrix = SymmetricToeplitz(r)
    inverse, expected = matrix.inverse(), np.linalg.inv(matrix.dense())
    assert inverse is not None
    V = rng.standard_normal((3, k))
    np.testing.assert_allclose(matrix.product(V), V @ matrix.dense(), atol=1e-10)
    np.testing.assert_allclose(inverse.solve(V), V @ expected, atol=1e-14)
    np.testing.assert_allclose(inverse.diagonal(), np.diag(expected), atol=1e-15)


def test_scratch_is_kept_and_grows() -> None:
    first = scratch("test", 10, np.float32)
    first[:] = 3
    assert scratch("test", 5, np.float32).tolist() == [3] * 5
    assert len(scratch("test", 20, np.float32)) == 20
    assert scratch("test", 10, np.float64).dtype == np.float64
