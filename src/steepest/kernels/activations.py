"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``), in place on a stretch of a flat buffer.
Most derivatives can be written with the value H = f(z) alone, so that the score z need not be kept; the others are
computed beside the value and kept in its place. Indices are unsigned, or each would be looked at whether it counts
from the end of the buffer.
"""

import math
from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, inlined
from steepest.kernels.exponential import fraction
from steepest.typing import Array

IDENTITY, LINE, LEAKY, ELU, SIGMOID, TANH, SOFTPLUS, SILU, GELU = range(9)
KEEPS_SLOPE = SILU  # from this one on, the slope is no function of the value
ROOT_HALF = math.sqrt(0.5)
DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


@borrowing
def activate(z: Array, start: int, stop: int, activation: int, setting: Array, slopes: Array) -> None:
    """``z = f(z)``, entry by entry from ``start`` to ``stop``.

    ``setting`` are four numbers: a, b, low, high of the line ``a (z + b)`` clipped to [low, high] (the ReLU is one), or
    first the slope of the leaky ReLU or ELU's alpha. ``slopes``, as long as z, takes f'(z) where it has to be kept.
    """
    number = z.dtype.type
    first, second = number(setting[0]), number(setting[1])
    if activation == LINE:
        low, high = number(setting[2]), number(setting[3])
        for i in range(np.uintp(start), np.uintp(stop)):
            z[i] = min(max(first * (z[i] + second), low), high)
    elif activation == LEAKY:
        for i in range(np.uintp(start), np.uintp(stop)):
            z[i] = z[i] if z[i] > 0 else first * z[i]
    elif activation == TANH:
        tanh(z, start, stop)
    elif activation == SIGMOID:
        sigmoid(z, start, stop)
    elif activation != IDENTITY:
        for i in range(np.uintp(start), np.uintp(stop)):
            z[i], slope = value_and_slope(float(z[i]), activation, setting[0])
            if activation >= KEEPS_SLOPE:
                slopes[i] = slope


@inlined
def tanh(z: Array, start: int, stop: int) -> None:
    """``z = tanh z``: with ``e^(-2 |z|) = a / b``, ``|tanh z| = (1 - a / b) / (1 + a / b) = (b - a) / (b + a)``."""
    number = z.dtype.type
    for i in range(np.uintp(start), np.uintp(stop)):
        a, b = fraction(number(-2.0) * abs(z[i]), number)
        size = (b - a) / (b + a)
        z[i] = size if z[i] > 0 else -size


@inlined
def sigmoid(z: Array, start: int, stop: int) -> None:
    """``z = 1 / (1 + e^-z)``: with ``e^-|z| = a / b`` it is ``b / (a + b)`` for z > 0 and ``a / (a + b)`` otherwise."""
    number = z.dtype.type
    for i in range(np.uintp(start), np.uintp(stop)):
        a, b = fraction(-abs(z[i]), number)
        z[i] = (b if z[i] > 0 else a) / (a + b)


@borrowing
def value_and_slope(z: float, activation: int, alpha: float) -> Any:
    """Return f(z) and, where it is kept, f'(z) of an activation that runs entry by entry; ``e^-|z|`` is at most 1."""
    if activation == ELU:
        return (z if z > 0 else alpha * math.expm1(z)), 0.0
    if activation == SOFTPLUS:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z))), 0.0
    if activation == SILU:
        e = math.exp(-abs(z))
        s = (1.0 if z > 0 else e) / (1.0 + e)
        return z * s, s + z * s * (1.0 - s)
    normal = 0.5 * math.erfc(-ROOT_HALF * z)
    return z * normal, normal + z * DENSITY_AT_0 * math.exp(-0.5 * z * z)


@borrowing
def pull_back(
    d: Array, at: int, h: Array, start: int, stop: int, activation: int, setting: Array, slopes: Array
) -> None:
    """``dZ = dH f'(Z)`` in place: dH begins at ``d[at]``, the values H at ``h[start]``.

    The slopes are a within the limits of a line, 0 beyond; 1 or the setting for the leaky ReLU, 1 or H + alpha for ELU.
    """
    number = h.dtype.type
    zero, one, first = number(0), number(1), number(setting[0])
    shift: Any = np.uintp(at - start)
    if activation == LINE:
        low, high = number(setting[2]), number(setting[3])
        for i in range(np.uintp(start), np.uintp(stop)):
            value = first * d[shift + i]
            d[shift + i] = value if (low < h[i]) & (h[i] < high) else zero
    elif activation == LEAKY:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= one if h[i] > 0 else first
    elif activation == ELU:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= one if h[i] > 0 else h[i] + first
    elif activation != IDENTITY:
        pull_back_curve(d, shift, h, start, stop, activation, slopes)


@inlined
def pull_back_curve(d: Array, shift: int, h: Array, start: int, stop: int, activation: int, slopes: Array) -> None:
    """Do as ``pull_back`` for H (1 - H) (the sigmoid), 1 - H^2 (tanh), 1 - e^-H (the softplus), and kept slopes."""
    one = h.dtype.type(1)
    if activation == SIGMOID:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= h[i] - h[i] * h[i]
    elif activation == TANH:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= one - h[i] * h[i]
    elif activation == SOFTPLUS:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= -math.expm1(-h[i])
    else:
        for i in range(np.uintp(start), np.uintp(stop)):
            d[shift + i] *= slopes[i]
