"""Losses whose gradients belong to another loss, or to half of it."""

from typing import Any

import numpy as np

from steepest.museum.exhibit import Case, Exhibit
from steepest.museum.penalties import PUBLIC
from steepest.typing import Array

__all__ = ["EXHIBITS"]


def _softmax(Z: Array) -> Any:
    shifted = np.exp(Z - np.max(np.real(Z), axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _diagonal() -> Case:
    rng = np.random.default_rng(1)
    data = {"X": rng.normal(size=(9, 4)), "Y": np.eye(3)[rng.integers(3, size=9)]}

    def value(W: Array, X: Array, Y: Array) -> Any:
        return -np.sum(Y * np.log(_softmax(X @ W))) / len(Y)

    def published(W: Array, X: Array, Y: Array) -> Any:
        P = _softmax(X @ W)
        return X.T @ (-Y / P * P * (1 - P)) / len(Y)

    def right(W: Array, X: Array, Y: Array) -> Any:
        return X.T @ (_softmax(X @ W) - Y) / len(Y)

    return Case(value, published, right, {"W": rng.normal(size=(4, 3))}, data)


def _residuals(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=3)}, {"X": rng.normal(size=(14, 3)), "y": rng.normal(size=14)}


def _cauchy() -> Case:
    def value(w: Array, X: Array, y: Array) -> Any:
        return np.sum(np.abs(X @ w - y))

    def published(w: Array, X: Array, y: Array) -> Any:
        r = X @ w - y
        return X.T @ (r / (1 + r**2))

    def right(w: Array, X: Array, y: Array) -> Any:
        return X.T @ np.sign(X @ w - y)

    return Case(value, published, right, *_residuals(2))


def _quantile() -> Case:
    def value(w: Array, X: Array, y: Array, q: float) -> Any:
        r = y - X @ w
        return np.sum(np.where(r > 0, q * r, (q - 1) * r))

    def published(w: Array, X: Array, y: Array, q: float) -> Any:
        r = y - X @ w
        return -X.T @ np.where(r > 0, 1 - q, -q)

    def right(w: Array, X: Array, y: Array, q: float) -> Any:
        r = y - X @ w
        return -X.T @ np.where(r > 0, q, q - 1)

    parameters, data = _residuals(3)
    return Case(value, published, right, parameters, {**data, "q": 0.8})


EXHIBITS = (
    Exhibit(
        "softmax-diagonal",
        "A softmax differentiated as if its outputs were independent",
        f"a network library in {PUBLIC}",
        "dp_k/dz_k = p_k (1 - p_k) and nothing beside the diagonal",
        "dp_k/dz_l = p_k (1[k = l] - p_l); with cross-entropy dJ/dz = p - y",
        "Every output of a softmax depends on every score, as they sum to 1. With the diagonal alone only the right "
        "class learns, which is slower but looks like learning.",
        _diagonal,
        {"W": ("softmax-diagonal",)},
    ),
    Exhibit(
        "cauchy",
        "A Cauchy loss that returns the absolute loss",
        f"a boosting library in {PUBLIC}",
        "value sum |r|, gradient sum x r / (1 + r^2)",
        "the Cauchy loss is sum log(1 + r^2) / 2",
        "The gradient trains a good model; the loss that is printed, and that early stopping watches, is another one.",
        _cauchy,
        {"w": ("other-loss",)},
    ),
    Exhibit(
        "quantile-slopes",
        "A quantile loss with its two slopes exchanged",
        f"a quantile regression in {PUBLIC}",
        "slope 1 - q above the prediction and q below",
        "slope q above the prediction and 1 - q below",
        "At the median both are 1/2 and the mistake is invisible; for q = 0.8 the model predicts the 0.2 quantile.",
        _quantile,
        {"w": ("slopes-swapped",)},
    ),
)
