"""A network's gradient is its value's, whatever the loss, the penalty, the weights and the layers."""

from typing import Any

import numpy as np
import pytest

import steepest.losses
from steepest.layers import ELU, GELU, BatchNorm, Dense, LayerNorm, Sequential, SiLU, Softplus, Tanh
from steepest.losses import HalfSquaredError, LogisticLoss
from steepest.objectives.network import NetworkObjective
from steepest.penalties import ElasticNet, SquaredL2
from tests.contracts.derivatives import assert_gradient, breaks
from tests.contracts.samples import away_from_kinks, exported_classes, targets

N = 12
STACKS = {
    "one layer": [Dense(2)],
    "two layers": [Dense(4), Tanh(), Dense(2)],
    "three layers": [Dense(5), SiLU(), Dense(4), Softplus(), Dense(2)],
    "normalised": [Dense(4), LayerNorm(), GELU(), Dense(3), BatchNorm(), ELU(), Dense(2)],
}


def make(layers: list[Any], loss: Any, *, weights: bool = True, **how: Any) -> tuple[NetworkObjective, np.ndarray]:
    rng = np.random.default_rng(0)
    network = Sequential(layers, (3,))
    X = rng.standard_normal((N, 3))
    y = targets(loss.target, N, rng, n_classes=2)
    if loss.target != "class":
        y = np.column_stack([y, targets(loss.target, N, rng)])
    sample_weight = rng.uniform(0.5, 2.0, N) if weights else None
    objective = NetworkObjective(network, X, y, loss, sample_weight=sample_weight, **how)
    for attempt in range(200):
        theta = np.random.default_rng(attempt).standard_normal(network.n_parameters)
        if away_from_kinks(loss, y, objective.scores(theta)).all():
            return objective, theta
    raise AssertionError("no smooth point found")


def check(objective: NetworkObjective, theta: np.ndarray) -> None:
    value, gradient = objective.value_and_gradient(theta)
    assert value == pytest.approx(objective.value(theta), rel=1e-13)
    assert_gradient(objective.value, gradient, theta, rtol=1e-6)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("loss", [cls() for cls in exported_classes(steepest.losses)], ids=lambda loss: loss.words)
@pytest.mark.parametrize("penalty", [None, SquaredL2(0.3), ElasticNet(0.2, 0.5)], ids=repr)
def test_gradient_is_that_of_the_value(stack: str, loss: Any, penalty: Any) -> None:
    check(*make(STACKS[stack], loss, penalty=penalty))


def test_a_single_output_takes_a_vector_of_targets() -> None:
    rng = np.random.default_rng(1)
    network = Sequential([Dense(3), Tanh(), Dense(1)], (2,))
    objective = NetworkObjective(network, rng.standard_normal((N, 2)), targets("binary", N, rng), LogisticLoss())
    check(objective, network.initial_parameters(rng))


def test_batches_of_all_rows_add_up_to_the_whole() -> None:
    objective, theta = make(STACKS["three layers"], HalfSquaredError(), penalty=SquaredL2(0.3))
    rows = np.random.default_rng(3).permutation(N).reshape(3, 4)
    gradients = [objective.batch(r).gradient(theta) for r in rows]
    np.testing.assert_allclose(np.mean(gradients, axis=0), objective.gradient(theta), atol=1e-13)


@pytest.mark.parametrize("own_batches", [False, True])
def test_a_batch_without_weight_adds_nothing(own_batches: bool) -> None:
    X, y, weights = np.arange(6.0).reshape(3, 2), np.ones(3), np.array([1.0, 0.0, 0.0])
    objective = NetworkObjective(
        Sequential([Dense(1)], (2,)), X, y, sample_weight=weights, own_batches=own_batches,
        penalty=SquaredL2(0.3 * own_batches),
    )  # fmt: skip
    value, gradient = objective.batch(np.array([1, 2])).value_and_gradient(np.ones(3))
    assert value == 0.0
    np.testing.assert_array_equal(gradient, 0.0)


def test_biases_are_never_penalised() -> None:
    objective, theta = make(STACKS["two layers"], HalfSquaredError(), penalty=SquaredL2(0.3))
    moved = theta.copy()
    for parameter in objective.network.parameters:
        if parameter.name == "b":
            moved[parameter.span] += 10.0
    assert objective.penalty_value(moved) == objective.penalty_value(theta)


def test_contract_breaks_when_a_pass_is_mutated() -> None:
    class NoDerivative(Tanh):
        def backward(self, dY: Any, cache: Any) -> Any:
            return dY, {}

    class BiasNotSummed(Dense):
        def backward(self, dY: Any, cache: Any) -> Any:
            dX, gradients = super().backward(dY, cache)
            return dX, {**gradients, "b": dY[0]}

    class FirstBiasNotSummed(Dense):
        def parameter_gradients(self, dY: Any, cache: Any) -> Any:
            return {**super().parameter_gradients(dY, cache), "b": dY[0]}

    wrong = [[Dense(4), NoDerivative(), Dense(2)], [Dense(4), Tanh(), BiasNotSummed(2)]]
    for layers in (*wrong, [FirstBiasNotSummed(4), Tanh(), Dense(2)]):
        objective, theta = make(layers, HalfSquaredError())
        assert breaks(lambda objective=objective, theta=theta: check(objective, theta))


def test_gradients_agree_with_automatic_differentiation() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    network = Sequential([Dense(5), Tanh(), Dense(4), GELU(), Dense(3)], (6,))
    X, y = rng.standard_normal((N, 6)), targets("class", N, rng)
    theta = network.initial_parameters(rng)
    objective = NetworkObjective(network, X, y, steepest.losses.SoftmaxCrossEntropy())
    leaves = [torch.tensor(theta[p.span].reshape(p.shape), requires_grad=True) for p in network.parameters]
    W1, b1, W3, b3, W5, b5 = leaves
    H = torch.tanh(torch.tensor(X) @ W1 + b1)
    z = torch.nn.functional.gelu(H @ W3 + b3) @ W5 + b5
    torch.nn.functional.cross_entropy(z, torch.tensor(y, dtype=torch.long)).backward()
    automatic = np.concatenate([leaf.grad.numpy().ravel() for leaf in leaves])
    np.testing.assert_allclose(objective.gradient(theta), automatic, rtol=1e-12, atol=1e-15)
