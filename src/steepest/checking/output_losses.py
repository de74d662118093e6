"""Losses at the output: the error of each, and the wrong errors that people write in its place."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from steepest.checking.activations import softmax
from steepest.typing import Array

__all__ = ["OTHER_LOSSES", "OUTPUTS", "Error", "Output", "Wrong"]

Error = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Wrong:
    """A wrong error at the output: what it is, and what it should be."""

    code: str
    error: Error
    said: str
    remedy: str


@dataclass(frozen=True)
class Output:
    """The right error ``dJ/dZ`` up to a constant, and the wrong ones that people write."""

    name: str
    error: Error
    wrong: tuple[Wrong, ...]


def _sigmoid_slope(p: Array) -> Array:
    return p * (1.0 - p)


SIGMOID = "p (1 - p)"

OUTPUTS = (
    Output(
        "squared error",
        lambda z, y: z - y,
        (
            Wrong(
                "residual-sign", lambda z, y: z + y, "with the sum of output and target as error", "The error is z - y."
            ),
            Wrong(
                "output-for-error",
                lambda z, y: z,
                "with the output in place of the error",
                "Subtract the target: z - y.",
            ),
            Wrong(
                "error-size",
                lambda z, y: np.abs(z - y),
                "with the absolute value of the error",
                "The error keeps its sign: z - y.",
            ),
        ),
    ),
    Output(
        "cross-entropy of a sigmoid",
        lambda z, y: expit(z) - y,
        (
            Wrong(
                "activation-missing",
                lambda z, y: (expit(z) - y) / _sigmoid_slope(expit(z)),
                "without the sigmoid's derivative p (1 - p)",
                f"Multiply dJ/dp by {SIGMOID}: together p - y.",
            ),
            Wrong(
                "activation-twice",
                lambda z, y: (expit(z) - y) * _sigmoid_slope(expit(z)),
                "with the sigmoid's derivative p (1 - p) once too often",
                "With cross-entropy it cancels: the error is p - y.",
            ),
            Wrong(
                "activation-at-output",
                lambda z, y: (expit(z) - y) / _sigmoid_slope(expit(z)) * _sigmoid_slope(expit(expit(z))),
                "with the sigmoid's derivative taken at its output",
                "Take it at the input: s'(z) = p (1 - p).",
            ),
            Wrong(
                "link-missing",
                lambda z, y: z - y,
                "with the score z in place of the probability p",
                "The error is p - y.",
            ),
            Wrong(
                "class-for-probability",
                lambda z, y: (z > 0) - y,
                "with the predicted class in place of the probability p",
                "The error is p - y.",
            ),
            Wrong(
                "output-for-error", lambda z, y: expit(z), "with the probability in place of the error", "Subtract y."
            ),
        ),
    ),
    Output(
        "cross-entropy of a softmax",
        lambda z, y: softmax(z) - y,
        (
            Wrong(
                "softmax-diagonal",
                lambda z, y: -y * (1.0 - softmax(z)),
                "with only the diagonal p (1 - p) of the softmax's Jacobian",
                "The Jacobian is diag(p) - p p^T; with cross-entropy the error is p - y.",
            ),
            Wrong(
                "activation-missing",
                lambda z, y: -y / softmax(z),
                "without the softmax's Jacobian",
                "Multiply dJ/dp by diag(p) - p p^T: together p - y.",
            ),
            Wrong(
                "softmax-diagonal",
                lambda z, y: (softmax(z) - y) * _sigmoid_slope(softmax(z)),
                "with the diagonal of the softmax's Jacobian once too often",
                "With cross-entropy the error is p - y.",
            ),
            Wrong(
                "link-missing",
                lambda z, y: z - y,
                "with the score z in place of the probability p",
                "The error is p - y.",
            ),
            Wrong(
                "output-for-error",
                lambda z, y: softmax(z),
                "with the probabilities in place of the error",
                "Subtract the targets: p - y.",
            ),
        ),
    ),
    Output(
        "squared error of a sigmoid",
        lambda z, y: (expit(z) - y) * _sigmoid_slope(expit(z)),
        (
            Wrong(
                "activation-missing",
                lambda z, y: expit(z) - y,
                "without the sigmoid's derivative p (1 - p)",
                f"Multiply the error by {SIGMOID}.",
            ),
            Wrong(
                "activation-at-output",
                lambda z, y: (expit(z) - y) * _sigmoid_slope(expit(expit(z))),
                "with the sigmoid's derivative taken at its output",
                "Take it at the input: s'(z) = p (1 - p).",
            ),
            Wrong(
                "activation-at-input",
                lambda z, y: (expit(z) - y) * z * (1.0 - z),
                "with z (1 - z) in place of p (1 - p)",
                "The formula p (1 - p) wants the sigmoid's output p.",
            ),
        ),
    ),
    Output(
        "squared error of a tanh",
        lambda z, y: (np.tanh(z) - y) * (1.0 - np.tanh(z) ** 2),
        (
            Wrong(
                "activation-missing",
                lambda z, y: np.tanh(z) - y,
                "without the derivative of tanh",
                "Multiply the error by 1 - a^2.",
            ),
            Wrong(
                "activation-at-output",
                lambda z, y: (np.tanh(z) - y) * (1.0 - np.tanh(np.tanh(z)) ** 2),
                "with the derivative of tanh taken at its output",
                "Take it at the input: 1 - tanh(z)^2.",
            ),
            Wrong(
                "activation-at-input",
                lambda z, y: (np.tanh(z) - y) * (1.0 - z**2),
                "with 1 - z^2 in place of 1 - a^2",
                "The formula 1 - a^2 wants the output a of tanh.",
            ),
        ),
    ),
    Output(
        "squared error of a softmax",
        lambda z, y: _softmax_back(z, softmax(z) - y),
        (
            Wrong(
                "softmax-diagonal",
                lambda z, y: (softmax(z) - y) * _sigmoid_slope(softmax(z)),
                "with only the diagonal p (1 - p) of the softmax's Jacobian",
                "The Jacobian is diag(p) - p p^T.",
            ),
            Wrong(
                "activation-missing",
                lambda z, y: softmax(z) - y,
                "without the softmax's Jacobian",
                "Multiply by diag(p) - p p^T.",
            ),
        ),
    ),
    Output(
        "logistic loss of labels -1 and 1",
        lambda z, y: -y * expit(-y * z),
        (
            Wrong("label-missing", lambda z, y: -expit(-y * z), "without the label y in front", "Multiply by y."),
            Wrong("link-missing", lambda z, y: -y, "without the factor s(-y z)", "The error is -y s(-y z)."),
            Wrong(
                "margin-sign",
                lambda z, y: -y * expit(y * z),
                "with s(y z) in place of s(-y z)",
                "The error is -y s(-y z): it vanishes where the margin y z is large.",
            ),
        ),
    ),
    Output(
        "hinge loss",
        lambda z, y: -y * (y * z < 1.0),
        (
            Wrong(
                "indicator-missing", lambda z, y: -y, "without the condition y z < 1", "The error is -y where y z < 1."
            ),
            Wrong("label-missing", lambda z, y: -1.0 * (y * z < 1.0), "without the label y in front", "Multiply by y."),
            Wrong(
                "indicator-other",
                lambda z, y: -y * (y * z < 0.0),
                "with y z < 0, the perceptron's condition, in place of y z < 1",
                "The hinge is active up to the margin 1.",
            ),
        ),
    ),
    Output(
        "squared hinge loss",
        lambda z, y: -2.0 * y * np.maximum(0.0, 1.0 - y * z),
        (
            Wrong(
                "other-loss",
                lambda z, y: -y * (y * z < 1.0),
                "with the error of the hinge loss in place of that of its square",
                "The error is -2 y max(0, 1 - y z).",
            ),
            Wrong(
                "label-missing",
                lambda z, y: -2.0 * np.maximum(0.0, 1.0 - y * z),
                "without the label y in front",
                "Multiply by y.",
            ),
        ),
    ),
    Output(
        "Poisson loss of a logarithmic link",
        lambda z, y: np.exp(z) - y,
        (
            Wrong(
                "link-missing",
                lambda z, y: z - y,
                "with the score z in place of the mean e^z",
                "The error is e^z - y.",
            ),
            Wrong(
                "activation-missing",
                lambda z, y: 1.0 - y * np.exp(-z),
                "without the factor e^z, the mean's derivative",
                "The error is e^z - y.",
            ),
        ),
    ),
)


def _softmax_back(z: Array, back: Array) -> Array:
    p = softmax(z)
    pulled: Array = p * (back - (back * p).sum(axis=1, keepdims=True))
    return pulled


OTHER_LOSSES: tuple[tuple[str, Error], ...] = (
    ("squared", lambda z, y: 2.0 * (z - y)),
    ("absolute", lambda z, y: np.sign(z - y)),
    ("Cauchy", lambda z, y: (z - y) / (1.0 + (z - y) ** 2)),
    ("Huber (threshold 1)", lambda z, y: np.clip(z - y, -1.0, 1.0)),
    ("log-cosh", lambda z, y: np.tanh(z - y)),
    ("logistic", lambda z, y: expit(z) - y),
)
