"""Wrong gradients of networks and models that are plain functions, without data, of flat vectors or several arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from steepest import check_gradient

rng = np.random.default_rng(5)
N, D, H = 12, 3, 4
X, y = rng.normal(size=(N, D)), rng.normal(size=N)
THETA = rng.normal(size=21)


def flat(t: Any) -> Any:
    W1 = t[:12].reshape(D, H)
    b1 = t[12:16]
    w2 = t[16:20]
    h = np.tanh(X @ W1 + b1)
    return np.mean((h @ w2 + t[20] - y) ** 2) + 0.1 * np.sum(W1**2)


def flat_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(t: Any) -> Any:
        W1, b1, w2 = t[:12].reshape(D, H), t[12:16], t[16:20]
        z = X @ W1 + b1
        h = np.tanh(z)
        e = 2 * (h @ w2 + t[20] - y) / (1 if mistake == "sum" else N)
        slope = {"none": 1.0, "at h": 1 - np.tanh(h) ** 2, "at z": 1 - z**2}.get(mistake, 1 - h**2)
        dz = np.outer(e, np.ones(H) if mistake == "no w2" else w2) * slope
        dW1 = X.T @ dz + {"no penalty": 0.0, "half penalty": 0.1}.get(mistake, 0.2) * W1
        db1 = {"one row": dz[-1], "mean": dz.mean(0)}.get(mistake, dz.sum(0))
        dw2 = h.T @ e
        if mistake == "order":
            db1, dw2 = dw2, db1
        return np.concatenate([(dW1.T if mistake == "transposed" else dW1).ravel(), db1, dw2, [e.sum()]])

    return gradient


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        ("none", "activation-missing"),
        ("at h", "activation-at-output"),
        ("at z", "activation-at-input"),
        ("no w2", "chain-factor-missing"),
        ("no penalty", "path-missing"),
        ("half penalty", "path-factor"),
        ("one row", "not-summed"),
        ("sum", "path-factor"),
        ("mean", "path-factor"),
    ],
)
def test_a_network_of_a_flat_vector(mistake: str, code: str) -> None:
    report = check_gradient(flat, flat_gradient(mistake), THETA)
    assert report.unexplained == (), str(report)
    assert {d.codes for d in report.diagnoses} == {(code,)}, str(report)
    assert check_gradient(flat, flat_gradient(""), THETA)


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        ("order", {"b1": "swapped", "w2": "swapped"}),
        ("transposed", {"W1": "transposed"}),
    ],
)
def test_slices_of_a_flat_vector_are_explained_one_by_one(mistake: str, expected: dict[str, str]) -> None:
    report = check_gradient(flat, flat_gradient(mistake), THETA)
    found = {block: d.codes for d in report.diagnoses for block in d.blocks}
    assert {name: codes[0] for name, codes in found.items()} == expected, str(report)
    assert any("W1 = t[0:12] of shape (3, 4)" in note for note in report.notes)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def relu(z: Any) -> Any:
    return np.maximum(0, z)


LABELS = (rng.random(N) > 0.5) * 1.0
DEEP = [rng.normal(size=s) for s in [(D, H), H, (H, H), H, (H, 1), 1]]


def deep(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
    h1 = relu(X @ W1 + b1)
    h2 = sigmoid(h1 @ W2 + b2)
    p = sigmoid(h2 @ W3 + b3)[:, 0]
    return -np.mean(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p))


def deep_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Any:
        z1 = X @ W1 + b1
        h1 = relu(z1)
        z2 = h1 @ W2 + b2
        h2 = expit(z2)
        d3 = (expit(h2 @ W3 + b3) - LABELS[:, None]) / N
        slope = {"no sigmoid": 1.0, "sigmoid of h": expit(h2) * (1 - expit(h2))}.get(mistake, h2 * (1 - h2))
        d2 = d3 @ W3.T * slope
        back = d2 if mistake == "no W2" else d2 @ (W2 if mistake == "W2 transposed" else W2.T)
        d1 = back * (1 if mistake == "no relu" else z1 > 0)
        dW2 = (z1 if mistake == "scores for activations" else h1).T @ d2
        return X.T @ d1, d1.sum(0), dW2, d2[0] if mistake == "first row" else d2.sum(0), h2.T @ d3, d3.sum(0)

    return gradient


@pytest.mark.parametrize(
    ("mistake", "code", "blocks"),
    [
        ("no relu", "activation-missing", {"W1", "b1"}),
        ("no sigmoid", "activation-missing", {"W1", "b1", "W2", "b2"}),
        ("sigmoid of h", "activation-at-output", {"W1", "b1", "W2", "b2"}),
        ("W2 transposed", "chain-transposed", {"W1", "b1"}),
        ("no W2", "chain-factor-missing", {"W1", "b1"}),
        ("scores for activations", "operand-other", {"W2"}),
        ("first row", "not-summed", {"b2"}),
    ],
)
def test_a_network_of_helper_functions(mistake: str, code: str, blocks: set[str]) -> None:
    report = check_gradient(deep, deep_gradient(mistake), *DEEP)
    assert report.unexplained == (), str(report)
    assert {name: d.codes for d in report.diagnoses for name in d.blocks} == dict.fromkeys(blocks, (code,))
    assert check_gradient(deep, deep_gradient(""), *DEEP)


def test_the_call_of_a_helper_is_quoted_too() -> None:
    report = check_gradient(deep, deep_gradient("no sigmoid"), *DEEP)
    assert "in `1 / (1 + np.exp(-z))` for `sigmoid(h1 @ W2 + b2)`" in str(report)


RECURRENT = [rng.normal(size=(3, 2)), rng.normal(size=(3, 3)) / 2, rng.normal(size=3), rng.normal(size=3)]
SEQUENCE = rng.normal(size=(4, 2))


def recurrent(Wx: Any, Wh: Any, b: Any, w: Any) -> Any:
    h = np.zeros(3)
    for x in SEQUENCE:
        h = np.tanh(Wx @ x + Wh @ h + b)
    return (w @ h - 1.0) ** 2


def recurrent_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(Wx: Any, Wh: Any, b: Any, w: Any) -> Any:
        states = [np.zeros(3)]
        for x in SEQUENCE:
            states.append(np.tanh(Wx @ x + Wh @ states[-1] + b))
        e = 2 * (w @ states[-1] - 1)
        back, dWx, dWh, db = e * w, np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(3)
        first = {"last step alone": len(SEQUENCE) - 1, "first step left out": 1}.get(mistake, 0)
        for t in range(len(SEQUENCE) - 1, first - 1, -1):
            dz = back * (1 if mistake == "no slope" else 1 - states[t + 1] ** 2)
            dWx, dWh, db = dWx + np.outer(dz, SEQUENCE[t]), dWh + np.outer(dz, states[t]), db + dz
            back = (Wh if mistake == "transposed" else Wh.T) @ dz
        return dWx, dWh, db, e * states[-1]

    return gradient


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        ("last step alone", "path-missing"),
        ("first step left out", "path-missing"),
        ("no slope", "activation-missing"),
        ("transposed", "chain-transposed"),
    ],
)
def test_a_recurrent_network(mistake: str, code: str) -> None:
    report = check_gradient(recurrent, recurrent_gradient(mistake), *RECURRENT)
    assert report.unexplained == (), str(report)
    assert {d.codes for d in report.diagnoses} == {(code,)}, str(report)
    assert check_gradient(recurrent, recurrent_gradient(""), *RECURRENT)


def residual(W1: Any, W2: Any) -> Any:
    h = X @ W1
    r = h + relu(h @ W2)
    return np.sum(r**2) / N


@pytest.mark.parametrize(("skip", "branch"), [(0, 1), (1, 0)])
def test_a_branch_left_out(skip: int, branch: int) -> None:
    rng = np.random.default_rng(1)

    def gradient(W1: Any, W2: Any, skip: int = skip, branch: int = branch) -> Any:
        h = X @ W1
        z = h @ W2
        e = 2 * (h + relu(z)) / N
        dz = e * (z > 0)
        return X.T @ (skip * e + branch * dz @ W2.T), h.T @ dz

    params = rng.normal(size=(D, H)), rng.normal(size=(H, H))
    report = check_gradient(residual, gradient, *params)
    assert [(d.blocks, d.codes) for d in report.diagnoses] == [(("W1",), ("path-missing",))], str(report)
    assert check_gradient(residual, lambda W1, W2: gradient(W1, W2, 1, 1), *params)


def test_a_mask_and_targets_of_a_closure_left_out() -> None:
    rng = np.random.default_rng(1)
    M, mask = rng.normal(size=(5, 4)), (rng.random((5, 4)) > 0.3) * 1.0
    U, V = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))

    def value(U: Any, V: Any) -> Any:
        return np.sum((mask * (U @ V.T - M)) ** 2)

    for weights, targets in ((1.0, M), (mask, 0.0)):
        report = check_gradient(
            value,
            lambda U, V, w=weights, t=targets: (2 * w * (U @ V.T - t) @ V, 2 * (w * (U @ V.T - t)).T @ U),
            U,
            V,
        )
        assert {d.codes for d in report.diagnoses} == {("ignored",)}, str(report)
