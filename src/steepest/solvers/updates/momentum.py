"""Momentum: Polyak's heavy ball."""

from dataclasses import dataclass

import numpy as np

from steepest.solvers.updates.protocol import State, check_fraction
from steepest.typing import Array


@dataclass(frozen=True)
class Momentum:
    r"""Step along a decaying sum of all gradients: the heavy ball.

    Parameters
    ----------
    beta : float, default 0.9
        Share of the velocity that is kept; at least 0 and below 1.

    Notes
    -----
    State: the velocity v, zero at the start. With learning rate h and gradient g::

        v_t     = beta v_{t-1} + g_t
        delta_t = -h v_t

    On J(x) = c x^2 / 2 the iterates obey x_{t+1} = (1 + beta - h c) x_t - beta x_{t-1}, whose characteristic polynomial
    is z^2 - (1 + beta - h c) z + beta. By Jury's criterion both roots lie inside the unit circle iff beta < 1 and
    ``|1 + beta - h c| < 1 + beta``, that is 0 < h c < 2 (1 + beta): momentum is stable at larger rates than the plain
    step.

    Variant: the velocity sums gradients and the rate multiplies it afterwards, as in ``torch.optim.SGD`` (without
    dampening). Polyak's own form puts the rate into the velocity; under a changing rate the two differ.

    Source: B. T. Polyak, Some methods of speeding up the convergence of iteration methods, USSR Computational
    Mathematics and Mathematical Physics 4 (1964).

    Examples
    --------
    >>> import numpy as np
    >>> rule, gradient = Momentum(beta=0.5), np.array([2.0])
    >>> theta = np.array([0.0])
    >>> delta, state = rule.delta(theta, gradient, rule.start(theta), learning_rate=0.1, t=1)
    >>> rule.delta(theta, gradient, state, learning_rate=0.1, t=2)[0]  # -0.1 (0.5 * 2 + 2)
    array([-0.3])
    """

    beta: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a share outside [0, 1)."""
        check_fraction("beta", self.beta)

    def start(self, theta: Array) -> State:
        """Return the velocity at rest."""
        return (np.zeros_like(theta),)

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return ``-h v`` and the new velocity."""
        velocity = self.beta * state[0] + gradient
        return -learning_rate * velocity, (velocity,)

    def stable_rate(self, curvature: float) -> float:
        """Return ``2 (1 + beta) / curvature``."""
        return 2.0 * (1.0 + self.beta) / curvature
