"""Compiled passes of stochastic gradient descent over rows.

References: ``steepest.solvers.stochastic_reference.reference_pass``, and for :func:`loss_and_slope` the classes of
``steepest.losses``.
"""

import math
from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.rows import add, dot, squared_length, truncate, truncate_all

# What a loss and a schedule are called inside a kernel.
SQUARED, HUBER, INSENSITIVE, SQUARED_INSENSITIVE, HINGE, SQUARED_HINGE, MODIFIED_HUBER, LOGISTIC = range(8)
CONSTANT, OPTIMAL, INVERSE, PASSIVE_1, PASSIVE_2 = range(5)


def _record(**fields: Any) -> "np.dtype[Any]":
    return np.dtype(list(fields.items()))


# What stays the same during a run: the loss with its parameter; the schedule with its numbers; the penalty's weights;
# whether and how fast the intercept moves; the update from which on averages are taken (0: none).
SETTINGS = _record(
    loss=np.int64,
    parameter=np.float64,
    schedule=np.int64,
    eta0=np.float64,
    power=np.float64,
    alpha=np.float64,
    offset=np.float64,
    l1=np.float64,
    l2=np.float64,
    intercept_rate=np.float64,
    average=np.float64,
)
# What lives from one pass to the next: the intercept and its average; the number t of the next update, from 1; the L1
# penalty u that every weight could have received so far; norms of the weights; the pass's sum of the objective.
STATE = _record(
    intercept=np.float64,
    average_intercept=np.float64,
    t=np.float64,
    u=np.float64,
    squared_norm=np.float64,
    absolute_sum=np.float64,
    total=np.float64,
)
SMALLEST_SCALE = 1e-6  # before it underflows in single precision
SMALLEST_SCALE_AVERAGED = 1e-2  # average + a w cancels as many digits as the scale has zeros
LARGEST_SLOPE = 1e12  # steeper ones are clipped: a single outlier must not overflow


@compiled
def loss_and_slope(loss: Any, parameter: Any, y: Any, z: Any) -> Any:
    """Return ``l(y, z)`` and ``dl/dz``, the reference being the loss's class.

    Labels are 0 and 1 for the logistic loss, -1 and 1 for the hinges. ``parameter`` is the margin of a hinge, the
    epsilon of the others.
    """
    if loss == SQUARED:
        residual = z - y
        return 0.5 * residual * residual, residual
    if loss == LOGISTIC:
        small = math.exp(-abs(z))
        wrong = (z > 0.0) != (y > 0.0)
        size = (1.0 if wrong else small) / (1.0 + small)
        return math.log1p(small) + (abs(z) if wrong else 0.0), (-size if y > 0.0 else size)
    if loss == HINGE:
        slack = parameter - y * z
        return (slack, -y * 1.0) if slack >= 0.0 else (0.0, 0.0)
    if loss == SQUARED_HINGE:
        slack = max(parameter - y * z, 0.0)
        return slack * slack, -2.0 * y * slack
    if loss == MODIFIED_HUBER:
        margin = y * z
        slack = max(1.0 - margin, 0.0)
        return (-4.0 * margin, -4.0 * y) if margin < -1.0 else (slack * slack, -2.0 * y * slack)
    residual = z - y
    size, sign = abs(residual), (1.0 if residual > 0.0 else -1.0)
    if loss == HUBER:
        near = min(size, parameter)
        return near * (size - 0.5 * near), near * sign
    excess = max(size - parameter, 0.0)
    if loss == INSENSITIVE:
        return excess, (sign if excess > 0.0 else 0.0)
    return excess * excess, 2.0 * excess * sign


@compiled
def learning_rate(schedule: Any, eta0: Any, power: Any, alpha: Any, offset: Any, t: Any) -> Any:
    """Return the rate of update ``t``: ``eta0``, ``1 / (alpha (offset + t - 1))`` or ``eta0 / t^power``."""
    if schedule == OPTIMAL:
        return 1.0 / (alpha * (offset + t - 1.0))
    if schedule == INVERSE:
        if power == 0.25:  # roots cost a fraction of a general power
            return eta0 / math.sqrt(math.sqrt(t))
        return eta0 / math.sqrt(t) if power == 0.5 else eta0 / t**power
    return eta0


@compiled
def passive_aggressive(schedule: Any, aggressiveness: Any, loss: Any, length: Any, y: Any, z: Any, value: Any) -> Any:
    """Return the multiple of a row to add: PA-I ``min(C, l / |x|^2)``, PA-II ``l / (|x|^2 + 1 / (2 C))``, signed."""
    if schedule == PASSIVE_1:
        size = min(aggressiveness, value / length) if length > 0.0 else 0.0
    else:
        size = value / (length + 0.5 / aggressiveness)
    if loss == HINGE:
        return size * y
    return -size if y < z else size


@compiled
def fold(w: Any, scale: Any, average: Any, a: Any, b: Any) -> None:
    """Turn the stored weights into ``scale * w`` and the stored average into ``(average + a w) / b``, in place."""
    for j in range(average.shape[0]):
        average[j] = (average[j] + a * w[j]) / b
    for j in range(w.shape[0]):
        w[j] *= scale


@compiled
def count_in(a: Any, b: Any, scale: Any, count: Any) -> Any:
    """Return a and b of the mean (average + a w) / b after the weights ``scale * w`` came in as number ``count``."""
    if count > 1.0:
        b /= 1.0 - 1.0 / count
    return a + b * scale / count, b


@compiled
def single_pass(X: Any, y: Any, weight: Any, w: Any, average: Any, q: Any, settings: Any, kept: Any) -> None:
    """Visit the rows in order, one update each; reference: ``reference_pass``, whose docstring derives this form.

    ``X`` is a matrix as in ``steepest.kernels.rows``; ``w`` are the weights, ``average`` their running mean (empty if
    none is taken), ``q`` minus the L1 penalty that each has received (empty if there is none); the records are
    ``SETTINGS`` and ``STATE``, one-element arrays.
    """
    s, state = settings[0], kept[0]
    loss, parameter, schedule, eta0 = s.loss, s.parameter, s.schedule, s.eta0
    power, alpha, offset, l1, l2 = s.power, s.alpha, s.offset, s.l1, s.l2
    intercept_rate, first_averaged = s.intercept_rate, s.average
    intercept, average_intercept, t, u = state.intercept, state.average_intercept, state.t, state.u
    squared_norm, absolute_sum, total = state.squared_norm, state.absolute_sum, state.total
    smallest = SMALLEST_SCALE if average.shape[0] == 0 else SMALLEST_SCALE_AVERAGED
    scale, a, b = 1.0, 0.0, 1.0
    passive = schedule >= PASSIVE_1
    for i in range(y.shape[0]):
        y_i = np.float64(y[i])
        z = scale * dot(X, i, w) + intercept
        eta = learning_rate(schedule, eta0, power, alpha, offset, t)
        value, slope = loss_and_slope(loss, parameter, y_i, z)
        total += value
        if passive:
            length = squared_length(X, i)
            if length == 0.0 and schedule == PASSIVE_1:
                continue
            update = passive_aggressive(schedule, eta0, loss, length, y_i, z, value)
        else:
            total += 0.5 * l2 * squared_norm + l1 * absolute_sum
            update = -eta * min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE)
        update *= weight[i]
        if l2 > 0.0:
            shrink = max(0.0, 1.0 - eta * l2)
            scale *= shrink
            squared_norm *= shrink * shrink
            absolute_sum *= shrink
            if scale < smallest:
                fold(w, scale, average, a, b)
                scale, a, b = 1.0, 0.0, 1.0
        if update != 0.0:
            squares, sizes = add(X, i, w, update / scale)
            squared_norm, absolute_sum = squares * scale * scale, sizes * scale
            intercept += update * intercept_rate
        if a != 0.0 and update != 0.0:
            add(X, i, average, -a * update / scale)
        if l1 > 0.0:
            u += l1 * eta
            truncate(X, i, w, q, u, scale, average, a)
        if 0.0 < first_averaged <= t:
            count = t - first_averaged + 1.0
            a, b = count_in(a, b, scale, count)
            average_intercept += (intercept - average_intercept) / count
        t += 1.0
    fold(w, scale, average, a, b)
    state.intercept, state.average_intercept, state.t, state.u = intercept, average_intercept, t, u
    state.squared_norm, state.absolute_sum, state.total = squared_norm, absolute_sum, total


@compiled
def batch_pass(X: Any, y: Any, weight: Any, size: Any, w: Any, average: Any, q: Any, settings: Any, kept: Any) -> None:
    """Visit the rows in batches of ``size``, one update each; reference: ``reference_pass`` with this batch size."""
    s, state = settings[0], kept[0]
    loss, parameter, l1, l2 = s.loss, s.parameter, s.l1, s.l2
    n, d = y.shape[0], w.shape[0]
    gradient = np.zeros(d)
    for start in range(0, n, size):
        stop = min(start + size, n)
        eta = learning_rate(s.schedule, s.eta0, s.power, s.alpha, s.offset, state.t)
        penalty = 0.5 * l2 * state.squared_norm + l1 * state.absolute_sum
        pull = 0.0
        for i in range(start, stop):
            y_i = np.float64(y[i])
            value, slope = loss_and_slope(loss, parameter, y_i, dot(X, i, w) + state.intercept)
            state.total += value + penalty
            slope = weight[i] * min(max(slope, -LARGEST_SLOPE), LARGEST_SLOPE) / (stop - start)
            pull += slope
            if slope != 0.0:
                add(X, i, gradient, slope)
        shrink = max(0.0, 1.0 - eta * l2)
        squares = sizes = 0.0
        for j in range(d):
            new = shrink * w[j] - eta * gradient[j]
            w[j] = new
            gradient[j] = 0.0
            squares += new * new
            sizes += abs(new)
        state.squared_norm, state.absolute_sum = squares, sizes
        state.intercept -= eta * pull * s.intercept_rate
        if l1 > 0.0:
            state.u += l1 * eta
            truncate_all(w, q, state.u)
        if 0.0 < s.average <= state.t:
            count = state.t - s.average + 1.0
            for j in range(d):
                average[j] += (w[j] - average[j]) / count
            state.average_intercept += (state.intercept - state.average_intercept) / count
        state.t += 1.0


@compiled
def fisher_yates(n: Any, seed: Any) -> Any:
    """Return the permutation that a Fisher-Yates shuffle of ``n`` rows draws from Marsaglia's 32-bit xorshift.

    For i = 0 ... n - 2, position i is swapped with position i + (r mod (n - i)), r being the low 31 bits of the next
    state s: s ^= s << 13; s ^= s >> 17; s ^= s << 5 (Marsaglia, Xorshift RNGs, J. Stat. Softw. 8(14), 2003).
    Reference: ``steepest.solvers.stochastic_reference.reference_order``.
    """
    order = np.empty(n, np.int32)
    for i in range(n):
        order[i] = i
    state = np.uint32(seed if seed != 0 else 1)
    for i in range(n - 1):
        state ^= np.uint32(state << np.uint32(13))
        state ^= np.uint32(state >> np.uint32(17))
        state ^= np.uint32(state << np.uint32(5))
        j = i + np.int64((state & np.uint32(0x7FFFFFFF)) % np.uint32(n - i))
        order[i], order[j] = order[j], order[i]
    return order
