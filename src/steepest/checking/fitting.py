"""Constants with which given tensors add up to a claimed gradient at every point, if there are any."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steepest.kernels.blas import length
from steepest.typing import Array

__all__ = ["Precision", "fit"]


@dataclass(frozen=True)
class Precision:
    """What counts as equal up to rounding: relative to an entry, and to the largest entry."""

    entry: float
    block: float


def fit(
    claims: Sequence[Array],
    columns: Sequence[Sequence[Array]],
    errors: Sequence[float],
    precision: Precision,
) -> Array | None:
    r"""Constants ``c`` with ``claim = sum_k c_k column_k`` to rounding at every point, or None.

    Notes
    -----
    One least-squares fit over all points, each scaled by the size of its claim so that none is drowned. It
    is accepted only if every residual is within ``precision.entry`` of the terms of its entry plus
    ``precision.block`` of the largest entry plus the error of the reference: a fit that is merely good is
    no explanation. A column that contributes nothing is refused too, for it explains nothing.
    """
    if any(column.shape != claim.shape for col in columns for column, claim in zip(col, claims, strict=True)):
        return None
    sizes = [max(float(np.max(np.abs(claim))), 1e-300) for claim in claims]
    with np.errstate(over="ignore"):  # a column of a quite different size explains nothing: see below
        matrix = np.stack(
            [np.concatenate([t.ravel() / s for t, s in zip(column, sizes, strict=True)]) for column in columns], axis=1
        )
    target = np.concatenate([claim.ravel() / s for claim, s in zip(claims, sizes, strict=True)])
    if not np.isfinite(matrix).all() or not np.isfinite(target).all():
        return None
    lengths = np.array([length(column) for column in matrix.T])
    if (lengths == 0.0).any():
        return None
    with np.errstate(over="ignore"):
        solution: Array = np.linalg.lstsq(matrix / lengths, target, rcond=1e-9)[0] / lengths
    if not np.isfinite(solution).all():
        return None
    terms = np.abs(matrix) * np.abs(solution)
    residual = np.abs(matrix @ solution - target)
    allowed = precision.entry * (np.abs(target) + terms.sum(axis=1)) + precision.block
    slack = np.concatenate([np.full(c.size, 20.0 * e / s) for c, e, s in zip(claims, errors, sizes, strict=True)])
    scale = np.abs(solution).max() if solution.size else 1.0
    if (residual > allowed + slack * max(1.0, scale)).any():
        return None
    if (terms.max(axis=0) <= 10.0 * precision.block).any():
        return None
    return solution if len(columns) == 1 or _is_overdetermined(matrix, target) else None


def _is_overdetermined(matrix: Array, target: Array) -> bool:
    """Whether there are more different equations than constants: as many of both fit anything."""
    rows = np.column_stack([matrix, target])
    rows = rows / np.maximum(np.max(np.abs(rows), axis=0), 1e-300)
    return bool(len(np.unique(np.round(rows[np.any(rows != 0.0, axis=1)], 6), axis=0)) > matrix.shape[1])
