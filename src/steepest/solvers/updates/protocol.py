"""What every update rule offers."""

from numbers import Real
from typing import Protocol, runtime_checkable

from steepest.exceptions import InvalidInputError
from steepest.typing import Array

State = tuple[Array, ...]


@runtime_checkable
class Update(Protocol):
    """Turns a gradient into a change of the parameters, remembering what it needs in an explicit state.

    An update rule is a frozen dataclass of its hyperparameters; all that changes is in ``state``. A rule whose steps do
    not scale with the gradient has a class attribute ``usual_rate``, the learning rate to begin with.
    """

    def start(self, theta: Array) -> State:
        """Return the state before the first step."""

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return ``(theta_{t+1} - theta_t, next state)`` for step ``t`` = 1, 2, ..."""

    def stable_rate(self, curvature: float) -> float:
        """Return the largest learning rate that is stable on a quadratic of this curvature; NaN if not known."""


def check_fraction(name: str, value: float) -> None:
    """Refuse a share of the past that is not in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 <= value < 1.0:
        raise InvalidInputError(f"{name}={value!r}: must be at least 0 and below 1")
