"""Compiled epochs of block coordinate descent for several targets that share their support."""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled


@compiled
def epoch_on_blocks(Z: Any, residual: Any, W: Any, l1: Any, l2: Any, order: Any) -> None:
    """Update every row of ``W`` (d, k) once, in place; reference: ``steepest.solvers.multitask.epoch``.

    ``Z`` (d, n) holds a column of the design in each row, ``residual`` (k, n) what is left of a target in each.
    """
    n_targets = len(residual)
    a = np.empty(n_targets)
    for j in order:
        column, curvature = Z[j], 0.0
        for i in range(len(column)):
            curvature += column[i] * column[i]
        if curvature == 0.0:
            W[j] = 0.0
            continue
        square = 0.0
        for t in range(n_targets):
            left, product = residual[t], 0.0
            for i in range(len(column)):
                product += column[i] * left[i]
            a[t] = product + curvature * W[j, t]
            square += a[t] * a[t]
        share = max(1.0 - l1 / np.sqrt(square), 0.0) / (curvature + l2) if square > 0.0 else 0.0
        for t in range(n_targets):
            change = share * a[t] - W[j, t]
            if change != 0.0:
                W[j, t] += change
                left = residual[t]
                for i in range(len(column)):
                    left[i] -= change * column[i]
