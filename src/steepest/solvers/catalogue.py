"""The solvers by name: what estimators and the front doors call."""

from collections.abc import Callable
from math import inf

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.backtracking import backtracking_descent
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.lbfgs import lbfgs
from steepest.solvers.loop import Steps
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.newton import newton
from steepest.solvers.options import Options
from steepest.solvers.protocols import (
    Certified,
    CompositeObjective,
    FiniteSum,
    KinkAware,
    Objective,
    TwiceDifferentiable,
)
from steepest.solvers.proximal import proximal_gradient
from steepest.solvers.rates import auto_rate, lipschitz, stable_rate, summed
from steepest.solvers.schedules import Stateful
from steepest.solvers.stopping import Reason
from steepest.solvers.updates import Plain, Update, open_update
from steepest.typing import Array
from steepest.validation import check_choice, check_positive

__all__ = ["SOLVERS", "Options", "open_solver", "stable_rate"]


def open_solver(name: str, objective: Objective, theta: Array, options: Options | None = None) -> Steps:
    """Return the steps of the solver of this name, at work on ``objective`` from ``theta``.

    Parameters
    ----------
    name : {"gradient-descent", "proximal-gradient", "fista", "newton", "lbfgs"}
        Which solver.
    objective : Objective
        What to minimise.
    theta : array (n_parameters,)
        The start.
    options : Options, optional
        How.

    Examples
    --------
    >>> from steepest.objectives.quadratic import QuadraticObjective
    >>> steps = open_solver("gradient-descent", QuadraticObjective(np.array([[2.0]])), np.array([-1.0]))
    >>> [next(steps).theta.item() for _ in range(2)]  # the rate is 1 / 2: the minimum in one step
    [-1.0, 0.0]
    """
    options = Options() if options is None else options
    steps = SOLVERS[check_choice("solver", name, SOLVERS)](objective, theta, options)
    if options.gap_every and isinstance(objective, Certified):
        return _with_gap(steps, objective, options.gap_every)
    return steps


# ---------------------------------------------------------------------- the solvers


def _gradient_descent(objective: Objective, theta: Array, options: Options) -> Steps:
    update = open_update(options.update)
    if options.batch_size is not None:
        return _stochastic(objective, theta, options, update)
    objective = summed(objective, options)
    rate = options.learning_rate
    if rate == "auto":
        rate = auto_rate(objective, theta, options, update)
    if isinstance(rate, str):
        if not isinstance(update, Plain):
            raise InvalidInputError(
                f"learning_rate={options.learning_rate!r} with update={options.update!r}: the curvature is not known, "
                "and a line search works with plain steps only; give a number"
            )
        return backtracking_descent(objective, theta)
    stride, max_iter = options.stride, options.max_iter
    return gradient_descent(objective, theta, learning_rate=rate, update=update, stride=stride, max_iter=max_iter)


def _stochastic(objective: Objective, theta: Array, options: Options, update: Update) -> Steps:
    batch_size = options.batch_size or 1
    if not isinstance(objective, FiniteSum) or objective.n_samples == 0:
        raise InvalidInputError(
            f"batch_size={batch_size}: the objective is no sum over rows; leave it out or give data"
        )
    rate = options.learning_rate
    if rate == "backtracking":
        raise InvalidInputError(f"learning_rate='backtracking' with batch_size={batch_size}: works with all rows only")
    if rate == "auto":
        rate = auto_rate(objective, theta, options, update)
    if isinstance(rate, str):
        raise InvalidInputError(
            f"learning_rate='auto' with batch_size={batch_size}: no curvature is known; give a number"
        )
    return mini_batch_descent(
        objective,
        theta,
        learning_rate=rate,
        batch_size=min(batch_size, objective.n_samples),
        generator=np.random.default_rng(options.random_state),
        update=update,
        shuffle=options.shuffle,
        watch=options.watch,
    )


def _proximal(objective: Objective, theta: Array, options: Options, *, accelerated: bool = False) -> Steps:
    name = "fista" if accelerated else "proximal-gradient"
    objective = summed(objective, options)
    if not isinstance(objective, CompositeObjective):
        raise InvalidInputError(f"solver={name!r}: needs an objective with a prox")
    if options.batch_size is not None or not isinstance(open_update(options.update), Plain):
        raise InvalidInputError(f"solver={name!r}: takes plain steps on all rows; leave out batch_size and update")
    rate = options.learning_rate
    if rate == "auto":
        curvature = lipschitz(objective)
        rate = 1.0 / curvature if 0.0 < curvature < inf else "backtracking"
    if callable(rate) or isinstance(rate, Stateful):
        raise InvalidInputError(f"solver={name!r}: takes a fixed learning_rate, 'auto' or 'backtracking', no schedule")
    return proximal_gradient(
        objective,
        theta,
        learning_rate=None if isinstance(rate, str) else check_positive("learning_rate", rate),
        accelerated=accelerated,
        stride=options.stride,
        max_iter=options.max_iter,
    )


def _fista(objective: Objective, theta: Array, options: Options) -> Steps:
    return _proximal(objective, theta, options, accelerated=True)


def _newton(objective: Objective, theta: Array, options: Options) -> Steps:
    _refuse_what_it_ignores("newton", objective, options)
    if not isinstance(objective, TwiceDifferentiable):
        raise InvalidInputError("solver='newton': needs an objective with a Hessian; 'lbfgs' does without")
    return newton(objective, theta)


def _lbfgs(objective: Objective, theta: Array, options: Options) -> Steps:
    _refuse_what_it_ignores("lbfgs", objective, options)
    return lbfgs(objective, theta, memory=options.memory)


SOLVERS: dict[str, Callable[[Objective, Array, Options], Steps]] = {
    "gradient-descent": _gradient_descent,
    "proximal-gradient": _proximal,
    "fista": _fista,
    "newton": _newton,
    "lbfgs": _lbfgs,
}


def _refuse_what_it_ignores(name: str, objective: Objective, options: Options) -> None:
    """Refuse a penalty with kinks, and options that the solver would silently pass over."""
    if isinstance(objective, KinkAware) and objective.penalty_lipschitz() == inf:
        raise InvalidInputError(
            f"solver={name!r}: needs a smooth objective, but the penalty has kinks or bounds; "
            "use 'fista' or 'proximal-gradient'"
        )
    if options.batch_size is not None or not isinstance(open_update(options.update), Plain):
        raise InvalidInputError(f"solver={name!r}: works on all rows by its own steps; leave out batch_size and update")
    if options.learning_rate != "auto":
        raise InvalidInputError(f"solver={name!r}: finds its step by itself; leave learning_rate at 'auto'")


# ---------------------------------------------------------------------- the duality gap


def _with_gap(steps: Steps, objective: Certified, every: int) -> Steps:
    """Yield the steps, every so many iterations with the duality gap."""
    due = 0
    try:
        while True:
            step = next(steps)
            if step.index >= due:
                step.duality_gap = objective.duality_gap(step.theta)
                due = step.index + every
            yield step
    except StopIteration as end:
        reason: Reason | None = end.value
        return reason
    finally:
        steps.close()
