"""Penalties whose gradients belong to something else."""

from typing import Any

import numpy as np
from scipy.special import expit

from steepest.museum.exhibit import Case, Exhibit
from steepest.typing import Array

__all__ = ["EXHIBITS"]

PUBLIC = "widely used public code"


def _data(seed: int, labels: bool) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 3))
    y = (rng.uniform(size=12) > 0.5) * 1.0 if labels else rng.normal(size=12)
    return {"X": X, "y": y, "alpha": 0.1}


def _weights() -> dict[str, Any]:
    return {"w": np.array([0.5, -0.7, 0.2])}


def _logistic(w: Array, X: Array, y: Array, alpha: float) -> Any:
    z = X @ w
    return np.mean(np.logaddexp(0.0, z) - y * z) + alpha / 2 * np.sum(w**2)


def _logistic_slope(w: Array, X: Array, y: Array, alpha: float) -> Any:
    return X.T @ (expit(X @ w) - y) / len(y) + alpha * w


def _wrong_sign() -> Case:
    def published(w: Array, X: Array, y: Array, alpha: float) -> Any:
        return X.T @ (expit(X @ w) - y) / len(y) - alpha * w

    return Case(_logistic, published, _logistic_slope, _weights(), _data(1, labels=True))


def _norm_for_l1() -> Case:
    def value(w: Array, X: Array, y: Array, alpha: float) -> Any:
        return np.mean((X @ w - y) ** 2) / 2 + alpha * np.linalg.norm(w)

    def published(w: Array, X: Array, y: Array, alpha: float) -> Any:
        return X.T @ (X @ w - y) / len(y) + alpha * np.sign(w)

    def right(w: Array, X: Array, y: Array, alpha: float) -> Any:
        return X.T @ (X @ w - y) / len(y) + alpha * w / np.linalg.norm(w)

    return Case(value, published, right, _weights(), _data(2, labels=False))


def _ridge(w: Array, X: Array, y: Array, alpha: float, batch_size: int = 12) -> Any:
    return np.mean((X @ w - y) ** 2) / 2 + alpha / 2 * np.sum(w**2)


def _ridge_slope(w: Array, X: Array, y: Array, alpha: float, batch_size: int = 12) -> Any:
    return X.T @ (X @ w - y) / len(y) + alpha * w


def _on_the_gradient() -> Case:
    def published(w: Array, X: Array, y: Array, alpha: float) -> Any:
        gradient = X.T @ (X @ w - y) / len(y)
        return gradient + alpha * gradient

    return Case(_ridge, published, _ridge_slope, _weights(), _data(3, labels=False))


def _per_batch() -> Case:
    def published(w: Array, X: Array, y: Array, alpha: float, batch_size: int) -> Any:
        total = np.zeros_like(w)
        for start in range(0, len(y), batch_size):
            rows = slice(start, start + batch_size)
            total += X[rows].T @ (X[rows] @ w - y[rows]) / len(y) + alpha * w
        return total

    data = {**_data(4, labels=False), "batch_size": 3}
    return Case(_ridge, published, _ridge_slope, _weights(), data)


EXHIBITS = (
    Exhibit(
        "penalty-sign",
        "A penalty that rewards large weights",
        f"a logistic regression in {PUBLIC}",
        "dJ/dw = X^T (p - y) / n - alpha w",
        "dJ/dw = X^T (p - y) / n + alpha w",
        "The value subtracts nothing: its gradient must add. Descent with the wrong sign drives the weights up, which "
        "a short training run with a small alpha does not show.",
        _wrong_sign,
        {"w": ("penalty-sign",)},
    ),
    Exhibit(
        "norm-for-l1",
        "An L1 penalty whose value is the L2 norm",
        f"a regularised regression in {PUBLIC}",
        "value alpha |w|_2, gradient alpha sign(w)",
        "value alpha |w|_1 with alpha sign(w), or alpha |w|_2 with alpha w / |w|",
        "A library's norm function is the L2 norm unless told otherwise.",
        _norm_for_l1,
        {"w": ("penalty-kind",)},
    ),
    Exhibit(
        "penalty-on-the-gradient",
        "A penalty applied to the gradient in place of the weights",
        f"a linear model in {PUBLIC}",
        "g = g + alpha g",
        "g = g + alpha w",
        "It multiplies the step by 1 + alpha and penalises nothing; the loss still falls, a little faster.",
        _on_the_gradient,
        {"w": ("factor", "penalty-missing")},
    ),
    Exhibit(
        "penalty-per-batch",
        "A penalty added once for every mini-batch",
        f"a mini-batch trainer in {PUBLIC}",
        "each of the m batches of an epoch adds alpha w",
        "each batch adds alpha w / m, or its gradient is averaged first",
        "The strength of the penalty then depends on the batch size, and alpha cannot be compared between runs.",
        _per_batch,
        {"w": ("penalty-scale",)},
    ),
)
