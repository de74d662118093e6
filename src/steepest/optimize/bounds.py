"""Bounds on parameters, in the forms users write them."""

from math import inf
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array


def check_bounds(bounds: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the lowest and the highest allowed ``x`` of this shape.

    Parameters
    ----------
    bounds : pair, sequence of pairs, or an object with ``lb`` and ``ub``
        ``(low, high)`` for all coordinates alike, or one such pair a coordinate, in C order; None for no bound.
    shape : tuple of int
        The shape of ``x``.

    Examples
    --------
    >>> check_bounds([(0, 1), (None, 5)], (2,))
    (array([  0., -inf]), array([1., 5.]))
    """
    size = int(np.prod(shape))
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        bounds = list(zip(np.broadcast_to(bounds.lb, size), np.broadcast_to(bounds.ub, size), strict=True))
    pairs = _pairs(bounds)
    if len(pairs) not in (1, size):
        raise InvalidInputError(
            f"bounds: {len(pairs)} pairs for {size} parameters: give one pair (low, high) for all, or {size} of them"
        )
    low, high = np.broadcast_to(pairs, (size, 2)).T
    wrong = np.flatnonzero(~(low <= high))
    if wrong.size:
        j = int(wrong[0])
        raise InvalidInputError(f"bounds of parameter {j} are ({low[j]}, {high[j]}): low must not exceed high")
    return low.reshape(shape).copy(), high.reshape(shape).copy()


def _pairs(bounds: Any) -> Array:
    """Return the pairs as numbers (m, 2), None being no bound."""
    try:
        rows = list(bounds)
        if len(rows) == 2 and all(np.ndim(value) == 0 for value in rows):
            rows = [rows]
        numbers = [[-inf if low is None else float(low), inf if high is None else float(high)] for low, high in rows]
        return np.array(numbers).reshape(-1, 2)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"bounds={bounds!r}: must be a pair (low, high), or one pair a parameter; None is no bound"
        ) from None
