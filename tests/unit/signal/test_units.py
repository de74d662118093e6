"""The units of signals are the user's own affair: answers scale with them, to the last digit."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.operators.toeplitz import convolve
from steepest.signal import deconvolve, recover, wiener

W = np.array([1.0, -2.0, 0.5])
UNITS = [(-265, 0), (0, -265), (-265, -265), (-700, -300), (265, 0), (0, 265), (265, 265), (700, 300), (-300, 300)]


def signals(smooth=False):
    rng = np.random.default_rng(0)
    x = np.exp(-(np.linspace(-6, 6, 200) ** 2)) if smooth else rng.standard_normal(60)
    y = convolve(x, np.sin(np.arange(10.0)) if smooth else W)
    return x, y + 0.1 * rng.standard_normal(len(y)) + 1.0


def assert_scaled(found, plain, x, y):
    np.testing.assert_allclose(np.ldexp(found.filter, x - y), plain.filter, rtol=1e-12)
    np.testing.assert_allclose(np.ldexp(found.bias, -y), plain.bias, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(np.ldexp(found.residual, -y), plain.residual, rtol=1e-9)
    np.testing.assert_allclose(np.ldexp(found.filter_standard_errors, x - y), plain.filter_standard_errors, rtol=1e-9)
    np.testing.assert_allclose(np.ldexp(found.bias_standard_error, -y), plain.bias_standard_error, rtol=1e-9)
    np.testing.assert_allclose(found.value, np.ldexp(plain.value, 2 * y), rtol=1e-12)
    assert found.certificate.optimal
    assert found.certificate.relative > 0.0


@pytest.mark.parametrize(("x", "y"), UNITS)
@pytest.mark.parametrize("fit_bias", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 2.0])
def test_deconvolution_scales(x, y, fit_bias, ridge):
    if ridge and abs(x) > 500:
        ridge = 0.0  # its square would not be a number
    signal, response = signals()
    plain = deconvolve(signal, response, 3, fit_bias=fit_bias, ridge=ridge)
    moved = float(np.ldexp(ridge, 2 * x))
    found = deconvolve(np.ldexp(signal, x), np.ldexp(response, y), 3, fit_bias=fit_bias, ridge=moved)
    assert_scaled(found, plain, x, y)


@pytest.mark.parametrize(("x", "y"), UNITS)
def test_deconvolution_on_the_data_scales(x, y):
    signal, response = signals(smooth=True)
    signal = signal * 2.0**-30  # so small beside the ones of the bias that the singular values would leave it out
    plain = deconvolve_quietly(signal * 2.0**30, response)
    found = deconvolve_quietly(np.ldexp(signal, x + 30), np.ldexp(response, y))
    assert found.how == plain.how == "singular values of the data"
    np.testing.assert_allclose(np.ldexp(found.filter, x - y), plain.filter, rtol=1e-4)
    assert found.condition_number == pytest.approx(plain.condition_number, rel=0.9)


def deconvolve_quietly(x, y):
    with pytest.warns(UserWarning, match="condition number"):
        return deconvolve(x, y, 10)


@pytest.mark.parametrize(("x", "y"), UNITS)
@pytest.mark.parametrize("fit_bias", [False, True])
def test_recovery_scales(x, y, fit_bias):
    signal, _ = signals()
    response = convolve(signal, W) + 0.25
    plain = recover(response, W, fit_bias=fit_bias)
    found = recover(np.ldexp(response, y), np.ldexp(W, x), fit_bias=fit_bias)
    np.testing.assert_allclose(np.ldexp(found.filter, x - y), plain.filter, rtol=1e-9)
    assert found.certificate.optimal
    estimate = wiener(response, W, noise_spectrum=0.1, signal_spectrum=1.0)
    if abs(x) < 500:
        moved = wiener(np.ldexp(response, y), np.ldexp(W, x), noise_spectrum=np.ldexp(0.1, 2 * x), signal_spectrum=1.0)
        np.testing.assert_allclose(np.ldexp(moved, x - y), estimate, rtol=1e-12)


def test_a_signal_that_is_small_beside_the_ridge():
    signal, response = signals()
    found = deconvolve(1e-170 * signal, response, 3, ridge=2.0, fit_bias=False)
    expected = np.array([response[i : i + 60] @ signal for i in range(3)]) / 2.0
    np.testing.assert_allclose(found.filter * 1e170, expected, rtol=1e-12)


def test_a_filter_that_gradient_descent_has_not_found_is_not_certified():
    signal, response = signals()
    found = deconvolve(1e-80 * signal, response, 3, solver="gradient-descent")
    assert not found.certificate.optimal


def test_what_overflows_is_said():
    signal, response = signals()
    with pytest.raises(InvalidInputError, match=r"y holds numbers up to .e\+160, whose products overflow: divide y by"):
        deconvolve(signal, 1e160 * response, 3)
    with pytest.raises(InvalidInputError, match="x is so small beside y that the filter overflows: scale x up"):
        deconvolve(1e-250 * signal, 1e100 * response, 3)
