"""Derivatives of the operations that act entry by entry, with respect to each argument."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

__all__ = ["SLOPES"]


def _smaller(a: Any, b: Any, y: Any) -> Any:
    return np.where(a < b, 1.0, np.where(a == b, 0.5, 0.0))


def _larger(a: Any, b: Any, y: Any) -> Any:
    return np.where(a > b, 1.0, np.where(a == b, 0.5, 0.0))


def _base(a: Any, b: Any, y: Any) -> Any:
    return b * np.power(a, np.where(b == 0, 1.0, b - 1.0)) * (np.asarray(b) != 0)


# name of the ufunc -> derivative with respect to each argument, as a function of the arguments and the value
SLOPES: dict[str, tuple[Callable[..., Any], ...]] = {
    "positive": (lambda a, y: 1.0,),
    "conjugate": (lambda a, y: 1.0,),
    "negative": (lambda a, y: -1.0,),
    "add": (lambda a, b, y: 1.0, lambda a, b, y: 1.0),
    "subtract": (lambda a, b, y: 1.0, lambda a, b, y: -1.0),
    "multiply": (lambda a, b, y: b, lambda a, b, y: a),
    "divide": (lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b),
    "remainder": (lambda a, b, y: 1.0, lambda a, b, y: -np.floor(a / b)),
    "power": (_base, lambda a, b, y: y * np.log(np.where(a > 0, a, 1.0))),
    "float_power": (_base, lambda a, b, y: y * np.log(np.where(a > 0, a, 1.0))),
    "square": (lambda a, y: 2.0 * a,),
    "sqrt": (lambda a, y: 0.5 / y,),
    "cbrt": (lambda a, y: y / (3.0 * a),),
    "reciprocal": (lambda a, y: -y * y,),
    "exp": (lambda a, y: y,),
    "exp2": (lambda a, y: y * np.log(2.0),),
    "expm1": (lambda a, y: y + 1.0,),
    "log": (lambda a, y: 1.0 / a,),
    "log2": (lambda a, y: 1.0 / (a * np.log(2.0)),),
    "log10": (lambda a, y: 1.0 / (a * np.log(10.0)),),
    "log1p": (lambda a, y: 1.0 / (1.0 + a),),
    "sin": (lambda a, y: np.cos(a),),
    "cos": (lambda a, y: -np.sin(a),),
    "tan": (lambda a, y: 1.0 + y * y,),
    "arcsin": (lambda a, y: 1.0 / np.sqrt(1.0 - a * a),),
    "arccos": (lambda a, y: -1.0 / np.sqrt(1.0 - a * a),),
    "arctan": (lambda a, y: 1.0 / (1.0 + a * a),),
    "sinh": (lambda a, y: np.cosh(a),),
    "cosh": (lambda a, y: np.sinh(a),),
    "tanh": (lambda a, y: 1.0 - y * y,),
    "absolute": (lambda a, y: np.sign(a),),
    "fabs": (lambda a, y: np.sign(a),),
    "maximum": (_larger, lambda a, b, y: _larger(b, a, y)),
    "minimum": (_smaller, lambda a, b, y: _smaller(b, a, y)),
    "fmax": (_larger, lambda a, b, y: _larger(b, a, y)),
    "fmin": (_smaller, lambda a, b, y: _smaller(b, a, y)),
    "hypot": (lambda a, b, y: a / y, lambda a, b, y: b / y),
    "arctan2": (lambda a, b, y: b / (a * a + b * b), lambda a, b, y: -a / (a * a + b * b)),
    "logaddexp": (lambda a, b, y: np.exp(a - y), lambda a, b, y: np.exp(b - y)),
    "expit": (lambda a, y: y * (1.0 - y),),
    "log_expit": (lambda a, y: expit(-a),),
    "erf": (lambda a, y: 2.0 / np.sqrt(np.pi) * np.exp(-a * a),),
    "xlogy": (lambda a, b, y: np.log(b), lambda a, b, y: a / b),
}
