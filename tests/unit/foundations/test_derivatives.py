"""Numeric derivatives against known ones, and their error bounds against their errors."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.special import expit, log_expit, logsumexp, xlogy

from steepest.foundations import complex_step_gradient, numeric_gradient, numeric_jacobian
from steepest.foundations.analytic import CONTINUATIONS, AnalyticArray, imaginary_part
from steepest.foundations.extrapolation import find_kink, one_sided_slope, relative_noise, slope
from steepest.foundations.high_precision import exact_array

x0 = np.array([0.3, -1.2, 2.1, -0.7])
A = np.random.default_rng(0).normal(size=(5, 4))


def analytic_gradient(f: Any, x: Any) -> Any:
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        z = x.astype(complex)
        z[index] += 1e-30j
        gradient[index] = imaginary_part(f(z.view(AnalyticArray))) / 1e-30
    return gradient


FUNCTIONS = {
    "abs": lambda x: np.abs(x).sum(),
    "fabs": lambda x: np.fabs(x).sum(),
    "builtin abs of elements": lambda x: sum(abs(v) for v in x),
    "logaddexp": lambda x: np.logaddexp(0, A @ x).mean(),
    "expit": lambda x: expit(A @ x).sum(),
    "log_expit": lambda x: log_expit(A @ x).sum(),
    "norm": np.linalg.norm,
    "norm of rows": lambda x: np.linalg.norm(A * x, axis=1).sum(),
    "1-norm": lambda x: np.linalg.norm(x, 1),
    "maximum": lambda x: np.maximum(A @ x, 0).sum(),
    "minimum": lambda x: np.minimum(A @ x, 0.1).sum(),
    "where": lambda x: np.where(A @ x > 0, A @ x, 0.01 * (A @ x)).sum(),
    "clip": lambda x: np.clip(A @ x, -0.5, 0.5).sum(),
    "logsumexp": lambda x: logsumexp(A @ x),
    "max": lambda x: np.max(A @ x),
    "vdot": lambda x: np.vdot(x, x),
    "einsum and tensordot": lambda x: np.einsum("ij,j->", A, x) + np.tensordot(A, x, 1).sum(),
    "log1p, expm1": lambda x: np.log1p(x**2).sum() + np.expm1(x).sum(),
    "hypot, arctan2": lambda x: np.hypot(x[0], x[1]) + np.arctan2(x[2], x[3]),
    "sign and floor": lambda x: (np.sign(x) * x + np.floor(x) * x + np.ceil(x) * x + np.rint(x) * x).sum(),
    "xlogy": lambda x: xlogy(x**2, x**2 + 1).sum(),
    "conjugate": lambda x: (np.conj(x) * x).sum(),
    "in place": lambda x: np.add(x, x, out=x.copy()).sum(),
    "cast at the end": lambda x: float(np.mean((A @ x) ** 2)),
    "slogdet": lambda x: np.linalg.slogdet(A.T @ A - 5.0 * np.outer(x, x))[1] * np.linalg.slogdet(-np.diag(x))[0],
    "cholesky": lambda x: np.sum(A[:4] * np.linalg.cholesky(A.T @ A + np.diag(x**2) + np.tril(np.outer(x, x)))),
    "inverse": lambda x: np.sum(A @ np.linalg.inv(A.T @ A + np.outer(x, x**2)) @ x) + np.linalg.det(A[:4] * x),
    "convolve": lambda x: np.convolve(x, A[0]) @ np.arange(7.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_continuation_carries_the_derivative(name: str) -> None:
    f = FUNCTIONS[name]
    np.testing.assert_allclose(analytic_gradient(f, x0), numeric_gradient(f, x0), atol=2e-9)


def test_every_continuation_is_the_real_function_on_the_real_line() -> None:
    a, b = np.array([-1.7, -0.2, 0.4, 2.6]), np.array([0.3, 1.2, -0.8, 2.6])
    import scipy.special

    for name, continuation in CONTINUATIONS.items():
        ufunc = getattr(np, name, None) or getattr(scipy.special, name)
        arguments = [np.abs(a), np.abs(b)] if name in ("xlogy", "log1p") else [a, b]
        arguments = arguments[: ufunc.nin]
        np.testing.assert_allclose(np.real(continuation(*(v + 0j for v in arguments))), ufunc(*arguments), rtol=1e-14)


def test_a_cast_on_the_way_is_refused() -> None:
    with pytest.raises(TypeError, match="casts to float on the way"):
        analytic_gradient(lambda x: 2.0 * float(x[0]), x0)
    with pytest.raises(TypeError, match="no analytic continuation of this norm"):
        analytic_gradient(lambda x: np.linalg.norm(x, 3), x0)


def test_central_differences_and_complex_steps() -> None:
    exact = np.exp(x0)
    np.testing.assert_allclose(numeric_gradient(lambda x: np.exp(x).sum(), x0), exact, rtol=1e-9)
    np.testing.assert_allclose(complex_step_gradient(lambda x: np.exp(x).sum(), x0), exact, rtol=1e-15)
    np.testing.assert_allclose(numeric_jacobian(lambda x: A @ x, x0), A, rtol=1e-9)
    matrix = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(numeric_gradient(lambda M: np.sum(M**2), matrix), 2 * matrix, atol=1e-8)


def test_the_point_is_not_changed() -> None:
    given = x0.copy()
    numeric_gradient(np.sum, given)
    complex_step_gradient(np.sum, given)
    np.testing.assert_array_equal(given, x0)


@pytest.mark.parametrize(
    ("phi", "exact"),
    [
        (math.exp, 1.0),
        (lambda t: math.sin(100 * t), 100.0),
        (lambda t: math.exp(min(50 * t, 700)), 50.0),
        (lambda t: 1e8 + t, 1.0),
        (lambda t: max(t - 1e-3, 0.0) + t, 1.0),
        (lambda t: abs(t + 1e-5) * 3, 3.0),
        (lambda t: 5.0, 0.0),
        (lambda t: t**7 - 2 * t, -2.0),
    ],
)
def test_the_error_bound_bounds_the_error(phi: Any, exact: float) -> None:
    found = slope(phi)
    assert abs(found.value - exact) <= found.error * 1.01 + 1e-300
    assert found.error < 1e-3


def test_slopes_on_both_sides_of_a_kink() -> None:
    def phi(t: float) -> float:
        return 3 * max(t, 0.0) + math.sin(t)

    assert one_sided_slope(phi, 1).value == pytest.approx(4.0, abs=1e-9)
    assert one_sided_slope(phi, -1).value == pytest.approx(1.0, abs=1e-9)
    kink = find_kink(phi)
    assert kink is not None
    assert kink.admits(2.5, 0.0)
    assert kink.admits(1.0, 1e-6)
    assert not kink.admits(0.9, 1e-6)


@pytest.mark.parametrize("phi", [math.exp, lambda t: 1e4 * t * t, lambda t: 7.0, lambda t: 1e12 + math.sin(t)])
def test_smooth_functions_have_no_kink(phi: Any) -> None:
    assert find_kink(phi) is None


def test_noise_is_measured() -> None:
    assert relative_noise(lambda t: math.exp(t) + 1) < 1e-14
    assert 1e-9 < relative_noise(lambda t: float(np.float32(math.exp(t)) + 1)) < 1e-6


def test_sixty_digits() -> None:
    with mpmath.workdps(60):
        x = exact_array(np.array([0.5, -1.25]))
        value = np.sum(np.exp(x) * np.tanh(x) ** 2 / (1 + x @ x)) - np.abs(x).sum() + np.maximum(x, 0).sum()
        half, other = mpmath.mpf("0.5"), mpmath.mpf("-1.25")
        square = half**2 + other**2
        want = sum(mpmath.exp(v) * mpmath.tanh(v) ** 2 for v in (half, other)) / (1 + square) - half + other + half
        assert abs(value.number - want) < mpmath.mpf(10) ** -55
        with pytest.raises(TypeError, match="not cast to float"):
            float(value)
