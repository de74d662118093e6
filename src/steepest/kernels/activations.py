"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``). Derivatives are written with the value
H = f(z) alone, so that the score z need not be kept; activations for which that is impossible have no twin here.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array

IDENTITY, RELU, LEAKY_RELU, ELU, SIGMOID, TANH, SOFTPLUS, HARD_SIGMOID, HARD_TANH = range(9)


@compiled
def relu(z: Array, setting: Any) -> None:
    """``z = max(z, 0)``."""
    zero = z.dtype.type(0)
    for i in range(z.size):
        z[i] = max(z[i], zero)


@compiled
def relu_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d`` where ``h > 0``, else 0."""
    zero = h.dtype.type(0)
    for i in range(h.size):
        h[i] = d[i] if h[i] > 0 else zero


@compiled
def leaky_relu(z: Array, setting: Any) -> None:
    """``z = z`` where positive, else ``setting z``."""
    for i in range(z.size):
        z[i] = z[i] if z[i] > 0 else setting * z[i]


@compiled
def leaky_relu_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d`` where ``h > 0``, else ``setting d``."""
    for i in range(h.size):
        h[i] = d[i] if h[i] > 0 else setting * d[i]


@compiled
def elu(z: Array, setting: Any) -> None:
    """``z = z`` where positive, else ``setting (e^z - 1)``."""
    for i in range(z.size):
        z[i] = z[i] if z[i] > 0 else setting * np.expm1(z[i])


@compiled
def elu_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d`` where ``h > 0``, else ``d (h + setting)``, as ``setting e^z = h + setting``."""
    for i in range(h.size):
        h[i] = d[i] if h[i] > 0 else d[i] * (h[i] + setting)


@compiled
def sigmoid(z: Array, setting: Any) -> None:
    """``z = 1 / (1 + e^-z)``."""
    one = z.dtype.type(1)
    for i in range(z.size):
        z[i] = one / (one + np.exp(-z[i]))


@compiled
def sigmoid_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d h (1 - h)``."""
    for i in range(h.size):
        h[i] = d[i] * (h[i] - h[i] * h[i])


@compiled
def tanh(z: Array, setting: Any) -> None:
    """``z = tanh z``."""
    for i in range(z.size):
        z[i] = np.tanh(z[i])


@compiled
def tanh_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d (1 - h^2)``."""
    one = h.dtype.type(1)
    for i in range(h.size):
        h[i] = d[i] * (one - h[i] * h[i])


@compiled
def softplus(z: Array, setting: Any) -> None:
    """``z = log(1 + e^z)``, as ``max(z, 0) + log(1 + e^-|z|)``."""
    zero = z.dtype.type(0)
    for i in range(z.size):
        z[i] = max(z[i], zero) + np.log1p(np.exp(-abs(z[i])))


@compiled
def softplus_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d (1 - e^-h)``, the sigmoid of ``z = log(e^h - 1)``."""
    for i in range(h.size):
        h[i] = -d[i] * np.expm1(-h[i])


@compiled
def hard_sigmoid(z: Array, setting: Any) -> None:
    """``z = z / 6 + 1/2`` clipped to [0, 1]."""
    zero, one, sixth = z.dtype.type(0), z.dtype.type(1), z.dtype.type(1 / 6)
    for i in range(z.size):
        z[i] = min(max((z[i] + 3) * sixth, zero), one)


@compiled
def hard_sigmoid_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d / 6`` inside (0, 1), else 0."""
    zero = h.dtype.type(0)
    for i in range(h.size):
        h[i] = d[i] / 6 if 0 < h[i] < 1 else zero


@compiled
def hard_tanh(z: Array, setting: Any) -> None:
    """``z = z`` clipped to [-1, 1]."""
    one = z.dtype.type(1)
    for i in range(z.size):
        z[i] = min(max(z[i], -one), one)


@compiled
def hard_tanh_chain(d: Array, h: Array, setting: Any) -> None:
    """``h = d`` inside (-1, 1), else 0."""
    zero = h.dtype.type(0)
    for i in range(h.size):
        h[i] = d[i] if -1 < h[i] < 1 else zero


@compiled
def activate(Z: Array, activation: int, setting: Any) -> None:
    """``Z = f(Z)`` in place; ``setting`` is the activation's one number, in Z's precision."""
    z = Z.reshape(Z.size)
    if activation == RELU:
        relu(z, setting)
    elif activation == LEAKY_RELU:
        leaky_relu(z, setting)
    elif activation == ELU:
        elu(z, setting)
    elif activation == SIGMOID:
        sigmoid(z, setting)
    elif activation == TANH:
        tanh(z, setting)
    elif activation == SOFTPLUS:
        softplus(z, setting)
    elif activation == HARD_SIGMOID:
        hard_sigmoid(z, setting)
    elif activation == HARD_TANH:
        hard_tanh(z, setting)


@compiled
def pull_back(dH: Array, H: Array, activation: int, setting: Any) -> None:
    """``H = dH f'(Z)`` in place of the value."""
    d, h = dH.reshape(dH.size), H.reshape(H.size)
    if activation == IDENTITY:
        H[:] = dH
    elif activation == RELU:
        relu_chain(d, h, setting)
    elif activation == LEAKY_RELU:
        leaky_relu_chain(d, h, setting)
    elif activation == ELU:
        elu_chain(d, h, setting)
    elif activation == SIGMOID:
        sigmoid_chain(d, h, setting)
    elif activation == TANH:
        tanh_chain(d, h, setting)
    elif activation == SOFTPLUS:
        softplus_chain(d, h, setting)
    elif activation == HARD_SIGMOID:
        hard_sigmoid_chain(d, h, setting)
    else:
        hard_tanh_chain(d, h, setting)
