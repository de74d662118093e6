"""Mistakes as learners write them, in models as learners write them: columns as samples, vectors as last weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from steepest import check_gradient
from steepest.checking.report import Verdict

rng = np.random.default_rng(42)
N, D, H = 23, 4, 5
X, y, LABELS = rng.normal(size=(N, D)), rng.normal(size=N), np.where(rng.random(N) < 0.5, 1.0, -1.0)
COUNTS = rng.poisson(2.0, size=N).astype(float)
W = rng.normal(size=D) / 2
NETWORK = {
    "W1": rng.normal(size=(D, H)),
    "b1": rng.normal(size=H),
    "W2": rng.normal(size=H),
    "b2": 0.1,
}


def network_value(p: dict[str, Any], X: Any, y: Any) -> Any:
    return np.mean((np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - y) ** 2)


def network_gradient(slope: Callable[[Any], Any]) -> Callable[..., Any]:
    def gradient(p: dict[str, Any], X: Any, y: Any) -> dict[str, Any]:
        z = X @ p["W1"] + p["b1"]
        a = np.tanh(z)
        e = 2 * (a @ p["W2"] + p["b2"] - y) / len(y)
        dz = e[:, None] * p["W2"] * slope(z)
        return {"W1": X.T @ dz, "b1": dz.sum(0), "W2": a.T @ e, "b2": e.sum()}

    return gradient


@pytest.mark.parametrize("order", [["W1", "b1", "W2", "b2"], ["W1", "W2", "b1", "b2"]])
@pytest.mark.parametrize(
    ("slope", "code"),
    [
        (np.ones_like, "activation-missing"),
        (lambda z: 1 - np.tanh(np.tanh(z)) ** 2, "activation-at-output"),
        (lambda z: 1 - z**2, "activation-at-input"),
    ],
    ids=["missing", "at output", "at input"],
)
def test_a_network_whose_last_weights_are_a_vector(slope: Callable[[Any], Any], code: str, order: list[str]) -> None:
    params = {name: NETWORK[name] for name in order}
    report = check_gradient(network_value, network_gradient(slope), params, data={"X": X, "y": y})
    assert [(set(d.blocks), d.codes) for d in report.diagnoses] == [({"W1", "b1"}, (code,))]
    assert check_gradient(network_value, network_gradient(lambda z: 1 - np.tanh(z) ** 2), params, data={"X": X, "y": y})


COLUMNS = {"X": X.T, "Y": (LABELS[None] + 1) / 2}
MATRICES = (rng.normal(size=(H, D)), rng.normal(size=(H, 1)), rng.normal(size=(1, H)), rng.normal(size=(1, 1)))


def columns_value(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    Z = W2 @ np.maximum(W1 @ X + b1, 0) + b2
    return np.mean(np.logaddexp(0, Z) - Y * Z)


def columns_gradient(mistake: str) -> Callable[..., Any]:
    def gradient(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        n, Z1 = X.shape[1], W1 @ X + b1
        A1 = np.maximum(Z1, 0)
        d2 = expit(W2 @ A1 + b2) - Y
        d1 = W2.T @ d2 * (1 if mistake == "slope" else Z1 > 0)
        scale = n**3 if mistake == "thrice" else 1 if mistake == "sum" else n
        return d1 @ X.T / scale, d1.sum(1, keepdims=True) / scale, d2 @ A1.T / n, d2.sum(1, keepdims=True) / n

    return gradient


@pytest.mark.parametrize(
    ("mistake", "code", "constant"),
    [
        ("slope", "activation-missing", None),
        ("sum", "factor", "n (n = 23 samples)"),
        ("thrice", "factor", "1/n^2 (n = 23 samples)"),
    ],
)
def test_columns_may_be_samples(mistake: str, code: str, constant: str | None) -> None:
    report = check_gradient(columns_value, columns_gradient(mistake), *MATRICES, data=COLUMNS)
    assert [(d.blocks, d.codes) for d in report.diagnoses] == [(("W1", "b1"), (code,))]
    assert constant is None or report.diagnoses[0].constant_names[0] == constant
    assert check_gradient(columns_value, columns_gradient(""), *MATRICES, data=COLUMNS)


def test_features_that_a_second_array_counts_too_are_no_samples() -> None:
    """``means`` has one entry a feature, as the last axis of X."""

    def value(w: Any, X: Any, means: Any) -> Any:
        return np.mean(((X - means) @ w) ** 2)

    report = check_gradient(
        value, lambda w, X, means: 2 * (X - means).T @ ((X - means) @ w), W, data={"X": X, "means": X.mean(0)}
    )
    assert report.diagnoses[0].constant_names[0] == "n (n = 23 samples)"


def poisson(z: Any, y: Any) -> Any:
    return np.exp(z) - y * z


def hinge(z: Any, y: Any) -> Any:
    return np.maximum(0, 1 - y * z)


@pytest.mark.parametrize(
    ("loss", "error", "y", "code", "said"),
    [
        (lambda z, y: (z - y) ** 2, lambda z, y: 2 * np.abs(z - y), y, "error-size", "absolute value of the error"),
        (poisson, lambda z, y: z - y, COUNTS, "link-missing", "score z in place of the mean e^z"),
        (poisson, lambda z, y: 1 - y / np.exp(z), COUNTS, "activation-missing", "without the factor e^z"),
        (hinge, lambda z, y: -y, LABELS, "indicator-missing", "without the condition y z < 1"),
        (hinge, lambda z, y: -y * (y * z < 0), LABELS, "indicator-other", "the perceptron's condition"),
        (hinge, lambda z, y: -1.0 * (y * z < 1), LABELS, "label-missing", "without the label y"),
        (lambda z, y: hinge(z, y) ** 2, lambda z, y: -y * (y * z < 1), LABELS, "other-loss", "error of the hinge loss"),
        (
            lambda z, y: hinge(z, y) ** 2,
            lambda z, y: -2 * hinge(z, y),
            LABELS,
            "label-missing",
            "without the label y",
        ),
        (
            lambda z, y: np.logaddexp(0, -y * z),
            lambda z, y: -y * expit(y * z),
            LABELS,
            "margin-sign",
            "s(y z) in place of s(-y z)",
        ),
        (
            lambda z, y: np.logaddexp(0, z) - y * z,
            lambda z, y: (z > 0) - y,
            (LABELS + 1) / 2,
            "class-for-probability",
            "the predicted class in place of the probability p",
        ),
        (
            lambda z, y: np.logaddexp(0, z) - y * z,
            lambda z, y: expit(z),
            (LABELS + 1) / 2,
            "output-for-error",
            "the probability in place of the error",
        ),
        (
            lambda z, y: np.abs(z - y),
            lambda z, y: 2 * (z - y),
            y,
            "other-loss",
            "equals the derivative of the mean squared loss",
        ),
    ],
)
def test_errors_at_the_output(loss: Any, error: Any, y: Any, code: str, said: str) -> None:
    def value(w: Any, X: Any, y: Any) -> Any:
        return np.mean(loss(X @ w, y))

    def gradient(w: Any, X: Any, y: Any) -> Any:
        return X.T @ error(X @ w, y) / len(y)

    report = check_gradient(value, gradient, W, data={"X": X, "y": y})
    assert report.diagnoses[0].codes == (code,), str(report)
    assert said in str(report.diagnoses[0])


def softmax_value(V: Any, c: Any, X: Any, Y: Any) -> Any:
    Z = X @ V + c
    return np.mean(np.log(np.exp(Z).sum(axis=1)) - (Y * Z).sum(axis=1))


def softmax_report(gradient: Callable[..., Any]) -> Any:
    rng = np.random.default_rng(1)
    K = 3
    data = {"X": X, "Y": np.eye(K)[np.arange(N) % K]}
    return check_gradient(softmax_value, gradient, rng.normal(size=(D, K)), rng.normal(size=K), data=data)


def test_labels_not_subtracted_from_probabilities() -> None:
    def gradient(V: Any, c: Any, X: Any, Y: Any) -> Any:
        P = softmax(X @ V + c, axis=1)
        return X.T @ P / len(X), (P - Y).mean(axis=0)

    assert softmax_report(gradient).diagnoses[0].codes == ("output-for-error",)


def test_a_sum_that_cancels_is_zero_up_to_rounding_and_not_a_multiple_of_noise() -> None:
    def gradient(V: Any, c: Any, X: Any, Y: Any) -> Any:
        E = softmax(X @ V + c, axis=1) - Y
        return X.T @ E / len(X), np.full(3, E.mean())

    report = softmax_report(gradient)
    assert [d.blocks for d in report.diagnoses] == [("c",)]
    assert "it is zero up to rounding, the true derivative is not" in str(report.diagnoses[0])


def test_no_diagnosis_scales_rounding_noise_up() -> None:
    """The entries of dV sum to zero but for rounding; a wrong constant matrix is no multiple of that."""

    def gradient(V: Any, c: Any, X: Any, Y: Any) -> Any:
        E = softmax(X @ V + c, axis=1) - Y
        return np.full(V.shape, -X.sum() / len(X)), E.mean(axis=0)

    report = softmax_report(gradient)
    assert report.diagnoses == ()
    assert report.unexplained


def test_weights_of_samples_left_out() -> None:
    rng = np.random.default_rng(1)

    def value(w: Any, X: Any, y: Any, weights: Any) -> Any:
        return np.sum(weights * (X @ w - y) ** 2) / np.sum(weights)

    report = check_gradient(
        value,
        lambda w, X, y, weights: 2 * X.T @ (X @ w - y) / len(y),
        W,
        data={"X": X, "y": y, "weights": rng.random(N) + 0.2},
    )
    assert report.diagnoses[0].codes == ("ignored",)
    assert "with every weights taken as one" in str(report.diagnoses[0])


def test_jumps_between_the_points_are_no_slopes() -> None:
    report = check_gradient(lambda x: np.mod(x, 2 * np.pi).sum(), np.ones_like, np.array([7.0, -3.0, 100.0]))
    assert report, str(report)


def test_a_value_may_raise_outside_its_domain() -> None:
    rng = np.random.default_rng(1)
    A = np.cov(rng.normal(size=(3, 9))) + 0.01 * np.eye(3)

    def value(A: Any) -> Any:
        return 2 * np.log(np.diag(np.linalg.cholesky((A + A.T) / 2))).sum()

    assert check_gradient(value, lambda A: np.linalg.inv((A + A.T) / 2), A)
    assert not check_gradient(value, lambda A: 2 * np.linalg.inv((A + A.T) / 2), A)


def test_a_formula_that_is_right_in_its_domain_is_told_so() -> None:
    def value(p: Any) -> Any:
        return -np.log(np.clip(p, 1e-7, None)).sum()

    report = check_gradient(value, lambda p: -1 / p, np.array([0.1, 0.5, 0.9]))
    assert not report
    assert any(note.startswith("p: agrees at the given point and is wrong at others") for note in report.notes)
    assert check_gradient(value, lambda p: -1 / p, np.array([0.1, 0.5, 0.9]), n_points=0)


@pytest.mark.parametrize(("forward", "formula"), [(np.correlate, "x_(t+j)"), (np.convolve, "x_(t-j)")])
def test_the_lag_in_the_corrected_formula_is_that_of_the_model(forward: Callable[..., Any], formula: str) -> None:
    rng = np.random.default_rng(1)
    x, k, t = rng.normal(size=30), rng.normal(size=4), rng.normal(size=27)

    def value(k: Any, x: Any, t: Any) -> Any:
        return np.sum((forward(x, k, "valid") - t) ** 2) / 2

    report = check_gradient(
        value, lambda k, x, t: np.convolve(x, forward(x, k, "valid") - t, "valid"), k, data={"x": x, "t": t}
    )
    assert report.diagnoses[0].codes == ("convolved",)
    assert f"dJ/dw_j = sum_t e_t {formula}" in report.diagnoses[0].remedy


# ---------------------------------------------------------------------- constants, weights and powers


def logarithms(W: Any, X: Any) -> Any:
    scores = X @ W
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


ONE_HOT, WEIGHTS = np.eye(3)[rng.integers(0, 3, N)], rng.random(N) + 0.5
COVARIATES = {"X": X, "y": y}


@pytest.mark.parametrize(
    ("value", "gradient", "params", "data", "said"),
    [
        (
            lambda W, X, T, e: -np.mean(np.sum(((1 - e) * T + e / 3) * logarithms(W, X), axis=1)),
            lambda W, X, T, e: X.T @ (softmax(X @ W, axis=1) - T) / N,
            (rng.normal(size=(D, 3)),),
            {"X": X, "T": ONE_HOT, "e": 0.1},
            "the true derivative with e taken as zero",
        ),
        (
            lambda w, X, y, s: np.sum(s * (X @ w - y) ** 2),
            lambda w, X, y, s: 2 * X.T @ (X @ w - y),
            (W,),
            COVARIATES | {"s": WEIGHTS},
            "the true derivative with every s taken as one",
        ),
        (
            lambda w, X, y, a, r: np.mean((X @ w - y) ** 2) + a * (r * np.abs(w).sum() + (1 - r) / 2 * w @ w),
            lambda w, X, y, a, r: 2 * X.T @ (X @ w - y) / N + a * ((1 - r) * np.sign(w) + r * w),
            (W,),
            COVARIATES | {"a": 0.3, "r": 0.7},
            "the strengths of the squared L2 penalty and the L1 penalty are exchanged",
        ),
        (
            lambda m, s, x: np.sum(np.log(s) + (x - m) ** 2 / (2 * s**2)),
            lambda m, s, x: (-np.sum(x - m) / s**2, len(x) / s - np.sum((x - m) ** 2) / s**2),
            (0.1, 1.3),
            {"x": y},
            "with 2 z^2, the exponent not lowered, in `s**2`",
        ),
        (
            lambda a, x: np.sum((x[1:] - a * x[:-1]) ** 2),
            lambda a, x: -2 * np.sum((x[1:] - a * x[:-1]) * x[1:]),
            (0.4,),
            {"x": y},
            "with `x[1:]` in place of `x[:-1]` in `a * x[:-1]`",
        ),
    ],
    ids=["smoothing", "weights", "shares", "power", "lag"],
)
def test_what_was_left_out_exchanged_or_not_lowered(
    value: Any, gradient: Any, params: tuple[Any, ...], data: dict[str, Any], said: str
) -> None:
    report = check_gradient(value, gradient, *params, data=data)
    assert said in " ".join(str(report).split())
    assert len(report.diagnoses) == 1


def test_any_line_is_no_explanation_by_a_factor_and_a_penalty() -> None:
    report = check_gradient(
        lambda a, X, y: np.sum((y - a * X[:, 0]) ** 2), lambda a, X, y: 3.7 * a - 1.9, 0.4, data={"X": X, "y": y}
    )
    assert report.verdict is Verdict.DISAGREES
    assert report.diagnoses == ()


@pytest.mark.parametrize("text", [False, True])
def test_data_frames_are_data(text: bool) -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    report = check_gradient(
        lambda w, X, y: np.mean((X[list("abcd")] @ w - y) ** 2) if hasattr(X, "columns") else np.mean((X @ w - y) ** 2),
        lambda w, X, y: 2 * X[list("abcd")].to_numpy().T @ (X[list("abcd")].to_numpy() @ w - y.to_numpy()),
        W,
        data={"X": frame.assign(name="x") if text else frame, "y": pd.Series(y)},
    )
    assert "n = 23 times the true derivative (n = 23 samples)" in " ".join(str(report).split())
