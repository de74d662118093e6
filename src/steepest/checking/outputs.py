"""What stands behind the last scores: a loss and a link, recognised from the errors alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from steepest.checking.activations import softmax
from steepest.checking.chain import Chain
from steepest.typing import Array

__all__ = ["Output", "Wrong", "exchanged_slopes", "find_output", "other_errors", "targets_of"]

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
        ),
    ),
)


def _softmax_back(z: Array, back: Array) -> Array:
    p = softmax(z)
    pulled: Array = p * (back - (back * p).sum(axis=1, keepdims=True))
    return pulled


OTHER_LOSSES: tuple[tuple[str, Error], ...] = (
    ("squared", lambda z, y: z - y),
    ("absolute", lambda z, y: np.sign(z - y)),
    ("Cauchy", lambda z, y: (z - y) / (1.0 + (z - y) ** 2)),
    ("Huber (threshold 1)", lambda z, y: np.clip(z - y, -1.0, 1.0)),
    ("log-cosh", lambda z, y: np.tanh(z - y)),
    ("logistic", lambda z, y: expit(z) - y),
)


def other_errors(chain: Chain) -> Iterator[tuple[str, list[Array]]]:
    """Errors at the output under other losses of the same targets, as sums over the samples."""
    last = chain.layers[-1]
    for y in targets_of(chain, last.scores[0].shape):
        for name, error in OTHER_LOSSES:
            yield name, [error(z, y) for z in last.scores]


def exchanged_slopes(errors: list[Array]) -> list[Array] | None:
    """Errors with their two slopes exchanged, if they take one value below zero and one above."""
    below, above = min(float(e.min()) for e in errors), max(float(e.max()) for e in errors)
    for e in errors:
        near = np.minimum(np.abs(e - below), np.abs(e - above))
        if np.max(near) > 1e-9 * (above - below):
            return None
    if not below < 0.0 < above or abs(above + below) <= 1e-9 * above:
        return None
    return [np.where(e > 0.0, -below, -above) for e in errors]


def find_output(chain: Chain) -> tuple[Output, list[Array], list[float]] | None:
    """Output whose error is, up to one constant, that of the chain's last layer; with targets and constants."""
    return chain.scene.remember("output", lambda: _search(chain))  # type: ignore[no-any-return]


def _search(chain: Chain) -> tuple[Output, list[Array], list[float]] | None:
    if not chain.complete:
        return None
    last = chain.layers[-1]
    for y in targets_of(chain, last.scores[0].shape):
        for output in OUTPUTS:
            if "softmax" in output.name and y.shape[1] == 1:
                continue
            with np.errstate(all="ignore"):
                ours = [output.error(z, y) for z in last.scores]
            constant = _constant(ours, last.errors)
            if constant is not None:
                return output, [y for _ in ours], [constant for _ in ours]
    return None


def targets_of(chain: Chain, shape: tuple[int, ...]) -> Iterator[Array]:
    """Row arrays in the shape of the scores; class numbers become indicator rows."""
    n, k = shape
    for name in chain.scene.row_names:
        part = chain.scene.arrays[name]
        if part.size == n * k:
            yield np.asarray(part, dtype=np.float64).reshape(n, k)
        elif part.size == n and k > 1 and np.array_equal(part, part.astype(int)) and 0 <= part.min() <= part.max() < k:
            yield np.eye(k)[part.astype(int).ravel()]


def _constant(ours: list[Array], errors: list[Array]) -> float | None:
    size = sum(float(np.sum(e * e)) for e in ours)
    if not np.isfinite(size) or size == 0.0:
        return None
    constant = sum(float(np.sum(a * b)) for a, b in zip(ours, errors, strict=True)) / size
    for a, b in zip(ours, errors, strict=True):
        if np.max(np.abs(constant * a - b)) > 1e-7 * float(np.max(np.abs(b))):
            return None
    return constant
