"""Which learning rate is safe: from the largest curvature of the objective."""

from math import nan

import numpy as np

from steepest.objectives.network import NetworkObjective
from steepest.solvers.stationary import extreme_curvatures
from steepest.solvers.updates import Update
from steepest.typing import Array

ROWS = 512


def safe_rate(objective: NetworkObjective, theta: Array, update: Update) -> float:
    """Return the largest learning rate at which the rule is stable near ``theta``; NaN if it is not known.

    At most 512 rows are looked at.

    Examples
    --------
    >>> from steepest.layers import Dense, Sequential
    >>> from steepest.solvers.updates import Plain
    >>> X = np.array([[3.0], [-3.0]])  # J = (9 w^2 + b^2) / 2 for targets 0: curvatures 9 and 1
    >>> objective = NetworkObjective(Sequential([Dense(1)], (1,)), X, np.zeros(2))
    >>> round(9 * safe_rate(objective, np.array([1.0, 1.0]), Plain()), 6)
    2.0
    """
    rows = np.linspace(0, objective.n_samples - 1, min(ROWS, objective.n_samples)).astype(np.intp)
    with np.errstate(all="ignore"):
        curvature = extreme_curvatures(objective.batch(rows), theta, np.random.default_rng(0)).largest
    return update.stable_rate(curvature) if 0.0 < curvature < np.inf else nan
