"""What holds for every convolution, on shapes that hypothesis draws."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from steepest import conv2d, conv2d_backward, conv_transpose2d
from steepest.signal import autocorrelation, convolve, correlate, deconvolve

sides = st.integers(1, 12)
small = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def convolutions(draw: Any) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Random x, w and settings that fit."""
    groups = draw(st.integers(1, 3))
    channels, filters = groups * draw(small), groups * draw(st.integers(1, 9))
    kernel, stride, dilation = (draw(st.tuples(small, small)) for _ in range(3))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    least = [max(d * (k - 1) + 1 - 2 * p, 1) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    size = [low + draw(st.integers(0, 12)) for low in least]
    rng = np.random.default_rng(draw(seeds))
    x = rng.standard_normal((draw(st.integers(1, 3)), channels, *size))
    w = rng.standard_normal((filters, channels // groups, *kernel))
    return x, w, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


@given(convolutions())
@settings(deadline=None)
def test_both_gradients_are_adjoints(case: Any) -> None:
    x, w, how = case
    y = conv2d(x, w, **how)
    dy = np.random.default_rng(0).standard_normal(y.shape)
    dx, dw, _ = conv2d_backward(dy, x, w, **how)
    inner = float(np.sum(y * dy))
    scale = 1e-12 * (np.linalg.norm(y) * np.linalg.norm(dy) + 1e-9)
    assert abs(inner - np.sum(x * dx)) <= scale
    assert abs(inner - np.sum(w * dw)) <= scale


@given(convolutions())
@settings(deadline=None)
def test_images_do_not_see_each_other(case: Any) -> None:
    x, w, how = case
    one_by_one = np.concatenate([conv2d(x[i : i + 1], w, **how) for i in range(len(x))])
    np.testing.assert_allclose(conv2d(x, w, **how), one_by_one, atol=1e-12)


@given(convolutions())
@settings(deadline=None)
def test_the_transpose_is_the_adjoint_for_every_input_size_that_leads_to_the_same_output(case: Any) -> None:
    x, w, how = case
    y = conv2d(x, w, **how)
    v = np.random.default_rng(1).standard_normal(y.shape)
    reach = [
        (y.shape[2 + i] - 1) * how["stride"][i] - 2 * how["padding"][i] + how["dilation"][i] * (w.shape[2 + i] - 1) + 1
        for i in (0, 1)
    ]
    extra = tuple(x.shape[2 + i] - reach[i] for i in (0, 1))
    if any(e >= max(s, d) for e, s, d in zip(extra, how["stride"], how["dilation"], strict=True)):
        return
    back = conv_transpose2d(v, w, output_padding=extra, **how)
    assert back.shape == x.shape
    assert abs(np.sum(y * v) - np.sum(x * back)) <= 1e-12 * (np.linalg.norm(y) * np.linalg.norm(v) + 1e-9)


@given(st.integers(1, 300), st.integers(1, 300), seeds)
@settings(deadline=None)
def test_one_dimension(d: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w, v = rng.standard_normal(d), rng.standard_normal(k), rng.standard_normal(d + k - 1)
    y = convolve(x, w)
    scale = 1e-12 * (np.linalg.norm(y) * np.linalg.norm(v) + 1e-9)
    np.testing.assert_allclose(y, convolve(w, x), atol=1e-11)
    assert abs(y @ v - x @ correlate(v, w)) <= scale
    assert abs(y @ v - w @ correlate(v, x)) <= scale
    np.testing.assert_allclose(autocorrelation(x, 1)[0], x @ x, rtol=1e-12)


@given(st.integers(20, 80), st.integers(1, 6), st.floats(-5, 5), seeds)
@settings(deadline=None, max_examples=50)
def test_a_filter_without_noise_is_found_again(d: int, k: int, bias: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(d), rng.standard_normal(k)
    found = deconvolve(x, convolve(x, w) + bias, k)
    np.testing.assert_allclose(found.filter, w, atol=1e-9)
    assert abs(found.bias - bias) <= 1e-9
