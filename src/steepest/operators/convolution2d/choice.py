"""Which algorithm runs for which shape: one readable rule for each pass."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

from steepest.exceptions import InvalidInputError
from steepest.operators.convolution2d.geometry import Geometry
from steepest.validation import check_choice

Algorithm = Literal["auto", "reference", "direct", "winograd"]
Pass = Literal["forward", "input_gradient", "weight_gradient"]
ALGORITHMS = ("auto", "reference", "direct", "winograd")


def choose(g: Geometry, which: Pass, itemsize: int) -> str:
    """Return the algorithm that is fastest for a shape."""
    return "direct"


def run(which: Pass, algorithm: str, g: Geometry, first: Any, *more: Any) -> Any:
    """Run one pass with the algorithm asked for, or with the fastest."""
    check_choice("algorithm", algorithm, ALGORITHMS)
    if algorithm == "auto":
        algorithm = choose(g, which, first.itemsize)
    module = import_module(f"steepest.operators.convolution2d.{algorithm}")
    fits: Callable[[Geometry], str] | None = getattr(module, "refusal", None)
    if fits is not None and (reason := fits(g)):
        raise InvalidInputError(f"algorithm={algorithm!r}: {reason}; algorithm='direct' takes every shape")
    return getattr(module, which)(first, *more, g)
