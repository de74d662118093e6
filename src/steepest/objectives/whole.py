"""The whole objective of a stack of dense layers, by the compiled kernel.

It is a sum over rows, and so over blocks of rows: with the batch B scaled to stand for all n rows,
``J = sum_B |B| / n J_B``, and so its gradient. What lies between the layers is then kept of one block alone, in the
processor's caches.
"""

import numpy as np

from steepest.kernels.dense_plan import Data
from steepest.kernels.dense_stack import value_and_gradient
from steepest.objectives.dense_stack import dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.typing import Array

ROWS = 8192  # of a block: more than fits into the caches takes up to twice as long, much less leaves cores waiting


class WholeDenseStack:
    """``J(theta)`` and its gradient as :class:`~steepest.objectives.network.NetworkObjective` has them, faster.

    Attributes
    ----------
    n_evaluations : int
        How often a value was asked for.

    Examples
    --------
    >>> from steepest.layers import Dense, Sequential
    >>> network = Sequential([Dense(1)], input_shape=(1,))
    >>> objective = NetworkObjective(network, np.array([[1.0], [2.0]]), np.array([1.0, 3.0]))
    >>> WholeDenseStack(objective).value_and_gradient(np.array([2.0, -1.0]))
    (0.0, array([0., 0.]))
    """

    def __init__(self, objective: NetworkObjective) -> None:
        blocks = np.array_split(np.arange(objective.n_samples), -(-objective.n_samples // ROWS))
        prepared = dense_stack(objective, len(blocks[0]))
        if prepared is None:
            raise TypeError(f"{objective.words}: has no compiled twin")
        data, self.stack = prepared
        self.data, self.blocks = standing_for_all(data), blocks
        self.n_evaluations = 0

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and ``dJ/dtheta``."""
        self.n_evaluations += 1
        theta = np.ascontiguousarray(theta)
        value, gradient = 0.0, np.zeros_like(theta)
        for rows in self.blocks:
            share = len(rows) / len(self.data.X)
            of_block, slopes = value_and_gradient(theta, rows, self.data, self.stack)
            value += share * of_block
            gradient += theta.dtype.type(share) * slopes
        return value, gradient

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self.value_and_gradient(theta)[0]

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        return self.value_and_gradient(theta)[1]


def standing_for_all(data: Data) -> Data:
    """Return the same objective with batches that stand for all rows, where each is one of its own."""
    if not data.own_mean:
        return data
    mass = float(data.weights.sum() if data.weights.size else len(data.X))
    scale = 1.0 / mass if mass > 0 else 0.0
    return data._replace(factor=scale * data.factor, l2=scale * data.l2, own_mean=False)
