"""Convolution against PyTorch and SciPy on random shapes."""

from typing import Any

import numpy as np
import pytest
from scipy import signal

from steepest import (
    avg_pool2d_backward,
    avg_pool2d_forward,
    conv2d,
    conv2d_backward,
    conv_transpose2d,
    max_pool2d_backward,
    max_pool2d_forward,
)
from steepest.signal import convolve, correlate

SEEDS = range(100)
DIRECT = {np.float64: 1e-12, np.float32: 4e-6}  # of the largest number
WINOGRAD = {np.float64: 1e-13, np.float32: 1e-5}


def torch() -> Any:
    return pytest.importorskip("torch")


def off(ours: np.ndarray, theirs: Any) -> float:
    """Distance in units of the largest number; exact where that is 0."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    largest = float(np.abs(theirs).max(initial=0.0))
    return float(np.abs(ours - theirs).max(initial=0.0)) / (largest or 1.0)


def random_case(seed: int, *, side: int = 0) -> tuple[Any, ...]:
    """Shapes of x and w, and settings: strides beyond the kernel, kernels as large as the padded image, non-squares."""
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 1, 2, 3]))
    channels, filters = int(rng.integers(1, 9)) * groups, int(rng.integers(1, 20)) * groups
    kernel, stride = rng.integers(1, 6, 2), rng.integers(1, 7, 2)
    dilation, padding = rng.integers(1, 4, 2), rng.integers(0, 5, 2)
    if side:
        channels, filters, groups = channels // groups, filters // groups, 1
        kernel, stride, dilation = np.array([side, side]), np.array([1, 1]), np.array([1, 1])
    least = np.maximum(dilation * (kernel - 1) + 1 - 2 * padding, 1)
    size = least + rng.integers(0, 30, 2) * rng.integers(0, 2, 2)
    settings = {
        "stride": tuple(map(int, stride)),
        "padding": tuple(map(int, padding)),
        "dilation": tuple(map(int, dilation)),
        "groups": groups,
    }
    return (
        (int(rng.integers(1, 4)), channels, *map(int, size)),
        (filters, channels // groups, *map(int, kernel)),
        settings,
    )


def check_against_torch(seed: int, dtype: Any, algorithm: Any, tolerance: float, **how: Any) -> None:
    t = torch()
    x_shape, w_shape, settings = random_case(seed, **how)
    rng = np.random.default_rng(seed)
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape, w_shape[:1]))
    exact = [t.tensor(array.astype(np.float64), requires_grad=True) for array in (x, w, b)]
    expected = t.nn.functional.conv2d(*exact, **settings)
    y = conv2d(x, w, b, algorithm=algorithm, **settings)
    dy = rng.standard_normal(y.shape).astype(dtype)
    expected.backward(t.tensor(dy.astype(np.float64)))
    gradients = conv2d_backward(dy, x, w, algorithm=algorithm, **settings)
    assert y.dtype == dtype
    assert off(y, expected) <= tolerance
    for ours, theirs in zip(gradients, exact, strict=True):
        assert ours.dtype == dtype
        assert off(ours, theirs.grad) <= tolerance


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", SEEDS)
def test_forward_and_both_gradients_agree_on_random_shapes(seed: int, dtype: Any) -> None:
    check_against_torch(seed, dtype, "auto", DIRECT[dtype])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("algorithm", ["direct", "fft", "reference"])
@pytest.mark.parametrize("seed", SEEDS[:25])
def test_every_algorithm_agrees(seed: int, algorithm: str, dtype: Any) -> None:
    check_against_torch(seed + 1000, dtype, algorithm, DIRECT[dtype])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("seed", SEEDS[:40])
def test_minimal_filtering_agrees_within_its_larger_error(seed: int, side: int, dtype: Any) -> None:
    check_against_torch(seed, dtype, "winograd", WINOGRAD[dtype], side=side)


@pytest.mark.parametrize("seed", SEEDS[:40])
def test_the_transposed_convolution_agrees(seed: int) -> None:
    t = torch()
    x_shape, w_shape, settings = random_case(seed)
    rng = np.random.default_rng(seed)
    extra = tuple(
        int(rng.integers(0, max(s, d))) for s, d in zip(settings["stride"], settings["dilation"], strict=True)
    )
    v = rng.standard_normal((2, w_shape[0], 4, 5))
    w, b = rng.standard_normal(w_shape), rng.standard_normal(x_shape[1])
    try:
        ours = conv_transpose2d(v, w, b, output_padding=extra, **settings)
    except ValueError as error:
        assert "output would be" in str(error)
        with pytest.raises(RuntimeError):
            t.nn.functional.conv_transpose2d(*map(t.tensor, (v, w, b)), output_padding=extra, **settings)
        return
    theirs = t.nn.functional.conv_transpose2d(*map(t.tensor, (v, w, b)), output_padding=extra, **settings)
    assert off(ours, theirs) <= 1e-12


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (1, 5)])
def test_named_paddings_agree(padding: str, kernel: tuple[int, int]) -> None:
    t = torch()
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 9, 11)), rng.standard_normal((4, 3, *kernel))
    theirs = t.nn.functional.conv2d(t.tensor(x), t.tensor(w), padding=padding, dilation=2)
    assert off(conv2d(x, w, padding=padding, dilation=2), theirs) <= 1e-13


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("seed", SEEDS[:20])
def test_pooling_agrees(seed: int, kind: str) -> None:
    t = torch()
    rng = np.random.default_rng(seed)
    size = tuple(map(int, rng.integers(1, 5, 2)))
    stride, padding = tuple(map(int, rng.integers(1, 6, 2))), tuple(int(rng.integers(0, s // 2 + 1)) for s in size)
    x = rng.standard_normal((2, 3, size[0] + int(rng.integers(0, 9)), size[1] + int(rng.integers(0, 9))))
    forward, backward, theirs = {
        "max": (max_pool2d_forward, max_pool2d_backward, t.nn.functional.max_pool2d),
        "avg": (avg_pool2d_forward, avg_pool2d_backward, t.nn.functional.avg_pool2d),
    }[kind]
    y, cache = forward(x, size, stride, padding)
    dy = rng.standard_normal(y.shape)
    exact = t.tensor(x, requires_grad=True)
    expected = theirs(exact, size, stride, padding)
    expected.backward(t.tensor(dy))
    assert off(y, expected) <= 1e-15
    assert off(backward(dy, cache), exact.grad) <= 1e-15


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_one_channel_agrees_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rng.integers(5, 30, 2))
    w = rng.standard_normal([rng.integers(1, side + 1) for side in np.minimum(x.shape, 5)])
    ours = conv2d(x[None, None], w[None, None])[0, 0]
    np.testing.assert_allclose(ours, signal.correlate2d(x, w, mode="valid"), atol=1e-13)
    full = conv_transpose2d(x[None, None], w[None, None])[0, 0]
    np.testing.assert_allclose(full, signal.convolve2d(x, w), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
@pytest.mark.parametrize(("d", "k"), [(1, 1), (9, 2), (2, 9), (1000, 37), (5000, 4999), (30_000, 700), (70_000, 1)])
def test_one_dimension_agrees_with_scipy(d: int, k: int, method: Any, dtype: Any) -> None:
    rng = np.random.default_rng(d + k)
    x, w = rng.standard_normal(d).astype(dtype), rng.standard_normal(k).astype(dtype)
    y = convolve(x, w, method=method)
    expected = signal.fftconvolve(x.astype(np.float64), w.astype(np.float64))
    tolerance = 1e-13 if dtype is np.float64 else 2e-6
    assert y.dtype == dtype
    assert np.abs(y - expected).max() <= tolerance * np.abs(expected).max()
    longer, shorter = (x, w) if d >= k else (w, x)
    for lags in {1, 5, 40, 300}:
        v = rng.standard_normal(len(longer) + lags - 1).astype(dtype)
        ours = correlate(v, longer, method=method)
        theirs = signal.correlate(v.astype(np.float64), longer.astype(np.float64), mode="valid", method="direct")
        assert np.abs(ours - theirs).max() <= 50 * tolerance * np.abs(theirs).max()
    np.testing.assert_allclose(
        correlate(y, shorter, method=method), signal.correlate(y, shorter, mode="valid"), atol=100 * tolerance * k
    )
