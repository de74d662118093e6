"""Losses of a network's output and their slopes, batch by batch, compiled.

Twins of ``losses`` (value and gradient) under ``objectives.reduction.Reduction``.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array, IntArray

HALF_SQUARED, LOGISTIC, SOFTMAX, POISSON = range(4)


@compiled
def half_squared(z: Array, y: Array, scale: Any) -> float:
    """Twin of ``HalfSquaredError``: return the sample's loss; ``scale (z - y)`` takes the place of z."""
    total = 0.0
    for j in range(z.size):
        residual = z[j] - y[j]
        total += 0.5 * residual * residual
        z[j] = scale * residual
    return total


@compiled
def logistic(z: Array, y: Array, scale: Any) -> float:
    """Twin of ``LogisticLoss``, output by output: return the loss; ``scale (p - y)`` takes the place of z."""
    total = 0.0
    one = z.dtype.type(1)
    for j in range(z.size):
        total += max(z[j], 0) + np.log1p(np.exp(-abs(z[j]))) - y[j] * z[j]
        z[j] = scale * (one / (one + np.exp(-z[j])) - y[j])
    return total


@compiled
def poisson(z: Array, y: Array, scale: Any) -> float:
    """Twin of ``HalfPoissonDeviance``: return the sample's loss; ``scale (e^z - y)`` takes the place of z."""
    total = 0.0
    for j in range(z.size):
        mean = np.exp(z[j])
        total += mean - y[j] * z[j] - y[j]
        if y[j] > 0:
            total += y[j] * np.log(y[j])
        z[j] = scale * (mean - y[j])
    return total


@compiled
def softmax(z: Array, label: int, scale: Any) -> float:
    """Twin of ``SoftmaxCrossEntropy``: return the loss; ``scale (p - onehot)`` takes the place of z."""
    largest = z[0]
    for j in range(1, z.size):
        largest = max(largest, z[j])
    at_label = z[label] - largest
    whole = z.dtype.type(0)
    for j in range(z.size):
        z[j] = np.exp(z[j] - largest)
        whole += z[j]
    z[label] -= whole
    for j in range(z.size):
        z[j] *= scale / whole
    return np.log(whole) - at_label  # type: ignore[no-any-return]  # NumPy types a scalar's logarithm as Any


@compiled
def value_and_slopes(Z: Array, targets: Array, weights: Array, rows: IntArray, loss: int, factor: float) -> float:
    """Return ``factor sum_i s_i l(y_i, z_i)``; the slopes ``factor s_i dl/dz`` take the place of the scores Z (n, k).

    ``targets`` (all rows, k), or (all rows, 1) of class numbers for the softmax; no ``weights`` means all ones.
    """
    total = 0.0
    for i in range(Z.shape[0]):
        weight = factor if weights.size == 0 else factor * weights[rows[i]]
        scale = Z.dtype.type(weight)
        if loss == SOFTMAX:
            here = softmax(Z[i], int(targets[rows[i], 0]), scale)
        elif loss == LOGISTIC:
            here = logistic(Z[i], targets[rows[i]], scale)
        elif loss == POISSON:
            here = poisson(Z[i], targets[rows[i]], scale)
        else:
            here = half_squared(Z[i], targets[rows[i]], scale)
        total += weight * here
    return total
