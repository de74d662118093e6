"""Lloyd's iteration: nearest centres, then means, until nothing moves."""

from dataclasses import dataclass, field
from math import nan
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

AT_ONCE_SECONDS = 0.05


class Partitioned(Protocol):
    """An objective ``J(C) = min_l J(C, l)`` whose two partial minima are known; a ``partition`` holds the labels l."""

    def centres(self, theta: Array) -> Array:
        """Return the parameters as centres (k, d)."""

    def partition(self, *, reuse: bool = True) -> Any:
        """Return a partition; its ``assign(centres)`` minimises over l and returns how many labels changed."""

    def partition_value_and_gradient(self, partition: Any, theta: Array) -> tuple[float, Array]:
        """Return ``J(C, l)`` and ``dJ(C, l)/dC``, flat."""

    def iterate(self, partition: Any, theta: Array, most: int = 1, tol: float = 0.0) -> list[Any]:
        """Return up to ``most`` steps, to the minimiser over C, then over l; none after a squared way up to ``tol``."""


def lloyd(
    objective: Partitioned, theta: Array, partition: Any | None = None, *, at_once: int = 1, tol: float = 0.0
) -> Steps:
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

    If nobody wants to interfere, several iterations are taken ``at_once`` before they are yielded one by one: as many
    as take a twentieth of a second, so that the keyboard is heard, but none after one whose squared way is at most
    ``tol``. When each was ``reached`` is told as if all of them had taken equally long.

    Source: S. P. Lloyd, Least squares quantization in PCM, IEEE Trans. Inf. Theory 28 (1982), "Method I".
    """
    partition = objective.partition() if partition is None else partition
    begun = perf_counter()
    changed = partition.assign(objective.centres(theta))
    seconds = perf_counter() - begun
    yield kmeans_step(objective, partition, 0, theta, changed)
    index = 0
    while True:
        most = max(1, min(at_once - index, int(AT_ONCE_SECONDS / seconds)))
        begun = perf_counter()
        steps = objective.iterate(partition, theta, most, tol)
        seconds = (perf_counter() - begun) / len(steps)
        for number, step in enumerate(steps, start=1):
            index, theta = index + 1, step.theta
            notes = {"labels_changed": float(step.labels_changed), "empty_clusters": float(step.empty_clusters)}
            norm, way = step.gradient_norm, step.way
            reached = begun + number * seconds
            yield Step(index, theta, step.value, gradient_norm=norm, step_norm=way, notes=notes, reached=reached)


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
