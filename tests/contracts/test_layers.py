"""Every exported layer: its backward is the transposed derivative of its forward."""

import dataclasses
import inspect
from typing import Any

import numpy as np
import pytest

import steepest.layers
from steepest.layers import Layer
from tests.contracts.derivatives import assert_gradient, breaks
from tests.contracts.samples import exported_classes

LAYERS = [cls for cls in exported_classes(steepest.layers) if issubclass(cls, Layer) and cls is not Layer]
FIRST_CHOICE = {"units": 3, "filters": 3, "channels": 3, "kernel_size": 2, "pool_size": 2}
MODES = ["predicting", "training"]


def make(cls: type) -> Layer:
    """A layer with its defaults; settings that have none take a small number."""
    required = [f.name for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING]
    return cls(**{name: FIRST_CHOICE[name] for name in required})


def sample_shape(layer: Layer) -> tuple[int, ...]:
    """A shape the layer takes: vectors if it can, images otherwise."""
    for shape in ((4,), (2, 5, 4)):
        try:
            layer.output_shape(shape)
        except ValueError:
            continue
        return shape
    raise AssertionError(f"{layer} takes neither vectors nor images")


class Case:
    """A layer with random input, parameters and running statistics, and one fixed random stream."""

    def __init__(self, layer: Layer, training: bool, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(5)
        shape = sample_shape(layer)
        self.layer, self.training = layer, training
        self.X = (1.5 * rng.standard_normal((6, *shape))).astype(dtype)
        drawn = layer.initial_parameters(shape, rng)
        self.parameters = {k: (p + 0.3 * rng.standard_normal(p.shape)).astype(dtype) for k, p in drawn.items()}
        self.state = {k: s + rng.uniform(0.1, 0.5, s.shape) for k, s in layer.initial_state(shape).items()}

    def forward(self, X: Any = None, **changed: Any) -> tuple[Any, Any]:
        state = {name: statistic.copy() for name, statistic in self.state.items()}
        generator = np.random.default_rng(7) if self.training else None
        X = self.X if X is None else X
        return self.layer.forward(X, {**self.parameters, **changed}, state=state, generator=generator)


def check_backward(layer: Layer, training: bool) -> None:
    case = Case(layer, training)
    Y, cache = case.forward()
    dY = np.random.default_rng(8).standard_normal(Y.shape)
    dX, gradients = layer.backward(dY, cache)
    assert set(gradients) == set(case.parameters)
    assert_gradient(lambda X: float(np.sum(dY * case.forward(X)[0])), dX, case.X)
    for name, gradient in gradients.items():
        assert_gradient(
            lambda p, name=name: float(np.sum(dY * case.forward(**{name: p})[0])), gradient, case.parameters[name]
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", LAYERS)
class TestLayer:
    def test_backward_is_the_transposed_derivative(self, cls: type, mode: str) -> None:
        check_backward(make(cls), mode == "training")

    def test_contract_breaks_when_the_backward_is_mutated(self, cls: type, mode: str) -> None:
        class Mutant(cls):  # type: ignore[misc]
            def backward(self, dY: Any, cache: Any) -> Any:
                dX, gradients = super().backward(dY, cache)
                return 2.0 * dX, gradients

        class ParameterMutant(cls):  # type: ignore[misc]
            def backward(self, dY: Any, cache: Any) -> Any:
                dX, gradients = super().backward(dY, cache)
                return dX, {name: -gradient for name, gradient in gradients.items()}

        assert breaks(lambda: check_backward(make(Mutant), mode == "training"))
        if Case(make(cls), training=True).parameters:
            assert breaks(lambda: check_backward(make(ParameterMutant), mode == "training"))

    def test_shapes_are_as_announced(self, cls: type, mode: str) -> None:
        layer = make(cls)
        case = Case(layer, mode == "training")
        shape = case.X.shape[1:]
        assert case.forward()[0].shape[1:] == layer.output_shape(shape)
        assert {name: p.shape for name, p in case.parameters.items()} == layer.parameter_shapes(shape)

    def test_single_precision_stays_single(self, cls: type, mode: str) -> None:
        case = Case(make(cls), mode == "training", np.float32)
        Y, cache = case.forward()
        dX, gradients = case.layer.backward(np.ones_like(Y), cache)
        assert {a.dtype for a in (Y, dX, *gradients.values())} == {np.dtype(np.float32)}

    def test_neither_pass_changes_what_it_is_given(self, cls: type, mode: str) -> None:
        case = Case(make(cls), mode == "training")
        X, parameters = case.X.copy(), {name: p.copy() for name, p in case.parameters.items()}
        Y, cache = case.forward()
        dY = np.ones_like(Y)
        case.layer.backward(dY, cache)
        np.testing.assert_array_equal(X, case.X)
        np.testing.assert_array_equal(dY, np.ones_like(Y))
        for name, p in parameters.items():
            np.testing.assert_array_equal(p, case.parameters[name])

    def test_gradients_of_parameters_alone_are_those_of_the_backward(self, cls: type, mode: str) -> None:
        case = Case(make(cls), mode == "training")
        Y, cache = case.forward()
        dY = np.random.default_rng(8).standard_normal(Y.shape)
        whole, alone = case.layer.backward(dY, cache)[1], case.layer.parameter_gradients(dY, cache)
        assert set(alone) == set(whole)
        for name, gradient in whole.items():
            np.testing.assert_allclose(alone[name], gradient, rtol=1e-12, atol=1e-12)

    def test_an_empty_batch_passes(self, cls: type, mode: str) -> None:
        layer = make(cls)
        case = Case(layer, training=False)
        Y, cache = case.forward(case.X[:0])
        assert len(Y) == 0
        assert layer.backward(Y, cache)[0].shape == case.X[:0].shape


def test_every_layer_is_found() -> None:
    files = [module for _, module in inspect.getmembers(steepest.layers, inspect.ismodule)]
    assert len(LAYERS) >= 17
    assert len(files) >= 6


@pytest.mark.parametrize("cls", LAYERS)
def test_a_layer_says_its_formula(cls: type) -> None:
    assert cls.formula  # type: ignore[attr-defined]
    assert cls.latex  # type: ignore[attr-defined]
