"""AdamW."""

from dataclasses import dataclass

from steepest.solvers.updates.adam import Adam
from steepest.solvers.updates.protocol import State
from steepest.typing import Array
from steepest.validation import check_positive


@dataclass(frozen=True)
class AdamW(Adam):
    r"""Adam with weight decay outside the division.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        Shares of the running means of g and g^2 that are kept; at least 0 and below 1.
    epsilon : float, default 1e-8
        Added to the root, so that nothing is divided by 0.
    amsgrad : bool, default False
        Divide by the largest root so far.
    weight_decay : float, default 0.01
        Strength lambda of the decay, towards 0; not below 0.

    Notes
    -----
    State: as Adam's. With Adam's own step d_t and learning rate h::

        delta_t = d_t - h lambda theta_t

    An L2 penalty inside J would add lambda theta to g, and the division by the root of s would then weaken it where
    gradients are large. Outside, every parameter decays by the same factor 1 - h lambda a step. What is reached is
    therefore not the minimum of J plus a penalty; every parameter decays, intercepts too.

    Variant: as ``torch.optim.AdamW``: the decay is scaled by the learning rate.

    Source: I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR (2019), algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> rule, theta = AdamW(weight_decay=0.5), np.array([2.0])
    >>> rule.delta(theta, np.array([3.0]), rule.start(theta), learning_rate=0.1, t=1)[0].round(6)
    array([-0.2])
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        """Refuse a negative decay, and what Adam refuses."""
        super().__post_init__()
        check_positive("weight_decay", self.weight_decay, zero=True)

    def delta(self, theta: Array, gradient: Array, state: State, learning_rate: float, t: int) -> tuple[Array, State]:
        """Return Adam's step plus the decay."""
        step, new = super().delta(theta, gradient, state, learning_rate, t)
        return step - (learning_rate * self.weight_decay) * theta, new
