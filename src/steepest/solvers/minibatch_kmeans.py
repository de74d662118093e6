"""Mini-batch k-means: centres as running means of the samples drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, nan
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from steepest.solvers.lloyd import Partitioned
from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array


class Batch(Partitioned, Protocol):
    """A k-means objective on some samples ``X``, whose sums are measured from ``origin``."""

    X: Any
    n_samples: int

    @property
    def origin(self) -> Array:
        """What the samples are measured from."""


@dataclass
class CentreCounts:
    """What mini-batch k-means remembers besides the centres.

    Attributes
    ----------
    counts : float64 array (n_clusters,)
        The weight of all samples that each centre is the mean of.
    since : int
        Samples seen since rarely used centres were last looked for.
    """

    counts: NDArray[np.float64]
    since: int = 0

    def due(self, batch_size: int) -> bool:
        """Count a batch; tell whether to look for rare centres: after 10 samples a centre, or if one is unused."""
        self.since += batch_size
        look = self.since >= 10 * len(self.counts) or not self.counts.all()
        if look:
            self.since = 0
        return look


def minibatch_update(batch: Batch, theta: Array, memory: CentreCounts) -> tuple[Array, float]:
    r"""Return the centres after a batch, flat, and the batch's SSE before it.

    Notes
    -----
    Centre j is the mean of all it was ever given, N_j in weight. A batch brings it S_j in weight W_j::

        c_j <- (N_j c_j + S_j) / (N_j + W_j) = c_j + W_j / (N_j + W_j) (S_j / W_j - c_j)

    the step of stochastic gradient descent on the SSE with rate ``1 / (2 (N_j + W_j))``: each centre's own, falling
    like one over the number of its samples.

    Source: D. Sculley, Web-scale k-means clustering, WWW 2010, with whole batches in place of single samples.
    """
    partition = batch.partition()
    partition.assign(batch.centres(theta))
    sse = partition.sse(batch.centres(theta))
    masses = partition.masses
    memory.counts += masses
    total = np.maximum(memory.counts, np.finfo(np.float64).tiny)  # a centre without weight so far stays where it is
    centres = batch.centres(theta).astype(np.float64)
    centres += (partition.sums - masses[:, None] * (centres - batch.origin)) / total[:, None]
    return centres.astype(theta.dtype).ravel(), sse


def reassign_rare(batch: Batch, theta: Array, memory: CentreCounts, ratio: float, rng: np.random.Generator) -> int:
    """Put centres with less than ``ratio`` of the largest count on random samples of the batch; return how many.

    At most half as many as there are samples; their counts become the smallest of the others, so that they are not
    taken at once again.
    """
    rare = memory.counts < ratio * memory.counts.max()
    if not rare.any():
        return 0
    most = int(0.5 * batch.n_samples)
    if rare.sum() > most:
        rare[np.argsort(memory.counts)[most:]] = False
    n_rare = int(rare.sum())
    if n_rare:
        rows = batch.X[rng.choice(batch.n_samples, size=n_rare, replace=False)]
        batch.centres(theta)[rare] = rows.toarray() if hasattr(rows, "toarray") else rows
        memory.counts[rare] = memory.counts[~rare].min()
    return n_rare


def minibatch_kmeans(
    draw: Callable[[], Batch],
    theta: Array,
    memory: CentreCounts,
    *,
    share: float,
    reassignment_ratio: float,
    rng: np.random.Generator,
) -> Steps:
    """Update the centres batch by batch; a step is one batch, its value the SSE of the whole as the batch estimates it.

    Parameters
    ----------
    draw : callable
        Returns the objective on the next batch.
    theta : array
        Starting centres, flat.
    memory : CentreCounts
        What is remembered; brought up to date in place.
    share : float
        Weight of a batch in the whole data's weight: what the batch's SSE is divided by.
    reassignment_ratio : float
        See :func:`reassign_rare`.
    rng : Generator
        Source of the samples that rarely used centres are put on.
    """
    yield Step(0, theta)
    index = 0
    while True:
        index += 1
        batch = draw()
        look = memory.due(batch.n_samples) and reassignment_ratio > 0
        previous = theta
        theta, sse = minibatch_update(batch, previous, memory)
        n_moved = reassign_rare(batch, theta, memory, reassignment_ratio, rng) if look else 0
        way = float(np.linalg.norm(theta.astype(np.float64) - previous))
        notes = {"mean_batch_sse": sse / batch.n_samples, "reassigned_centres": float(n_moved)}
        yield Step(index, theta, sse / share, step_norm=way, notes=notes)


@dataclass
class SmoothedPatience:
    """Stop when the exponentially smoothed SSE of the batches has found no new minimum for ``patience`` batches.

    The first batch, whose SSE is that of the starting centres, does not count; nor does it for ``tol``, which stops
    when the squared way of the centres in a batch is at most ``tol`` (0: never).
    """

    weight: float
    patience: int | None
    tol: float = 0.0
    smoothed: float = field(default=nan, init=False)
    _lowest: float = field(default=inf, init=False)
    _waited: int = field(default=0, init=False)

    def __call__(self, step: Step) -> Reason | None:
        """Smooth the value and count the batches since the lowest."""
        if step.index < 2:
            return None
        value: Any = step.notes["mean_batch_sse"]
        self.smoothed = value if step.index == 2 else self.smoothed * (1 - self.weight) + value * self.weight
        if self.tol > 0 and step.step_norm**2 <= self.tol:
            return Reason.STEP_TOLERANCE
        if self.smoothed < self._lowest:
            self._lowest, self._waited = self.smoothed, 0
        else:
            self._waited += 1
        return Reason.PATIENCE if self.patience is not None and self._waited >= self.patience else None
