"""The one loop that drives every solver."""

from collections.abc import Callable, Generator, Iterable
from math import isfinite, isnan

import numpy as np

from steepest.solvers.result import Result
from steepest.solvers.stopping import Divergence, MaxIterations, Reason, StoppingRule
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
) -> Result:
    """Draw steps from a solver until a rule, an observer, the solver itself or the user stops it.

    Parameters
    ----------
    steps : generator of Step
        A solver at work. Its first step is the start (index 0). It may end by itself, returning its reason.
    max_iter : int
        The most iterations.
    stopping : iterable of StoppingRule
        Asked in order after each step; divergence is looked for before all of them.
    observers : iterable of callables
        Each sees every step; a true return value stops the run.
    trace : Trace, optional
        The record to write; a new one if not given.
    stable_rate : callable, optional
        Gives the largest stable learning rate, asked only if the run diverges.

    Returns
    -------
    Result
        Never raises for divergence or Ctrl-C: the reason says so, and what was reached is kept.
    """
    trace = Trace() if trace is None else trace
    rules: list[StoppingRule] = [Divergence(), *stopping, MaxIterations(max_iter)]
    observers = list(observers)
    last = sound = _first(steps)
    reason: Reason | None = None
    try:
        while True:
            trace.record(last)
            stop_asked = [bool(observer(last)) for observer in observers]
            reason = next(filter(None, (rule(last) for rule in rules)), None)
            if reason is not Reason.DIVERGED:
                sound = last
            if reason is None and any(stop_asked):
                reason = Reason.CALLBACK
            if reason is not None:
                break
            last = next(steps)
    except StopIteration as end:
        reason = end.value or Reason.ROUNDING
    except KeyboardInterrupt:
        reason = Reason.INTERRUPTED
    finally:
        steps.close()
    message = _divergence(last, sound, stable_rate) if reason is Reason.DIVERGED else reason.sentence
    trace.about |= {"reason": reason.name, "message": message}
    return Result(sound.theta, sound.value, last.index, reason, message, trace, sound)


def _first(steps: Steps) -> Step:
    """Return the start; a solver that yields nothing is a defect, not an empty run."""
    try:
        return next(steps)
    except StopIteration:
        raise RuntimeError("the solver yielded no step, not even its start") from None


def _divergence(last: Step, sound: Step, stable_rate: Callable[[], float] | None) -> str:
    """Say at which step a run diverged, why, and which rate would have been stable."""
    if isfinite(last.value):
        what = f"the objective grew to {last.value:.3g}"
    elif isnan(last.value) and np.all(np.isfinite(last.theta)):
        what = "the objective is NaN (not defined there?)"
    else:
        what = "the objective is no longer finite"
    text = f"diverged at step {last.index}: {what}; it was {sound.value:.3g} at step {sound.index}"
    if isfinite(last.step_size):
        text += f"; step size {last.step_size:.3g}"
    limit = stable_rate() if stable_rate is not None else 2.0 / last.curvature if last.curvature > 0 else np.nan
    if isfinite(limit) and limit > 0 and not last.step_size <= limit:
        text += f" is too large here: the largest stable learning rate is about {limit:.3g}"
    return text
