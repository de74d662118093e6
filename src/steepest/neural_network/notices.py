"""What is wrong with a trained network: dead units, saturated units, gradients that vanish or explode."""

import numpy as np

from steepest.layers import ReLU, Sigmoid, Tanh
from steepest.layers.layer import Layer
from steepest.layers.sequential import Parameter
from steepest.objectives.network import NetworkObjective
from steepest.trace import Trace
from steepest.typing import Array

ROWS = 1000
SATURATED = 0.01  # a slope below this share of the largest lets next to nothing through
VANISHING, EXPLODING = 1e-4, 1e4
FEWEST = 3  # layers with weights: gradients change little on the way through two


def notices(objective: NetworkObjective, theta: Array, trace: Trace | None = None) -> list[str]:
    """Return what is remarkable about a network, each as a sentence with its remedy.

    At most 1000 rows are looked at. A unit is dead if its ReLU is 0 on every one of them; saturated if its sigmoid or
    tanh is nearly flat on every one. Gradients vanish if the first layer's weights get less than 1 / 10,000 of what the
    last one's get, per weight.

    Examples
    --------
    >>> from steepest.layers import Dense, Sequential
    >>> network = Sequential([Dense(1), ReLU(), Dense(1)], (1,))
    >>> objective = NetworkObjective(network, np.array([[1.0], [2.0]]), np.array([0.0, 1.0]))
    >>> for text in notices(objective, np.array([-1.0, -1.0, 1.0, 0.0])):
    ...     print(text)
    layer 2: 1 of 1 ReLU units are dead (0 on every row): a smaller learning rate, LeakyReLU or He's initialiser helps
    """
    rows = np.linspace(0, objective.n_samples - 1, min(ROWS, objective.n_samples)).astype(np.intp)
    part = objective.batch(rows)
    found: list[str] = []
    X = part.X
    for step in part.network.forward_passes(X, theta, state=part.state):
        flat = step.result.reshape(-1, step.result.shape[1]) if step.result.ndim == 2 else _by_channel(step.result)
        found += _of_layer(step.number, step.layer, flat)
    weights = [p for p in part.network.parameters if p.name == "W"]
    if len(weights) < FEWEST or any("dead" in text for text in found):
        return found
    return found + _of_gradients(weights, part.gradient(theta))


def _by_channel(H: Array) -> Array:
    """Return images (N, C, ...) with one column a channel."""
    return np.moveaxis(H, 1, -1).reshape(-1, H.shape[1])


def _of_layer(number: int, layer: Layer, H: Array) -> list[str]:
    """Look for dead or saturated units in the outputs (rows, units) of an activation."""
    if isinstance(layer, ReLU):
        dead, n = int(np.sum(~np.any(H > 0, axis=0))), H.shape[1]
        remedy = "a smaller learning rate, LeakyReLU or He's initialiser helps"
        return [f"layer {number + 1}: {dead} of {n} ReLU units are dead (0 on every row): {remedy}"] if dead else []
    if isinstance(layer, Sigmoid | Tanh):
        slope = 4.0 * H * (1.0 - H) if isinstance(layer, Sigmoid) else 1.0 - H * H
        flat, n = int(np.sum(np.all(slope < SATURATED, axis=0))), H.shape[1]
        name, remedy = type(layer).__name__, "scale the inputs, or begin with smaller weights"
        return [f"layer {number + 1}: {flat} of {n} {name} units are saturated on every row: {remedy}"] if flat else []
    return []


def _of_gradients(weights: list[Parameter], gradient: Array) -> list[str]:
    """Compare the first layer's gradient with the last one's."""
    sizes = [float(np.sqrt(np.mean(gradient[p.span] ** 2))) for p in weights]
    if not sizes[-1] > 0:
        return []
    ratio, first, last = sizes[0] / sizes[-1], weights[0].key, weights[-1].key
    if ratio < VANISHING:
        text = f"gradients vanish: those of {first} are {ratio:.1e} of those of {last}, per weight"
        return [f"{text}; ReLU, normalisation or He's initialiser helps"]
    if ratio > EXPLODING:
        text = f"gradients explode: those of {first} are {ratio:.1e} times those of {last}, per weight"
        return [f"{text}; clip them, or begin with smaller weights"]
    return []
