"""RMSprop."""

from dataclasses import dataclass
from math import nan
from typing import ClassVar

import numpy as np

from steepest.solvers.updates.protocol import State, check_fraction
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class RMSprop:
    r"""Divide each gradient entry by its recent root mean square.

    Parameters
    ----------
    decay : float, default 0.99
        Share of the running mean that is kept; at least 0 and below 1.
    epsilon : float, default 1e-8
        Added to the root, so that nothing is divided by 0.
    centered : bool, default False
        Subtract the square of the running mean: divide by the standard deviation instead.

    Notes
    -----
    State: running means s of g^2 and, if centred, m of g; zero at the start. Entry by entry, learning rate h::

        s_t     = decay s_{t-1} + (1 - decay) g_t^2
        m_t     = decay m_{t-1} + (1 - decay) g_t
        delta_t = -h g_t / (sqrt(s_t - m_t^2) + epsilon)         m_t = 0 unless centred

    The means start at zero and are not corrected for it: the first steps are up to 1 / sqrt(1 - decay) times h.
    By Jensen s_t >= m_t^2; rounding can leave the difference below 0, where 0 is taken.

    Variant: as ``torch.optim.RMSprop`` without momentum: epsilon outside the root.

    Source: T. Tieleman and G. Hinton, Lecture 6.5, Neural Networks for Machine Learning (2012); centred:
    A. Graves, Generating sequences with recurrent neural networks, arXiv:1308.0850 (2013), equations 38 to 41.

    Examples
    --------
    >>> import numpy as np
    >>> rule, theta = RMSprop(decay=0.75), np.array([0.0, 0.0])
    >>> rule.delta(theta, np.array([8.0, 0.5]), rule.start(theta), learning_rate=0.1, t=1)[0].round(6)
    array([-0.2, -0.2])
    """

    decay: float = 0.99
    epsilon: float = 1e-8
    centered: bool = False
    usual_rate: ClassVar[float] = 0.01

    def __post_init__(self) -> None:
        """Refuse a share outside [0, 1) and a negative epsilon."""
        check_fraction("decay", self.decay)
        check_positive("epsilon", self.epsilon)

    def start(self, theta: Array) -> State:
        """Return running means of zero."""
        return (np.zeros_like(theta), np.zeros_like(theta)) if self.centered else (np.zeros_like(theta),)

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return the scaled step and the new means."""
        square = self.decay * state[0] + (1.0 - self.decay) * gradient * gradient
        if not self.centered:
            return -learning_rate * gradient / (np.sqrt(square) + self.epsilon), (square,)
        mean = self.decay * state[1] + (1.0 - self.decay) * gradient
        deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
        return -learning_rate * gradient / (deviation + self.epsilon), (square, mean)

    def stable_rate(self, curvature: float) -> float:
        """Return NaN: the step's length does not shrink with the gradient, so no rate is stable on its own."""
        return nan
