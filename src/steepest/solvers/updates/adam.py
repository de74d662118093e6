"""Adam, with AMSGrad."""

from dataclasses import dataclass
from math import nan, sqrt
from typing import ClassVar

import numpy as np

from steepest.solvers.updates.protocol import State, check_fraction
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class Adam:
    r"""Momentum on the gradient, divided by the root mean square of its recent values.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        Shares of the running means of g and g^2 that are kept; at least 0 and below 1.
    epsilon : float, default 1e-8
        Added to the root, so that nothing is divided by 0.
    amsgrad : bool, default False
        Divide by the largest root so far, so that the effective rate never grows.
    uncorrected_epsilon : bool, default False
        Add epsilon to sqrt(s_t) instead of to sqrt(s^_t): the paper's quicker form, and scikit-learn's.

    Notes
    -----
    State: running means m of g and s of g^2 (and the largest s so far), zero at the start. With learning rate h,
    entry by entry::

        m_t     = beta1 m_{t-1} + (1 - beta1) g_t
        s_t     = beta2 s_{t-1} + (1 - beta2) g_t^2
        delta_t = -h m^_t / (sqrt(s^_t) + epsilon)
        m^_t    = m_t / (1 - beta1^t),    s^_t = s_t / (1 - beta2^t)

    The corrections: for a constant g, m_t = (1 - beta1) sum_{i<t} beta1^i g = (1 - beta1^t) g, so m^_t = g; likewise
    for s. The first step is therefore h long in every entry, whatever the gradient's size.

    With ``uncorrected_epsilon`` the root is (sqrt(s_t) + epsilon) / sqrt(1 - beta2^t), which makes the first steps of
    entries with tiny gradients shorter.

    AMSGrad puts max_{i<=t} s_i in the place of s_t.

    Variant: as ``torch.optim.Adam`` without weight decay. The AMSGrad paper leaves out the corrections; here, as in
    torch, the maximum is taken over the uncorrected s and corrected afterwards.

    Source: D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR (2015), algorithm 1;
    S. J. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, ICLR (2018), algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> rule, theta = Adam(), np.array([0.0, 0.0])
    >>> rule.delta(theta, np.array([250.0, -0.01]), rule.start(theta), learning_rate=0.1, t=1)[0].round(6)
    array([-0.1,  0.1])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    amsgrad: bool = False
    uncorrected_epsilon: bool = False
    usual_rate: ClassVar[float] = 0.001

    def __post_init__(self) -> None:
        """Refuse shares outside [0, 1) and a negative epsilon."""
        check_fraction("beta1", self.beta1)
        check_fraction("beta2", self.beta2)
        check_positive("epsilon", self.epsilon)

    def start(self, theta: Array) -> State:
        """Return running means of zero."""
        return tuple(np.zeros_like(theta) for _ in range(3 if self.amsgrad else 2))

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return the scaled step and the new means."""
        mean = self.beta1 * state[0] + (1.0 - self.beta1) * gradient
        square = self.beta2 * state[1] + (1.0 - self.beta2) * gradient * gradient
        new: State = (mean, square)
        largest = square
        if self.amsgrad:
            largest = np.maximum(state[2], square)
            new = (mean, square, largest)
        correction = sqrt(1.0 - self.beta2**t)
        epsilon = self.epsilon / correction if self.uncorrected_epsilon else self.epsilon
        root = np.sqrt(largest) / correction + epsilon
        return (-learning_rate / (1.0 - self.beta1**t)) * mean / root, new

    def stable_rate(self, curvature: float) -> float:
        """Return NaN: the step's length does not shrink with the gradient, so no rate is stable on its own."""
        return nan
