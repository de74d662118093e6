"""Gradient descent that finds its rate by itself."""

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.line_search import Point, backtrack, why_none
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

SHARE = 0.25  # of the decrease that the slope promises; close to 0, rates just below 2 / L are taken, which oscillate


def backtracking_descent(objective: Objective, theta: Array, *, first_rate: float = 1.0) -> Steps:
    r"""Step against the gradient, as far as the objective falls enough.

    Parameters
    ----------
    objective : Objective
        What to minimise; it must be smooth.
    theta : array (n_parameters,)
        The start.
    first_rate : float, default 1.0
        The rate tried first.

    Notes
    -----
    The rate h is halved until Armijo's condition ``J(theta - h g) <= J(theta) - |g|^2 h / 4`` holds, which it does
    at the latest for h <= 1.5 / L, L being the largest curvature nearby. There a step turns the error along the
    steepest direction round and leaves at most half of it; a smaller share than 1/4 would let h come close to 2 / L,
    where the error only changes sign, step after step. After a step that was accepted at
    once the next one begins with twice the rate, so that the rate follows the curvature both ways.

    It ends by itself when no rate lowers the objective. Whether rounding is the reason is asked of the rate that last
    lowered it beyond rounding: where the gradient is wrong, only steps so short that the value does not notice pass.
    Rates that became small because longer steps lead where the objective is not defined are not asked: at the end of
    its domain nothing has converged.

    Source: L. Armijo, Minimization of functions having Lipschitz continuous first partial derivatives, Pacific Journal
    of Mathematics 16 (1966).
    """
    here, rate, telling, index = Point.at(objective, theta), first_rate, first_rate, 0
    at_the_edge = False
    yield Step(0, here.theta, here.value, here.norm)
    while True:
        if here.norm == 0.0:
            return Reason.GRADIENT_TOLERANCE
        found = backtrack(objective, here, -here.gradient, rate, share=SHARE)
        if found is None:
            return why_none(here, here.gradient, telling)
        index += 1
        there, accepted, refused = found
        yield step_between(index, here, there, accepted)
        at_the_edge = at_the_edge if refused is None else not refused.defined
        if there.value < here.value - here.noise:
            telling = max(accepted, telling) if at_the_edge else accepted
        rate = 2.0 * accepted if accepted == rate else accepted
        here = there


def step_between(index: int, here: Point, there: Point, rate: float) -> Step:
    """Return the step from one point to another."""
    delta = there.theta - here.theta
    squared_length = float(delta @ delta)
    change = float((there.gradient - here.gradient) @ delta)
    return Step(
        index,
        there.theta,
        there.value,
        gradient_norm=there.norm,
        step_size=rate,
        step_norm=length(delta),
        curvature=change / squared_length if squared_length > 0 else np.nan,
    )
