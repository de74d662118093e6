"""The whole objective of a stack of dense layers, by the compiled kernel."""

import numpy as np

from steepest.kernels.dense_stack import value_and_gradient
from steepest.objectives.dense_stack import dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.typing import Array


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
        prepared = dense_stack(objective, objective.n_samples)
        if prepared is None:
            raise TypeError(f"{objective.words}: has no compiled twin")
        self.data, self.stack = prepared
        self.rows = np.arange(objective.n_samples)
        self.n_evaluations = 0

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and ``dJ/dtheta``."""
        self.n_evaluations += 1
        return value_and_gradient(np.ascontiguousarray(theta), self.rows, self.data, self.stack)

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self.value_and_gradient(theta)[0]

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        return self.value_and_gradient(theta)[1]
