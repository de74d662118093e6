"""Losses of a network's output and their slopes, batch by batch, compiled.

Twins of ``losses`` (value and gradient) under ``objectives.reduction.Reduction``. Scores lie in a flat buffer ``z``,
those of a sample from ``at`` on.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array, IntArray

HALF_SQUARED, LOGISTIC, SOFTMAX, POISSON = range(4)


@compiled
def half_squared(z: Array, at: int, y: Array, row: int, scale: Any) -> float:
    """Twin of ``HalfSquaredError``: return the sample's loss; ``scale (z - y)`` takes the place of z."""
    total = 0.0
    for j in range(y.shape[1]):
        residual = z[at + j] - y[row, j]
        total += 0.5 * residual * residual
        z[at + j] = scale * residual
    return total


@compiled
def logistic(z: Array, at: int, y: Array, row: int, scale: Any) -> float:
    """Twin of ``LogisticLoss``, output by output: return the loss; ``scale (p - y)`` takes the place of z.

    With e = e^-|z|, l = max(z, 0) - y z + log(1 + e), and p is 1 / (1 + e) for z > 0, e / (1 + e) otherwise.
    """
    total = 0.0
    one, zero = z.dtype.type(1), z.dtype.type(0)
    for j in range(y.shape[1]):
        score = z[at + j]
        e = np.exp(-abs(score))
        total += max(score, zero) + np.log1p(e) - y[row, j] * score
        z[at + j] = scale * ((one if score > 0 else e) / (one + e) - y[row, j])
    return total


@compiled
def poisson(z: Array, at: int, y: Array, row: int, scale: Any) -> float:
    """Twin of ``HalfPoissonDeviance``: return the sample's loss; ``scale (e^z - y)`` takes the place of z."""
    total = 0.0
    for j in range(y.shape[1]):
        mean = np.exp(z[at + j])
        total += mean - y[row, j] * z[at + j] - y[row, j]
        if y[row, j] > 0:
            total += y[row, j] * np.log(y[row, j])
        z[at + j] = scale * (mean - y[row, j])
    return total


@compiled
def softmax(z: Array, at: int, size: int, label: int, scale: Any) -> float:
    """Twin of ``SoftmaxCrossEntropy``: return the loss; ``scale (p - onehot)`` takes the place of z."""
    largest = z[at]
    for j in range(1, size):
        largest = max(largest, z[at + j])
    at_label = z[at + label] - largest
    whole = z.dtype.type(0)
    for j in range(size):
        z[at + j] = np.exp(z[at + j] - largest)
        whole += z[at + j]
    z[at + label] -= whole
    for j in range(size):
        z[at + j] *= scale / whole
    return np.log(whole) - at_label  # type: ignore[no-any-return]  # NumPy types a scalar's logarithm as Any


@compiled
def value_and_slopes(
    z: Array, at: int, size: int, targets: Array, weights: Array, rows: IntArray, loss: int, factor: float
) -> float:
    """Return ``factor sum_i s_i l(y_i, z_i)``; the slopes ``factor s_i dl/dz`` take the place of the scores.

    The scores are (n, size), from ``at`` on. ``targets`` (all rows, size), or (all rows, 1) of class numbers for the
    softmax; no ``weights`` means all ones.
    """
    total = 0.0
    for i in range(rows.size):
        row, here = rows[i], at + i * size
        weight = factor if weights.size == 0 else factor * weights[row]
        scale = z.dtype.type(weight)
        if loss == SOFTMAX:
            value = softmax(z, here, size, int(targets[row, 0]), scale)
        elif loss == LOGISTIC:
            value = logistic(z, here, targets, row, scale)
        elif loss == POISSON:
            value = poisson(z, here, targets, row, scale)
        else:
            value = half_squared(z, here, targets, row, scale)
        total += weight * value
    return total
