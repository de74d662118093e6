"""Coordinate descent on a quadratic with an L1 penalty."""

from typing import Any

from steepest.kernels.compile import compiled


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
