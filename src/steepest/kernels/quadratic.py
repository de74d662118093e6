"""Coordinate descent on a quadratic with an L1 penalty, with Newton's steps on the support."""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.support_newton import SMALL, newton_steps

SWEEPS = 10  # between two attempts at Newton's steps, or as many as cost about a factorisation
PATIENCE = 100  # sweeps after which Newton's steps are repeated on a support of any size


@compiled
def minimize_quadratic(H: Any, slope: Any, u: Any, l1: Any, tolerance: Any, max_sweeps: Any) -> Any:
    r"""Minimise ``<slope, u - u_0> + (u - u_0)^T H (u - u_0) / 2 + sum_j l1_j |u_j|``, in place; return the sweeps.

    Sweeps of :func:`descend_coordinates` find the signs; where these are right, Newton's steps on what is not zero are
    exact, however ill-conditioned H is. With ``c = H u - slope`` this is the problem of a lasso whose Gram matrix is H.
    """
    sweeps = 0
    while sweeps < max_sweeps:
        wanted = min(max(SWEEPS, np.count_nonzero(u) // 4), max_sweeps - sweeps)
        done = descend_coordinates(H, slope, u, l1, tolerance, wanted)
        sweeps += done
        if done < wanted:
            break
        correlation, c = -slope, -slope
        for j in range(len(u)):
            if u[j] != 0.0:
                c += u[j] * H[j]
        if newton_steps(H, c, correlation, u, l1, 0.0, SMALL if sweeps < PATIENCE else len(u)) > 0:
            for j in range(len(slope)):
                slope[j] = -correlation[j]
    return sweeps


@compiled
def descend_coordinates(H: Any, slope: Any, u: Any, l1: Any, tolerance: Any, max_sweeps: Any) -> Any:
    r"""Minimise ``<slope, u - u_0> + (u - u_0)^T H (u - u_0) / 2 + sum_j l1_j |u_j|``, in place; return the sweeps.

    ``slope``, the gradient of the smooth part at u, is kept up to date. Along coordinate j the smooth part is a
    parabola of curvature H_jj, so that its minimum with the penalty is::

        u_j' = S(u_j - slope_j / H_jj, l1_j / H_jj),    S the soft threshold

    A move by delta changes the slope by ``delta H_j``. Stops when no coordinate's move in a sweep changes its slope by
    more than ``tolerance``. Reference: the prox of the penalty in the coordinate (``penalties.ElasticNet.prox``).
    """
    d = u.shape[0]
    for sweep in range(max_sweeps):
        largest = 0.0
        for j in range(d):
            curvature = H[j, j]
            if curvature <= 0.0:
                continue
            old = u[j]
            aim = curvature * old - slope[j]
            size = abs(aim) - l1[j]
            new = 0.0 if size <= 0.0 else (size / curvature if aim > 0.0 else -size / curvature)
            delta = new - old
            if delta != 0.0:
                u[j] = new
                for k in range(d):
                    slope[k] += delta * H[j, k]
                largest = max(largest, abs(delta) * curvature)
        if largest <= tolerance:
            return sweep + 1
    return max_sweeps
