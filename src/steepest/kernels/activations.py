"""Elementwise activations and their derivatives, compiled.

Twins of the classes in ``layers.activations`` (``value`` and ``derivative``), in place, as procedures of one form::

    value(z, n, setting, slopes)             z = f(z), entry by entry
    pull_back(d, h, n, setting, slopes)      dZ = dH f'(Z) in the place of dH, for the values H = f(Z)

Most derivatives can be written with the value alone, so that the score z need not be kept; the others are computed
beside the value and kept in ``slopes``. ``setting`` are four numbers: a, b, low, high of the line ``a (z + b)`` clipped
to [low, high] (the ReLU is one), or first the slope of the leaky ReLU or ELU's alpha.
"""

import math
from typing import NamedTuple

from steepest.kernels.exponential import fraction
from steepest.kernels.procedures import Numbers, Procedure, Reals, as_in, procedure

ROOT_HALF = math.sqrt(0.5)
DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


class Activation(NamedTuple):
    """An activation as two procedures; ``keeps_slope`` if its slope is no function of the value."""

    value: Procedure
    pull_back: Procedure
    keeps_slope: bool = False


@procedure
def line(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Take ``a (z + b)``, clipped to [low, high]."""
    a, b, low, high = as_in(z, setting[0]), as_in(z, setting[1]), as_in(z, setting[2]), as_in(z, setting[3])
    for i in range(n):
        z[i] = min(max(a * (z[i] + b), low), high)


@procedure
def line_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope a within the limits, 0 beyond."""
    a, low, high, zero = as_in(h, setting[0]), as_in(h, setting[2]), as_in(h, setting[3]), as_in(h, 0.0)
    for i in range(n):
        value = a * d[i]
        d[i] = value if (low < h[i]) & (h[i] < high) else zero


@procedure
def leaky(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``z`` for z > 0, else a share of it."""
    share = as_in(z, setting[0])
    for i in range(n):
        z[i] = z[i] if z[i] > 0 else share * z[i]


@procedure
def leaky_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope 1 for z > 0, else the share."""
    share, one = as_in(h, setting[0]), as_in(h, 1.0)
    for i in range(n):
        d[i] *= one if h[i] > 0 else share


@procedure
def elu(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``z`` for z > 0, else ``alpha (e^z - 1)``."""
    for i in range(n):
        z[i] = z[i] if z[i] > 0 else as_in(z, setting[0] * math.expm1(float(z[i])))


@procedure
def elu_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope 1 for z > 0, else ``alpha e^z = H + alpha``."""
    alpha, one = as_in(h, setting[0]), as_in(h, 1.0)
    for i in range(n):
        d[i] *= one if h[i] > 0 else h[i] + alpha


@procedure
def sigmoid(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``1 / (1 + e^-z)``: with ``e^-|z| = a / b`` it is ``b / (a + b)`` for z > 0 and ``a / (a + b)`` otherwise."""
    for i in range(n):
        a, b = fraction(-abs(z[i]))
        z[i] = (b if z[i] > 0 else a) / (a + b)


@procedure
def sigmoid_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope ``H (1 - H)``."""
    for i in range(n):
        d[i] *= h[i] - h[i] * h[i]


@procedure
def tanh(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``tanh z``: with ``e^(-2 |z|) = a / b``, ``|tanh z| = (1 - a / b) / (1 + a / b) = (b - a) / (b + a)``."""
    minus_two = as_in(z, -2.0)
    for i in range(n):
        a, b = fraction(minus_two * abs(z[i]))
        size = (b - a) / (b + a)
        z[i] = size if z[i] > 0 else -size


@procedure
def tanh_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope ``1 - H^2``."""
    one = as_in(h, 1.0)
    for i in range(n):
        d[i] *= one - h[i] * h[i]


@procedure
def softplus(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``log(1 + e^z)``, where ``e^-|z|`` is at most 1."""
    for i in range(n):
        x = float(z[i])
        z[i] = as_in(z, max(x, 0.0) + math.log1p(math.exp(-abs(x))))


@procedure
def softplus_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slope ``1 - e^-H``."""
    for i in range(n):
        d[i] *= as_in(d, -math.expm1(-float(h[i])))


@procedure
def silu(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``z s`` for the sigmoid s, with the slope ``s + z s (1 - s)``."""
    for i in range(n):
        x = float(z[i])
        e = math.exp(-abs(x))
        s = (1.0 if x > 0 else e) / (1.0 + e)
        z[i], slopes[i] = as_in(z, x * s), as_in(z, s + x * s * (1.0 - s))


@procedure
def gelu(z: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """``z F(z)`` for the normal distribution F, with the slope ``F(z) + z F'(z)``."""
    for i in range(n):
        x = float(z[i])
        normal = 0.5 * math.erfc(-ROOT_HALF * x)
        z[i], slopes[i] = as_in(z, x * normal), as_in(z, normal + x * DENSITY_AT_0 * math.exp(-0.5 * x * x))


@procedure
def kept_back(d: Numbers, h: Numbers, n: int, setting: Reals, slopes: Numbers) -> None:
    """Slopes that were kept."""
    for i in range(n):
        d[i] *= slopes[i]


LINE = Activation(line, line_back)
LEAKY = Activation(leaky, leaky_back)
ELU = Activation(elu, elu_back)
SIGMOID = Activation(sigmoid, sigmoid_back)
TANH = Activation(tanh, tanh_back)
SOFTPLUS = Activation(softplus, softplus_back)
SILU = Activation(silu, kept_back, keeps_slope=True)
GELU = Activation(gelu, kept_back, keeps_slope=True)
