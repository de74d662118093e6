"""Gradient clipping around another update rule."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.updates.plain import Plain
from steepest.solvers.updates.protocol import State, Update
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class Clipped:
    r"""Shorten gradients longer than ``max_norm`` to that length, then do as ``rule`` does.

    Parameters
    ----------
    rule : Update, default Plain()
        What is done with the gradient.
    max_norm : float, default 1.0
        The largest Euclidean norm that passes unchanged.

    Notes
    -----
    State: the rule's. With the gradient g of all parameters together::

        g' = g min(1, max_norm / |g|)

    has the direction of g, so a plain step still descends, and one step is never longer than h max_norm: a cliff of the
    objective cannot throw the parameters away.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML (2013),
    algorithm 1.

    Examples
    --------
    >>> rule, theta = Clipped(Plain(), max_norm=1.0), np.array([0.0, 0.0])
    >>> rule.delta(theta, np.array([30.0, 40.0]), rule.start(theta), learning_rate=1.0, t=1)[0]
    array([-0.6, -0.8])
    """

    rule: Any = field(default_factory=Plain)
    max_norm: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a rule that is none, and a length that is not positive."""
        if not isinstance(self.rule, Update) or isinstance(self.rule, type):
            raise InvalidInputError(f"rule={self.rule!r}: must be an update rule such as Momentum(0.9)")
        check_positive("max_norm", self.max_norm)

    def start(self, theta: Array) -> State:
        """Return the rule's state."""
        return self.rule.start(theta)  # type: ignore[no-any-return]  # checked to be a rule

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return the rule's step for the clipped gradient."""
        norm = float(np.linalg.norm(gradient))
        if norm > self.max_norm:
            gradient = gradient * gradient.dtype.type(self.max_norm / norm)
        return self.rule.delta(theta, gradient, state, learning_rate, t)  # type: ignore[no-any-return]

    def stable_rate(self, curvature: float) -> float:
        """Return the rule's own: near a minimum nothing is clipped."""
        return float(self.rule.stable_rate(curvature))
