"""What solvers ask of an objective. A solver knows these protocols and no objective by name.

An objective need not inherit from them: having the methods is enough.
"""

from typing import Protocol, runtime_checkable

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
class KinkAware(Protocol):
    """The other part says how much it bends."""

    def penalty_lipschitz(self) -> float:
        """Return the largest curvature of ``P``; infinity if it has kinks or is a constraint."""


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
    """An objective over rows whose smooth part may be a quadratic."""

    n_samples: int
    n_features: int

    def quadratic(self) -> Objective | None:
        """Return the same objective with its rows summed up in a matrix; None where it is no quadratic.

        A step then costs O(n_features^2) instead of O(n_samples n_features).
        """
