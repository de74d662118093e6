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
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array, IntArray

CHUNK_ROWS = 2048  # dense rows brought together at a time: they fit the second-level cache up to some 60 columns
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


@dataclass(frozen=True)
class Rates:
    r"""Learning rate of update t = 1, 2, ...

    Parameters
    ----------
    schedule : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}
        ``eta0``; ``1 / (alpha (t0 + t - 1))``; ``eta0 / t^power``; ``eta0``, divided by 5 when nothing improves any
        more; or the passive-aggressive step, in which ``eta0`` is the aggressiveness C.

    Notes
    -----
    "optimal" is Bottou's choice. ``1 / (alpha t)`` is optimal for a penalty of curvature alpha but starts far too
    fast; with W = alpha^(-1/4) as the typical size of a weight, t0 is set so that the first rate is
    ``W / max(1, l'(1, -W))``: one step then moves by about that size.

    Sources: L. Bottou, Stochastic Gradient Descent Tricks (2012), sections 5.1-5.2; K. Crammer et al., Online
    Passive-Aggressive Algorithms, JMLR 7 (2006), figure 1.
    """

    schedule: str = "optimal"
    eta0: float = 0.01
    power: float = 0.5
    alpha: float = 1e-4

    def offset(self, loss: Loss) -> float:
        """Return ``t0``."""
        if self.schedule != "optimal":
            return 0.0
        typical = self.alpha**-0.25
        slope = float(loss.gradient(np.array([1.0]), np.array([-typical]))[0])
        return float(max(1.0, slope) / (typical * self.alpha))


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
        A run whose latest rows' mean objective is so many times the start's has run away, which ``ran_away`` notes.
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
        if recent > self.limit and self.ran_away is None:
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
    behind the objective at ``theta``. Learners run in threads.
    """
    theta = np.concatenate([learner.parameters() for learner in learners])
    yield Step(0, theta)
    index = 0
    while not all(learner.finished for learner in learners):
        index += 1
        active = [learner for learner in learners if not learner.finished]
        rate = active[0].rate
        map_blocks(lambda i, _, active=active: active[i].advance(), len(active), 1)  # type: ignore[misc]
        previous, theta = theta, np.concatenate([learner.parameters() for learner in learners])
        value = sum(learner.value for learner in learners)
        yield Step(index, theta, value, step_size=rate, step_norm=float(np.linalg.norm(theta - previous)))
    return Reason.PATIENCE


def reference_order(n: int, seed: int) -> IntArray:
    """Return the permutation of ``kernels.sgd.fisher_yates`` in plain integers."""
    order, state, mask = np.arange(n), seed or 1, 0xFFFFFFFF
    for i in range(n - 1):
        state ^= (state << 13) & mask
        state ^= state >> 17
        state ^= (state << 5) & mask
        j = i + (state & 0x7FFFFFFF) % (n - i)
        order[[i, j]] = order[[j, i]]
    return order


def reference_pass(
    X: Array,
    y: Array,
    weight: Array,
    loss: Loss,
    rates: Rates,
    theta: Array,
    *,
    l1: float,
    l2: float,
    batch_size: int = 1,
    average: int = 0,
) -> tuple[Array, Array]:
    r"""Return the parameters after one pass over the rows, and their running mean.

    Notes
    -----
    Shapes: X (n, d), theta (d + 1,): weights w, then the intercept b. The objective is
    ``mean_i s_i l(y_i, x_i^T w + b) + l1 |w|_1 + l2 |w|^2 / 2``. For a batch B of rows, by the chain rule with
    dz_i/dw = x_i and dz_i/db = 1, an unbiased estimate of its smooth part's gradient is::

        g_w = (1 / |B|) sum_{i in B} s_i l'(y_i, z_i) x_i + l2 w        g_b = (1 / |B|) sum_{i in B} s_i l'(y_i, z_i)

    and update t is w <- w - eta_t g_w, b <- b - eta_t g_b, that is::

        w <- (1 - eta_t l2) w - eta_t (1 / |B|) sum_i s_i l'_i x_i      shrink (never below 0), then add

    **Weight scale.** Shrinking touches every weight, adding only those in the row. With w = scale v::

        shrink:  scale <- (1 - eta l2) scale          O(1)
        add:     v <- v - (eta s_i l'_i / scale) x_i      as scale v must change by -eta s_i l'_i x_i

    and the squared norm follows from the same loop. The kernel folds the scale into v when it gets small.

    **Cumulative L1 penalty.** The subgradient step w_j <- w_j - eta l1 sign(w_j) never gives exact zeros. Instead let
    u = l1 sum_{s <= t} eta_s be what a weight could have been charged so far, and q_j what it was in fact charged
    (with its sign). After an update, w_j is charged the rest, but never beyond zero::

        w_j > 0:  w_j' = max(0, w_j - (u + q_j))
        w_j < 0:  w_j' = min(0, w_j + (u - q_j)),      q_j <- q_j + w_j' - w_j

    so a weight whose feature is absent may wait: u remembers. For dense rows nothing waits.

    **Averages.** From update m on, the mean of w_m ... w_t, wbar_t = wbar_{t-1} + (w_t - wbar_{t-1}) / (t - m + 1),
    converges faster than w_t itself. In O(row): keep wbar = (A + a v) / beta. With mu = 1 / (t - m + 1) the recursion
    asks for (1 - mu) wbar + mu scale v'. Dividing by it, beta' = beta / (1 - mu) and a' = a + mu beta' scale do that,
    if A is corrected by -a (v' - v) whenever v changes, which it does only in the row.

    Sources: L. Bottou, Stochastic Gradient Descent Tricks (2012), sections 5.1-5.3 (weight scale, averages);
    Y. Tsuruoka, J. Tsujii, S. Ananiadou, Stochastic Gradient Descent Training for L1-regularized Log-linear Models
    with Cumulative Penalty, ACL 2009, section 3.2; averaging is due to B. Polyak and A. Juditsky (1992).
    """
    w, b = theta[:-1].copy(), float(theta[-1])
    mean, mean_b = np.zeros_like(w), 0.0
    u, q = 0.0, np.zeros_like(w)
    offset = rates.offset(loss)
    for t, start in enumerate(range(0, len(y), batch_size), start=1):
        rows = slice(start, start + batch_size)
        eta = reference_rate(rates, offset, t)
        slopes = weight[rows] * loss.gradient(y[rows], X[rows] @ w + b)
        size = len(slopes)
        w = max(0.0, 1.0 - eta * l2) * w - eta * (X[rows].T @ slopes) / size
        b -= eta * slopes.sum() / size
        u += l1 * eta
        charged = np.where(w > 0, np.maximum(0, w - (u + q)), np.where(w < 0, np.minimum(0, w + (u - q)), w))
        q += charged - w
        w = charged
        if 0 < average <= t:
            mean += (w - mean) / (t - average + 1)
            mean_b += (b - mean_b) / (t - average + 1)
    return np.append(w, b), np.append(mean, mean_b)


def reference_rate(rates: Rates, offset: float, t: int) -> float:
    """Return the learning rate of update ``t``."""
    if rates.schedule == "optimal":
        return 1.0 / (rates.alpha * (offset + t - 1))
    return rates.eta0 / t**rates.power if rates.schedule == "invscaling" else rates.eta0
