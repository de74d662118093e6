"""The compiled training of dense networks equals the layers, the losses and the update rules it stands for."""

import itertools
from typing import Any

import numpy as np
import pytest

from steepest.kernels.activations import Activation
from steepest.kernels.dense_plan import Stack
from steepest.kernels.dense_stack import value_and_gradient
from steepest.kernels.output_losses import STRETCH
from steepest.layers import (
    ELU,
    GELU,
    Dense,
    Dropout,
    LayerNorm,
    LeakyReLU,
    ReLU,
    Sequential,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from steepest.losses import HalfPoissonDeviance, HalfSquaredError, HuberLoss, LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives import dense_plan
from steepest.objectives.dense_stack import ACTIVATIONS, activation_setting, dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.penalties import L1, SquaredL2
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent, compiled_rule
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.updates import Adagrad, Adam, AdamW, Clipped, Momentum, Nesterov, Plain, RMSprop

DTYPES = [np.float64, np.float32]
RULES = [
    Plain(),
    Momentum(0.8),
    Nesterov(0.8),
    Adam(),
    Adam(epsilon=0.1, uncorrected_epsilon=True),
    AdamW(weight_decay=0.1),
    Adam(amsgrad=True),
    RMSprop(),
    Adagrad(initial=0.1),
    Clipped(Momentum(0.8), 0.1),
    Clipped(Adagrad(initial=0.1), 0.1),
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


def cut(stack: Stack) -> str:
    job = stack.job[0]
    if job["by_units"]:
        return "units"
    return "rows, apart" if job["other"] else "rows, laid out" if job["laid"] else "rows"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "activation", [kind for kind, form in ACTIVATIONS.items() if form], ids=lambda cls: cls.__name__
)
class TestActivations:
    Z = np.concatenate([np.linspace(-6, 6, 49), [-3.0, -1.0, 1.0, 3.0, 60.0, -60.0]])

    def test_value_equals_the_layer(self, activation: Any, dtype: Any) -> None:
        Z, layer, form = self.Z.astype(dtype), activation(), ACTIVATIONS[activation]
        assert isinstance(form, Activation)
        computed, slopes = Z.copy(), np.full_like(Z, np.nan)
        form.value(computed[2:], len(Z) - 2, np.array(activation_setting(layer)), slopes)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(computed[2:], layer.value(Z)[2:], rtol=8 * eps, atol=eps)
        np.testing.assert_array_equal(computed[:2], Z[:2])  # outside of the stretch

    def test_derivative_equals_the_layer(self, activation: Any, dtype: Any) -> None:
        Z, layer, form = self.Z.astype(dtype), activation(), ACTIVATIONS[activation]
        assert isinstance(form, Activation)
        H, slopes, setting = Z.copy(), np.full_like(Z, np.nan), np.array(activation_setting(layer))
        form.value(H, len(H), setting, slopes)
        D = np.full(len(H) + 3, 2.0, dtype=dtype)
        form.pull_back(D[1:], H, len(H), setting, slopes)
        expected = 2.0 * layer.derivative(Z, layer.value(Z))
        np.testing.assert_array_equal(D[[0, -2, -1]], 2.0)
        np.testing.assert_allclose(D[1:-2], expected, rtol=1e-5, atol=16 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    "loss",
    [HalfPoissonDeviance(), HalfSquaredError(), LogisticLoss(), SoftmaxCrossEntropy()],
    ids=lambda loss: loss.words,
)
@pytest.mark.parametrize(
    "hidden",
    [
        [],
        [Dense(5), Tanh()],
        [Dense(67), ReLU(), Dense(130)],
        [Dense(5), GELU(), Dense(4), ELU(0.5), Dense(6), SiLU(), Dense(3), Softplus(), Dense(4), LeakyReLU(0.1)],
    ],
    ids=["none", "small", "wider than a tile", "all kinds of slopes"],
)
def test_batch_gradient_equals_the_objective(hidden: list[Any], loss: Any, weights: bool, dtype: Any) -> None:
    objective = objective_of(loss, hidden, dtype, weights=weights)
    theta, rows = start_of(objective), np.array([3, 17, 4, 4, 29, 0])
    prepared = dense_stack(objective, batch_size=8)
    assert prepared is not None
    value, gradient = value_and_gradient(theta, rows, *prepared)
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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("n", [1, STRETCH, 2 * STRETCH + 9])
def test_the_logistic_loss_of_one_output_takes_any_number_of_samples(n: int, weights: bool, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, 4)).astype(dtype), rng.integers(0, 2, n).astype(dtype)
    sample_weight = rng.uniform(0.5, 2.0, n).astype(dtype) if weights else None
    network = Sequential([Dense(5), Tanh(), Dense(1)], (4,))
    objective = NetworkObjective(network, X, y, LogisticLoss(), sample_weight=sample_weight)
    prepared, theta = dense_stack(objective, n), start_of(objective)
    assert prepared is not None
    value, gradient = value_and_gradient(theta, rng.permutation(n), *prepared)
    expected_value, expected = objective.value_and_gradient(theta)
    np.testing.assert_allclose(value, expected_value, rtol=rtol(dtype))
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=rtol(dtype) * np.abs(expected).max())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("update", [Plain(), Adam(epsilon=1e-3, amsgrad=True), Clipped(Momentum(0.8), 0.1)], ids=repr)
@pytest.mark.parametrize(
    "sizes, n_tasks, how",
    [
        ((700, 400), 4, "rows"),
        ((700, 400, 40), 4, "rows, laid out"),
        ((300, 60, 9), 2, "rows"),
        ((60, 45, 40), 2, "rows, apart"),
        ((90, 71), 2, "units"),
    ],
)
def test_training_in_tasks_equals_the_readable_form(
    sizes: tuple[int, ...],
    n_tasks: int,
    how: str,
    update: Any,
    weights: bool,
    dtype: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "laid" in how:
        monkeypatch.setattr(dense_plan, "LONG", 48)
    rng = np.random.default_rng(0)
    batch, n = 48, 49  # the last batch is a single row
    X, y = rng.standard_normal((n, sizes[0])).astype(dtype), rng.integers(0, 3, n)
    sample_weight = rng.uniform(0.5, 2.0, n).astype(dtype) if weights else None
    if sample_weight is not None:
        sample_weight[7:] = 0.0  # no sample of the last batch has a weight
    hidden = [layer for units in sizes[1:] for layer in (Dense(units), ReLU())]
    network = Sequential([*hidden, Dense(3)], sizes[:1])
    loss, penalty = SoftmaxCrossEntropy(), SquaredL2(0.2)
    objective = NetworkObjective(network, X, y, loss, penalty, sample_weight=sample_weight, own_batches=weights)
    theta, prepared = 0.1 * start_of(objective), dense_stack(objective, batch)
    assert prepared is not None
    assert (prepared[1].job[0]["n_tasks"], cut(prepared[1])) == (n_tasks, how)
    settings: dict[str, Any] = {"learning_rate": 0.01, "batch_size": batch, "update": update}
    compiled = compiled_mini_batch_descent(objective, prepared, theta, generator=np.random.default_rng(5), **settings)
    readable = mini_batch_descent(objective, theta, generator=np.random.default_rng(5), **settings)
    for _ in range(3):
        ours, theirs = next(compiled), next(readable)
        np.testing.assert_allclose(ours.theta, theirs.theta, rtol=0, atol=rtol(dtype))


@pytest.mark.parametrize(
    "widths, batch, n_tasks, how",
    [
        ((80, 80), 20, 1, "rows"),
        ((60, 60), 60, 2, "rows, apart"),
        ((900, 900), 20, 4, "rows"),
        ((900, 900), 20, 4, "rows, laid out"),
        ((1001,), 30, 2, "units"),
    ],
)
@pytest.mark.parametrize("update", [Adam(), Clipped(Momentum(0.8), 0.1)], ids=repr)
def test_the_number_of_threads_does_not_change_a_bit(
    widths: tuple[int, ...], batch: int, n_tasks: int, how: str, update: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "laid" in how:
        monkeypatch.setattr(dense_plan, "LONG", batch)
    hidden = [layer for width in widths for layer in (Dense(width), SiLU())]
    objective = objective_of(SoftmaxCrossEntropy(), hidden, np.float64, n=70)
    found = []
    for n_threads in ("1", "2", "3"):
        monkeypatch.setenv("STEEPEST_NUM_THREADS", n_threads)
        prepared = dense_stack(objective, batch)
        assert prepared is not None
        assert (prepared[1].job[0]["n_tasks"], cut(prepared[1])) == (n_tasks, how)
        steps = compiled_mini_batch_descent(
            objective,
            prepared,
            0.1 * start_of(objective),
            learning_rate=0.01,
            batch_size=batch,
            generator=np.random.default_rng(3),
            update=update,
            stride=2,
        )
        last = [next(steps) for _ in range(3)][-1]
        found.append((last.theta, last.value))
    for theta, value in found[1:]:
        np.testing.assert_array_equal(theta, found[0][0])
        assert value == found[0][1]


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
        ([Dense(4), Softmax(), Dense(3)], HalfSquaredError(), None),
        ([Dense(4), LeakyReLU(-0.1), Dense(3)], HalfSquaredError(), None),
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
    assert compiled_rule(RMSprop(centered=True)) is None
    assert compiled_rule(Clipped(RMSprop(centered=True))) is None
