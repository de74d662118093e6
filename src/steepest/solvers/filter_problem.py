"""What the exact filter solvers ask of an objective."""

from typing import Protocol, runtime_checkable

from steepest.solvers.protocols import Objective
from steepest.typing import Array


@runtime_checkable
class FilterProblem(Objective, Protocol):
    """Least squares over a filter of signals and a bias."""

    x: Array
    y: Array
    filter_length: int
    fit_bias: bool
    ridge: float

    @property
    def target(self) -> Array:
        """``[X, 1]^T y``."""

    def start(self) -> Array:
        """Return all zeros."""

    def gram(self) -> Array:
        """Return the first column of the Toeplitz matrix ``X^T X + ridge I``."""

    def matrix(self) -> Array:
        """Return ``[X, 1]``."""

    def product(self, theta: Array) -> Array:
        """Return ``[X, 1] theta``, in the shape of ``y``."""

    def pull_back(self, e: Array) -> Array:
        """Return ``[X, 1]^T e``."""
