"""A network picked by hand for XOR that gets two of four points right."""

from typing import Any

import numpy as np

from steepest.museum.exhibit import Exhibit, Figure
from steepest.typing import Array

__all__ = ["EXHIBITS", "PUBLISHED", "RIGHT", "predict", "train"]

Weights = tuple[Array, Array, Array, float]

POINTS = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
LABELS = np.array([1.0, 0, 0, 1])
PUBLISHED: Weights = (np.array([[1.0, 1], [1, -1]]), np.array([-1.0, -1]), np.array([1.0, 1]), 0.0)
RIGHT: Weights = (np.array([[1.0, 1], [-1, -1]]), np.array([-1.0, -1]), np.array([1.0, 1]), 0.0)


def predict(weights: Weights, points: Array = POINTS) -> Array:
    """Output ``W2 relu(W1 x + b1) + b2`` for every point."""
    W1, b1, W2, b2 = weights
    output: Array = np.maximum(points @ W1.T + b1, 0.0) @ W2 + b2
    return output


def correct(weights: Weights) -> int:
    """Points on the right side of 1/2."""
    return int(np.sum((predict(weights) > 0.5) == (LABELS > 0.5)))


def train(seed: int = 1, epochs: int = 2000, rate: float = 0.1) -> Weights:
    """Gradient descent on half the squared error from random weights.

    Notes
    -----
    With ``e = yhat - y`` and ``h = relu(z)``: ``dW2 = e h``, ``dz = e W2 1[z > 0]``, ``dW1 = dz x^T``.
    """
    rng = np.random.default_rng(seed)
    W1, b1, W2, b2 = rng.normal(size=(2, 2)), np.zeros(2), rng.normal(size=2), 0.0
    for _ in range(epochs):
        z = POINTS @ W1.T + b1
        h = np.maximum(z, 0.0)
        e = h @ W2 + b2 - LABELS
        dz = np.outer(e, W2) * (z > 0)
        W1, b1 = W1 - rate * dz.T @ POINTS, b1 - rate * dz.sum(axis=0)
        W2, b2 = W2 - rate * h.T @ e, b2 - rate * float(e.sum())
    return W1, b1, W2, b2


def _figures() -> list[Figure]:
    learned = train()
    rows: list[Any] = [
        Figure(f"output at {tuple(int(v) for v in x)}, label {y:g}", f"{a:g}", f"{b:g}")
        for x, y, a, b in zip(POINTS, LABELS, predict(PUBLISHED), predict(RIGHT), strict=True)
    ]
    rows.append(Figure("points right", f"{correct(PUBLISHED)} of 4", f"{correct(RIGHT)} of 4"))
    rows.append(
        Figure("found by training", "", f"{correct(learned)} of 4, outputs {np.round(predict(learned), 3) + 0.0}")
    )
    return rows


EXHIBITS = (
    Exhibit(
        "xor",
        "A network for XOR, picked by hand, that misses two of four points",
        "the same homework",
        "W1 = [[1, 1], [1, -1]], b1 = [-1, -1], W2 = [1, 1], b2 = 0 with ReLU",
        "W1 = [[1, 1], [-1, -1]], the rest as it was",
        "The label is 1 where the two signs agree. One hidden unit must answer to (1, 1), the other to (-1, -1); the "
        "published second unit answers to (1, -1). Four points are few enough to try them all.",
        figures=_figures,
    ),
)
