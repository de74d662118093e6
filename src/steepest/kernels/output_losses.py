"""Losses of a network's output and their slopes, batch by batch, compiled.

Twins of ``losses`` (value and gradient) under ``objectives.reduction.Reduction``. Scores lie in a flat buffer ``z``,
those of a sample after each other; the exponentials of a whole batch are computed together, in SIMD lanes.

Logarithms are taken of products instead of one by one: ``sum_i log(1 + q_i) = log prod_i (1 + q_i)``. As no q_i is
negative, the product's excess over 1 is built without cancellation: ``(1 + Q) (1 + q) - 1 = Q + q (1 + Q)``.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.logistic import exponentials
from steepest.typing import Array, IntArray

HALF_SQUARED, LOGISTIC, SOFTMAX, POISSON = range(4)
LARGE = 1e100  # a product whose logarithm is taken before it overflows


@compiled
def value_and_slopes(
    Z: Array, targets: Array, weights: Array, rows: IntArray, loss: int, factor: float, e: Array, bits: IntArray
) -> float:
    """Return ``factor sum_i s_i l(y_i, z_i)``; the slopes ``factor s_i dl/dz`` take the place of the scores Z.

    ``targets`` are (all rows, outputs), or (all rows, 1) of class numbers for the softmax; no ``weights`` means ones.
    ``e`` (float64) and ``bits`` (int64) are buffers of at least the number of outputs.
    """
    n, size = Z.shape
    total, excess, before, together = 0.0, 0.0, 0.0, e.size // size
    for i in range(n):
        z, place = Z[i], i % together * size
        if place == 0 and loss in (LOGISTIC, SOFTMAX):
            exponents(Z[i : i + together], loss == SOFTMAX, e, bits)
        row, powers = rows[i], e[place : place + size]
        weight = factor if weights.size == 0 else factor * weights[row]
        if weight != before or excess > LARGE:
            total += before * np.log1p(excess)
            excess, before = 0.0, weight
        if loss == SOFTMAX:
            value, q = softmax(z, int(targets[row, 0]), weight, powers)
        elif loss == LOGISTIC:
            value, q = logistic(z, targets[row], weight, powers)
        else:
            value, q = by_output(z, targets[row], weight, loss), 0.0
        total += weight * value
        excess += q * (1.0 + excess)
    return float(total + before * np.log1p(excess))


@compiled
def exponents(Z: Array, shifted: bool, e: Array, bits: IntArray) -> None:
    """Write ``e^-|z|`` for all of Z, row by row, or ``e^(z - the row's largest z)``."""
    size = Z.shape[1]
    for i in range(Z.shape[0]):
        largest = Z[i, 0]
        for j in range(1, size):
            largest = max(largest, Z[i, j])
        for j in range(size):
            e[i * size + j] = Z[i, j] - largest if shifted else -abs(Z[i, j])
    exponentials(e, bits, Z.size)


@compiled
def softmax(z: Array, label: int, scale: float, e: Array) -> Any:
    """Twin of ``SoftmaxCrossEntropy``: ``scale (p - onehot)`` takes the place of z.

    With e_k = e^(z_k - m), m the largest score, ``l = m - z_label + log(1 + q)`` and ``1 + q = sum_k e_k``. Return
    ``m - z_label`` and q, which is the sum of the others where the label leads: no digit of a small loss is lost.
    """
    others, own, gap = 0.0, e[label], 0.0
    for k in range(z.size):
        others += e[k] if k != label else 0.0
    if own < 1.0:
        for k in range(z.size):
            gap = max(gap, float(z[k] - z[label]))
    share = scale / (others + own)
    for k in range(z.size):
        z[k] = share * e[k]
    z[label] = -share * others
    return gap, others if own == 1.0 else others + own - 1.0


@compiled
def logistic(z: Array, y: Array, scale: float, e: Array) -> Any:
    """Twin of ``LogisticLoss``, output by output: ``scale (p - y)`` takes the place of z.

    With e = e^-|z|, ``l = max(z, 0) - y z + log(1 + e)``, and p is 1 / (1 + e) for z > 0, e / (1 + e) otherwise. Return
    the sum of the first two terms, and the excess of the product of all 1 + e.
    """
    total, excess = 0.0, 0.0
    for j in range(z.size):
        score, label, small = float(z[j]), float(y[j]), e[j]
        total += max(score, 0.0) - label * score
        excess += small * (1.0 + excess)
        yes, no = (1.0, small) if score > 0 else (small, 1.0)
        z[j] = scale / (1.0 + small) * ((1.0 - label) * yes - label * no)
    return total, excess


@compiled
def by_output(z: Array, y: Array, scale: float, loss: int) -> float:
    """Twin of ``HalfSquaredError``, ``HalfPoissonDeviance``: return the loss; ``scale dl/dz`` takes the place of z."""
    total = 0.0
    for j in range(z.size):
        score, target = float(z[j]), float(y[j])
        if loss == POISSON:
            mean = np.exp(score)
            total += mean - target * score - target
            if target > 0:
                total += target * np.log(target)
            z[j] = scale * (mean - target)
        else:
            residual = score - target
            total += 0.5 * residual * residual
            z[j] = scale * residual
    return total
