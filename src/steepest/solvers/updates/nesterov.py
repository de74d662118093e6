"""Nesterov's accelerated gradient, as an update rule."""

from dataclasses import dataclass

import numpy as np

from steepest.solvers.updates.protocol import State, check_fraction
from steepest.typing import Array


@dataclass(frozen=True)
class Nesterov:
    r"""Momentum that looks ahead: the gradient counts where the velocity is about to lead.

    Parameters
    ----------
    beta : float, default 0.9
        Share of the velocity that is kept; at least 0 and below 1.

    Notes
    -----
    State: the velocity v, zero at the start. With learning rate h and gradient g::

        v_t     = beta v_{t-1} + g_t
        delta_t = -h (g_t + beta v_t)

    This is Nesterov's method written in the point y_t = x_t + beta (x_t - x_{t-1}) where the gradient is taken: with
    x_{t+1} = y_t - h g(y_t) the velocity is v_t = (x_t - x_{t+1}) / h, and y_{t+1} - y_t = -h (g_t + beta v_t).

    On J(x) = c x^2 / 2, with a = 1 - h c, y_{t+1} = (1 + beta) a y_t - beta a y_{t-1}. The roots of
    z^2 - (1 + beta) a z + beta a lie inside the unit circle iff ``|beta a| < 1`` and ``(1 + beta) |a| < 1 + beta a``
    (Jury); for a < 0 the second says a > -1 / (1 + 2 beta), that is h c < (2 + 2 beta) / (1 + 2 beta).

    Variant: as ``torch.optim.SGD(nesterov=True)``: the parameters that are returned are the look-ahead points y.

    Source: Y. Nesterov, A method for solving a convex programming problem with convergence rate O(1/k^2), Soviet
    Mathematics Doklady 27 (1983); in this form I. Sutskever et al., On the importance of initialization and momentum
    in deep learning, ICML (2013).

    Examples
    --------
    >>> import numpy as np
    >>> rule, theta = Nesterov(beta=0.5), np.array([0.0])
    >>> rule.delta(theta, np.array([2.0]), rule.start(theta), learning_rate=0.1, t=1)[0]  # -0.1 (2 + 0.5 * 2)
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
        """Return ``-h (g + beta v)`` and the new velocity."""
        velocity = self.beta * state[0] + gradient
        return -learning_rate * (gradient + self.beta * velocity), (velocity,)

    def stable_rate(self, curvature: float) -> float:
        """Return ``(2 + 2 beta) / ((1 + 2 beta) curvature)``."""
        return (2.0 + 2.0 * self.beta) / ((1.0 + 2.0 * self.beta) * curvature)
