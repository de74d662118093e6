"""Where a gradient is checked: the given point and random ones on its scale."""

from collections.abc import Sequence

import numpy as np

from steepest.checking.problem import Problem
from steepest.checking.reference import OUTSIDE, width_of
from steepest.typing import Array

__all__ = ["draw_near", "draw_points"]

SHRINKING = (1.0, 0.3, 0.1, 0.03, 0.01, 0.001)


def draw_points(problem: Problem, count: int, rng: np.random.Generator) -> list[list[Array]]:
    """Return ``count`` random points at which the value is finite, fewer where none can be found.

    Every entry moves by about its own size (that of its block where it is zero, 1 where all are). Outside
    the domain (the logarithm of a negative number, an overflow, a matrix that is not positive definite) the
    move is made smaller.
    """
    start = [np.asarray(block, dtype=np.float64) for block in problem.structure.blocks]
    here = abs(float(problem.value(start)))
    points = []
    for _ in range(count):
        for size in SHRINKING:
            point = draw_near(problem, start, size, rng)
            value = _value_or_nan(problem, point)
            if np.isfinite(value) and abs(value) <= 1e10 * (1.0 + here):
                points.append(point)
                break
    return points


def _value_or_nan(problem: Problem, point: Sequence[Array]) -> float:
    try:
        return float(problem.value(point))
    except OUTSIDE:
        return float("nan")


def draw_near(problem: Problem, start: Sequence[Array], size: float, rng: np.random.Generator) -> list[Array]:
    """One random point around ``start``, exactly representable in the type of the parameters."""
    moved: list[Array] = []
    for block, given in zip(start, problem.structure.blocks, strict=True):
        step = size * width_of(block) * rng.standard_normal(block.shape)
        moved.append(np.asarray((block + step).astype(given.dtype), dtype=np.float64))
    return moved
