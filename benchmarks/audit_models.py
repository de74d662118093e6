"""Models with right gradients, from which the audit's mutants are made.

Every model keeps its derivative in parts: the errors ``dJ/dZ``, the products with the inputs, the penalty.
A mutant changes one part or two.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Blocks = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A value, its right gradient, a point and data.

    Attributes
    ----------
    value : callable
        ``value(params, **data)``.
    gradient : callable
        ``gradient(params, **data)``, a dict like ``params``.
    penalty : callable or None
        ``penalty(params, **data)``: the penalty's part of the gradient.
    """

    name: str
    value: Callable[..., Any]
    gradient: Callable[..., Blocks]
    params: Blocks
    data: dict[str, Any]
    penalty: Callable[..., Blocks] | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    errors: Callable[..., Any] | None = None


def sigmoid(z: Any) -> Any:
    """1 / (1 + e^-z)."""
    return 1.0 / (1.0 + np.exp(-z))


def softmax(z: Any) -> Any:
    """Exponentials of each row over their sum."""
    e = np.exp(z - np.max(np.real(z), axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# Linear models: J = loss(X w + b, y) + penalty(w)


def _squared(z: Any, y: Any) -> Any:
    return np.mean((z - y) ** 2) / 2


def _squared_sum(z: Any, y: Any) -> Any:
    return np.sum((z - y) ** 2)


def _logistic(z: Any, y: Any) -> Any:
    return np.mean(np.logaddexp(0.0, z) - y * z)


def _cross_entropy(z: Any, y: Any) -> Any:
    return -np.sum(y * np.log(softmax(z))) / len(y)


def _outputs_mean(z: Any, y: Any) -> Any:
    return np.sum((z - y) ** 2) / (2 * len(y))


LOSSES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "squared": (_squared, lambda z, y: (z - y) / len(y)),
    "squared-sum": (_squared_sum, lambda z, y: 2 * (z - y)),
    "outputs": (_outputs_mean, lambda z, y: (z - y) / len(y)),
    "logistic": (_logistic, lambda z, y: (sigmoid(z) - y) / len(y)),
    "softmax": (_cross_entropy, lambda z, y: (softmax(z) - y) / len(y)),
}

PENALTIES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "none": (lambda w, alpha: 0.0, lambda w, alpha: 0.0 * w),
    "L2": (lambda w, alpha: alpha / 2 * np.sum(w**2), lambda w, alpha: alpha * w),
    "L1": (lambda w, alpha: alpha * np.sum(np.abs(w)), lambda w, alpha: alpha * np.sign(w)),
    "norm": (lambda w, alpha: alpha * np.sqrt(np.sum(w**2)), lambda w, alpha: alpha * w / np.linalg.norm(w)),
    "elastic": (
        lambda w, alpha: alpha * (0.7 * np.sum(np.abs(w)) + 0.15 * np.sum(w**2)),
        lambda w, alpha: alpha * (0.7 * np.sign(w) + 0.3 * w),
    ),
}


def linear(name: str, loss: str, penalty: str, seed: int, outputs: int = 0, n: int = 11, d: int = 4) -> Model:
    """Linear model; ``outputs = 0`` means one output and a vector of weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    shape = (outputs,) if outputs else ()
    params = {"w": rng.normal(size=(d, *shape)), "b": rng.normal(size=shape) if outputs else 0.4}
    value_of, errors_of = LOSSES[loss]
    penalty_of, slope_of = PENALTIES[penalty]
    if loss == "softmax":
        y = np.eye(outputs)[rng.integers(outputs, size=n)]
    elif loss == "logistic":
        y = rng.integers(2, size=(n, *shape)).astype(float)
    else:
        y = rng.normal(size=(n, *shape))
    data = {"X": X, "y": y} | ({"alpha": 0.3} if penalty != "none" else {})

    def value(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Any:
        return value_of(X @ p["w"] + p["b"], y) + penalty_of(p["w"], alpha)

    def errors(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Any:
        return errors_of(X @ p["w"] + p["b"], y)

    def gradient(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Blocks:
        e = errors(p, X, y)
        return {"w": X.T @ e + slope_of(p["w"], alpha), "b": e.sum(axis=0)}

    def slope(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Blocks:
        return {"w": slope_of(p["w"], alpha), "b": 0.0 * np.asarray(p["b"])}

    tags = frozenset({loss, penalty})
    return Model(name, value, gradient, params, data, slope if penalty != "none" else None, tags, errors)


# Networks of dense layers

ACTIVATIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda a: 1 - a**2),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)), lambda a: a * (1 - a)),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0, lambda a: (a > 0) * 1.0),
    "softplus": (lambda z: np.logaddexp(0, z), sigmoid, lambda a: 1 - np.exp(-a)),
}
HEADS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "squared": LOSSES["outputs"],
    "softmax": LOSSES["softmax"],
    "sigmoid-squared": (
        lambda z, y: np.sum((sigmoid(z) - y) ** 2) / (2 * len(y)),
        lambda z, y: (sigmoid(z) - y) * sigmoid(z) * (1 - sigmoid(z)) / len(y),
    ),
    "sigmoid-entropy": (
        lambda z, y: np.sum(np.logaddexp(0, z) - y * z) / len(y),
        lambda z, y: (sigmoid(z) - y) / len(y),
    ),
}


@dataclass(frozen=True)
class Mistake:
    """Where and how a backward pass goes wrong.

    ``kind`` is one of missing, at-output, at-input, factor, transposed, ahead (the error from behind left out);
    ``layer`` counts from 0.
    """

    kind: str
    layer: int


@dataclass(frozen=True)
class Network:
    """Dense layers with one activation between them and a head behind, and its backward pass, right or wrong."""

    activation: str
    head: str
    depth: int

    def forward(self, p: Blocks, X: Any) -> tuple[list[Any], list[Any]]:
        """Return inputs and scores of every layer."""
        inputs, scores = [X], []
        for k in range(1, self.depth + 1):
            scores.append(inputs[-1] @ p[f"W{k}"] + p[f"b{k}"])
            inputs.append(ACTIVATIONS[self.activation][0](scores[-1]))
        return inputs, scores

    def value(self, p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Any:
        """Loss of the last scores plus ``alpha / 2`` times the squared weights."""
        size = sum(np.sum(p[f"W{k}"] ** 2) for k in range(1, self.depth + 1))
        return HEADS[self.head][0](self.forward(p, X)[1][-1], y) + alpha / 2 * size

    def backward(
        self, mistake: Mistake | None = None, head_errors: Callable[..., Any] | None = None
    ) -> Callable[..., Blocks]:
        """Gradient with a mistake in one activation, or with other errors at the output."""

        def gradient(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Blocks:
            inputs, scores = self.forward(p, X)
            e = (head_errors or HEADS[self.head][1])(scores[-1], y)
            found: Blocks = {}
            for k in range(self.depth, 0, -1):
                W = p[f"W{k}"]
                found[f"W{k}"] = inputs[k - 1].T @ e + alpha * W
                found[f"b{k}"] = e.sum(axis=0)
                if k > 1:
                    kind = mistake.kind if mistake is not None and mistake.layer == k - 2 else ""
                    e = self._back(kind, e, W, scores[k - 2]) * self._slope(kind, scores[k - 2])
            return {key: found[key] for key in p}

        return gradient

    def _back(self, kind: str, e: Any, W: Any, z: Any) -> Any:
        if kind == "factor":
            return np.broadcast_to(e, z.shape)
        if kind == "transposed":
            return e @ W
        return (np.ones_like(e) if kind == "ahead" else e) @ W.T

    def _slope(self, kind: str, z: Any) -> Any:
        act, slope, from_output = ACTIVATIONS[self.activation]
        if kind == "missing":
            return np.ones_like(z)
        if kind == "at-output":
            return slope(act(z))
        return from_output(z) if kind == "at-input" else slope(z)


def network(
    name: str, activation: str, head: str, widths: tuple[int, ...], seed: int, n: int = 7, alpha: float = 0.0
) -> tuple[Model, Callable[..., Callable[..., Blocks]]]:
    """Dense network and a maker of wrong backward passes for it."""
    rng = np.random.default_rng(seed)
    net = Network(activation, head, len(widths) - 1)
    params: Blocks = {}
    for k, (width, following) in enumerate(pairwise(widths), start=1):
        params[f"W{k}"] = rng.normal(size=(width, following)) / np.sqrt(width) * 1.3
        params[f"b{k}"] = rng.normal(size=following) * 0.5
    data = {"X": rng.normal(size=(n, widths[0])), "y": _targets(head, (n, widths[-1]), rng)}
    if alpha:
        data["alpha"] = alpha
    tags = frozenset({activation, head})
    model = Model(name, net.value, net.backward(), params, data, _weights_only if alpha else None, tags)
    return model, net.backward


def _targets(head: str, shape: tuple[int, int], rng: np.random.Generator) -> Any:
    if head == "softmax":
        return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    return rng.uniform(size=shape) if "sigmoid" in head else rng.normal(size=shape)


def _weights_only(p: Blocks, X: Any, y: Any, alpha: float = 0.0) -> Blocks:
    return {key: alpha * part if key.startswith("W") else 0.0 * part for key, part in p.items()}


# k-means, convolutions


def kmeans(seed: int, mean: bool) -> Model:
    """Sum or mean of squared distances to the nearest of three centres."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(13, 2)) + 3.0 * rng.integers(3, size=(13, 1))
    C = X[:3] + 0.3 * rng.normal(size=(3, 2))

    def distances(C: Any, X: Any) -> Any:
        return ((X[:, None, :] - C[None, :, :]) ** 2).sum(axis=2)

    def value(p: Blocks, X: Any) -> Any:
        total = np.min(distances(p["C"], X), axis=1).sum()
        return total / len(X) if mean else total

    def gradient(p: Blocks, X: Any) -> Blocks:
        nearest = distances(p["C"], X).argmin(axis=1)
        dC = np.zeros_like(p["C"])
        for k in range(len(dC)):
            mine = X[nearest == k]
            dC[k] = 2 * (len(mine) * p["C"][k] - mine.sum(axis=0))
        return {"C": dC / len(X) if mean else dC}

    return Model(
        f"k-means {'mean' if mean else 'sum'}", value, gradient, {"C": C}, {"X": X}, None, frozenset({"kmeans"})
    )


def conv1d(seed: int, mean: bool, flipped: bool = False) -> Model:
    """1-D layer ``yhat_t = sum_j w_j x_(t+j) + b`` (with ``flipped``, a convolution) and squared error."""
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=14), rng.normal(size=4)
    y = rng.normal(size=11)
    kind = "convolution" if flipped else "correlation"

    def predict(p: Blocks, x: Any) -> Any:
        w = p["w"][::-1] if flipped else p["w"]
        return sum(w[j] * x[j : j + 11] for j in range(4)) + p["b"]

    def value(p: Blocks, x: Any, y: Any) -> Any:
        total = np.sum((predict(p, x) - y) ** 2)
        return total / len(y) if mean else total / 2

    def gradient(p: Blocks, x: Any, y: Any) -> Blocks:
        e = (predict(p, x) - y) * (2 / len(y) if mean else 1)
        dw = np.correlate(x, e, "valid")
        return {"w": dw[::-1] if flipped else dw, "b": e.sum()}

    def errors(p: Blocks, x: Any, y: Any) -> Any:
        return (predict(p, x) - y) * (2 / len(y) if mean else 1)

    name = f"1-D {kind} {'mean' if mean else 'sum'}"
    return Model(name, value, gradient, {"w": w, "b": 0.2}, {"x": x, "y": y}, None, frozenset({"conv1d"}), errors)


def conv2d(seed: int) -> Model:
    """2-D layer: weights (O, C, 3, 3) on X (N, C, 5, 6), half the squared error summed."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(3, 2, 5, 6)), rng.normal(size=(3, 2, 3, 4))
    W = rng.normal(size=(2, 2, 3, 3))

    def predict(W: Any, X: Any) -> Any:
        return sum(
            np.einsum("nchw,oc->nohw", X[:, :, i : i + 3, j : j + 4], W[:, :, i, j]) for i in range(3) for j in range(3)
        )

    def value(p: Blocks, X: Any, Y: Any) -> Any:
        return np.sum((predict(p["W"], X) + p["b"][:, None, None] - Y) ** 2) / 2

    def errors(p: Blocks, X: Any, Y: Any) -> Any:
        return predict(p["W"], X) + p["b"][:, None, None] - Y

    def gradient(p: Blocks, X: Any, Y: Any) -> Blocks:
        return {"W": correlated(X, errors(p, X, Y)), "b": errors(p, X, Y).sum(axis=(0, 2, 3))}

    params = {"W": W, "b": rng.normal(size=2)}
    return Model("2-D convolution", value, gradient, params, {"X": X, "Y": Y}, None, frozenset({"conv2d"}), errors)


def correlated(X: Any, e: Any) -> Any:
    """Weight gradient of the 2-D layer: correlation of input and error."""
    dW = np.empty((e.shape[1], X.shape[1], 3, 3))
    for i in range(3):
        for j in range(3):
            dW[:, :, i, j] = np.einsum("nohw,nchw->oc", e, X[:, :, i : i + 3, j : j + 4])
    return dW
