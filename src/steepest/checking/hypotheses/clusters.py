"""Mistakes in the gradient of k-means: all points for the assigned ones, counts left out or put in."""

from collections.abc import Iterator

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate, counts_of
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose"]


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Wrong gradients of centres ``C`` (k, d), if the truth is that of squared distances to the nearest."""
    centres = scene.parameter(i)
    name = scene.names[i]
    if centres[0].ndim != 2 or not scene.problem.uses_data:
        return
    for X in scene.arrays.values():
        if X.ndim != 2 or X.shape[1] != centres[0].shape[1] or X.dtype.kind != "f":
            continue
        counts = [_assignment(C, X).sum(axis=0)[:, None] for C in centres]
        pulls: list[Array] = [n * C - _assignment(C, X).T @ X for C, n in zip(centres, counts, strict=True)]
        ratio = _ratio(pulls, scene.truth(i))
        if ratio is None:
            continue
        rule = f"d{name}[k] is the sum of 2 (c_k - x_i) over the points assigned to centre k"
        yield Candidate(
            "per-cluster-mean",
            [ratio * q / np.maximum(n, 1) for q, n in zip(pulls, counts, strict=True)],
            "the true derivative with every centre's row divided by its number of points",
            f"{rule}: a sum, where you have a mean (which is a step with another rate for each centre).",
            natural=counts_of(scene),
            hint="sum or mean over the points of a cluster",
        )
        yield Candidate(
            "all-points",
            [ratio * (len(X) * C - X.sum(axis=0)) for C in centres],
            "the sum over all points, whichever centre they are assigned to",
            f"{rule}: leave the others out.",
            hint="look at which points belong to a centre",
        )
        yield Candidate(
            "mean-for-gradient",
            [ratio * C for C in centres],
            "the centres themselves",
            f"{rule}.",
            hint="the points are missing",
        )
        return


def _assignment(C: Array, X: Array) -> Array:
    distances = ((X[:, None, :] - C[None]) ** 2).sum(axis=2)
    assigned: Array = np.eye(len(C))[distances.argmin(axis=1)]
    return assigned


def _ratio(pulls: list[Array], truth: list[Array]) -> float | None:
    size = sum(float(np.sum(q * q)) for q in pulls)
    ratio = sum(float(np.sum(q * t)) for q, t in zip(pulls, truth, strict=True)) / max(size, 1e-300)
    for q, t in zip(pulls, truth, strict=True):
        if np.max(np.abs(ratio * q - t)) > 1e-7 * max(float(np.max(np.abs(t))), 1e-300):
            return None
    return ratio
