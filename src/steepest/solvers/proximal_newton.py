"""Newton's method for a smooth objective with an L1 penalty."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from steepest.kernels.quadratic import minimize_quadratic
from steepest.solvers.line_search import SUFFICIENT, Point
from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array, IntArray

SMALLEST_SET = 100  # zero coefficients taken into the working set at a time, at least


class Sparse(Protocol):
    """``F + sum_j l1_j |theta_j|`` with a convex F that gives its Hessian on chosen parameters."""

    def linearize(self, theta: Array) -> tuple[float, Array, Any]:
        """Return F, its gradient and its Hessian as a map."""

    def l1_weights(self) -> Array:
        """Return l1_j for every parameter; 0 for an intercept."""

    def restricted_hessian(self, theta: Array, chosen: IntArray) -> Array:
        """Return the Hessian of F on the chosen parameters."""


def subgradient(theta: Array, gradient: Array, l1: Array) -> Array:
    r"""Return the shortest subgradient of ``F + sum_j l1_j |theta_j|``; it is 0 exactly at the minimum.

    Notes
    -----
    ``g_j + l1_j sign(theta_j)`` where theta_j is not 0. Where it is, every number in [g_j - l1_j, g_j + l1_j] is a
    subgradient; the shortest is ``sign(g_j) max(|g_j| - l1_j, 0)``.

    Examples
    --------
    >>> subgradient(np.array([2.0, 0.0, 0.0]), np.array([-1.0, 0.5, 3.0]), np.ones(3))
    array([0., 0., 2.])
    """
    at_zero = np.copysign(np.maximum(np.abs(gradient) - l1, 0.0), gradient)
    return np.where(theta != 0.0, gradient + l1 * np.sign(theta), at_zero)


def proximal_newton(objective: Sparse, theta: Array, *, tol: float = 0.0) -> Steps:
    r"""Minimise ``F(theta) + sum_j l1_j |theta_j|`` by quadratic models, each solved by coordinate descent.

    Notes
    -----
    A step replaces F by its second-order model at theta and keeps the penalty as it is::

        u = argmin_u  F + <g, u - theta> + (u - theta)^T H (u - theta) / 2 + sum_j l1_j |u_j|

    Only a working set of parameters moves: those that are not zero, and the zeros whose slope exceeds l1_j most (at
    a minimum none does). u is found to a hundredth of the present subgradient, at most. Then
    ``theta + t (u - theta)`` with t = 1, 1/2, 1/4, ... until, with
    ``D = <g, u - theta> + sum_j l1_j (|u_j| - |theta_j|) < 0``, the objective has fallen by t |D| / 10000. Near the
    minimum t = 1 and the convergence is quadratic.

    Source: J. D. Lee, Y. Sun, M. A. Saunders, Proximal Newton-type methods for minimizing composite functions, SIAM J.
    Optim. 24 (2014), algorithm 1; J. Friedman, T. Hastie, R. Tibshirani, Regularization paths for generalized linear
    models via coordinate descent, J. Stat. Softw. 33 (2010), for coordinate descent on the model.
    """
    l1 = objective.l1_weights()
    here = _Point.at(objective, theta, l1)
    yield Step(0, here.theta, here.value, here.norm)
    index = 0
    while here.violation.any():
        chosen = _working_set(here)
        direction = np.zeros_like(theta)
        direction[chosen] = _model_step(objective, here, l1, chosen, tol)
        found = _search(objective, here, direction, l1)
        if found is None:
            return Reason.ROUNDING
        there, size = found
        index += 1
        length = size * float(np.linalg.norm(direction))
        yield Step(index, there.theta, there.value, there.norm, step_size=size, step_norm=length)
        here = there
    return Reason.GRADIENT_TOLERANCE


@dataclass(slots=True)
class _Point(Point):
    """A point: the whole objective, the gradient of F, the shortest subgradient of the whole."""

    violation: Array

    @classmethod
    def at(cls, objective: Any, theta: Array, l1: Array | None = None) -> "_Point":
        smooth, gradient, _ = objective.linearize(theta)
        l1 = objective.l1_weights() if l1 is None else l1
        return cls(theta, smooth + float(l1 @ np.abs(theta)), gradient, subgradient(theta, gradient, l1))

    @property
    def norm(self) -> float:
        """Length of the shortest subgradient."""
        return float(np.linalg.norm(self.violation))


def _search(objective: Sparse, here: _Point, direction: Array, l1: Array) -> tuple[_Point, float] | None:
    """Return the first point on halved steps that is low enough, and the share; None if there is none.

    Where values cannot be told apart, the subgradients decide, which keep their digits longer: after a share t of the
    step to the minimum, the shortest should have lost about t of its length. A small share of it would bring nothing.
    """
    change = np.abs(here.theta + direction) - np.abs(here.theta)
    promised = -float(here.gradient @ direction + l1 @ change)
    size = 1.0
    while size > (1e-10 if size * promised > here.noise else 0.1) and promised > 0.0:
        there = _Point.at(objective, here.theta + size * direction, l1)
        if abs(there.value - here.value) <= here.noise:
            if there.norm <= (1.0 - 0.5 * size) * here.norm:
                return there, size
        elif there.value <= here.value - SUFFICIENT * size * promised:
            return there, size
        size *= 0.5
    return None


def _working_set(here: _Point) -> IntArray:
    """Return the parameters that may move."""
    theta, violation = here.theta, here.violation
    active = np.flatnonzero(theta)
    outside = np.flatnonzero((theta == 0.0) & (violation != 0.0))
    room = max(SMALLEST_SET, len(active))
    if len(outside) > room:
        outside = outside[np.argpartition(-np.abs(violation[outside]), room)[:room]]
    return np.sort(np.concatenate([active, outside]))


def _model_step(objective: Sparse, here: _Point, l1: Array, chosen: IntArray, tol: float) -> Array:
    """Return how far the chosen parameters move to the minimum of the model."""
    H = objective.restricted_hessian(here.theta, chosen)
    u = here.theta[chosen].copy()
    near = max(0.01 * here.norm * min(1.0, here.norm), 0.1 * tol, 1e-15 * here.norm) / np.sqrt(len(u))
    minimize_quadratic(H, here.gradient[chosen].copy(), u, l1[chosen], near, 1000)
    return u - here.theta[chosen]
