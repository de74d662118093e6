"""What is wrong with a trained network: dead units, saturated units, gradients that vanish or explode."""

from typing import Any

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
    network, n_rows = objective.network, min(ROWS, objective.n_samples)
    rows = np.linspace(0, objective.n_samples - 1, n_rows).astype(np.intp)
    size = network.rows_at_once
    parts = [objective.batch(rows[start : start + size]) for start in range(0, n_rows, size)]
    awake: dict[int, Any] = {}
    for part in parts:
        for step in network.forward_passes(part.X, theta, state=part.state):
            if isinstance(step.layer, ReLU | Sigmoid | Tanh):
                awake[step.number] = _awake(step.layer, step.result) | awake.get(step.number, False)
    found = [text for number, units in awake.items() for text in _of_layer(number, network.layers[number], units)]
    weights = [p for p in network.parameters if p.name == "W"]
    if len(weights) < FEWEST or any("dead" in text for text in found):
        return found
    gradient = np.sum([part.n_samples * part.gradient(theta) for part in parts], axis=0)
    return found + _of_gradients(weights, gradient)


def _awake(layer: Layer, H: Array) -> Any:
    """Return which units (channels) of an activation's output (rows, units, ...) let gradients through on some row."""
    if isinstance(layer, ReLU):
        lets_through: Any = H > 0
    else:
        lets_through = ~((4.0 * H * (1.0 - H) if isinstance(layer, Sigmoid) else 1.0 - H * H) < SATURATED)
    return np.any(lets_through, axis=(0, *range(2, H.ndim)))


def _of_layer(number: int, layer: Layer, awake: Any) -> list[str]:
    """Say how many of an activation's units are never awake."""
    asleep, n = int(np.sum(~awake)), awake.size
    if not asleep:
        return []
    if isinstance(layer, ReLU):
        remedy = "a smaller learning rate, LeakyReLU or He's initialiser helps"
        return [f"layer {number + 1}: {asleep} of {n} ReLU units are dead (0 on every row): {remedy}"]
    name, remedy = type(layer).__name__, "scale the inputs, or begin with smaller weights"
    return [f"layer {number + 1}: {asleep} of {n} {name} units are saturated on every row: {remedy}"]


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
