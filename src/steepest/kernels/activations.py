"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``). Derivatives are written with the value
H = f(z) alone, so that the score z need not be kept. The first use of any twin compiles all of them: only the common
activations have one.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.logistic import exponentials
from steepest.typing import Array, IntArray

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
def sigmoid(z: Array, e: Array, bits: IntArray) -> None:
    """``z = 1 / (1 + e^-z)``, from ``e = e^-|z|``, which never overflows; ``e`` and ``bits`` are buffers."""
    one = z.dtype.type(1)
    for start in range(0, z.size, e.size):
        n = min(e.size, z.size - start)
        for i in range(n):
            e[i] = -abs(z[start + i])
        exponentials(e, bits, n)
        for i in range(n):
            small = z.dtype.type(e[i])
            z[start + i] = (one if z[start + i] > 0 else small) / (one + small)


@compiled
def sigmoid_chain(d: Array, h: Array) -> None:
    """``h = d h (1 - h)``."""
    for i in range(h.size):
        h[i] = d[i] * (h[i] - h[i] * h[i])


@compiled
def tanh(z: Array, e: Array, bits: IntArray) -> None:
    """``z = tanh z = sign(z) (1 - e) / (1 + e)`` with ``e = e^(-2 |z|)``, right to rounding of 1."""
    for start in range(0, z.size, e.size):
        n = min(e.size, z.size - start)
        for i in range(n):
            e[i] = -2.0 * abs(z[start + i])
        exponentials(e, bits, n)
        for i in range(n):
            size = (1.0 - e[i]) / (1.0 + e[i])
            z[start + i] = size if z[start + i] > 0 else -size


@compiled
def tanh_chain(d: Array, h: Array) -> None:
    """``h = d (1 - h^2)``."""
    one = h.dtype.type(1)
    for i in range(h.size):
        h[i] = d[i] * (one - h[i] * h[i])


@compiled
def activate(Z: Array, activation: int, e: Array, bits: IntArray) -> None:
    """``Z = f(Z)`` in place; ``e`` (float64) and ``bits`` (int64) are buffers of one length."""
    z = Z.reshape(Z.size)
    if activation == RELU:
        relu(z)
    elif activation == SIGMOID:
        sigmoid(z, e, bits)
    elif activation == TANH:
        tanh(z, e, bits)


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
