"""Schedules: the learning rate of every step.

A schedule is called with the step's number t = 1, 2, ... (one step of a stochastic run is one pass over the data) and
gives the rate; the first step always gets the initial rate, unless it warms up. Any function of t serves as one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, inf, pi
from typing import Protocol, runtime_checkable

from steepest.exceptions import InvalidInputError
from steepest.validation import check_count, check_positive

__all__ = ["Constant", "Cosine", "Exponential", "InverseTime", "ReduceOnPlateau", "StepDecay", "WarmUp", "open_rate"]

Schedule = Callable[[int], float]
Rate = Callable[[int, float], float]


@runtime_checkable
class Stateful(Protocol):
    """A schedule that also looks at the objective's value."""

    def start(self) -> Rate:
        """Return a fresh function of the step's number and the value before it, good for one run."""


def open_rate(learning_rate: "float | Schedule | Stateful") -> Rate:
    """Return the learning rate as a function of the step's number and the value before it.

    Examples
    --------
    >>> open_rate(0.5)(7, 1.25), open_rate(lambda t: 1 / t)(4, 1.25)
    (0.5, 0.25)
    """
    if isinstance(learning_rate, Stateful):
        return learning_rate.start()
    if callable(learning_rate):
        return _checked(learning_rate)
    rate = check_positive("learning_rate", learning_rate)
    return lambda t, value: rate


def _checked(schedule: Schedule) -> Rate:
    """Return the schedule as a rate, refusing what is no rate as it comes."""

    def rate(t: int, value: float) -> float:
        return check_positive(f"learning_rate at step {t}", schedule(t), zero=True)

    return rate


@dataclass(frozen=True)
class Constant:
    """Always ``rate``.

    Examples
    --------
    >>> Constant(0.1)(1000)
    0.1
    """

    rate: float

    def __post_init__(self) -> None:
        """Refuse what is no rate."""
        check_positive("rate", self.rate)

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        return self.rate


@dataclass(frozen=True)
class InverseTime:
    r"""``rate / (1 + decay (t - 1))^power``.

    Notes
    -----
    Stochastic steps converge if the rates sum to infinity and their squares do not (Robbins and Monro, 1951): for
    1/2 < power <= 1. With power 1/2 it is the schedule of the subgradient method.

    Examples
    --------
    >>> [InverseTime(1.0, decay=1.0)(t) for t in (1, 2, 4)]
    [1.0, 0.5, 0.25]
    """

    rate: float
    decay: float = 1.0
    power: float = 1.0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_positive("rate", self.rate)
        check_positive("decay", self.decay, zero=True)
        check_positive("power", self.power, zero=True)

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        return float(self.rate / (1.0 + self.decay * (t - 1)) ** self.power)


@dataclass(frozen=True)
class Exponential:
    """``rate * factor^(t - 1)``.

    The rates sum to rate / (1 - factor): a factor too small stops the run before it arrives.

    Examples
    --------
    >>> [Exponential(1.0, factor=0.5)(t) for t in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """

    rate: float
    factor: float = 0.99

    def __post_init__(self) -> None:
        """Refuse a factor outside (0, 1]."""
        check_positive("rate", self.rate)
        _check_factor(self.factor)

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        return float(self.rate * self.factor ** (t - 1))


@dataclass(frozen=True)
class StepDecay:
    """``rate``, multiplied by ``factor`` after every ``every`` steps.

    Examples
    --------
    >>> [StepDecay(1.0, factor=0.1, every=2)(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """

    rate: float
    factor: float = 0.1
    every: int = 100

    def __post_init__(self) -> None:
        """Refuse a factor outside (0, 1]."""
        check_positive("rate", self.rate)
        _check_factor(self.factor)
        check_count("every", self.every)

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        return float(self.rate * self.factor ** ((t - 1) // self.every))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine wave from ``rate`` down to ``final`` over ``n_steps`` steps, then ``final``.

    Source: I. Loshchilov and F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR (2017), equation 5,
    without the restarts.

    Examples
    --------
    >>> [round(Cosine(1.0, n_steps=4)(t), 3) for t in (1, 2, 3, 4, 5, 6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    rate: float
    n_steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        check_positive("rate", self.rate)
        check_count("n_steps", self.n_steps)
        check_positive("final", self.final, zero=True)

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        done = min((t - 1) / self.n_steps, 1.0)
        return self.final + 0.5 * (self.rate - self.final) * (1.0 + cos(pi * done))


@dataclass(frozen=True)
class WarmUp:
    """Rise in equal parts to the rate of ``then`` over the first ``n_steps`` steps, then follow it from its start.

    Examples
    --------
    >>> [WarmUp(Constant(1.0), n_steps=4)(t) for t in (1, 2, 4, 5)]
    [0.25, 0.5, 1.0, 1.0]
    """

    then: Schedule
    n_steps: int

    def __post_init__(self) -> None:
        """Refuse a schedule that is none."""
        check_count("n_steps", self.n_steps)
        if not callable(self.then):
            raise InvalidInputError(f"then={self.then!r}: must be a schedule, such as Constant(0.1)")

    def __call__(self, t: int) -> float:
        """Return the rate of step ``t``."""
        return self.then(1) * t / self.n_steps if t <= self.n_steps else self.then(t - self.n_steps)


@dataclass(frozen=True)
class ReduceOnPlateau:
    """``rate``, multiplied by ``factor`` whenever the value has not improved for ``patience`` steps.

    It counts as an improvement to fall below the best value by more than ``threshold`` of its size. After a reduction
    the count begins anew. The rate never falls below ``minimum``.

    Examples
    --------
    >>> rate = ReduceOnPlateau(1.0, factor=0.5, patience=2).start()
    >>> [rate(t, value) for t, value in enumerate([9.0, 8.0, 8.0, 8.0, 8.0], start=1)]
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    rate: float
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    minimum: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a factor outside (0, 1]."""
        check_positive("rate", self.rate)
        _check_factor(self.factor)
        check_count("patience", self.patience)
        check_positive("threshold", self.threshold, zero=True)
        check_positive("minimum", self.minimum, zero=True)

    def start(self) -> Rate:
        """Return a fresh function of the step's number and the value before it."""
        return _Plateau(self, self.rate)


@dataclass
class _Plateau:
    """One run's memory of :class:`ReduceOnPlateau`."""

    of: ReduceOnPlateau
    rate: float
    best: float = field(default=inf, init=False)
    waited: int = field(default=0, init=False)

    def __call__(self, t: int, value: float) -> float:
        """Count the steps without improvement; reduce when there are too many."""
        needed = self.of.threshold * abs(self.best) if self.best < inf else 0.0
        if value < self.best - needed:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited >= self.of.patience:
            self.rate, self.waited = max(self.rate * self.of.factor, self.of.minimum), 0
        return self.rate


def _check_factor(factor: float) -> None:
    """Refuse a factor that does not reduce."""
    if not 0.0 < check_positive("factor", factor) <= 1.0:
        raise InvalidInputError(f"factor={factor!r}: must be above 0 and at most 1")
