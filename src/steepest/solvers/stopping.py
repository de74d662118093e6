"""When a run stops, and the sentence that says why."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf, isfinite, isnan, nan
from time import perf_counter
from typing import Protocol, Self

import numpy as np

from steepest.step import Step
from steepest.typing import Array
from steepest.validation import check_count, check_positive


class Reason(Enum):
    """Why a run stopped; ``sentence`` is what the user reads, ``converged`` whether the answer can be relied on."""

    EXACT = ("solved in closed form", True)
    GRADIENT_TOLERANCE = ("converged: the gradient fell below the tolerance", True)
    STEP_TOLERANCE = ("converged: the steps became smaller than the tolerance", True)
    VALUE_TOLERANCE = ("converged: the objective stopped changing by more than the tolerance", True)
    DUALITY_GAP = ("converged: the duality gap fell below the tolerance", True)
    NO_CHANGE = ("converged: no sample changes its cluster any more", True)
    ROUNDING = ("converged: no step improves the objective beyond rounding", True)
    PATIENCE = ("stopped early: no improvement for as long as patience allows", True)
    NO_DESCENT = (
        "stopped: no step against the gradient lowers the objective; it has a kink, a jump or its domain's end there, "
        "its numbers are too large for any step (scale the data), or its gradient is wrong",
        False,
    )
    CALLBACK = ("stopped by a callback", False)
    TIME_BUDGET = ("stopped: the time budget is used up", False)
    MAX_ITER = ("stopped: the maximum number of iterations is reached", False)
    INTERRUPTED = ("interrupted; the last complete step is kept", False)
    STATIONARY_START = ("the start is a stationary point but no minimum; move it, or allow a kick", False)
    DIVERGED = ("diverged", False)

    def __init__(self, sentence: str, converged: bool) -> None:
        self.sentence = sentence
        self.converged = converged


class StoppingRule(Protocol):
    """Looks at each step in turn and names a reason to stop, or none."""

    def __call__(self, step: Step) -> Reason | None:
        """Return the reason to stop after ``step``, or None to go on."""


@dataclass
class Remembering:
    """A rule that remembers the steps before: every run works with a fresh one."""

    def fresh(self) -> Self:
        """Return the rule as it was made.

        Examples
        --------
        >>> rule = Patience(2)
        >>> [rule(Step(index, np.zeros(1), 1.0, 1.0)) for index in (0, 1)]
        [None, None]
        >>> rule.fresh()
        Patience(patience=2, min_improvement=0.0, _best=inf, _waited=0)
        """
        return replace(self)


def fresh(rule: StoppingRule) -> StoppingRule:
    """Return a rule as a run is to find it."""
    return rule.fresh() if isinstance(rule, Remembering) else rule


@dataclass
class MaxIterations:
    """Stop after ``limit`` iterations."""

    limit: int

    def __call__(self, step: Step) -> Reason | None:
        """Compare the step's index with the limit."""
        return Reason.MAX_ITER if step.index >= self.limit else None


@dataclass
class GradientTolerance(Remembering):
    """Stop when the gradient's norm is at most ``tol``, or at most ``tol`` times its first value if ``relative``."""

    tol: float
    relative: bool = False
    _first: float = field(default=nan, init=False)

    def __call__(self, step: Step) -> Reason | None:
        """Compare the gradient's norm with the tolerance."""
        if isnan(self._first):
            self._first = step.gradient_norm
        limit = self.tol * self._first if self.relative else self.tol
        return Reason.GRADIENT_TOLERANCE if step.gradient_norm <= limit else None


@dataclass
class Tolerance:
    """A rule that compares with ``tol``."""

    tol: float

    def __post_init__(self) -> None:
        """Refuse what is no tolerance."""
        check_positive("tol", self.tol, zero=True)


@dataclass
class StepTolerance(Tolerance):
    """Stop when a step is shorter than ``tol`` times the length of the parameters (or 1 if they are shorter).

    The first step alone proves nothing (a warm-up rate or a flat start makes it tiny): at least two are taken.
    """

    def __call__(self, step: Step) -> Reason | None:
        """Compare the step's length with the tolerance."""
        small = step.step_norm <= self.tol * max(1.0, float(np.linalg.norm(step.theta)))
        return Reason.STEP_TOLERANCE if step.index >= 2 and small else None


@dataclass
class ValueTolerance(Tolerance, Remembering):
    """Stop when the objective changes by less than ``tol`` of its size (or of 1 if it is smaller)."""

    _previous: float = field(default=nan, init=False)

    def __call__(self, step: Step) -> Reason | None:
        """Compare the change since the step before with the tolerance."""
        change, self._previous = abs(step.value - self._previous), step.value
        small = change <= self.tol * max(1.0, abs(step.value))
        return Reason.VALUE_TOLERANCE if step.index >= 2 and small else None


@dataclass
class DualityGapTolerance(Tolerance):
    """Stop when the duality gap is at most ``tol``, in the objective's units."""

    def __call__(self, step: Step) -> Reason | None:
        """Compare the gap with the tolerance."""
        return Reason.DUALITY_GAP if step.duality_gap <= self.tol else None


@dataclass
class Patience(Remembering):
    """Stop when the best value has not improved by more than ``min_improvement`` for ``patience`` steps."""

    patience: int
    min_improvement: float = 0.0
    _best: float = field(default=inf, init=False)
    _waited: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Refuse what is no number of steps."""
        check_count("patience", self.patience)

    def __call__(self, step: Step) -> Reason | None:
        """Count the steps since the last improvement."""
        if step.value < self._best - self.min_improvement:
            self._best, self._waited = step.value, 0
        else:
            self._waited += 1
        return Reason.PATIENCE if self._waited >= self.patience else None


@dataclass
class Confirmed(Remembering):
    """Stop when a rule says so and a proof, which costs more than the rule, agrees."""

    rule: StoppingRule
    proof: Callable[[Array], bool]

    def fresh(self) -> Self:
        """Return the rule as it was made, and the one that it asks."""
        return replace(self, rule=fresh(self.rule))

    def __call__(self, step: Step) -> Reason | None:
        """Ask the rule, and only if it speaks for the proof."""
        reason = self.rule(step)
        return reason if reason is not None and self.proof(step.theta) else None


@dataclass
class TimeBudget:
    """Stop when ``seconds`` have passed since the rule was made: all runs that it is handed to share them."""

    seconds: float
    _started: float = field(default_factory=perf_counter, init=False)

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        check_positive("seconds", self.seconds, zero=True)

    def __call__(self, step: Step) -> Reason | None:
        """Look at the clock."""
        return Reason.TIME_BUDGET if perf_counter() - self._started >= self.seconds else None


@dataclass
class Divergence:
    """Notice that the objective grows without bound.

    It is said to diverge when it, or a parameter, is no longer finite, or when it has risen three times in a row to
    more than ``growth`` times its first value (its second, where the first is 0). A rate that falls may still become
    small enough: then only the first counts.
    """

    growth: float = 1e6
    _scale: float = field(default=0.0, init=False)
    _previous: float = field(default=nan, init=False)
    _rate: float = field(default=nan, init=False)
    _rises: int = field(default=0, init=False)

    def __call__(self, step: Step) -> Reason | None:
        """Compare the value with the first and the previous one."""
        if self._scale == 0.0 and isfinite(step.value):
            self._scale = abs(step.value)
        self._rises = self._rises + 1 if step.value > self._previous else 0
        self._previous = step.value
        falling, self._rate = step.step_size < self._rate, step.step_size
        exploded = self._rises >= 3 and step.value > self.growth * self._scale and not falling
        finite = np.isfinite(step.theta).all() and (isfinite(step.value) or (isnan(step.value) and step.index == 0))
        return Reason.DIVERGED if exploded or not finite else None
