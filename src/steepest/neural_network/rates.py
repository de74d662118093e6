"""Which learning rate is safe: from the largest curvature of the objective."""

from math import inf, nan

import numpy as np

from steepest.objectives.network import NetworkObjective
from steepest.solvers.updates import Update
from steepest.typing import Array

ROWS, ROUNDS = 512, 12


def largest_curvature(objective: NetworkObjective, theta: Array) -> float:
    r"""Return an estimate of the largest curvature (in size) of the objective at ``theta``.

    Notes
    -----
    Power iteration: v <- H v / |H v| turns to the eigenvector of the Hessian H with the largest eigenvalue in size,
    and |H v| to that size. Products with H need no Hessian::

        H v = (grad J(theta + e v) - grad J(theta - e v)) / (2 e) + O(e^2)

    At most 512 rows are looked at.

    Examples
    --------
    >>> from steepest.layers import Dense, Sequential
    >>> X = np.array([[3.0], [-3.0]])  # J = (9 w^2 + b^2) / 2 for targets 0: curvatures 9 and 1
    >>> objective = NetworkObjective(Sequential([Dense(1)], (1,)), X, np.zeros(2))
    >>> round(largest_curvature(objective, np.array([1.0, 1.0])), 6)
    9.0
    """
    rows = np.linspace(0, objective.n_samples - 1, min(ROWS, objective.n_samples)).astype(np.intp)
    part, theta = objective.batch(rows), theta.astype(np.float64)
    v = np.random.default_rng(0).standard_normal(theta.size)
    e, size = 1e-4 * max(1.0, float(np.linalg.norm(theta))), 0.0
    for _ in range(ROUNDS):
        v /= np.linalg.norm(v)
        v = (part.gradient(theta + e * v) - part.gradient(theta - e * v)) / (2.0 * e)
        size = float(np.linalg.norm(v))
        if not 0.0 < size < inf:
            return nan
    return size


def safe_rate(objective: NetworkObjective, theta: Array, update: Update) -> float:
    """Return the largest learning rate at which the rule is stable near ``theta``; NaN if it is not known."""
    curvature = largest_curvature(objective, theta)
    return update.stable_rate(curvature) if curvature > 0 else nan
