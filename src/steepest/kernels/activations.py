"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``), in place on a stretch of a flat buffer.
Derivatives are written with the value H = f(z) alone, so that the score z need not be kept. The first use of any twin
compiles all of them: only the common activations have one.
"""

from steepest.kernels.compile import compiled
from steepest.kernels.logistic import exponentials
from steepest.typing import Array, IntArray

IDENTITY, RELU, SIGMOID, TANH = range(4)


@compiled
def relu(z: Array, start: int, stop: int) -> None:
    """``z = max(z, 0)``."""
    zero = z.dtype.type(0)
    for i in range(start, stop):
        z[i] = max(z[i], zero)


@compiled
def sigmoid(z: Array, start: int, stop: int, e: Array, bits: IntArray) -> None:
    """``z = 1 / (1 + e^-z)``, from ``e = e^-|z|``, which never overflows; ``e`` and ``bits`` are buffers."""
    one = z.dtype.type(1)
    for first in range(start, stop, e.size):
        n = min(e.size, stop - first)
        for i in range(n):
            e[i] = -abs(z[first + i])
        exponentials(e, bits, n)
        for i in range(n):
            small = z.dtype.type(e[i])
            z[first + i] = (one if z[first + i] > 0 else small) / (one + small)


@compiled
def tanh(z: Array, start: int, stop: int, e: Array, bits: IntArray) -> None:
    """``z = tanh z = sign(z) (1 - e) / (1 + e)`` with ``e = e^(-2 |z|)``, right to rounding of 1."""
    for first in range(start, stop, e.size):
        n = min(e.size, stop - first)
        for i in range(n):
            e[i] = -2.0 * abs(z[first + i])
        exponentials(e, bits, n)
        for i in range(n):
            size = (1.0 - e[i]) / (1.0 + e[i])
            z[first + i] = size if z[first + i] > 0 else -size


@compiled
def activate(z: Array, start: int, stop: int, activation: int, e: Array, bits: IntArray) -> None:
    """``z = f(z)`` from ``start`` to ``stop``; ``e`` (float64) and ``bits`` (int64) are buffers of one length."""
    if activation == RELU:
        relu(z, start, stop)
    elif activation == SIGMOID:
        sigmoid(z, start, stop, e, bits)
    elif activation == TANH:
        tanh(z, start, stop, e, bits)


@compiled
def pull_back(work: Array, d: int, h: int, n: int, activation: int) -> None:
    """``H = dH f'(Z)`` in place of the value: ``dH`` begins at ``d``, H at ``h``, both are n long.

    The slopes are 1 or 0 for the ReLU, ``h (1 - h)`` for the sigmoid, ``1 - h^2`` for tanh.
    """
    zero, one = work.dtype.type(0), work.dtype.type(1)
    if activation == RELU:
        for i in range(n):
            work[h + i] = work[d + i] if work[h + i] > 0 else zero
    elif activation == SIGMOID:
        for i in range(n):
            work[h + i] = work[d + i] * (work[h + i] - work[h + i] * work[h + i])
    elif activation == TANH:
        for i in range(n):
            work[h + i] = work[d + i] * (one - work[h + i] * work[h + i])
    else:
        for i in range(n):
            work[h + i] = work[d + i]
