"""Stochastic gradient descent: one update a sample, or one a mini-batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.kernels import sgd as kernel
from steepest.kernels.threads import map_blocks
from steepest.losses import (
    EpsilonInsensitive,
    HalfSquaredError,
    Hinge,
    HuberLoss,
    LogisticLoss,
    Loss,
    ModifiedHuber,
    SquaredEpsilonInsensitive,
    SquaredHinge,
)
from steepest.solvers.loop import Steps
from steepest.solvers.stochastic_reference import Rates
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array, IntArray

CHUNK_ROWS = 2048  # dense rows brought together at a time: they fit the second-level cache up to some 60 columns
SHARED_FROM = 1 << 14  # numbers in the data: a pass over fewer takes no longer than to wake another thread
SPARSE_CHUNK_ROWS = 65536  # sparse rows: many, as each chunk ends with a loop over all features

KERNEL_LOSSES: dict[type, int] = {
    HalfSquaredError: kernel.SQUARED,
    HuberLoss: kernel.HUBER,
    EpsilonInsensitive: kernel.INSENSITIVE,
    SquaredEpsilonInsensitive: kernel.SQUARED_INSENSITIVE,
    Hinge: kernel.HINGE,
    SquaredHinge: kernel.SQUARED_HINGE,
    ModifiedHuber: kernel.MODIFIED_HUBER,
    LogisticLoss: kernel.LOGISTIC,
}
RUNAWAY = (kernel.SQUARED, kernel.SQUARED_INSENSITIVE, kernel.SQUARED_HINGE)
KERNEL_SCHEDULES = {
    "constant": kernel.CONSTANT,
    "adaptive": kernel.CONSTANT,
    "optimal": kernel.OPTIMAL,
    "invscaling": kernel.INVERSE,
    "pa1": kernel.PASSIVE_1,
    "pa2": kernel.PASSIVE_2,
}


def kernel_parameter(loss: Loss) -> float:
    """Return the one number that a loss's kernel needs beside its kind."""
    names = ("delta", "epsilon", "margin")
    return next((float(getattr(loss, name)) for name in names if hasattr(loss, name)), 1.0)


def make_settings(
    loss: Loss, rates: Rates, *, l1: float, l2: float, intercept_rate: float, average: int
) -> "np.ndarray[Any, Any]":
    """Return the kernels' record of what stays the same."""
    settings = np.zeros(1, kernel.SETTINGS)
    settings["loss"], settings["parameter"] = KERNEL_LOSSES[type(loss)], kernel_parameter(loss)
    settings["schedule"] = KERNEL_SCHEDULES[rates.schedule]
    settings["eta0"], settings["power"], settings["alpha"] = rates.eta0, rates.power, rates.alpha
    settings["offset"] = rates.offset(loss)
    settings["l1"], settings["l2"] = l1, l2
    settings["intercept_rate"], settings["average"] = intercept_rate, average
    return settings


@dataclass
class Plateau:
    """Counts passes in a row that bring no improvement of at least ``tol``."""

    tol: float
    patience: int
    best: float = inf
    waited: int = 0

    def over(self, value: float) -> bool:
        """Note a value; return whether patience has run out."""
        self.waited = self.waited + 1 if value > self.best - self.tol else 0
        self.best = min(self.best, value)
        return self.waited >= self.patience


@dataclass(frozen=True)
class Runaway:
    """When a learner was first seen to diverge: the pass, the objective then and at the start, the rate it began with.

    Slopes are clipped (``kernels.sgd.LARGEST_SLOPE``), so that a diverging run may stay finite for ever.
    """

    index: int
    value: float
    first_value: float
    rate: float

    def __str__(self) -> str:
        """Return the sentence a user reads."""
        grew = f"the objective grew to {self.value:.3g}; it was {self.first_value:.3g} at the start"
        return f"diverged at step {self.index}: {grew}; step size {self.rate:.3g} is too large here"


@dataclass
class Learner:
    """One linear score that learns by stochastic gradient descent.

    Attributes
    ----------
    X : array (n_samples, n_features), C order, or CSR array
        The rows.
    y : array (n_samples,)
        Targets as the loss wants them, in X's dtype.
    weight : array (n_samples,) or None
        Weights of the samples, in X's dtype.
    settings : record
        From :func:`make_settings`.
    coefficients, average : array (n_features,)
        The weights, and their running mean (empty if none is taken); both are written to.
    order : array of int
        The rows to visit, in order.
    permutation : array of int or None
        What rearranges the order before every pass.
    plateau : Plateau
        Decides when to stop.
    growth : float
        A run whose latest rows' mean objective is so many times the start's has run away; ``ran_away`` notes when it
        was first seen to, and forgets it if a later pass brings the objective back.
    score : callable or None
        Gives, from coefficients and intercept, the number that has to grow on held-out data; without it the
        objective has to fall.
    """

    X: Any
    y: Array
    weight: Array | None
    settings: "np.ndarray[Any, Any]"
    coefficients: Array
    average: Array
    order: IntArray
    plateau: Plateau
    permutation: IntArray | None = None
    batch_size: int = 1
    adaptive: bool = False
    score: Callable[[Array, float], float] | None = None
    held_out: NDArray[np.bool_] | None = None
    state: "np.ndarray[Any, Any]" = field(default_factory=lambda: np.zeros(1, kernel.STATE))
    finished: bool = False
    value: float = nan
    passes: int = 0
    growth: float = 1e6
    ran_away: "Runaway | None" = None

    def __post_init__(self) -> None:
        """Prepare the buffers."""
        w = self.coefficients
        self.state["squared_norm"], self.state["absolute_sum"] = np.dot(w, w), np.abs(w).sum()
        self.paid = np.zeros(len(w) if self.settings["l1"][0] > 0 else 0)
        chunk = SPARSE_CHUNK_ROWS if sparse.issparse(self.X) else CHUNK_ROWS
        rows = max(self.batch_size, chunk // self.batch_size * self.batch_size)
        self.rows = min(rows, len(self.order))
        self.y_buffer = np.empty(self.rows, self.X.dtype)
        self.weight_buffer = np.ones(self.rows, self.X.dtype)
        self.first_value, self.limit = self._first_losses()
        self.X_buffer = None if sparse.issparse(self.X) else np.empty((self.rows, len(w)), self.X.dtype)

    def _first_losses(self) -> tuple[float, float]:
        """Return the mean loss of some rows at the start, and the value that would mean divergence.

        Only a loss whose slope grows with the score can run away; for others the first is NaN, the second infinite.
        """
        kind, parameter = int(self.settings["loss"][0]), float(self.settings["parameter"][0])
        if kind not in RUNAWAY:
            return nan, inf
        rows = slice(0, 64)
        z = np.asarray(self.X[rows] @ self.coefficients) + self.intercept
        pairs = list(zip(self.y[rows].tolist(), z.tolist(), strict=True))
        at_start = [kernel.loss_and_slope(kind, parameter, y, z)[0] for y, z in pairs]
        at_zero = [kernel.loss_and_slope(kind, parameter, y, 0.0)[0] for y, _ in pairs]
        tiny = float(np.finfo(np.float32).tiny)
        first = float(np.mean(at_start))
        return first, self.growth * max(first, float(np.mean(at_zero)), tiny)

    @property
    def intercept(self) -> float:
        """The intercept as the updates left it."""
        return float(self.state["intercept"][0])

    @property
    def average_intercept(self) -> float:
        """The running mean of the intercept."""
        return float(self.state["average_intercept"][0])

    @property
    def averaging(self) -> bool:
        """Whether the running mean has begun."""
        return bool(0 < self.settings["average"][0] <= self.state["t"][0] - 1.0)

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        s = self.settings[0]
        return float(
            kernel.learning_rate(s["schedule"], s["eta0"], s["power"], s["alpha"], s["offset"], self.state["t"][0])
        )

    def parameters(self) -> Array:
        """Return coefficients and intercept, averaged if averages are taken, as a new flat array."""
        if self.averaging:
            return np.append(self.average, np.asarray(self.average_intercept, self.average.dtype))
        return np.append(self.coefficients, np.asarray(self.intercept, self.coefficients.dtype))

    def advance(self) -> None:
        """Make one pass over the data and decide whether it was the last."""
        if self.permutation is not None:
            self.order = self.order[self.permutation]
        order = self.order if self.held_out is None else self.order[~self.held_out[self.order]]
        total, recent, rate = 0.0, 0.0, self.rate
        for start in range(0, len(order), self.rows):
            rows = order[start : start + self.rows]
            self.state["total"] = 0.0
            self._visit(rows)
            total += float(self.state["total"][0])
            recent = float(self.state["total"][0]) / len(rows)
        self.passes += 1
        self.value = total / max(len(order), 1)
        if not isfinite(self.value):
            self.value, self.finished = inf, True  # the loop sees an objective without bound
            return
        if not recent > self.limit:
            self.ran_away = None
        elif self.ran_away is None:
            self.ran_away = Runaway(self.passes, recent, self.first_value, rate)
        progress = self.value if self.score is None else -self.score(self.coefficients, self.intercept)
        if self.plateau.over(progress):
            self._slow_down_or_finish()

    def _visit(self, rows: IntArray) -> None:
        """Bring some rows together in memory and pass over them."""
        n = len(rows)
        y, weight = self.y_buffer[:n], self.weight_buffer[:n]
        np.take(self.y, rows, out=y, mode="clip")
        if self.weight is not None:
            np.take(self.weight, rows, out=weight, mode="clip")
        if self.X_buffer is None:
            chosen = self.X[rows]
            X: Any = (chosen.data, chosen.indices, chosen.indptr)
        else:
            X = np.take(self.X, rows, axis=0, out=self.X_buffer[:n], mode="clip")
        w, average, paid = self.coefficients, self.average, self.paid
        if self.batch_size == 1:
            kernel.single_pass(X, y, weight, w, average, paid, self.settings, self.state)
        else:
            kernel.batch_pass(X, y, weight, self.batch_size, w, average, paid, self.settings, self.state)

    def _slow_down_or_finish(self) -> None:
        if self.adaptive and self.settings["eta0"][0] > 1e-6:
            self.settings["eta0"] /= 5.0
            self.plateau.waited = 0
        else:
            self.finished = True


def stochastic_gradient(learners: Sequence[Learner]) -> Steps:
    """Let one or several learners pass over their data until each is finished; a step is one pass.

    ``theta`` is one row (coefficients, intercept) a learner, flat. ``value`` is the sum over the learners of the mean
    objective that the samples of the pass met, each before its own update: an estimate that costs nothing, and lags
    behind the objective at ``theta``. Learners run in threads, where a pass takes longer than waking one.
    """
    theta = np.concatenate([learner.parameters() for learner in learners])
    yield Step(0, theta)
    index = 0
    while not all(learner.finished for learner in learners):
        index += 1
        active = [learner for learner in learners if not learner.finished]
        rate = active[0].rate
        share = 1 if active[0].X.size >= SHARED_FROM else len(active)
        map_blocks(lambda i, j, active=active: [learner.advance() for learner in active[i:j]], len(active), share)  # type: ignore[misc]
        previous, theta = theta, np.concatenate([learner.parameters() for learner in learners])
        value = sum(learner.value for learner in learners)
        yield Step(index, theta, value, step_size=rate, step_norm=float(np.linalg.norm(theta - previous)))
    return Reason.PATIENCE
