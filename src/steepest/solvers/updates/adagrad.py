"""Adagrad."""

from dataclasses import dataclass
from math import nan
from typing import ClassVar

import numpy as np

from steepest.solvers.updates.protocol import State
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class Adagrad:
    r"""Divide each gradient entry by the root of the sum of all its squares so far.

    Parameters
    ----------
    initial : float, default 0.0
        What the sum of squares starts from.
    epsilon : float, default 1e-10
        Added to the root, so that nothing is divided by 0.

    Notes
    -----
    State: the sums s, entry by entry. With learning rate h and gradient g::

        s_t     = s_{t-1} + g_t^2
        delta_t = -h g_t / (sqrt(s_t) + epsilon)

    As s only grows, entry j's rate falls like 1 / sqrt(t) where its gradients stay alike: rare features keep a large
    rate, frequent ones a small one.

    Variant: as ``torch.optim.Adagrad`` without its rate decay (use a schedule): the diagonal form, epsilon outside the
    root.

    Source: J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and stochastic optimization,
    JMLR 12 (2011).

    Examples
    --------
    >>> import numpy as np
    >>> rule, theta = Adagrad(), np.array([0.0])
    >>> first, state = rule.delta(theta, np.array([3.0]), rule.start(theta), learning_rate=0.5, t=1)
    >>> second, state = rule.delta(theta, np.array([4.0]), state, learning_rate=0.5, t=2)  # 0.5 * 4 / sqrt(9 + 16)
    >>> first.round(6), second.round(6)
    (array([-0.5]), array([-0.4]))
    """

    initial: float = 0.0
    epsilon: float = 1e-10
    usual_rate: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_positive("initial", self.initial, zero=True)
        check_positive("epsilon", self.epsilon)

    def start(self, theta: Array) -> State:
        """Return the sums at the start."""
        return (np.full_like(theta, self.initial),)

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return the scaled step and the new sums."""
        total = state[0] + gradient * gradient
        return -learning_rate * gradient / (np.sqrt(total) + self.epsilon), (total,)

    def stable_rate(self, curvature: float) -> float:
        """Return NaN: the effective rate falls by itself, so that no fixed limit is known."""
        return nan
