"""A disputed digit settled by arithmetic with 60 digits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from steepest.checking.problem import Problem
from steepest.checking.report import BlockReport
from steepest.exceptions import MissingDependencyError
from steepest.typing import Array

__all__ = ["certified_derivative", "certify_entry"]

DIGITS = 60


def certify_entry(problem: Problem, points: Sequence[Sequence[Array]], block: BlockReport) -> BlockReport:
    """Add the certified derivative to the worst entry of ``block``, if the value can be computed that way."""
    if block.worst is None:
        return block
    i = problem.structure.names.index(block.name)
    try:
        digits = certified_derivative(problem, points[block.worst.point], i, block.worst.index)
    except (TypeError, AttributeError, ValueError):
        digits = "not available: the value uses an operation without an exact counterpart"
    return replace(block, worst=replace(block.worst, certified=digits))


def certified_derivative(problem: Problem, blocks: Sequence[Array], i: int, index: tuple[int, ...]) -> str:
    """Return the derivative in one entry as a string of 30 digits.

    Notes
    -----
    The value is evaluated on arrays of 60-digit numbers. The central difference with h = 1e-18 errs by
    h^2 f'''/6 ~ 1e-37 and by rounding 1e-60 / h = 1e-42.
    """
    try:
        import mpmath
    except ImportError as error:
        raise MissingDependencyError("certify=True needs mpmath: pip install 'steepest[mpmath]'") from error
    from steepest.foundations.high_precision import exact_array

    with mpmath.workdps(DIGITS):
        h = mpmath.mpf(10) ** -18
        data = {
            name: exact_array(part) if isinstance(part, np.ndarray) and part.dtype.kind == "f" else part
            for name, part in problem.precise_data.items()
        }

        def at(shift: Any) -> Any:
            exact = [exact_array(block) for block in blocks]
            exact[i][index] = exact[i][index] + shift
            result = problem.value(exact, data)
            return np.asarray(result, dtype=object).reshape(()).item()

        return str(mpmath.nstr(((at(h) - at(-h)) / (2 * h)).number, 30))
