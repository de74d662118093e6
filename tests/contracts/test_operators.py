"""Every exported operator: it is linear, and its adjoint is that of its forward map, ``<A u, v> = <u, A^T v>``."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import steepest.operators
from tests.contracts.derivatives import breaks
from tests.contracts.samples import exported_classes

OPERATORS = exported_classes(steepest.operators)
RNG = np.random.default_rng(0)
SAMPLES: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "Convolution": [((RNG.standard_normal(k), d), {}) for k, d in [(1, 1), (3, 9), (9, 3), (40, 700)]],
    "Convolution2d": [
        ((RNG.standard_normal((4, 3, 3, 3)), (2, 3, 7, 9)), {"padding": 1}),
        ((RNG.standard_normal((4, 1, 2, 5)), (2, 2, 11, 9)), {"stride": (3, 2), "padding": (1, 3), "groups": 2}),
        ((RNG.standard_normal((2, 2, 3, 2)), (1, 2, 9, 8)), {"dilation": (2, 3), "stride": 2}),
        ((RNG.standard_normal((16, 16, 3, 3)), (2, 16, 16, 20)), {"padding": "same"}),
    ],
}


def operators() -> Iterator[Any]:
    for cls in OPERATORS:
        assert cls.__name__ in SAMPLES, f"{cls.__name__} has no samples here: add some"
        for arguments, settings in SAMPLES[cls.__name__]:
            yield cls(*arguments, **settings)


def check_adjoint(operator: Any) -> None:
    rng = np.random.default_rng(1)
    u, v = rng.standard_normal(operator.input_shape), rng.standard_normal(operator.output_shape)
    image, back = operator.forward(u), operator.adjoint(v)
    assert image.shape == v.shape
    assert back.shape == u.shape
    left, right = float(np.sum(image * v)), float(np.sum(u * back))
    assert abs(left - right) <= 1e-12 * (np.linalg.norm(image) * np.linalg.norm(v) + 1e-300)


def describe(operator: Any) -> str:
    return f"{type(operator).__name__}-{operator.input_shape}-{operator.output_shape}"


@pytest.mark.parametrize("operator", list(operators()), ids=describe)
class TestOperator:
    def test_the_adjoint_identity_holds(self, operator: Any) -> None:
        check_adjoint(operator)

    def test_it_is_linear(self, operator: Any) -> None:
        rng = np.random.default_rng(2)
        u, v = rng.standard_normal((2, *operator.input_shape))
        combined = operator.forward(2.0 * u - v)
        np.testing.assert_allclose(combined, 2.0 * operator.forward(u) - operator.forward(v), atol=1e-11)

    @pytest.mark.parametrize("factor", [-1.0, 2.0])
    def test_the_contract_breaks_when_the_adjoint_is_mutated(self, operator: Any, factor: float) -> None:
        class Mutant:
            input_shape, output_shape = operator.input_shape, operator.output_shape
            forward = staticmethod(operator.forward)

            @staticmethod
            def adjoint(v: Any) -> Any:
                return factor * operator.adjoint(v)

        assert breaks(lambda: check_adjoint(Mutant))


def test_the_matrix_is_that_of_the_convolution() -> None:
    from steepest.signal import autocorrelation, convolution_matrix, convolve, correlate

    rng = np.random.default_rng(3)
    for k, d in [(1, 1), (3, 9), (9, 3)]:
        w, x, v = rng.standard_normal(k), rng.standard_normal(d), rng.standard_normal(d + k - 1)
        A = convolution_matrix(w, d)
        np.testing.assert_allclose(A @ x, convolve(x, w), atol=1e-13)
        np.testing.assert_allclose(A.T @ v, correlate(v, w), atol=1e-13)
        np.testing.assert_allclose((A.T @ A)[0], autocorrelation(w, d), atol=1e-13)
