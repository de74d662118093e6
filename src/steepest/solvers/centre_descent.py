"""Gradient descent on the centres of k-means, each at its own natural rate."""

from typing import Any

import numpy as np

from steepest.solvers.lloyd import Partitioned, kmeans_step
from steepest.solvers.loop import Steps
from steepest.typing import Array


def centre_descent(
    objective: Partitioned, theta: Array, *, learning_rate: float = 1.0, partition: Any | None = None
) -> Steps:
    r"""Step against the gradient of ``J(C)``, the step size of centre j being ``learning_rate / (2 W_j)``.

    Notes
    -----
    With the gradient ``2 (W_j c_j - S_j)`` and the curvature ``2 W_j`` of J in c_j, labels fixed::

        c_j <- c_j - h / (2 W_j) * 2 (W_j c_j - S_j) = (1 - h) c_j + h S_j / W_j

    h = 1 goes to the mean at once: Lloyd's update. 0 < h < 1 goes a part of the way, 1 < h < 2 beyond the mean; for
    h >= 2 the distance from the mean no longer shrinks. A centre without points has no gradient and stays.
    """
    partition = objective.partition() if partition is None else partition
    changed = partition.assign(objective.centres(theta))
    yield kmeans_step(objective, partition, 0, theta, changed)
    index = 0
    while True:
        index += 1
        gradient = objective.partition_value_and_gradient(partition, theta)[1]
        gradient = gradient.reshape(objective.centres(theta).shape)
        masses = partition.masses[:, None]
        step = np.divide(-learning_rate * gradient, 2 * masses, out=np.zeros_like(gradient), where=masses > 0)
        theta, previous = (theta + step.ravel()).astype(theta.dtype), theta
        way = float(np.linalg.norm(theta.astype(np.float64) - previous))
        changed = partition.assign(objective.centres(theta))
        n_empty = int(np.count_nonzero(partition.masses == 0))
        yield kmeans_step(objective, partition, index, theta, changed, n_empty, way, learning_rate)
