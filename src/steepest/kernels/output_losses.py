"""Losses of a network's output and their slopes, batch by batch, compiled.

Twins of ``losses`` (value and gradient) under ``objectives.reduction.Reduction``. Scores lie in a flat buffer ``z``,
those of a sample beside each other.

Logarithms of softmax sums are taken of products instead of one by one: ``sum_i log(1 + q_i) = log prod_i (1 + q_i)``.
As no q_i is negative, the product's excess over 1 is built without cancellation: ``(1 + Q) (1 + q) - 1 = Q + q (1 +
Q)``.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import inlined
from steepest.kernels.exponential import fraction
from steepest.kernels.logistic import log_one_plus
from steepest.typing import Array, IntArray

HALF_SQUARED, LOGISTIC, SOFTMAX, POISSON = range(4)
STRETCH = 256  # samples
LARGE = 1e100  # a product whose logarithm is taken before it overflows


@inlined
def value_and_slopes(
    z: Array, at: int, pitch: int, n_outputs: int, targets: Array, weights: Array, order: IntArray, start: int,
    stop: int, loss: int, factor: float, room: int,
) -> float:  # fmt: skip
    """Return ``factor sum_i s_i l(y_i, z_i)``; the slopes ``factor s_i dl/dz`` take the place of the scores.

    The samples are ``order[start:stop]``; the scores of the first begin at ``z[at]``, those of the next ``pitch``
    further. ``targets`` are (all rows, outputs), or (all rows, 1) of class numbers for the softmax; no ``weights``
    means ones. In z there are ``2 STRETCH`` numbers from ``room`` on that nobody needs.
    """
    if loss == SOFTMAX:
        return softmax(z, at, pitch, n_outputs, targets, weights, order, start, stop, factor)
    if loss == LOGISTIC and n_outputs == 1:
        return logistic_column(z, at, room, targets, weights, order, start, stop, factor)
    total = 0.0
    for i in range(start, stop):
        row, first = order[i], np.uintp(at + (i - start) * pitch)
        scale = factor if weights.size == 0 else factor * weights[row]
        if loss == LOGISTIC:
            for j in range(np.uintp(n_outputs)):
                value, slope = logistic(float(z[first + j]), float(targets[row, j]))
                total += scale * value
                z[first + j] = scale * slope
        elif loss == POISSON:
            total += scale * poisson(z, first, n_outputs, targets, row, scale)
        else:
            for j in range(np.uintp(n_outputs)):
                residual = float(z[first + j]) - float(targets[row, j])
                total += scale * 0.5 * residual * residual
                z[first + j] = scale * residual
    return total


@inlined
def logistic(score: float, label: float) -> tuple[float, float]:
    """Return value and slope of ``LogisticLoss``.

    With ``e = e^-|z| = a / b``, ``l = max(z, 0) - y z + log(1 + e)``, and p is b / (a + b) for z > 0, a / (a + b)
    otherwise; the slope is p - y.
    """
    a, b = fraction(-abs(score), np.float64)
    value = max(score, 0.0) - label * score + log_one_plus(a / b)
    yes, no = (b, a) if score > 0 else (a, b)
    return value, ((1.0 - label) * yes - label * no) / (a + b)


@inlined
def logistic_column(
    z: Array, at: int, room: int, targets: Array, weights: Array, order: IntArray, start: int, stop: int, factor: float
) -> float:
    """Do as ``value_and_slopes`` for the logistic loss of one output: several samples run in SIMD lanes.

    They can, as labels and weights are first laid beside each other, in ``z[room : room + 2 STRETCH]``.
    """
    total = 0.0
    for begin in range(start, stop, STRETCH):
        count, first = np.uintp(min(STRETCH, stop - begin)), np.uintp(at + begin - start)
        labels, scales = np.uintp(room), np.uintp(room + STRETCH)
        for i in range(count):
            row = order[np.uintp(begin) + i]
            z[labels + i] = targets[row, 0]
            z[scales + i] = 1.0 if weights.size == 0 else weights[row]
        for i in range(count):
            scale = factor * float(z[scales + i])
            value, slope = logistic(float(z[first + i]), float(z[labels + i]))
            total += scale * value
            z[first + i] = scale * slope
    return total


@inlined
def poisson(z: Array, first: Any, n_outputs: int, targets: Array, row: int, scale: float) -> float:
    """Twin of ``HalfPoissonDeviance``: return the loss; ``scale dl/dz`` takes the place of z."""
    total = 0.0
    for j in range(np.uintp(n_outputs)):
        score, target = float(z[first + j]), float(targets[row, j])
        mean = np.exp(score)
        total += mean - target * score - target
        if target > 0:
            total += target * np.log(target)
        z[first + j] = scale * (mean - target)
    return total


@inlined
def softmax(
    z: Array, at: int, pitch: int, n_outputs: int, targets: Array, weights: Array, order: IntArray, start: int,
    stop: int, factor: float,
) -> float:  # fmt: skip
    """Twin of ``SoftmaxCrossEntropy``: ``scale (p - onehot)`` takes the place of z.

    With e_k = e^(z_k - m), m the largest score, ``l = m - z_label + log(1 + q)`` and ``1 + q = sum_k e_k``; q is the
    sum of the others where the label leads: no digit of a small loss is lost.
    """
    number = z.dtype.type
    total, excess, before = 0.0, 0.0, factor
    for i in range(start, stop):
        row, first = order[i], np.uintp(at + (i - start) * pitch)
        largest = z[first]
        for k in range(first, first + np.uintp(n_outputs)):
            largest = z[k] if z[k] > largest else largest
        for k in range(first, first + np.uintp(n_outputs)):
            z[k] -= largest
        scale = factor if weights.size == 0 else factor * weights[row]
        total -= scale * z[first + np.uintp(targets[row, 0])]
    for k in range(np.uintp(at), np.uintp(at + (stop - start) * pitch)):
        a, b = fraction(z[k], number)
        z[k] = a / b
    for i in range(start, stop):
        row, first = order[i], np.uintp(at + (i - start) * pitch)
        scale = factor if weights.size == 0 else factor * weights[row]
        if scale != before or excess > LARGE:
            total += before * np.log1p(excess)
            excess, before = 0.0, scale
        label, others = first + np.uintp(targets[row, 0]), 0.0
        own = float(z[label])
        z[label] = 0
        for k in range(first, first + np.uintp(n_outputs)):
            others += z[k]
        share = scale / (others + own)
        slope = number(share)
        for k in range(first, first + np.uintp(n_outputs)):
            z[k] *= slope
        z[label] = -share * others
        q = others if own == 1.0 else others + own - 1.0
        excess += q * (1.0 + excess)
    return float(total + before * np.log1p(excess))
