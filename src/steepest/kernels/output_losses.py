"""Losses of a network's output and their slopes, batch by batch, compiled.

Twins of ``losses`` (value and gradient) under ``objectives.reduction.Reduction``, as procedures of one form::

    loss(z, pitch, n_outputs, targets, width, weights, weighted, order, n, factor, room, total)

writes ``factor sum_i s_i l(y_i, z_i)`` over the samples ``order[:n]`` to ``total[0]``; the slopes ``factor s_i dl/dz``
take the place of the scores. Those of a sample lie beside each other, those of the next ``pitch`` further. ``targets``
are (all rows, width): a number for each output, or the class for the softmax. Without ``weighted`` all weights are
ones. ``room`` is ``2 STRETCH`` numbers that nobody needs.

Logarithms of softmax sums are taken of products instead of one by one: ``sum_i log(1 + q_i) = log prod_i (1 + q_i)``.
As no q_i is negative, the product's excess over 1 is built without cancellation: ``(1 + Q) (1 + q) - 1 = Q + q (1 +
Q)``.
"""

import numpy as np

from steepest.kernels.compile import inlined
from steepest.kernels.exponential import fraction
from steepest.kernels.logistic import log_one_plus
from steepest.kernels.procedures import Integers, Numbers, Reals, as_in, procedure

STRETCH = 256  # samples
LARGE = 1e100  # a product whose logarithm is taken before it overflows


@procedure
def half_squared(
    z: Numbers, pitch: int, n_outputs: int, targets: Numbers, width: int, weights: Reals, weighted: int,
    order: Integers, n: int, factor: float, room: Numbers, total: Reals,
) -> None:  # fmt: skip
    """Twin of ``HalfSquaredError``."""
    value = 0.0
    for i in range(n):
        row, first = order[i], i * pitch
        scale = factor * weights[row] if weighted else factor
        for j in range(n_outputs):
            residual = float(z[first + j]) - float(targets[row * width + j])
            value += scale * 0.5 * residual * residual
            z[first + j] = as_in(z, scale * residual)
    total[0] = value


@inlined
def _logistic(score: float, label: float) -> tuple[float, float]:
    """Return value and slope of ``LogisticLoss``.

    With ``e = e^-|z| = a / b``, ``l = max(z, 0) - y z + log(1 + e)``, and p is b / (a + b) for z > 0, a / (a + b)
    otherwise; the slope is p - y.
    """
    a, b = fraction(-abs(score))
    value = max(score, 0.0) - label * score + log_one_plus(a / b)
    yes, no = (b, a) if score > 0 else (a, b)
    return value, ((1.0 - label) * yes - label * no) / (a + b)


@procedure
def logistic(
    z: Numbers, pitch: int, n_outputs: int, targets: Numbers, width: int, weights: Reals, weighted: int,
    order: Integers, n: int, factor: float, room: Numbers, total: Reals,
) -> None:  # fmt: skip
    """Twin of ``LogisticLoss``."""
    all_samples = 0.0
    for i in range(n):
        row, first = order[i], i * pitch
        scale = factor * weights[row] if weighted else factor
        for j in range(n_outputs):
            value, slope = _logistic(float(z[first + j]), float(targets[row * width + j]))
            all_samples += scale * value
            z[first + j] = as_in(z, scale * slope)
    total[0] = all_samples


@procedure
def logistic_column(
    z: Numbers, pitch: int, n_outputs: int, targets: Numbers, width: int, weights: Reals, weighted: int,
    order: Integers, n: int, factor: float, room: Numbers, total: Reals,
) -> None:  # fmt: skip
    """Twin of ``LogisticLoss`` for one output, whose scores lie beside each other: samples run in SIMD lanes.

    They can, as labels and weights are first laid beside each other, in ``room``.
    """
    all_samples = 0.0
    for begin in range(0, n, STRETCH):
        count = min(STRETCH, n - begin)
        for i in range(count):
            row = order[begin + i]
            room[i] = targets[row]
            room[STRETCH + i] = as_in(z, weights[row] if weighted else 1.0)
        for i in range(count):
            scale = factor * float(room[STRETCH + i])
            value, slope = _logistic(float(z[begin + i]), float(room[i]))
            all_samples += scale * value
            z[begin + i] = as_in(z, scale * slope)
    total[0] = all_samples


@procedure
def poisson(
    z: Numbers, pitch: int, n_outputs: int, targets: Numbers, width: int, weights: Reals, weighted: int,
    order: Integers, n: int, factor: float, room: Numbers, total: Reals,
) -> None:  # fmt: skip
    """Twin of ``HalfPoissonDeviance``."""
    all_samples = 0.0
    for i in range(n):
        row, first, value = order[i], i * pitch, 0.0
        scale = factor * weights[row] if weighted else factor
        for j in range(n_outputs):
            score, target = float(z[first + j]), float(targets[row * width + j])
            mean = np.exp(score)
            value += mean - target * score - target
            if target > 0:
                value += target * np.log(target)
            z[first + j] = as_in(z, scale * (mean - target))
        all_samples += scale * value
    total[0] = all_samples


@procedure
def softmax(
    z: Numbers, pitch: int, n_outputs: int, targets: Numbers, width: int, weights: Reals, weighted: int,
    order: Integers, n: int, factor: float, room: Numbers, total: Reals,
) -> None:  # fmt: skip
    """Twin of ``SoftmaxCrossEntropy``: ``scale (p - onehot)`` takes the place of z.

    With e_k = e^(z_k - m), m the largest score, ``l = m - z_label + log(1 + q)`` and ``1 + q = sum_k e_k``; q is the
    sum of the others where the label leads: no digit of a small loss is lost.
    """
    value, excess, before = 0.0, 0.0, factor
    for i in range(n):
        row, first = order[i], i * pitch
        largest = z[first]
        for k in range(first, first + n_outputs):
            largest = z[k] if z[k] > largest else largest
        for k in range(first, first + n_outputs):
            z[k] -= largest
        scale = factor * weights[row] if weighted else factor
        value -= scale * z[first + int(targets[row])]
    for k in range(n * pitch):
        a, b = fraction(z[k])
        z[k] = a / b
    for i in range(n):
        row, first = order[i], i * pitch
        scale = factor * weights[row] if weighted else factor
        if scale != before or excess > LARGE:
            value += before * np.log1p(excess)
            excess, before = 0.0, scale
        label, others = first + int(targets[row]), 0.0
        own = float(z[label])
        z[label] = as_in(z, 0.0)
        for k in range(first, first + n_outputs):
            others += z[k]
        share = scale / (others + own)
        slope = as_in(z, share)
        for k in range(first, first + n_outputs):
            z[k] *= slope
        z[label] = as_in(z, -share * others)
        q = others if own == 1.0 else others + own - 1.0
        excess += q * (1.0 + excess)
    total[0] = value + before * np.log1p(excess)
