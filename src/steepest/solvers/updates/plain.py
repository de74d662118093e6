"""The plain step."""

from dataclasses import dataclass

from steepest.solvers.updates.protocol import State
from steepest.typing import Array


@dataclass(frozen=True)
class Plain:
    r"""Step against the gradient.

    Notes
    -----
    State: none. With learning rate h and gradient g::

        delta_t = -h g_t

    On J(x) = c x^2 / 2 the step multiplies x by 1 - h c: it converges for 0 < h c < 2, so the largest stable rate is
    2 / c; for h c <= 1 it does not change side.

    Source: A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées (1847).

    Examples
    --------
    >>> import numpy as np
    >>> Plain().delta(np.array([-1.0]), np.array([-2.0]), (), learning_rate=0.25, t=1)
    (array([0.5]), ())
    """

    def start(self, theta: Array) -> State:
        """Return the empty state."""
        return ()

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return ``-h g``."""
        return gradient * gradient.dtype.type(-learning_rate), state

    def stable_rate(self, curvature: float) -> float:
        """Return ``2 / curvature``."""
        return 2.0 / curvature
