"""Exponentials without branches, which run in SIMD lanes in either precision."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.compile import compiled
from steepest.kernels.procedures import as_in
from steepest.kernels.vectors import inlined

LOG2_E = 1.0 / math.log(2.0)
LN_2 = math.log(2.0)


@inlined
def _two_to(_typing: Any, k: Any) -> tuple[Any, Callable[..., Any]]:
    """Return ``2^k`` for an integer k of a normal number; reference: ``2.0**k``. Its exponent bits are k + bias."""
    bits, mantissa, bias = (32, 23, 127) if k == types.float32 else (64, 52, 1023)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        whole = ir.IntType(bits)
        exponent = builder.add(builder.fptosi(arguments[0], whole), whole(bias))
        return builder.bitcast(builder.shl(exponent, whole(mantissa)), arguments[0].type)

    return k(k), generate


@inlined
def _lowest(_typing: Any, x: Any) -> tuple[Any, Callable[..., Any]]:
    """Return about the lowest x whose ``e^x`` is a normal number, in the precision of x."""
    limit = -87.0 if x == types.float32 else -708.0

    def generate(_context: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
        return ir.Constant(arguments[0].type, limit)

    return x(x), generate


@compiled
def fraction(x: Any) -> Any:
    r"""Return a and b with ``e^x = a / b`` for x <= 0, in the precision of x; reference: ``numpy.exp``.

    With k the integer nearest to ``x / log 2`` and r = x - k log 2, so that ``|r| <= (log 2) / 2 < 0.3466``, and the
    Padé approximant of order [6/6]::

        e^x = 2^k e^r,    e^r = (p + q) / (p - q) (1 + error),    |error| < 0.3466^13 (6!)^2 / (12! 13!) < 1e-18
        p = 1 + 5/44 r^2 + 1/792 r^4 + 1/665280 r^6,    q = r (1/2 + 1/66 r^2 + 1/15840 r^4)

    Whoever needs ``1 / (1 + e^x) = b / (a + b)`` or ``tanh`` divides but once, and ``b - a = 2 q`` loses no digit where
    x is small. The rounding of log 2 adds a relative error of ``|x| 2^-54`` (``2^-28`` in single precision). Below the
    lowest x of a normal ``e^x``, that one is taken.
    """
    low = _lowest(x)
    x = low if x < low else x  # in this order NaN stays
    k = np.rint(x * as_in(x, LOG2_E))
    r = x - k * as_in(x, LN_2)
    s = r * r
    p = as_in(x, 1.0) + s * (as_in(x, 5.0 / 44.0) + s * (as_in(x, 1.0 / 792.0) + s * as_in(x, 1.0 / 665280.0)))
    q = r * (as_in(x, 0.5) + s * (as_in(x, 1.0 / 66.0) + s * as_in(x, 1.0 / 15840.0)))
    return _two_to(k) * (p + q), p - q
