"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``), in place on a stretch of a flat buffer.
Most derivatives can be written with the value H = f(z) alone, so that the score z need not be kept; the others are
computed beside the value and kept in its place. One pass of exponentials serves all that need them.
"""

import math
from typing import Any

from steepest.kernels.compile import compiled
from steepest.kernels.logistic import exponentials
from steepest.typing import Array, IntArray

IDENTITY, LINE, LEAKY, ELU, SIGMOID, TANH, SOFTPLUS, SILU, GELU = range(9)
KEEPS_SLOPE = SILU  # from this one on, the slope is no function of the value
ROOT_HALF = math.sqrt(0.5)
DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


@compiled
def activate(z: Array, activation: int, setting: Array, slopes: Array, e: Array, bits: IntArray) -> None:
    """``z = f(z)``, entry by entry.

    ``setting`` are four numbers: a, b, low, high of the line ``a (z + b)`` clipped to [low, high] (the ReLU is one), or
    first the slope of the leaky ReLU or ELU's alpha. ``slopes`` takes f'(z) where it has to be kept; ``e`` (float64)
    and ``bits`` (int64) are buffers of one length.
    """
    first, second = z.dtype.type(setting[0]), z.dtype.type(setting[1])
    if activation == LINE:
        low, high = z.dtype.type(setting[2]), z.dtype.type(setting[3])
        for i in range(z.size):
            z[i] = min(max(first * (z[i] + second), low), high)
    elif activation == LEAKY:
        for i in range(z.size):
            z[i] = z[i] if z[i] > 0 else first * z[i]
    elif activation >= ELU:
        for at in range(0, z.size, e.size):
            curve(z[at : at + e.size], activation, setting[0], slopes[at : at + e.size], e, bits)


@compiled
def curve(z: Array, activation: int, alpha: float, slopes: Array, e: Array, bits: IntArray) -> None:
    """``z = f(z)`` by ``e = e^-|z|`` (``e^(-2 |z|)`` for tanh), which cannot overflow.

    With it the sigmoid is 1 / (1 + e) or e / (1 + e), by the sign of z; ``|tanh z| = (1 - e) / (1 + e)``, right to
    rounding of 1; ``log(1 + e^z) = max(z, 0) + log(1 + e)``.
    """
    factor = -2.0 if activation == TANH else -1.0
    for i in range(z.size):
        e[i] = factor * abs(z[i])
    if activation != ELU and activation != GELU:
        exponentials(e, bits, z.size)
    if activation == TANH:
        for i in range(z.size):
            size = (1.0 - e[i]) / (1.0 + e[i])
            z[i] = size if z[i] > 0 else -size
    elif activation == SIGMOID:
        for i in range(z.size):
            z[i] = (1.0 if z[i] > 0 else e[i]) / (1.0 + e[i])
    else:
        for i in range(z.size):
            z[i], slope = value_and_slope(float(z[i]), e[i], activation, alpha)
            if activation >= KEEPS_SLOPE:
                slopes[i] = slope


@compiled
def value_and_slope(z: float, e: float, activation: int, alpha: float) -> Any:
    """Return f(z) and, where it is kept, f'(z) of an activation that runs entry by entry; ``e = e^-|z|``."""
    if activation == ELU:
        return (z if z > 0 else alpha * math.expm1(z)), 0.0
    if activation == SOFTPLUS:
        return max(z, 0.0) + math.log1p(e), 0.0
    if activation == SILU:
        s = (1.0 if z > 0 else e) / (1.0 + e)
        return z * s, s + z * s * (1.0 - s)
    normal = 0.5 * math.erfc(-ROOT_HALF * z)
    return z * normal, normal + z * DENSITY_AT_0 * math.exp(-0.5 * z * z)


@compiled
def pull_back(d: Array, h: Array, activation: int, setting: Array, slopes: Array) -> None:
    """``dZ = dH f'(Z)`` in place of the value H: ``d`` holds dH, ``h`` the value and then dZ.

    The slopes are a within the limits of a line, 0 beyond; 1 or the setting for the leaky ReLU, 1 or H + alpha for ELU.
    """
    number = h.dtype.type
    zero, one, first = number(0), number(1), number(setting[0])
    if activation == LINE:
        low, high = number(setting[2]), number(setting[3])
        for i in range(h.size):
            h[i] = first * d[i] if low < h[i] < high else zero
    elif activation == LEAKY:
        for i in range(h.size):
            h[i] = d[i] if h[i] > 0 else first * d[i]
    elif activation == ELU:
        for i in range(h.size):
            h[i] = d[i] * (one if h[i] > 0 else h[i] + first)
    elif activation == IDENTITY:
        for i in range(h.size):
            h[i] = d[i]
    else:
        pull_back_curve(d, h, activation, slopes)


@compiled
def pull_back_curve(d: Array, h: Array, activation: int, slopes: Array) -> None:
    """Do as ``pull_back`` for H (1 - H) (the sigmoid), 1 - H^2 (tanh), 1 - e^-H (the softplus), and kept slopes."""
    one = h.dtype.type(1)
    if activation == SIGMOID:
        for i in range(h.size):
            h[i] = d[i] * (h[i] - h[i] * h[i])
    elif activation == TANH:
        for i in range(h.size):
            h[i] = d[i] * (one - h[i] * h[i])
    elif activation == SOFTPLUS:
        for i in range(h.size):
            h[i] = d[i] * -math.expm1(-h[i])
    else:
        for i in range(h.size):
            h[i] = d[i] * slopes[i]
