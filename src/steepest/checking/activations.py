"""Activations that a network may use, each with its derivative in terms of input and of output."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, expit

from steepest.typing import Array

__all__ = ["ACTIVATIONS", "Activation", "softmax"]

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Activation:
    """``a = value(z)``, ``da/dz = derivative(z)``, the same as ``from_output(a)`` where that is usual."""

    name: str
    value: Function
    derivative: Function
    from_output: Function | None = None


def _normal_density(z: Array) -> Array:
    density: Array = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return density


ACTIVATIONS = (
    Activation("identity", lambda z: z, np.ones_like),
    Activation("relu", lambda z: np.maximum(z, 0.0), lambda z: (z > 0) * 1.0),
    Activation("tanh", np.tanh, lambda z: 1.0 - np.tanh(z) ** 2, lambda a: 1.0 - a * a),
    Activation("sigmoid", expit, lambda z: expit(z) * expit(-z), lambda a: a * (1.0 - a)),
    Activation("softplus", lambda z: np.logaddexp(0.0, z), expit, lambda a: 1.0 - np.exp(-a)),
    Activation("leaky relu", lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    Activation(
        "elu",
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0.0))),
        lambda z: np.exp(np.minimum(z, 0.0)),
        lambda a: np.where(a > 0, 1.0, a + 1.0),
    ),
    Activation("sine", np.sin, np.cos),
    Activation("square", np.square, lambda z: 2.0 * z),
    Activation("silu", lambda z: z * expit(z), lambda z: expit(z) * (1.0 + z * expit(-z))),
    Activation(
        "gelu",
        lambda z: z * 0.5 * (1.0 + erf(z / np.sqrt(2.0))),
        lambda z: 0.5 * (1.0 + erf(z / np.sqrt(2.0))) + z * _normal_density(z),
    ),
)


def softmax(z: Array) -> Array:
    """Exponentials of each row divided by their sum."""
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities
