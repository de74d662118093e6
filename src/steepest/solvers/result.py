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

    def __str__(self) -> str:
        """Return how the run ended, and where, on a line each.

        Examples
        --------
        >>> from steepest import minimize
        >>> print(minimize(lambda x: x**2, -1.0, learning_rate=0.5))
        converged: the gradient fell below the tolerance
        nit  1
        fun  0.0
        x    0.
        """
        text = np.array2string(self.x, threshold=20, prefix="x    ")
        return f"{self.message}\nnit  {self.nit}\nfun  {self.fun}\nx    {text}"

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
