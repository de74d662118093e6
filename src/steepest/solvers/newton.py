"""Newton's method, damped."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from steepest.solvers.backtracking import step_between
from steepest.solvers.line_search import Point, backtrack, why_none
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import TwiceDifferentiable
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

FLATTEST = 1e-8  # curvatures below this share of the largest count as this much


def newton(objective: TwiceDifferentiable, theta: Array) -> Steps:
    r"""Jump to the minimum of the parabola that fits best, or part of the way.

    Parameters
    ----------
    objective : TwiceDifferentiable
        What to minimise.
    theta : array (n_parameters,)
        The start.

    Notes
    -----
    By Taylor's theorem, with gradient g and Hessian H at theta::

        J(theta + d) = J(theta) + g^T d + d^T H d / 2 + O(|d|^3)

    whose right side, for a positive definite H, is smallest at ``d = -H^-1 g``. The full step is tried first and halved
    until the objective falls enough. Near the minimum full steps are accepted, and the error is squared each time.

    Where H is not positive definite, d is built from its eigenvectors with the absolute values of the eigenvalues, none
    smaller than FLATTEST times the largest: still a descent direction, as <g, d> = -sum_j (v_j^T g)^2 / |lambda_j| < 0,
    and one that leaves saddles.

    For the logistic loss g = X^T (p - y) and H = X^T S X with S = diag(p (1 - p)), so that the full step is
    theta + d = (X^T S X)^-1 X^T S (X theta - S^-1 (p - y)): weighted least squares, done again with new weights S. This
    is known as iteratively reweighted least squares (IRLS).

    Source: J. Nocedal and S. J. Wright, Numerical optimization, 2nd edition (2006), sections 3.4 and 3.5; absolute
    eigenvalues: Y. Dauphin et al., Identifying and attacking the saddle point problem, NIPS (2014).
    """
    here, index = Point.at(objective, theta), 0
    yield Step(0, here.theta, here.value, here.norm)
    while True:
        if here.norm == 0.0:
            return Reason.GRADIENT_TOLERANCE
        direction = newton_direction(objective.hessian(here.theta), here.gradient)
        if direction is None:
            return Reason.NO_DESCENT
        found = backtrack(objective, here, direction, 1.0)
        if found is None:
            return why_none(here, direction, 1.0)
        index += 1
        there, accepted, _ = found
        yield step_between(index, here, there, accepted)
        here = there


def newton_direction(hessian: Array, gradient: Array) -> Array | None:
    """Return ``-H^-1 g``, or a descent direction near it where H is not safely positive definite.

    None where the Hessian is not finite.

    Examples
    --------
    >>> newton_direction(np.diag([2.0, -4.0]), np.array([2.0, 4.0]))  # against the gradient in both
    array([-1., -1.])
    """
    H, g = np.asarray(hessian, dtype=np.float64), np.asarray(gradient, dtype=np.float64)
    if not np.all(np.isfinite(H)):
        return None
    try:
        factor = cho_factor(H, lower=True)
        pivots = np.diag(factor[0])
        if pivots.min() > FLATTEST * pivots.max():
            direction: Array = -cho_solve(factor, g)
            return direction
    except LinAlgError:
        pass
    curvatures, vectors = np.linalg.eigh(H)
    largest = float(np.abs(curvatures).max())
    if largest == 0.0:
        return -g
    shares: Array = (vectors.T @ g) / np.maximum(np.abs(curvatures), FLATTEST * largest)
    return -(vectors @ shares)
