"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``). Derivatives are written with the value
H = f(z) alone, so that the score z need not be kept. The first use of any twin compiles all of them: only the common
activations have one.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array

IDENTITY, RELU, SIGMOID, TANH = range(4)


@compiled
def relu(z: Array) -> None:
    """``z = max(z, 0)``."""
    zero = z.dtype.type(0)
    for i in range(z.size):
        z[i] = max(z[i], zero)


@compiled
def relu_chain(d: Array, h: Array) -> None:
    """``h = d`` where ``h > 0``, else 0."""
    zero = h.dtype.type(0)
    for i in range(h.size):
        h[i] = d[i] if h[i] > 0 else zero


@compiled
def sigmoid(z: Array) -> None:
    """``z = 1 / (1 + e^-z)``."""
    one = z.dtype.type(1)
    for i in range(z.size):
        z[i] = one / (one + np.exp(-z[i]))


@compiled
def sigmoid_chain(d: Array, h: Array) -> None:
    """``h = d h (1 - h)``."""
    for i in range(h.size):
        h[i] = d[i] * (h[i] - h[i] * h[i])


@compiled
def tanh(z: Array) -> None:
    """``z = tanh z``."""
    for i in range(z.size):
        z[i] = np.tanh(z[i])


@compiled
def tanh_chain(d: Array, h: Array) -> None:
    """``h = d (1 - h^2)``."""
    one = h.dtype.type(1)
    for i in range(h.size):
        h[i] = d[i] * (one - h[i] * h[i])


@compiled
def activate(Z: Array, activation: int) -> None:
    """``Z = f(Z)`` in place."""
    z = Z.reshape(Z.size)
    if activation == RELU:
        relu(z)
    elif activation == SIGMOID:
        sigmoid(z)
    elif activation == TANH:
        tanh(z)


@compiled
def pull_back(dH: Array, H: Array, activation: int) -> None:
    """``H = dH f'(Z)`` in place of the value."""
    d, h = dH.reshape(dH.size), H.reshape(H.size)
    if activation == RELU:
        relu_chain(d, h)
    elif activation == SIGMOID:
        sigmoid_chain(d, h)
    elif activation == TANH:
        tanh_chain(d, h)
    else:
        for i in range(h.size):
            h[i] = d[i]
