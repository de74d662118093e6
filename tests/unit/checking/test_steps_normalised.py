"""Wrong gradients of normalisations, softmax, attention and pooling, none of which has a hypothesis of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from steepest import check_gradient

rng = np.random.default_rng(3)
X, R = rng.normal(size=(7, 3)), rng.normal(size=(7, 3))
GAMMA, BETA = rng.normal(size=3) + 2, rng.normal(size=3)


def codes(value: Any, gradient: Any, *params: Any, data: Any = None) -> dict[str, tuple[str, ...]]:
    """Names of the mistakes of every block that is explained; all wrong ones must be."""
    report = check_gradient(value, gradient, *params, data=data)
    assert report.unexplained == (), str(report)
    return {block: diagnosis.codes for diagnosis in report.diagnoses for block in diagnosis.blocks}


def batch_norm(X: Any, gamma: Any, beta: Any, R: Any, eps: Any) -> Any:
    mu = X.mean(axis=0)
    var = X.var(axis=0)
    xhat = (X - mu) / np.sqrt(var + eps)
    return np.sum(R * (gamma * xhat + beta))


def batch_norm_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(X: Any, gamma: Any, beta: Any, R: Any, eps: Any) -> Any:
        n = len(X)
        s = np.sqrt(X.var(0) + (0 if mistake == "eps" else eps))
        xhat = (X - X.mean(0)) / s
        d = R * {"no gamma": 1.0, "gamma twice": gamma**2}.get(mistake, gamma)
        a = d.sum(0) * {"no mean": 0, "neither": 0, "mean's sign": -1, "sum for mean": n}.get(mistake, 1)
        b = (d * xhat).sum(0) * {"no variance": 0, "neither": 0, "n - 1": n / (n - 1), "half": 0.5}.get(mistake, 1)
        s = s**2 if mistake == "variance for deviation" else s
        dgamma = (R * (X - X.mean(0) if mistake == "not scaled" else xhat)).sum(0)
        return (d - a / n - xhat * b / n) / s, dgamma, R.sum(0)

    return gradient


@pytest.mark.parametrize(
    ("mistake", "block", "code"),
    [
        ("no mean", "X", "path-missing"),
        ("no variance", "X", "path-missing"),
        ("neither", "X", "path-missing"),
        ("mean's sign", "X", "path-sign"),
        ("sum for mean", "X", "path-factor"),
        ("n - 1", "X", "path-factor"),
        ("half", "X", "path-factor"),
        ("no gamma", "X", "factor-missing"),
        ("gamma twice", "X", "factor-twice"),
        ("variance for deviation", "X", "factor-twice"),
        ("eps", "X", "ignored"),
        ("not scaled", "gamma", "operand-other"),
    ],
)
def test_batch_norm(mistake: str, block: str, code: str) -> None:
    data = {"R": R, "eps": 1e-2}
    assert codes(batch_norm, batch_norm_gradient(mistake), X, GAMMA, BETA, data=data)[block] == (code,)
    assert check_gradient(batch_norm, batch_norm_gradient(""), X, GAMMA, BETA, data=data)


def test_the_sentence_quotes_the_code_of_the_value() -> None:
    data = {"R": R, "eps": 1e-2}
    report = check_gradient(batch_norm, batch_norm_gradient("no mean"), X, GAMMA, BETA, data=data)
    assert "as if `mu = X.mean(axis=0)` were constant" in report.diagnoses[0].sentence
    report = check_gradient(batch_norm, batch_norm_gradient("n - 1"), X, GAMMA, BETA, data=data)
    assert "taken n/(n - 1) (n = 7 samples, n - 1 = 6) times" in report.diagnoses[0].sentence
    report = check_gradient(batch_norm, batch_norm_gradient("no gamma"), X, GAMMA, BETA, data=data)
    assert "without the factor `gamma` of `gamma * xhat`" in report.diagnoses[0].sentence


def standardised(X: Any, R: Any) -> Any:
    mu = X.mean(axis=0)
    var = ((X - mu) ** 2).mean(axis=0)
    return np.sum(((X - mu) / np.sqrt(var + 1e-5) - R) ** 2)


@pytest.mark.parametrize(
    ("mean_counts", "named"), [(True, "deviation taken"), (False, "`mu = X.mean(axis=0)` and `var")]
)
def test_only_what_is_taken_for_a_constant_is_said_to_be(mean_counts: bool, named: str) -> None:
    def gradient(X: Any, R: Any) -> Any:
        deviation = np.sqrt(X.var(axis=0) + 1e-5)
        slope = 2 * ((X - X.mean(axis=0)) / deviation - R) / deviation
        return slope - mean_counts * slope.mean(axis=0)

    sentence = check_gradient(standardised, gradient, X, data={"R": R}).diagnoses[0].sentence
    assert named in sentence
    assert ("mean and deviation" in sentence) is False


def layer_norm(X: Any, g: Any, b: Any, R: Any) -> Any:
    centred = X - X.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return (R * (g * (centred / deviation) + b)).sum()


@pytest.mark.parametrize(
    ("mean", "scale", "axis", "code"),
    [(0, 1, 1, "path-missing"), (1, 0, 1, "path-missing"), (0, 0, 1, "path-missing"), (1, 1, 0, "wrong-axis")],
)
def test_layer_norm(mean: int, scale: int, axis: int, code: str) -> None:
    def gradient(X: Any, g: Any, b: Any, R: Any, mean: int = mean, scale: int = scale, axis: int = axis) -> Any:
        centred = X - X.mean(1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
        h, d = centred / deviation, R * g
        inner = d - mean * d.mean(axis, keepdims=True) - scale * h * (d * h).mean(1, keepdims=True)
        return inner / deviation, (R * h).sum(0), R.sum(0)

    assert codes(layer_norm, gradient, X, GAMMA, BETA, data={"R": R}) == {"X": (code,)}
    right = check_gradient(layer_norm, lambda X, g, b, R: gradient(X, g, b, R, 1, 1, 1), X, GAMMA, BETA, data={"R": R})
    assert right


def softmax(Z: Any) -> Any:
    e = np.exp(Z - Z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "": lambda p, g: p * (g - (p * g).sum(-1, keepdims=True)),
    "softmax-diagonal": lambda p, g: g * p * (1 - p),
    "softmax-normaliser": lambda p, g: g * p,
    "activation-missing": lambda p, g: g,
    "wrong-axis": lambda p, g: p * (g - (p * g).sum(0, keepdims=True)),
    "softmax-sum": lambda p, g: p * (g - g.sum(-1, keepdims=True)),
}
TOKENS, OUT = rng.normal(size=(6, 3)), rng.normal(size=(6, 5))
WEIGHTS = [rng.normal(size=(3, 5)) for _ in range(3)]


def attention(Wq: Any, Wk: Any, Wv: Any, S: Any, R: Any) -> Any:
    Q = S @ Wq
    K = S @ Wk
    A = softmax(Q @ K.T / np.sqrt(5))
    return np.sum(R * (A @ (S @ Wv)))


def attention_gradient(way: str, mistake: str = "") -> Callable[..., Any]:
    def gradient(Wq: Any, Wk: Any, Wv: Any, S: Any, R: Any) -> Any:
        Q, K, V = S @ Wq, S @ Wk, S @ Wv
        A = softmax(Q @ K.T / np.sqrt(5))
        d = WAYS[way](A, R @ V.T) / np.sqrt(5)
        dK = (d if mistake == "keys" else d.T) @ Q
        dV = (A if mistake == "values" else A.T) @ R
        return S.T @ (d @ K), S.T @ dK, S.T @ dV

    return gradient


@pytest.mark.parametrize("code", [code for code in WAYS if code])
def test_the_softmax_inside_attention(code: str) -> None:
    found = codes(attention, attention_gradient(code), *WEIGHTS, data={"S": TOKENS, "R": OUT})
    assert found == {"Wq": (code,), "Wk": (code,)}


@pytest.mark.parametrize(("mistake", "block"), [("keys", "Wk"), ("values", "Wv")])
def test_products_inside_attention(mistake: str, block: str) -> None:
    found = codes(attention, attention_gradient("", mistake), *WEIGHTS, data={"S": TOKENS, "R": OUT})
    assert found == {block: ("chain-transposed",)}
    assert check_gradient(attention, attention_gradient(""), *WEIGHTS, data={"S": TOKENS, "R": OUT})


def log_sum_exp(z: Any) -> Any:
    peak = z.max()
    return peak + np.log(np.sum(np.exp(z - peak)))


@pytest.mark.parametrize(
    ("gradient", "code"),
    [
        (lambda z: (z == z.max()) * 1.0, "other-map"),
        (np.exp, "softmax-normaliser"),
        (lambda z: np.exp(z - z.max()), "softmax-normaliser"),
        (lambda z: np.exp(z) / np.exp(z).sum() - (z == z.max()), "path-missing"),
    ],
)
def test_log_sum_exp(gradient: Callable[..., Any], code: str) -> None:
    assert codes(log_sum_exp, gradient, np.array([0.3, -1.0, 0.9, 0.1])) == {"z": (code,)}


IMAGE, POOLED = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 2, 2))


def pooled(x: Any, R: Any) -> Any:
    return np.sum(R * x.reshape(2, 2, 2, 2, 2).max(axis=(2, 4)))


def pooled_by_loops(x: Any, R: Any) -> Any:
    out = np.zeros((2, 2, 2))
    for c, i, j in np.ndindex(2, 2, 2):
        out[c, i, j] = np.max(x[c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2])
    return np.sum(R * out)


@pytest.mark.parametrize("value", [pooled, pooled_by_loops])
@pytest.mark.parametrize("how", ["all", "mean", "smallest"])
def test_maximum_pooling(value: Any, how: str) -> None:
    def gradient(x: Any, R: Any, how: str = how) -> Any:
        windows = x.reshape(2, 2, 2, 2, 2)
        hit = windows == windows.max(axis=(2, 4), keepdims=True)
        if how == "smallest":
            hit = windows == windows.min(axis=(2, 4), keepdims=True)
        share = {"all": np.ones_like(windows), "mean": np.full_like(windows, 0.25)}.get(how, hit)
        return (share * R[:, :, None, :, None]).reshape(x.shape)

    assert codes(value, gradient, IMAGE, data={"R": POOLED}) == {"x": ("extreme-elsewhere",)}
    assert check_gradient(value, lambda x, R: gradient(x, R, ""), IMAGE, data={"R": POOLED})


def test_what_a_symbol_stands_for_is_said_once() -> None:
    def gradient(X: Any, gamma: Any, beta: Any, R: Any, eps: Any) -> Any:
        s = np.sqrt(X.var(0) + eps)
        xhat, d = (X - X.mean(0)) / s, R * gamma
        return (d - d.sum(0) - xhat * (d * xhat).sum(0)) / s, (R * xhat).sum(0), R.sum(0)

    report = check_gradient(batch_norm, gradient, X, GAMMA, BETA, data={"R": R, "eps": 1e-2})
    assert "taken 1/n times (n = 7 samples)" in " ".join(str(report).split())
