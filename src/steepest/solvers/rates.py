"""Learning rates that follow from the objective: the one to begin with, and the largest stable one."""

from math import inf, isfinite, nan

import numpy as np

from steepest.solvers.options import LearningRate, Options
from steepest.solvers.protocols import FiniteSum, HasQuadratic, KinkAware, Objective, Smooth
from steepest.solvers.schedules import InverseTime
from steepest.solvers.stationary import extreme_curvatures
from steepest.solvers.updates import Plain, Update, open_update
from steepest.typing import Array

ROWS_PER_FEATURE = 4  # with that many rows a feature, a matrix product pays
LARGEST_MATRIX = 2000  # features, beyond which the matrix is too large to form
N_BATCHES = 20  # batches looked at for the curvature of a batch


def stable_rate(name: str, objective: Objective, options: Options | None = None, theta: Array | None = None) -> float:
    """Return the largest stable learning rate of a solver on ``objective``; NaN if it is not known.

    Where the objective does not know its curvature, the curvature around ``theta`` is measured, if it is given.

    Examples
    --------
    >>> from steepest.objectives.quadratic import QuadraticObjective
    >>> stable_rate("gradient-descent", QuadraticObjective(np.array([[2.0]])))
    1.0
    """
    options = Options() if options is None else options
    if name not in ("gradient-descent", "proximal-gradient", "fista"):
        return nan
    if name == "gradient-descent":
        curvature, limit = curvature_met(objective, options), open_update(options.update).stable_rate
    else:
        curvature = lipschitz(objective)
        limit = _fista_limit if name == "fista" else Plain().stable_rate
    if np.isnan(curvature) and theta is not None:
        curvature = extreme_curvatures(objective, theta, np.random.default_rng(0)).largest
    return limit(curvature) if 0.0 < curvature < inf else nan


def _fista_limit(curvature: float) -> float:
    """Return Nesterov's limit for a share of velocity that goes to 1."""
    return 4.0 / (3.0 * curvature)


def summed(objective: Objective, options: Options) -> Objective:
    """Return the objective with its rows summed up in a matrix, if it can be and it pays."""
    if options.summed is False or not isinstance(objective, HasQuadratic):
        return objective
    n, p = objective.n_samples, objective.n_features
    if options.summed or (n >= ROWS_PER_FEATURE * p and p <= LARGEST_MATRIX):
        return objective.quadratic() or objective
    return objective


def curvature_met(objective: Objective, options: Options) -> float:
    """Return the largest curvature that an update can meet; infinity for kinks, NaN if it is not known."""
    own = _batch_curvature(objective, options.batch_size) if options.batch_size is not None else lipschitz(objective)
    return own + (objective.penalty_lipschitz() if isinstance(objective, KinkAware) else 0.0)


def lipschitz(objective: object) -> float:
    """Return the largest curvature of the smooth part; NaN if it is not known."""
    return objective.lipschitz() if isinstance(objective, Smooth) else nan


def _batch_curvature(objective: Objective, batch_size: int) -> float:
    """Return the largest curvature of a few random batches."""
    if not isinstance(objective, FiniteSum) or not isinstance(objective, Smooth):
        return nan
    generator = np.random.default_rng(0)
    size = min(batch_size, objective.n_samples)
    drawn = [generator.choice(objective.n_samples, size, replace=False) for _ in range(N_BATCHES)]
    return max(lipschitz(objective.batch(rows)) for rows in drawn)


def auto_rate(objective: Objective, theta: Array, options: Options, update: Update) -> LearningRate:
    """Return 1 / curvature, the rule's usual rate, a falling rate for kinks, or "backtracking" if nothing is known."""
    usual: float | None = getattr(update, "usual_rate", None)
    if usual is not None:
        return usual
    curvature = curvature_met(objective, options)
    if np.isnan(curvature):
        return "backtracking"
    if isfinite(curvature):
        return 1.0 / curvature if curvature > 0.0 else 1.0
    # subgradients do not shrink towards a kink, so that the rate must: the subgradient method's 1 / sqrt(t)
    smooth = lipschitz(objective)
    scale = smooth if 0.0 < smooth < inf else float(np.linalg.norm(objective.gradient(theta)))
    return InverseTime(1.0 / scale if scale > 0.0 else 1.0, decay=1.0, power=0.5)
