"""Gradient descent on the whole objective, at a rate given beforehand."""

from math import nan

from steepest.kernels.blas import length
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.updates import Plain, Update
from steepest.step import Step
from steepest.typing import Array


def gradient_descent(
    objective: Objective,
    theta: Array,
    *,
    learning_rate: float | Schedule | Stateful,
    update: Update | None = None,
    stride: int = 1,
    max_iter: int | None = None,
) -> Steps:
    r"""Step against the gradient.

    Parameters
    ----------
    objective : Objective
        What to minimise.
    theta : array (n_parameters,)
        The start.
    learning_rate : float or schedule
        The rate h, or a function of the step's number that gives it.
    update : Update, optional
        What a gradient does to the parameters; the plain step if not given.
    stride : int, default 1
        Iterations between two yielded steps; the value is computed only at those.
    max_iter : int, optional
        Where the last stride ends, so that it does not overshoot.

    Notes
    -----
    ``theta_{t+1} = theta_t + delta_t`` with the update rule's ``delta_t``; for the plain rule
    ``delta_t = -h_t g(theta_t)``. Why it descends: if the curvature is at most L, then with Taylor's theorem::

        J(theta - h g) <= J(theta) - h |g|^2 + L h^2 |g|^2 / 2 = J(theta) - h (1 - L h / 2) |g|^2

    which is a decrease for 0 < h < 2 / L, and the largest guaranteed one for h = 1 / L.

    Source: A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées (1847); the bound in
    Y. Nesterov, Introductory lectures on convex optimization (2004), section 1.2.3.
    """
    update = Plain() if update is None else update
    rate_of, state = open_rate(learning_rate), update.start(theta)
    value, gradient = objective.value_and_gradient(theta)
    yield Step(0, theta, value, length(gradient))
    index = 0
    while True:
        stop = next_stop(index, stride, max_iter)
        while index < stop:
            index += 1
            rate = rate_of(index, value)
            delta, state = update.delta(theta, gradient, state, rate, index)
            theta, previous = theta + delta, gradient
            if index < stop:
                gradient = objective.gradient(theta)
        value, gradient = objective.value_and_gradient(theta)
        squared_length = float(delta @ delta)
        yield Step(
            index,
            theta,
            value,
            gradient_norm=length(gradient),
            step_size=rate,
            step_norm=length(delta),
            curvature=float((gradient - previous) @ delta) / squared_length if squared_length > 0 else nan,
        )


def next_stop(index: int, stride: int, max_iter: int | None) -> int:
    """Return the iteration at which to yield next, after ``index``.

    Examples
    --------
    >>> next_stop(0, 100, 250), next_stop(200, 100, 250), next_stop(250, 100, 250)
    (100, 250, 350)
    """
    stop = index + stride
    return max_iter if max_iter is not None and index < max_iter < stop else stop
