"""The contract that every value and its derivatives keep, as plain functions that raise AssertionError.

They are functions so that they can be turned on wrong derivatives too: a contract that no mistake breaks is none.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

RNG_SEEDS = range(3)


def slope_along(f: Callable[[np.ndarray], float], x: np.ndarray, direction: np.ndarray) -> float:
    """Fourth-order central difference of ``f`` at ``x`` along ``direction``."""
    h = 1e-3
    one = f(x + h * direction) - f(x - h * direction)
    two = f(x + 2 * h * direction) - f(x - 2 * h * direction)
    return (8 * one - two) / (12 * h)


def assert_gradient(value: Callable[[Any], float], gradient: np.ndarray, x: np.ndarray, rtol: float = 1e-7) -> None:
    """Hold ``gradient`` against numeric slopes: along random directions, then along every coordinate."""
    assert gradient.shape == x.shape
    rng = np.random.default_rng(0)
    random = rng.standard_normal((3, *x.shape))
    coordinates = np.eye(x.size).reshape(x.size, *x.shape)
    for direction in (*random / np.sqrt(x.size), *coordinates):
        numeric, analytic = slope_along(value, x, direction), float(np.sum(gradient * direction))
        scale = max(abs(numeric), float(np.abs(gradient).max()), 1e-3)
        assert abs(numeric - analytic) <= rtol * scale, f"slope {numeric!r}, gradient says {analytic!r}"


def breaks(check: Callable[[], None]) -> bool:
    """Whether ``check`` raises AssertionError."""
    try:
        check()
    except AssertionError:
        return True
    return False
