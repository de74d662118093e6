"""What every update rule offers."""

from typing import Protocol

from steepest.typing import Array

State = tuple[Array, ...]


class Update(Protocol):
    """Turns a gradient into a change of the parameters, remembering what it needs in an explicit state.

    An update rule is a frozen dataclass of its hyperparameters; all that changes is in ``state``.
    """

    def start(self, theta: Array) -> State:
        """Return the state before the first step."""

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return ``(theta_{t+1} - theta_t, next state)`` for step ``t`` = 1, 2, ..."""

    def stable_rate(self, curvature: float) -> float:
        """Return the largest learning rate that is stable on a quadratic of this curvature; NaN if not known."""
