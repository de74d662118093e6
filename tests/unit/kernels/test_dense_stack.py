"""The compiled training of dense networks equals the layers, the losses and the update rules it stands for."""

import itertools
from typing import Any

import numpy as np
import pytest

from steepest.kernels import activations as kernel
from steepest.kernels.dense_stack import batch_gradient
from steepest.layers import GELU, Dense, Dropout, LayerNorm, ReLU, Sequential, Tanh
from steepest.losses import HalfPoissonDeviance, HalfSquaredError, HuberLoss, LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.dense_stack import ACTIVATIONS, dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.penalties import L1, SquaredL2
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent, compiled_rule
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.updates import Adam, AdamW, Clipped, Momentum, Nesterov, Plain, RMSprop

DTYPES = [np.float64, np.float32]
RULES = [
    Plain(),
    Momentum(0.8),
    Nesterov(0.8),
    Adam(),
    Adam(epsilon=0.1, uncorrected_epsilon=True),
    AdamW(weight_decay=0.1),
    Clipped(Momentum(0.8), 0.1),
]


def rtol(dtype: Any) -> float:
    return 1e-11 if dtype == np.float64 else 2e-4


def objective_of(loss: Any, hidden: list[Any], dtype: Any, *, n: int = 30, weights: bool = False) -> NetworkObjective:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 4)).astype(dtype)
    if isinstance(loss, SoftmaxCrossEntropy):
        y: Any = rng.integers(0, 3, n)
    elif isinstance(loss, HalfPoissonDeviance):
        y = rng.poisson(2.0, (n, 3)).astype(dtype)
    elif isinstance(loss, LogisticLoss):
        y = rng.integers(0, 2, (n, 3)).astype(dtype)
    else:
        y = rng.standard_normal((n, 3)).astype(dtype)
    sample_weight = rng.uniform(0.5, 2.0, n).astype(dtype) if weights else None
    network = Sequential([*hidden, Dense(3)], (4,))
    return NetworkObjective(network, X, y, loss, SquaredL2(0.2), sample_weight=sample_weight)


def start_of(objective: NetworkObjective) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (0.5 * rng.standard_normal(objective.n_parameters)).astype(objective.X.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", list(ACTIVATIONS), ids=lambda cls: cls.__name__)
class TestActivations:
    Z = np.concatenate([np.linspace(-6, 6, 49), [-3.0, -1.0, 1.0, 3.0, 60.0, -60.0]])

    def test_value_equals_the_layer(self, activation: Any, dtype: Any) -> None:
        Z, layer = self.Z.astype(dtype), activation()
        computed = np.concatenate([[7.0], Z, [7.0]]).astype(dtype)  # what lies around is left alone
        buffers = np.empty(16), np.empty(16, dtype=np.int64)
        kernel.activate(computed, 1, len(Z) + 1, ACTIVATIONS[activation], *buffers)
        assert computed[0] == computed[-1] == 7.0
        np.testing.assert_allclose(
            computed[1:-1], layer.value(Z), rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps
        )

    def test_derivative_equals_the_layer(self, activation: Any, dtype: Any) -> None:
        Z, layer = self.Z.astype(dtype), activation()
        H = layer.value(Z)
        work = np.concatenate([H, np.full_like(H, 2.0)])
        kernel.pull_back(work, len(H), 0, len(H), ACTIVATIONS[activation])
        expected = 2.0 * layer.derivative(Z, H)
        np.testing.assert_allclose(work[: len(H)], expected, rtol=1e-5, atol=16 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    "loss",
    [HalfPoissonDeviance(), HalfSquaredError(), LogisticLoss(), SoftmaxCrossEntropy()],
    ids=lambda loss: loss.words,
)
@pytest.mark.parametrize(
    "hidden", [[], [Dense(5), Tanh()], [Dense(40), ReLU(), Dense(30)]], ids=["none", "small", "through BLAS"]
)
def test_batch_gradient_equals_the_objective(hidden: list[Any], loss: Any, weights: bool, dtype: Any) -> None:
    objective = objective_of(loss, hidden, dtype, weights=weights)
    theta, rows = start_of(objective), np.array([3, 17, 4, 4, 29, 0])
    prepared = dense_stack(objective, batch_size=8)
    assert prepared is not None
    gradient = np.full_like(theta, np.nan)
    value = batch_gradient(theta, gradient, rows, *prepared)
    expected_value, expected = objective.batch(rows).value_and_gradient(theta)
    assert value == pytest.approx(expected_value, rel=rtol(dtype))
    np.testing.assert_allclose(gradient, expected, rtol=rtol(dtype), atol=rtol(dtype) * np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "update"), list(itertools.product(DTYPES, RULES)), ids=repr)
@pytest.mark.parametrize("batch_size", [1, 7, 30])
def test_training_equals_the_readable_form(dtype: Any, update: Any, batch_size: int) -> None:
    objective = objective_of(SoftmaxCrossEntropy(), [Dense(6), Tanh()], dtype)
    theta, prepared = start_of(objective), dense_stack(objective, batch_size)
    assert prepared is not None
    how = {"learning_rate": 0.01, "batch_size": batch_size, "update": update}
    compiled = compiled_mini_batch_descent(objective, prepared, theta, generator=np.random.default_rng(5), **how)
    readable = mini_batch_descent(objective, theta, generator=np.random.default_rng(5), **how)
    for _ in range(4):
        ours, theirs = next(compiled), next(readable)
        assert ours.index == theirs.index
        np.testing.assert_allclose(ours.theta, theirs.theta, rtol=0, atol=rtol(dtype))
        assert ours.theta.dtype == dtype


def test_the_same_seed_gives_the_same_bits() -> None:
    objective = objective_of(HalfSquaredError(), [Dense(40), ReLU()], np.float64)
    runs = []
    for _ in range(2):
        prepared = dense_stack(objective, 8)
        assert prepared is not None
        steps = compiled_mini_batch_descent(
            objective,
            prepared,
            start_of(objective),
            learning_rate=0.01,
            batch_size=8,
            generator=np.random.default_rng(3),
            update=Adam(),
        )
        runs.append([next(steps).theta for _ in range(5)][-1])
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize(
    ("layers", "loss", "penalty"),
    [
        ([Dense(4), LayerNorm(), Dense(3)], HalfSquaredError(), None),
        ([Dense(4), Dropout(), Dense(3)], HalfSquaredError(), None),
        ([Dense(4), GELU(), Dense(3)], HalfSquaredError(), None),
        ([Tanh(), Dense(3)], HalfSquaredError(), None),
        ([Dense(4), Tanh(), ReLU(), Dense(3)], HalfSquaredError(), None),
        ([Dense(3), Tanh()], HalfSquaredError(), None),
        ([Dense(3)], HuberLoss(), None),
        ([Dense(3)], HalfSquaredError(), L1(0.1)),
    ],
)
def test_what_the_kernel_cannot_do_is_left_to_the_layers(layers: list[Any], loss: Any, penalty: Any) -> None:
    X, y = np.zeros((5, 4)), np.zeros((5, 3))
    assert dense_stack(NetworkObjective(Sequential(layers, (4,)), X, y, loss, penalty), 5) is None


def test_rules_without_a_twin_say_so() -> None:
    assert compiled_rule(RMSprop()) is None
    assert compiled_rule(Adam(amsgrad=True)) is None
