"""The objective of deconvolution: gradient, curvature, adjoint and Lipschitz constant."""

import itertools

import numpy as np
import pytest

from steepest.objectives.filter import FilterObjective
from tests.contracts.derivatives import assert_gradient, breaks


def make(signals: int, fit_bias: bool, ridge: float, k: int = 4, d: int = 12) -> tuple[FilterObjective, np.ndarray]:
    rng = np.random.default_rng(signals)
    x, y = rng.standard_normal((signals, d)), rng.standard_normal((signals, d + k - 1))
    objective = FilterObjective(x, y, k, fit_bias=fit_bias, ridge=ridge)
    return objective, rng.standard_normal(objective.n_parameters)


CASES = list(itertools.product([1, 3], [False, True], [0.0, 0.7]))


@pytest.mark.parametrize(("signals", "fit_bias", "ridge"), CASES)
class TestFilterObjective:
    def test_gradient_is_that_of_the_value(self, signals: int, fit_bias: bool, ridge: float) -> None:
        objective, theta = make(signals, fit_bias, ridge)
        value, gradient = objective.value_and_gradient(theta)
        assert value == pytest.approx(objective.value(theta), rel=1e-14)
        np.testing.assert_array_equal(gradient, objective.gradient(theta))
        assert_gradient(objective.value, gradient, theta)
        assert breaks(lambda: assert_gradient(objective.value, -gradient, theta))
        assert breaks(lambda: assert_gradient(objective.value, 2 * gradient, theta))

    def test_hessian_is_the_derivative_of_the_gradient(self, signals: int, fit_bias: bool, ridge: float) -> None:
        objective, theta = make(signals, fit_bias, ridge)
        hessian = objective.hessian(theta)
        step = np.random.default_rng(9).standard_normal(len(theta))
        change = objective.gradient(theta + step) - objective.gradient(theta)
        np.testing.assert_allclose(hessian @ step, change, atol=1e-10)
        assert objective.lipschitz() == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=0.01)
        assert objective.lipschitz() >= np.linalg.eigvalsh(hessian)[-1]

    def test_matrix_product_and_pull_back_are_one_map(self, signals: int, fit_bias: bool, ridge: float) -> None:
        objective, theta = make(signals, fit_bias, ridge)
        X = objective.matrix()
        np.testing.assert_allclose(X @ theta, objective.product(theta).ravel(), atol=1e-12)
        np.testing.assert_allclose(X.T @ objective.y.ravel(), objective.pull_back(objective.y), atol=1e-12)

    def test_gradient_is_the_formula_term_by_term(self, signals: int, fit_bias: bool, ridge: float) -> None:
        objective, theta = make(signals, fit_bias, ridge)
        w, e = objective.filter(theta), objective.residual(theta)
        d, k = objective.x.shape[1], objective.filter_length
        for i in range(k):
            total = sum(
                e[m, j] * objective.x[m, j - i] for m in range(signals) for j in range(d + k - 1) if 0 <= j - i < d
            )
            assert objective.gradient(theta)[i] == pytest.approx(-total + ridge * w[i], abs=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("d", "k"), [(700, 1), (700, 350), (3000, 1001), (20_000, 700), (700, 700), (300, 700)])
def test_long_filters_share_spectra_and_agree_with_the_matrix(d: int, k: int, dtype: type) -> None:
    rng = np.random.default_rng(d + k)
    x, y, theta = (rng.standard_normal(n).astype(dtype) for n in (d, d + k - 1, k + 1))
    objective = FilterObjective(x, y, k)
    error = 40 * np.finfo(dtype).eps * np.sqrt(min(d, k))
    expected = np.convolve(x.astype(float), theta[:-1]) + theta[-1]
    np.testing.assert_allclose(objective.product(theta)[0], expected, atol=error * np.abs(expected).max())
    lags = np.convolve(y.astype(float), x[::-1])[d - 1 : d + k - 1]
    found = objective.target
    np.testing.assert_allclose(found[:-1], lags, atol=error * np.sqrt(d) * 3)
    padded = np.concatenate([x.astype(float), np.zeros(k)])
    r = [padded[:d] @ padded[m : m + d] for m in range(k)]
    np.testing.assert_allclose(objective.gram(), r, atol=error * r[0])
    assert found.dtype == objective.gram().dtype == dtype
