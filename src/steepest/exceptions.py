"""The error tree: every error that steepest raises on purpose; and how it warns."""

import sys
import warnings
from typing import Any

_PASSED_THROUGH = ("steepest", "sklearn", "joblib")  # which call each other on the way from the user to a warning


class SteepestError(Exception):
    """Root of the tree."""


class InvalidInputError(SteepestError, ValueError):
    """An argument or data that cannot be used; the text says what was given, what is allowed, what to do."""


class DivergenceError(SteepestError, ArithmeticError):
    """A run whose objective grew without bound.

    Attributes
    ----------
    result : steepest.solvers.result.Result
        What the run had reached, with its trace.
    """

    def __init__(self, message: str, result: Any = None) -> None:
        super().__init__(message)
        self.result = result


class FileFormatError(SteepestError, ValueError):
    """A file that is damaged, hostile, or not what its name promises."""


class MissingDependencyError(SteepestError, ImportError):
    """An optional library is needed; the text names the extra that installs it."""


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, with the line of the user's own code that led here: outside of this library and what calls it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PASSED_THROUGH:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
