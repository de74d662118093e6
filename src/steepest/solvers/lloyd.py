"""Lloyd's iteration: nearest centres, then means, until nothing moves."""

from dataclasses import dataclass, field
from math import nan
from typing import Any, Protocol

import numpy as np

from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array


class Partitioned(Protocol):
    """An objective ``J(C) = min_l J(C, l)`` whose two partial minima are known; a ``partition`` holds the labels l."""

    def centres(self, theta: Array) -> Array:
        """Return the parameters as centres (k, d)."""

    def partition(self, *, reuse: bool = True) -> Any:
        """Return a partition; its ``assign(centres)`` minimises over l and returns how many labels changed."""

    def partition_value_and_gradient(self, partition: Any, theta: Array) -> tuple[float, Array]:
        """Return ``J(C, l)`` and ``dJ(C, l)/dC``, flat."""

    def means(self, partition: Any, theta: Array) -> tuple[Array, int]:
        """Return the minimiser over C, flat, and how many clusters had no member."""


def lloyd(objective: Partitioned, theta: Array, partition: Any | None = None) -> Steps:
    r"""Alternate between the two partial minima of ``J(C, l)``.

    Notes
    -----
    One iteration::

        C_t = argmin_C J(C, l_{t-1})        the means
        l_t = argmin_l J(C_t, l)            the nearest centres

    so ``J(C_{t-1}, l_{t-1}) >= J(C_t, l_{t-1}) >= J(C_t, l_t)``: the value of a step never rises (but for a relocated
    empty cluster, see the objective). Where no label has changed, the next means are the same ones again, and the
    iteration has come to its end. Each step notes how many ``labels_changed`` and how many ``empty_clusters`` were
    filled on the way.

    Source: S. P. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982), "Method I".
    """
    partition = objective.partition() if partition is None else partition
    changed = partition.assign(objective.centres(theta))
    yield kmeans_step(objective, partition, 0, theta, changed)
    index = 0
    while True:
        index += 1
        previous = theta
        theta, n_empty = objective.means(partition, previous)
        way = float(np.linalg.norm(theta.astype(np.float64) - previous))
        changed = partition.assign(objective.centres(theta)) if way > 0 else 0
        yield kmeans_step(objective, partition, index, theta, changed, n_empty, way)


def kmeans_step(
    objective: Partitioned,
    partition: Any,
    index: int,
    theta: Array,
    changed: int,
    n_empty: int = 0,
    way: float = nan,
    rate: float = nan,
) -> Step:
    """Return the step at ``theta``, whose labels ``partition`` holds."""
    value, gradient = objective.partition_value_and_gradient(partition, theta)
    return Step(
        index,
        theta,
        value,
        gradient_norm=float(np.sqrt(gradient @ gradient)),
        step_size=rate,
        step_norm=way,
        notes={"labels_changed": float(changed), "empty_clusters": float(n_empty)},
    )


@dataclass
class LabelsSettled:
    """Stop one iteration after the last label has changed: strict convergence."""

    _changed: float = field(default=nan, init=False)

    def __call__(self, step: Step) -> Reason | None:
        """Look whether the step before changed any label."""
        settled, self._changed = self._changed == 0, step.notes["labels_changed"]
        return Reason.NO_CHANGE if settled else None


@dataclass
class CentreShift:
    """Stop when the squared way of all centres together is at most ``tol``."""

    tol: float

    def __call__(self, step: Step) -> Reason | None:
        """Compare the squared length of the step with the tolerance."""
        return Reason.STEP_TOLERANCE if step.step_norm**2 <= self.tol else None
