"""The error tree: every error that steepest raises on purpose."""

from typing import Any


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
