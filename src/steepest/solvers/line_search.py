"""How far to go along a direction of descent."""

from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.protocols import Objective
from steepest.solvers.stopping import Reason
from steepest.typing import Array

SUFFICIENT = 1e-4  # share of the decrease that the slope promises
CURVATURE = 0.9  # share of the slope that may be left, for the Wolfe condition
ROUNDING = 1e-10  # promised decreases below this share of the value drown in the rounding of a sum


@dataclass(slots=True)
class Point:
    """A point with what the objective said there."""

    theta: Array
    value: float
    gradient: Array

    @classmethod
    def at(cls, objective: Objective, theta: Array) -> "Point":
        """Evaluate the objective at ``theta``."""
        value, gradient = objective.value_and_gradient(theta)
        return cls(theta, float(value), gradient)

    @property
    def norm(self) -> float:
        """The gradient's length."""
        return length(self.gradient)

    @property
    def noise(self) -> float:
        """How far values nearby may differ by rounding."""
        return 10 * float(np.finfo(self.theta.dtype).eps) * abs(self.value)

    @property
    def defined(self) -> bool:
        """Whether the value and the gradient are finite."""
        return isfinite(self.value) and bool(np.all(np.isfinite(self.gradient)))


class Descent(NamedTuple):
    """A step downhill: where it leads, how long it is, and the trial that was refused last, if any was."""

    there: Point
    step: float
    refused: Point | None = None


def decreases(here: Point, there: Point, promised: float, share: float = SUFFICIENT) -> bool:
    r"""Return whether ``there`` is low enough: Armijo's condition, made safe against rounding.

    Notes
    -----
    ``promised`` is -<g, t d> > 0, the first-order decrease. Armijo asks for at least a share of it::

        J(there) <= J(here) - share * promised

    Close to a minimum the two values differ by less than their rounding and the condition is decided by chance. Where
    they cannot be told apart, gradients decide, which keep their digits longer. For a parabola with slope -s at the
    start and s' at t, J(t) - J(0) = t (s' - s) / 2, so that the condition is the same as ``t s' <= (1 - 2 share) t s``,
    t s being what was promised, and t s' = <g(there), there - here>. If the value has risen within its rounding, the
    gradient must have become shorter, too: as it shrinks strictly this cannot go on for ever.

    Source: W. W. Hager and H. Zhang, A new conjugate gradient method with guaranteed descent and an efficient line
    search, SIAM Journal on Optimization 16 (2005), section 4, for the condition on slopes.
    """
    if there.value == -inf:  # no minimum: the loop says so
        return True
    low_enough = there.value <= here.value - share * promised
    if not abs(there.value - here.value) <= here.noise:
        return low_enough and bool(np.all(np.isfinite(there.gradient)))
    slope = float(there.gradient @ (there.theta - here.theta))
    return slope <= (1.0 - 2.0 * share) * promised and (low_enough or there.norm < here.norm)


def backtrack(
    objective: Objective,
    here: Point,
    direction: Array,
    step: float,
    *,
    shrink: float = 0.5,
    share: float = SUFFICIENT,
) -> Descent | None:
    """Return the first point of ``here + step d``, ``here + shrink step d``, ... that decreases, and its step.

    None if there is none before the steps vanish in rounding.

    Examples
    --------
    >>> from steepest.objectives.quadratic import QuadraticObjective
    >>> parabola = QuadraticObjective(np.array([[2.0]]))
    >>> here = Point.at(parabola, np.array([-1.0]))
    >>> backtrack(parabola, here, -here.gradient, step=1.0)  # step 1 leads to +1, no lower; step 1/2 to 0
    Descent(there=Point(theta=array([0.]), value=0.0, gradient=array([0.])), step=0.5, refused=Point(theta=array([1.]),
    value=1.0, gradient=array([2.])))
    """
    descends = _promised(here, direction) > 0
    refused = None
    while descends:
        delta = step * direction
        theta = here.theta + delta.astype(here.theta.dtype, copy=False)
        if np.array_equal(theta, here.theta):
            break
        there = Point.at(objective, theta)
        if decreases(here, there, _promised(here, delta), share):
            return Descent(there, step, refused)
        refused = there
        step *= shrink
    return None


def wolfe(
    objective: Objective, here: Point, direction: Array, step: float, n_trials: int = 60
) -> tuple[Point, float] | None:
    r"""Return a point that decreases and where the slope has become flatter, and its step.

    Notes
    -----
    Besides the decrease, ``<g(there), d> >= CURVATURE <g(here), d>`` is asked for: a step that is too short leaves the
    slope as steep as it was. With s the step and y the change of gradient it gives ``<s, y> > 0``, which quasi-Newton
    updates need.

    An interval [low, high] is kept: at ``low`` the value is fine but the slope too steep, at ``high`` the value is too
    large. If there is no ``high`` yet the step is doubled, also where it is lost in the rounding of theta. Else the
    next trial lies inside: where the parabola through the value and slope at ``low`` and the value at ``high`` is
    lowest, but not nearer than a tenth to either end. If the trials are used up a point that merely decreases is
    returned, None if there is none.

    Source: A. S. Lewis and M. L. Overton, Nonsmooth optimization via quasi-Newton methods, Mathematical Programming 141
    (2013), algorithm 2.6; the parabola in place of the midpoint is ours.
    """
    low, high, lowest = 0.0, inf, here
    for _ in range(n_trials if _promised(here, direction) > 0 else 0):
        delta = step * direction
        theta = here.theta + delta.astype(here.theta.dtype, copy=False)
        if np.array_equal(theta, here.theta):
            if high < inf:
                break
            step *= 2.0
            continue
        there = Point.at(objective, theta)
        promised = _promised(here, delta)
        if not decreases(here, there, promised):
            high = step
            step = _between(low, high, lowest.value, float(lowest.gradient @ direction), there.value)
        elif _promised(there, delta) <= CURVATURE * promised:
            return there, step
        else:
            low, lowest = step, there
            step = 2.0 * step if high == inf else 0.5 * (low + high)
    return (lowest, low) if low > 0 else None


def _promised(here: Point, delta: Array) -> float:
    """Return the first-order decrease of a step.

    The slope <g, d> itself may overflow, being the square of a large gradient.
    """
    return -float(here.gradient @ delta)


def _between(low: float, high: float, value: float, slope: float, value_high: float) -> float:
    """Return where the parabola with this value and slope at ``low`` and value at ``high`` is lowest, kept inside."""
    width = high - low
    bend = value_high - value - slope * width
    with np.errstate(all="ignore"):
        share = -slope * width / (2.0 * bend) if np.isfinite(bend) and bend > 0 and slope < 0 else 0.1
    return low + width * float(np.clip(share, 0.1, 0.9))


def why_none(here: Point, direction: Array, step: float) -> Reason:
    """Return why no step was found: rounding, if the promised decrease was that small, else no descent at all."""
    promised = abs(_promised(here, step * direction))
    return Reason.ROUNDING if promised <= ROUNDING * abs(here.value) or promised == 0.0 else Reason.NO_DESCENT
