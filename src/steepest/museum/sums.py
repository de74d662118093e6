"""Sums and means that are not those of the value."""

from typing import Any

import numpy as np

from steepest.museum.exhibit import Case, Exhibit
from steepest.museum.penalties import PUBLIC
from steepest.typing import Array

__all__ = ["EXHIBITS"]


def _line(seed: int, outputs: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    shape = (outputs,) if outputs else ()
    parameters = {"w": rng.normal(size=(3, *shape)), "b": rng.normal(size=shape) if outputs else 0.3}
    return parameters, {"X": rng.normal(size=(10, 3)), "y": rng.normal(size=(10, *shape))}


def _half_mean(w: Array, b: float, X: Array, y: Array) -> Any:
    return np.mean((X @ w + b - y) ** 2) / 2


def _half_mean_slope(w: Array, b: float, X: Array, y: Array) -> tuple[Array, Any]:
    residual = X @ w + b - y
    return X.T @ residual / residual.size, residual.sum(axis=0) / residual.size


def _without_n() -> Case:
    def published(w: Array, b: float, X: Array, y: Array) -> Any:
        residual = X @ w + b - y
        return X.T @ residual, residual.sum()

    return Case(_half_mean, published, _half_mean_slope, *_line(1))


def _bias_twice() -> Case:
    def published(w: Array, b: float, X: Array, y: Array) -> Any:
        residual = X @ w + b - y
        db = residual.mean()
        db += residual.mean()
        return X.T @ residual / len(y), db

    return Case(_half_mean, published, _half_mean_slope, *_line(2))


def _outputs() -> Case:
    def published(w: Array, b: float, X: Array, y: Array) -> Any:
        residual = X @ w + b - y
        return X.T @ residual / len(y), residual.mean(axis=0)

    return Case(_half_mean, published, _half_mean_slope, *_line(3, outputs=4))


def _reversed() -> Case:
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(5, 6)), rng.normal(size=(3, 4))

    def errors(W: Array, X: Array, Y: Array) -> Any:
        return sum(W[i, j] * X[i : i + 3, j : j + 4] for i in range(3) for j in range(3)) - Y

    def value(W: Array, X: Array, Y: Array) -> Any:
        return np.sum(errors(W, X, Y) ** 2) / 2

    def right(W: Array, X: Array, Y: Array) -> Any:
        e = errors(W, X, Y)
        return np.array([[np.sum(e * X[i : i + 3, j : j + 4]) for j in range(3)] for i in range(3)])

    def published(W: Array, X: Array, Y: Array) -> Any:
        return right(W, X, Y)[::-1, ::-1]

    return Case(value, published, right, {"W": rng.normal(size=(3, 3))}, {"X": X, "Y": Y})


EXHIBITS = (
    Exhibit(
        "mean-without-n",
        "A mean whose gradient is that of the sum",
        f"a linear regression in {PUBLIC}",
        "J = 1/2n sum r_i^2 with dJ/dw = X^T r",
        "dJ/dw = X^T r / n",
        "The direction is right, so training works after the learning rate was made n times smaller by hand; it fails "
        "again on a data set of another size.",
        _without_n,
        {"w": ("factor",), "b": ("factor",)},
    ),
    Exhibit(
        "bias-twice",
        "A bias updated twice",
        f"a network layer in {PUBLIC}",
        "b moves once with the weights and once on its own",
        "b moves once, by the same rate as the weights",
        "Twice the gradient is the gradient at twice the rate: the fit converges to the same point by another path, "
        "and no test of the result can see it.",
        _bias_twice,
        {"b": ("factor",)},
    ),
    Exhibit(
        "k-outputs",
        "Several outputs: a gradient k times that of the reported value",
        f"a multi-output regression in {PUBLIC}",
        "J is the mean over samples and outputs, dJ/dw = X^T R / n",
        "dJ/dw = X^T R / (n k)",
        "With one output, the case that is tested, the two are the same.",
        _outputs,
        {"w": ("factor",), "b": ("factor",)},
    ),
    Exhibit(
        "kernel-reversed",
        "The weight gradient of a convolution layer, reversed",
        f"a convolutional layer in {PUBLIC}",
        "dJ/dW_ij = sum_pq E_pq X_(p+2-i, q+2-j), the kernel of a true convolution",
        "dJ/dW_ij = sum_pq E_pq X_(p+i, q+j), as the layer correlates",
        "Networks' convolution layers compute correlations. Symmetric kernels and 1 x 1 kernels hide the difference.",
        _reversed,
        {"W": ("reversed",)},
    ),
)
