"""Proximal gradient, and FISTA: for a smooth function plus one whose prox is known."""

from math import sqrt

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.gradient_descent import next_stop
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import CompositeObjective
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

VALUE_NOISE = 1e3  # rounding of a sum, in units of the last place
N_HALVINGS = 2000  # of a rate, before giving up: huge gradients need tiny ones


def proximal_gradient(
    objective: CompositeObjective,
    theta: Array,
    *,
    learning_rate: float | None = None,
    accelerated: bool = False,
    stride: int = 1,
    max_iter: int | None = None,
) -> Steps:
    r"""Step against the gradient of the smooth part, then take the prox of the other.

    Parameters
    ----------
    objective : CompositeObjective
        J = F + P.
    theta : array (n_parameters,)
        The start.
    learning_rate : float, optional
        The rate h; found by backtracking if not given.
    accelerated : bool, default False
        Extrapolate before each step (FISTA), starting anew when the extrapolation leads astray.
    stride : int, default 1
        Iterations between two yielded steps; the value is computed only at those.
    max_iter : int, optional
        Where the last stride ends, so that it does not overshoot.

    Notes
    -----
    If F has curvature at most L = 1 / h, it lies below the parabola of that curvature touching it at y::

        F(v) <= F(y) + <g, v - y> + |v - y|^2 / (2 h)

    The v that minimises the right side plus P(v) is, completing the square, ``prox_{h P}(y - h g)``. Taken with
    y = theta, J cannot rise. Without a P this is gradient descent; with P a constraint, the prox projects onto it.

    FISTA takes y beyond theta, ``y = theta_t + (s_t - 1) / s_{t+1} (theta_t - theta_{t-1})`` with
    ``s_{t+1} = (1 + sqrt(1 + 4 s_t^2)) / 2``, and reaches J - min J <= 2 L |theta_0 - theta*|^2 / (t + 1)^2 where plain
    steps reach L |theta_0 - theta*|^2 / (2 t). When ``<y - theta_{t+1}, theta_{t+1} - theta_t> > 0``, the step just
    taken points back against the way come: s is set back to 1, as it is where J is not defined at y.

    Backtracking halves h until the parabola does lie above F. Near the minimum, where rounding hides that, the
    curvature along the step is compared with 1 / h instead.

    ``gradient_norm`` is the length of ``(theta - prox_{h P}(theta - h g)) / h``, zero exactly at a minimum. Where h is
    small only because longer steps lead where J is not defined, the h before is taken: a step lost in the rounding of
    theta would look like a minimum.

    Source: A. Beck and M. Teboulle, A fast iterative shrinkage-thresholding algorithm for linear inverse problems, SIAM
    Journal on Imaging Sciences 2 (2009); the restart: B. O'Donoghue and E. Candès, Adaptive restart for accelerated
    gradient schemes, Foundations of Computational Mathematics 15 (2015), equation 12.
    """
    theta = objective.prox(theta, 0.0)  # into the domain of P
    value, gradient = objective.smooth_value_and_gradient(theta)
    rate = _first_rate(objective, theta, gradient) if learning_rate is None else learning_rate
    yield _step(objective, 0, theta, theta, value, gradient, rate, rate)
    beyond, s, index, at_rest = theta, 1.0, 0, False
    trial, telling, at_the_edge = rate, rate, False
    while not at_rest:
        stop = next_stop(index, stride, max_iter)
        known, start = theta, theta
        while index < stop and not at_rest:
            index += 1
            if beyond is not known:
                value, gradient = objective.smooth_value_and_gradient(beyond)
                if beyond is not theta and not _defined(value, gradient):
                    beyond, s = theta, 1.0
                    value, gradient = objective.smooth_value_and_gradient(theta)
            new, rate, refused = _advance(objective, beyond, value, gradient, trial, fixed=learning_rate is not None)
            if new is None:
                return Reason.NO_DESCENT
            at_the_edge = at_the_edge if refused is None else not refused
            telling = max(rate, telling) if at_the_edge else rate
            at_rest = beyond is theta and np.array_equal(new, theta)
            start, theta = theta, new
            beyond, s = _extrapolate(objective, start, theta, beyond, s) if accelerated else (theta, 1.0)
            trial = 2.0 * rate if learning_rate is None and s == 1.0 else rate
        value, gradient = objective.smooth_value_and_gradient(theta)
        yield _step(objective, index, start, theta, value, gradient, rate, telling)
    return Reason.NO_DESCENT if at_the_edge and telling > rate else Reason.ROUNDING


def _advance(
    objective: CompositeObjective, y: Array, value: float, gradient: Array, rate: float, *, fixed: bool
) -> tuple[Array | None, float, bool | None]:
    """Return ``prox_{h P}(y - h g)`` and h, halved until the parabola lies above F unless it is fixed.

    The third is whether F is defined at the trial that was refused last; None if none was.
    """
    refused: bool | None = None
    if value == -np.inf:  # no minimum: the loop says so
        return y, rate, refused
    noise = VALUE_NOISE * np.finfo(y.dtype).eps * abs(value)
    first_bend = None
    for _ in range(N_HALVINGS):
        new = objective.prox((y - rate * gradient).astype(y.dtype, copy=False), rate)
        if fixed:
            return new, rate, refused
        d = new - y
        rise, bend = float(gradient @ d), float(d @ d) / (2.0 * rate)
        first_bend = bend if first_bend is None else first_bend
        if bend == 0.0:  # at rest, if the first trial was as good as that already
            return (new if first_bend <= noise else None), rate, refused
        new_value, new_gradient = objective.smooth_value_and_gradient(new)
        if bend > noise:
            lies_above = new_value <= value + rise + bend
        else:  # too close for the values to tell: the curvature along d must be at most 1 / h
            lies_above = new_value < np.inf and float((new_gradient - gradient) @ d) <= 2.0 * bend
        defined = _defined(new_value, new_gradient)
        if lies_above and defined:
            return new, rate, refused
        rate, refused = 0.5 * rate, defined
        if rate == 0.0:
            break
    return None, rate, refused


def _defined(value: float, gradient: Array) -> bool:
    """Return whether there is a gradient to go on with, or the value is minus infinity, which the loop tells."""
    return value == -np.inf or (value < np.inf and bool(np.all(np.isfinite(gradient))))


def _extrapolate(
    objective: CompositeObjective, before: Array, theta: Array, beyond: Array, s: float
) -> tuple[Array, float]:
    """Return the point beyond ``theta`` to step from next, and the next s; ``theta`` and 1 on a restart.

    The point is brought back into the domain of P, where alone F need be defined; that brings it nearer to the minimum.
    """
    way = theta - before
    if float((beyond - theta) @ way) > 0.0:
        return theta, 1.0
    following = 0.5 * (1.0 + sqrt(1.0 + 4.0 * s * s))
    return objective.prox(theta + ((s - 1.0) / following) * way, 0.0), following


def _first_rate(objective: CompositeObjective, theta: Array, gradient: Array) -> float:
    """Return 1 / (curvature of F along its gradient), as the rate to begin the search with."""
    size = length(gradient)
    if not size > 0.0:
        return 1.0
    small = 1e-4 * (1.0 + length(theta))
    near = objective.prox(theta - (small / size) * gradient, 0.0)
    if np.array_equal(near, theta):
        return 1.0
    change = objective.smooth_value_and_gradient(near)[1] - gradient
    curvature = length(change) / length(near - theta)
    return 1.0 / curvature if 0.0 < curvature < np.inf else 1.0


def _step(
    objective: CompositeObjective,
    index: int,
    before: Array,
    theta: Array,
    value: float,
    gradient: Array,
    rate: float,
    telling: float,
) -> Step:
    """Return the step by ``rate`` from ``before`` to ``theta``, where F has this value and gradient."""
    back = theta - objective.prox((theta - telling * gradient).astype(theta.dtype, copy=False), telling)
    return Step(
        index,
        theta,
        value + objective.penalty_value(theta),
        gradient_norm=length(back) / telling,
        step_size=rate if index else np.nan,
        step_norm=length(theta - before) if index else np.nan,
    )
