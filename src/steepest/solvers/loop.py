"""The one loop that drives every solver."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from math import isfinite, isnan

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.result import Result
from steepest.solvers.stopping import Divergence, MaxIterations, Reason, StoppingRule, fresh
from steepest.step import Step
from steepest.trace import Trace

Steps = Generator[Step, None, Reason | None]
Observer = Callable[[Step], bool | None]


def run(
    steps: Steps,
    *,
    max_iter: int,
    stopping: Iterable[StoppingRule] = (),
    observers: Iterable[Observer] = (),
    trace: Trace | None = None,
    stable_rate: Callable[[], float] | None = None,
    restore_best: bool = False,
    sign: float = 1.0,
) -> Result:
    """Draw steps from a solver until a rule, an observer, the solver itself or the user stops it.

    Parameters
    ----------
    steps : generator of Step
        A solver at work. Its first step is the start (index 0). It may end by itself, returning its reason.
    max_iter : int
        The most iterations.
    stopping : iterable of StoppingRule
        Asked in order after each step; divergence is looked for before all of them. What rules remember of an earlier
        run is forgotten.
    observers : iterable of callables
        Each sees every step; a true return value, or StopIteration raised, stops the run.
    trace : Trace, optional
        The record to write; a new one if not given.
    stable_rate : callable, optional
        Gives the largest stable learning rate, asked only if the run diverges.
    restore_best : bool, default False
        Return the step with the lowest value instead of the last one.
    sign : {1.0, -1.0}, default 1.0
        -1 where the solver minimises the negative of what the user maximises: the trace, the observers, the messages
        and the result then show the user's own values.

    Returns
    -------
    Result
        Never raises for divergence or Ctrl-C: the reason says so, and what was reached is kept. Only before the first
        step is complete there is nothing to keep, and Ctrl-C goes through.
    """
    trace = Trace() if trace is None else trace
    rules: list[StoppingRule] = [Divergence(), *map(fresh, stopping), MaxIterations(max_iter)]
    observers = list(observers)
    last = sound = best = _first(steps)
    reason: Reason | None = None
    try:
        while True:
            # every rule is asked, as each may count steps; the first that speaks is heard
            reason = next(filter(None, [_heard(rule, last) for rule in rules]), None)
            if reason is not Reason.DIVERGED:
                sound = last
                best = last if last.value < best.value or isnan(best.value) else best
            shown = _signed(last, sign)
            trace.record(shown)
            stop_asked = [_ask(observer, shown) for observer in observers]
            if reason is None and any(stop_asked):
                reason = Reason.CALLBACK
            if reason is not None:
                break
            with np.errstate(
                over="ignore", invalid="ignore", divide="ignore"
            ):  # what is not finite is reported in words
                last = next(steps)
    except StopIteration as end:
        reason = end.value or Reason.ROUNDING
    except KeyboardInterrupt:
        reason = Reason.INTERRUPTED
    finally:
        steps.close()
    n_iter = last.index if reason is Reason.DIVERGED else sound.index
    shown = _signed(best if restore_best else sound, sign)
    message = reason.sentence
    if reason is Reason.DIVERGED:
        limit = stable_rate() if stable_rate is not None else 2.0 / last.curvature if last.curvature > 0 else np.nan
        message = _divergence(_signed(last, sign), _signed(sound, sign), limit, sign)
    trace.about |= {"reason": reason.name, "message": message}
    return Result(shown.theta, shown.value, n_iter, reason, message, trace, shown)


def _first(steps: Steps) -> Step:
    """Return the start; a solver that yields nothing is a defect, not an empty run."""
    try:
        with np.errstate(all="ignore"):
            return next(steps)
    except StopIteration:
        raise RuntimeError("the solver yielded no step, not even its start") from None


def _heard(rule: StoppingRule, step: Step) -> Reason | None:
    """Return what a rule says of the step; what is no reason is refused."""
    reason = rule(step)
    if reason and not isinstance(reason, Reason):
        text = "must return a Reason or None; what returns true to stop is an observer"
        raise InvalidInputError(f"a stopping rule returned {reason!r}: {text}")
    return reason or None


def _ask(observer: Observer, step: Step) -> bool:
    """Show an observer the step; return whether it wants to stop."""
    try:
        return bool(observer(step))
    except StopIteration:
        return True


def _signed(step: Step, sign: float) -> Step:
    """Return the step as the user counts values."""
    return step if sign == 1.0 else replace(step, value=sign * step.value, curvature=sign * step.curvature)


def _divergence(last: Step, sound: Step, limit: float, sign: float) -> str:
    """Say at which step a run diverged, why, and which rate would have been stable."""
    if sign * (last.value - sound.value) < 0.0 and not isnan(last.value):
        return (
            f"diverged at step {last.index}: the objective passed every bound, {last.value:.3g}; "
            f"it has no {'minimum' if sign > 0 else 'maximum'}"
        )
    text = f"diverged at step {last.index}: {_grown(last, sign)}"
    if isfinite(sound.value):
        text += f"; it was {sound.value:.3g} at step {sound.index}"
    if isfinite(last.step_size):
        text += f"; step size {last.step_size:.3g}"
    if isfinite(limit) and limit > 0 and not last.step_size <= limit:
        text += f" is too large here: the largest stable learning rate is about {limit:.3g}"
    return text


def _grown(last: Step, sign: float) -> str:
    """Say what the value has become."""
    if isfinite(last.value):
        return f"the objective {'grew' if sign > 0 else 'fell'} to {last.value:.3g}"
    if isnan(last.value) and np.all(np.isfinite(last.theta)):
        return "the objective is NaN (not defined there?)"
    return "the objective is no longer finite"
