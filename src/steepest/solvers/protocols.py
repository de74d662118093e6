"""What solvers ask of an objective. A solver knows these protocols and no objective by name.

An objective need not inherit from them: having the methods is enough.
"""

from typing import Any, Protocol, runtime_checkable

from steepest.typing import Array, IntArray


@runtime_checkable
class Objective(Protocol):
    """A function of flat parameters ``theta``, with its gradient."""

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``; where ``J`` has a kink, a subgradient."""

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return both, sharing the work."""


@runtime_checkable
class CompositeObjective(Objective, Protocol):
    """``J = F + P`` with a smooth ``F`` and a ``P`` whose prox is known (a penalty or a constraint)."""

    def smooth_value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``F`` and its gradient."""

    def penalty_value(self, theta: Array) -> float:
        """Return ``P(theta)``."""

    def prox(self, theta: Array, step: float) -> Array:
        """Return the minimiser over v of ``|v - theta|^2 / 2 + step P(v)``."""


@runtime_checkable
class Smooth(Protocol):
    """The gradient of the smooth part has a known Lipschitz constant."""

    def lipschitz(self) -> float:
        """Return an upper bound on the curvature of ``F``, tight up to a percent; infinity if there is none."""


@runtime_checkable
class FiniteSum(Objective, Protocol):
    """An objective that is a sum over samples."""

    n_samples: int

    def batch(self, rows: IntArray) -> Objective:
        """Return the objective on some rows, scaled so that its expectation over random rows is the whole."""


@runtime_checkable
class TwiceDifferentiable(Objective, Protocol):
    """An objective with a Hessian."""

    def hessian(self, theta: Array) -> Array:
        """Return ``d^2 J/dtheta^2``, (n_parameters, n_parameters)."""


@runtime_checkable
class Certified(Objective, Protocol):
    """A convex objective that can bound its distance to the optimum."""

    def duality_gap(self, theta: Array) -> float:
        """Return an upper bound on ``J(theta) - min J``."""


@runtime_checkable
class HasQuadratic(Objective, Protocol):
    """An objective whose smooth part is a quadratic that can be written down."""

    def quadratic(self) -> Any:
        """Return the same objective with its data summed up in a matrix, so that a step costs O(n_parameters^2)."""
