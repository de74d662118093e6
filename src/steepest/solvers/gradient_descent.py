"""Gradient descent on the whole objective."""

from collections.abc import Callable
from math import nan

import numpy as np

from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective
from steepest.solvers.updates import Plain, Update
from steepest.step import Step
from steepest.typing import Array

LearningRate = Callable[[int], float]


def gradient_descent(
    objective: Objective,
    theta: Array,
    *,
    learning_rate: float | LearningRate,
    update: Update | None = None,
) -> Steps:
    r"""Step against the gradient.

    Notes
    -----
    ``theta_{t+1} = theta_t + delta_t`` with the update rule's ``delta_t``; for the plain rule
    ``delta_t = -rate_t * gradient(theta_t)``.
    """
    update = Plain() if update is None else update
    state = update.start(theta)
    value, gradient = objective.value_and_gradient(theta)
    yield Step(0, theta, value, float(np.linalg.norm(gradient)))
    index = 0
    while True:
        index += 1
        rate = learning_rate(index) if callable(learning_rate) else learning_rate
        delta, state = update.delta(theta, gradient, state, rate, index)
        theta, previous = theta + delta, gradient
        value, gradient = objective.value_and_gradient(theta)
        squared_length = float(delta @ delta)
        curvature = float((gradient - previous) @ delta) / squared_length if squared_length > 0 else nan
        yield Step(
            index,
            theta,
            value,
            gradient_norm=float(np.linalg.norm(gradient)),
            step_size=rate,
            step_norm=squared_length**0.5,
            curvature=curvature,
        )
