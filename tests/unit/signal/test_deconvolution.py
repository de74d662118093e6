"""Deconvolution: worked examples, standard errors, certificates, ill-conditioned data, errors."""

import warnings
from typing import Any

import numpy as np
import pytest

from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.signal import (
    IllConditionedWarning,
    autocorrelation,
    convolution_matrix,
    convolve,
    deconvolve,
    recover,
    wiener,
)
from steepest.solvers.stopping import Reason
from steepest.trace import Trace

X = np.arange(1.0, 10.0)
FIRST = np.array([1.0] * 9 + [-9.0])
SECOND = np.array([1, 5, 2, 3, 4, 5, 6, 7, 8, 9, 5.5])
SECOND_FILTER, SECOND_BIAS = np.array([-0.07263967, 0.44233085, 0.38241651]), 1.96865037


def least_squares(x: Any, y: Any, k: int, ridge: float = 0.0) -> np.ndarray:
    """Filter and bias by a dense decomposition."""
    A = np.column_stack([convolution_matrix(x, k), np.ones(len(y))])
    penalty = np.sqrt(ridge) * np.eye(k, k + 1)
    return np.linalg.lstsq(np.vstack([A, penalty]), np.append(y, np.zeros(k)), rcond=None)[0]


class TestWorkedExamples:
    def test_first_by_the_exact_solver(self) -> None:
        found = deconvolve(X, FIRST, 2)
        np.testing.assert_allclose(found.filter, [1, -1], atol=1e-12)
        assert abs(found.bias) < 1e-12
        assert found.certificate.optimal
        assert found.result.reason is Reason.EXACT

    def test_second_by_the_exact_solver(self) -> None:
        found = deconvolve(X, SECOND, 3)
        np.testing.assert_allclose(found.filter, SECOND_FILTER, atol=5e-9)  # as many digits as are printed
        assert found.bias == pytest.approx(SECOND_BIAS, abs=5e-9)
        expected = least_squares(X, SECOND, 3)
        np.testing.assert_allclose(np.append(found.filter, found.bias), expected, atol=1e-12)

    @pytest.mark.parametrize(("y", "w", "b"), [(FIRST, [1, -1], 0.0), (SECOND, SECOND_FILTER, SECOND_BIAS)])
    def test_both_by_gradient_descent(self, y: Any, w: Any, b: float) -> None:
        found = deconvolve(X, y, len(w), solver="gradient-descent", learning_rate=0.001)
        np.testing.assert_allclose(found.filter, w, atol=1e-6)
        assert found.bias == pytest.approx(b, abs=1e-6)
        assert found.result.reason is Reason.GRADIENT_TOLERANCE
        assert found.certificate.optimal
        assert len(found.trace) == found.result.n_iter + 1
        assert np.all(np.diff(found.trace["value"]) <= 1e-9)


def test_exact_and_gradient_descent_agree_with_ridge() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(60), rng.standard_normal(64)
    exact = deconvolve(x, y, 5, ridge=3.0)
    descended = deconvolve(x, y, 5, ridge=3.0, solver="gradient-descent", tol=1e-12)
    np.testing.assert_allclose(exact.filter, descended.filter, atol=1e-9)
    np.testing.assert_allclose(np.append(exact.filter, exact.bias), least_squares(x, y, 5, 3.0), atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 50, 300])
def test_the_exact_solution_is_that_of_dense_least_squares(k: int) -> None:
    rng = np.random.default_rng(k)
    x, y = rng.standard_normal(500), rng.standard_normal(500 + k - 1)
    found = deconvolve(x, y, k)
    np.testing.assert_allclose(np.append(found.filter, found.bias), least_squares(x, y, k), atol=1e-11)
    np.testing.assert_allclose(found.residual, y - convolve(x, found.filter) - found.bias, atol=1e-12)


@pytest.mark.parametrize(("k", "fit_bias", "ridge"), [(3, True, 0.0), (3, False, 0.0), (5, True, 2.0), (5, False, 2.0)])
def test_standard_errors_are_those_of_the_textbook(k: int, fit_bias: bool, ridge: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(40)
    y = convolve(x, rng.standard_normal(k)) + 0.3 * rng.standard_normal(40 + k - 1) + 1.0
    found = deconvolve(x, y, k, fit_bias=fit_bias, ridge=ridge)
    A = convolution_matrix(x, k)
    if fit_bias:
        A = np.column_stack([A, np.ones(len(y))])
    inverse = np.linalg.inv(A.T @ A + ridge * np.eye(A.shape[1], k) @ np.eye(k, A.shape[1]))
    freedom = len(y) - np.trace(A @ inverse @ A.T)
    covariance = inverse @ A.T @ A @ inverse * np.sum(found.residual**2) / freedom
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(found.filter_standard_errors, errors[:k], rtol=1e-9)
    if fit_bias:
        assert found.bias_standard_error == pytest.approx(errors[-1], rel=1e-9)
    else:
        assert np.isnan(found.bias_standard_error)


def test_standard_errors_cover_the_truth() -> None:
    rng = np.random.default_rng(2)
    w, hits = np.array([1.0, -0.5, 0.25]), []
    for _ in range(200):
        x = rng.standard_normal(60)
        found = deconvolve(x, convolve(x, w) + 0.5 * rng.standard_normal(62), 3)
        hits.append(np.abs(found.filter - w) <= 1.96 * found.filter_standard_errors)
    assert 0.91 <= np.mean(hits) <= 0.98


def test_the_condition_number_is_that_of_the_data() -> None:
    found = deconvolve(X, SECOND, 3)
    A = np.column_stack([convolution_matrix(X, 3), np.ones(11)])
    assert found.condition_number == pytest.approx(np.linalg.cond(A), rel=0.02)


class TestIllConditioned:
    def test_a_smooth_signal_is_solved_on_the_data_and_said_to_be_ill_conditioned(self) -> None:
        x = np.exp(-(np.linspace(-6, 6, 200) ** 2))
        w = np.sin(np.arange(10.0))
        y = convolve(x, w) + 1.0
        with pytest.warns(IllConditionedWarning, match=r"condition number \d\.?\d*e\+\d+; the normal equations"):
            found = deconvolve(x, y, 10)
        assert found.how == "singular values of the data"
        assert found.condition_number > 1e5
        np.testing.assert_allclose(found.fitted, y, atol=1e-8)

    def test_what_the_data_leave_open_is_given_at_least_norm(self) -> None:
        with pytest.warns(IllConditionedWarning, match="do not determine the solution"):
            found = deconvolve(np.zeros(5), np.full(7, 2.0), 3)
        np.testing.assert_array_equal(found.filter, 0.0)
        assert found.bias == pytest.approx(2.0)
        assert found.condition_number == np.inf

    def test_a_bias_that_is_itself_a_filtered_x(self) -> None:
        with pytest.warns(IllConditionedWarning, match="do not determine"):
            found = deconvolve([2.0], [1.0, 2.0, 3.0], 3)  # 3 equations, 4 unknowns
        np.testing.assert_allclose(found.residual, 0.0, atol=1e-14)
        theta = np.append(found.filter, found.bias)
        np.testing.assert_allclose(theta, least_squares([2.0], [1.0, 2.0, 3.0], 3), atol=1e-14)

    def test_too_large_for_a_decomposition_goes_by_conjugate_gradients(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("steepest.solvers.exact_filter.LARGEST_DENSE", 10)
        x = np.exp(-(np.linspace(-6, 6, 200) ** 2))
        y = convolve(x, np.sin(np.arange(30.0))) + 1.0
        with pytest.warns(IllConditionedWarning, match=r"condition number at least"):
            found = deconvolve(x, y, 30)
        assert found.how == "conjugate gradients on the data"
        np.testing.assert_allclose(found.fitted, y, atol=1e-4)

    def test_a_ridge_needs_no_fall_back(self) -> None:
        x = np.exp(-(np.linspace(-6, 6, 200) ** 2))
        y = convolve(x, np.ones(30)) + 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = deconvolve(x, y, 30, ridge=1e-3)
        assert found.how.startswith("normal equations")


def test_one_filter_for_several_signals() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((4, 30)), np.array([2.0, -1.0, 0.5])
    y = convolve(x, w) + 0.1 * rng.standard_normal((4, 32)) + 3.0
    found = deconvolve(x, y, 3)
    A = np.column_stack([np.vstack([convolution_matrix(row, 3) for row in x]), np.ones(128)])
    expected = np.linalg.lstsq(A, y.ravel(), rcond=None)[0]
    np.testing.assert_allclose(np.append(found.filter, found.bias), expected, atol=1e-12)
    assert found.residual.shape == y.shape


def test_one_filter_for_each_signal() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((3, 30)), rng.standard_normal((3, 32))
    for i, found in enumerate(deconvolve(x, y, 3, shared=False)):
        np.testing.assert_allclose(found.filter, deconvolve(x[i], y[i], 3).filter, atol=1e-12)
    with pytest.raises(InvalidInputError, match="trace: with shared=False each signal leaves a trace of its own"):
        deconvolve(x, y, 3, shared=False, trace=Trace())


def test_several_answers_to_one_signal() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal(30), rng.standard_normal((3, 32))
    np.testing.assert_allclose(deconvolve(x, y, 3).filter, deconvolve(x, y.mean(axis=0), 3).filter, atol=1e-12)


class TestRecovery:
    def test_the_signal_comes_back(self) -> None:
        rng = np.random.default_rng(6)
        x, w = rng.standard_normal(200), np.array([1.0, 0.6, 0.2])
        np.testing.assert_allclose(recover(convolve(x, w), w).filter, x, atol=1e-12)

    def test_a_ridge_is_the_tikhonov_solution(self) -> None:
        rng = np.random.default_rng(7)
        w, y = rng.standard_normal(5), rng.standard_normal(40)
        A = convolution_matrix(w, 36)
        expected = np.linalg.solve(A.T @ A + 0.3 * np.eye(36), A.T @ y)
        np.testing.assert_allclose(recover(y, w, ridge=0.3).filter, expected, atol=1e-11)
        np.testing.assert_allclose(recover(y, w, noise_to_signal=0.3).filter, expected, atol=1e-11)

    def test_several_at_once(self) -> None:
        rng = np.random.default_rng(8)
        x, w = rng.standard_normal((3, 20)), np.array([1.0, 0.5])
        for found, signal in zip(recover(convolve(x, w), w), x, strict=True):
            np.testing.assert_allclose(found.filter, signal, atol=1e-12)

    def test_wiener_beats_the_bare_inverse_on_noise(self) -> None:
        rng = np.random.default_rng(9)
        x, w = rng.standard_normal(400), np.ones(8) / 8
        y = convolve(x, w) + 0.1 * rng.standard_normal(407)
        estimate = wiener(y, w, noise_spectrum=0.01, signal_spectrum=1.0)
        bare = recover(y, w, ridge=1e-9).filter
        best = recover(y, w, noise_to_signal=0.01).filter
        assert np.mean((estimate - x) ** 2) < 0.5 * np.mean((bare - x) ** 2)
        assert np.mean((best - x) ** 2) <= 1.05 * np.mean((estimate - x) ** 2)

    def test_wiener_without_noise_is_exact(self) -> None:
        x, w = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5])
        y = convolve(x, w)
        np.testing.assert_allclose(wiener(y, w, noise_spectrum=0.0, signal_spectrum=1.0), x, atol=1e-12)

    def test_errors(self) -> None:
        with pytest.raises(InvalidInputError, match="ridge and noise_to_signal are the same number"):
            recover([1.0, 2.0], [1.0], ridge=1.0, noise_to_signal=1.0)
        with pytest.raises(InvalidInputError, match="y has 1 samples, w has 2: y must be at least as long"):
            recover([1.0], [1.0, 2.0])
        with pytest.raises(InvalidInputError, match=r"noise_spectrum has shape \(3,\): must be a number or \(2,\)"):
            wiener([1.0, 2.0], [1.0], noise_spectrum=[1.0] * 3, signal_spectrum=1.0)

    @pytest.mark.parametrize(
        ("y", "noise", "signal", "text"),
        [
            ([1.0, 2.0], -1.0, 1.0, "noise_spectrum holds -1: a power must not be below 0"),
            ([1.0, 2.0], 1.0, "a", "signal_spectrum has dtype <U1: must be real numbers"),
            ([1.0, 2.0], np.inf, 1.0, "noise_spectrum holds NaN or infinity: must be finite"),
            ([1.0, np.nan], 1.0, 1.0, "y holds NaN or infinity: must be finite"),
            ([1j, 2.0], 1.0, 1.0, "y has dtype complex128: must be real numbers"),
            (3.0, 1.0, 1.0, r"y has shape \(1,\), w \(2,\): w must be one filter no longer than y"),
        ],
    )
    def test_what_wiener_cannot_take_is_named(self, y: Any, noise: Any, signal: Any, text: str) -> None:
        with pytest.raises(InvalidInputError, match=text):
            wiener(y, [1.0, 0.5], noise_spectrum=noise, signal_spectrum=signal)


def test_the_run_is_traced_and_can_be_watched() -> None:
    trace, seen = Trace(parameters=True), []
    deconvolve(X, SECOND, 3, solver="gradient-descent", max_iter=10_000, trace=trace, observers=[seen.append])
    assert trace.about["solver"] == "gradient-descent"
    assert "filter of length 3" in trace.about["objective"]
    assert trace.parameters.shape[1] == 4
    assert len(seen) == len(trace)


def test_an_exact_run_is_two_steps() -> None:
    assert len(deconvolve(X, SECOND, 3).trace) == 2


def test_single_precision_stays() -> None:
    found = deconvolve(X.astype(np.float32), SECOND.astype(np.float32), 3)
    assert found.filter.dtype == found.fitted.dtype == np.float32
    np.testing.assert_allclose(found.filter, SECOND_FILTER, atol=1e-7)


def test_input_is_left_alone() -> None:
    x, y = X.copy(), SECOND.copy()
    deconvolve(x, y, 3)
    deconvolve(x, y, 3, solver="gradient-descent")
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, SECOND)


def test_a_long_filter_goes_by_preconditioned_conjugate_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(10)
    x, w = rng.standard_normal(3000), rng.standard_normal(400)
    y = convolve(x, w) + rng.standard_normal(3399) + 2.0
    by_recursion = deconvolve(x, y, 400)
    monkeypatch.setattr("steepest.solvers.toeplitz.LARGEST_DURBIN", 10)
    by_iteration = deconvolve(x, y, 400)
    np.testing.assert_allclose(by_iteration.filter, by_recursion.filter, atol=1e-11)
    np.testing.assert_allclose(by_iteration.filter_standard_errors, by_recursion.filter_standard_errors, rtol=1e-8)


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        ((X, FIRST, 3), {}, "y has 10 samples, x has 9, filter_length=3: .* filter_length=2 would fit"),
        ((X, [1.0], 3), {}, "y must have at least the 9 samples of x"),
        ((X, FIRST, 0), {}, "filter_length=0: must be an integer of at least 1"),
        ((X, FIRST, 2), {"solver": "exakt"}, "solver='exakt': .* did you mean 'exact'"),
        ((X, FIRST, 2), {"ridge": -1.0}, "ridge=-1.0: must be a finite number not below 0"),
        ((X, FIRST, 2), {"fit_bias": "no"}, "fit_bias='no': must be True or False"),
        ((X, FIRST, 2), {"shared": 0}, "shared=0: must be True or False"),
        (
            (X, FIRST, 2),
            {"learning_rate": 0.1},
            "learning_rate=0.1: solver='auto' takes no steps; 'gradient-desc",
        ),
        ((X, FIRST, 2), {"learning_rate": 0.0}, "learning_rate=0.0: must be a finite number above 0"),
        ((X[None, None], FIRST, 2), {}, r"x has shape \(1, 1, 9\): must be one signal"),
        (([X, X], [FIRST] * 3, 2), {}, "x has 2 signals, y has 3"),
        (([1.0, np.nan], FIRST, 2), {}, "x holds NaN or infinity"),
    ],
)
def test_errors_say_what_would_fit(arguments: Any, options: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        deconvolve(*arguments, **options)


@pytest.mark.parametrize("size", [0, 2.0, "2", True])
def test_a_matrix_and_lags_have_a_size(size: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"d={size!r}: must be an integer of at least 1"):
        convolution_matrix(np.ones(2), size)
    with pytest.raises(InvalidInputError, match=f"length={size!r}: must be an integer of at least 1"):
        autocorrelation(np.ones(2), size)


def test_a_rate_that_is_too_large_is_named_with_the_largest_stable_one() -> None:
    with pytest.raises(DivergenceError, match=r"diverged at step \d+: .*largest stable learning rate is about 0\.00"):
        deconvolve(X, SECOND, 3, solver="gradient-descent", learning_rate=0.1)


def test_too_few_iterations_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="did not converge in 3 iterations"):
        found = deconvolve(X, SECOND, 3, solver="gradient-descent", max_iter=3)
    assert not found.certificate.optimal
