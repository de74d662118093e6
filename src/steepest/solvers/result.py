"""What a run returns."""

from dataclasses import dataclass, field

import numpy as np

from steepest.certificate import Certificate
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.trace import Trace
from steepest.typing import Array


@dataclass
class Result:
    """Outcome of a run.

    Attributes
    ----------
    theta : array (n_parameters,)
        The parameters reached, flat; for a diverged run, the last finite ones.
    value : float
        The objective there.
    n_iter : int
        Iterations done.
    reason : Reason
        Why the run stopped.
    message : str
        The same as a sentence, with the numbers of this run.
    trace : Trace
        What the run left behind.
    last : Step
        The last complete step.
    certificate : Certificate or None
        For convex objectives, the proof of optimality.
    shape : tuple of int
        The shape ``x`` is given in.
    """

    theta: Array
    value: float
    n_iter: int
    reason: Reason
    message: str
    trace: Trace = field(repr=False)
    last: Step = field(repr=False)
    certificate: Certificate | None = None
    shape: tuple[int, ...] = (-1,)

    @property
    def x(self) -> Array:
        """The parameters in the shape the user gave."""
        return np.reshape(self.theta, self.shape)

    @property
    def fun(self) -> float:
        """The objective, under scipy's name."""
        return self.value

    @property
    def nit(self) -> int:
        """The iterations done, under scipy's name."""
        return self.n_iter

    @property
    def success(self) -> bool:
        """Whether the run converged."""
        return self.reason.converged
