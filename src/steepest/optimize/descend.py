"""Minimise or maximise any function from one start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.objectives.function import FunctionObjective
from steepest.optimize.bounds import check_bounds
from steepest.optimize.callbacks import observer_of
from steepest.solvers.catalogue import SOLVERS, Options, open_solver, stable_rate
from steepest.solvers.line_search import Point
from steepest.solvers.loop import Observer, run
from steepest.solvers.options import LearningRate
from steepest.solvers.result import Result
from steepest.solvers.stationary import Curvatures, extreme_curvatures
from steepest.solvers.stopping import GradientTolerance, Reason, StoppingRule
from steepest.solvers.updates import Update
from steepest.step import Step
from steepest.trace import Trace
from steepest.typing import Array
from steepest.validation import (
    check_choice,
    check_count,
    check_flag,
    check_functions,
    check_generator,
    check_parameters,
    check_positive,
)

TRACED = 1000  # parameters, up to which a trace keeps them without being asked
KICK = 0.01  # length of a kick, relative to 1 + |x|


class UndefinedStartError(InvalidInputError):
    """The function, or its gradient, is not finite at the start."""


def minimize(
    f: Callable[..., Any],
    x0: Any,
    gradient: Callable[..., Any] | None = None,
    *,
    method: str = "gradient-descent",
    learning_rate: LearningRate = "auto",
    update: str | Update = "plain",
    max_iter: int = 1000,
    tol: float | None = 1e-8,
    stopping: Iterable[StoppingRule] = (),
    bounds: Any = None,
    kick: bool | float = False,
    data: Any = (),
    batch_size: int | None = None,
    random_state: Any = None,
    callback: Callable[..., Any] | None = None,
    observers: Iterable[Observer] = (),
    trace: Trace | None = None,
    restore_best: bool = False,
    maximize: bool = False,
) -> Result:
    r"""Find a local minimum of any function by going downhill.

    Parameters
    ----------
    f : callable
        ``f(x)``, or ``f(x, *data)``, returns a real number.
    x0 : number or array of any shape
        The start. ``f`` is called with arrays of its shape.
    gradient : callable, optional
        ``gradient(x)``, or ``gradient(x, *data)``, returns df/dx in the shape of ``x``. If not given, central
        differences are taken: two evaluations of ``f`` a parameter and step.
    method : str, default "gradient-descent"
        The solver: "gradient-descent", "proximal-gradient", "fista", "newton" or "lbfgs".
    learning_rate : float, schedule, "auto" or "backtracking", default "auto"
        How far to go, as a multiple of the gradient: a number, a function of the step's number such as
        ``steepest.solvers.schedules.Cosine(0.1, n_steps=100)``, or a search in every step, which "auto" does too (with
        an update rule such as "adam": the rule's usual rate).
    update : str or update rule, default "plain"
        What a gradient does to ``x``: "plain", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "amsgrad",
        "adamw", or a rule with its hyperparameters such as ``steepest.solvers.updates.Momentum(0.8)``.
    max_iter : int, default 1000
        The most iterations; with ``batch_size``, passes over the data.
    tol : float or None, default 1e-8
        Stop when the gradient is at most so long; with bounds, its part that does not press against them.
    stopping : iterable of stopping rules
        Further reasons to stop, such as ``steepest.solvers.stopping.Patience(10)`` or ``TimeBudget(60.0)``.
    bounds : pair, sequence of pairs or scipy's Bounds, optional
        Lowest and highest allowed values: ``(low, high)`` for all, or one pair a parameter; None is no bound. A start
        outside is moved to the nearest allowed point. Steps are projected (method "proximal-gradient" or "fista";
        with bounds, "gradient-descent" is the former).
    kick : bool or float, default False
        If the start is a maximum, a saddle or flat, move it so far (True: by 0.01 (1 + length of ``x0``)), instead of
        stopping there and saying so.
    data : array or sequence of arrays, optional
        Arrays of equal length handed to ``f`` and ``gradient`` after ``x``; ``f`` averages over their rows.
    batch_size : int, optional
        Rows of the data an update sees; None for all.
    random_state : int, Generator or None, default None
        Makes the order of the rows, and a kick, repeatable.
    callback : callable, optional
        Called after every iteration as ``callback(x)``, or as ``callback(intermediate_result=...)`` if its parameter
        has that name, as scipy does. A true return value, or StopIteration raised, stops the run.
    observers : iterable of callables
        Each is handed every :class:`~steepest.step.Step`, the start included; a true return value stops the run.
    trace : Trace, optional
        The record to write, from its beginning. If not given, one that keeps ``x`` of every step, up to 1000
        parameters.
    restore_best : bool, default False
        Return the lowest point visited instead of the last.
    maximize : bool, default False
        Go uphill instead; see :func:`maximize`.

    Returns
    -------
    Result
        With ``x``, ``fun``, ``message``, ``success``, ``nit``, ``reason`` and ``trace``. A run that diverges is no
        exception: ``message`` says at which step, why, and which learning rate would have been stable.

    Raises
    ------
    InvalidInputError
        If ``f`` or ``gradient`` returns what cannot be used, ``f`` is not finite at the start, or options contradict.

    Examples
    --------
    >>> from steepest import minimize
    >>> minimize(lambda x: x**2, -1.0, learning_rate=0.25, max_iter=4).trace.parameters.ravel().round(6)
    array([-1.    , -0.5   , -0.25  , -0.125 , -0.0625])
    >>> print(minimize(lambda x: x**2, -1.0, lambda x: 2 * x, learning_rate=10.0).message)
    diverged at step 3: the objective grew to 4.7e+07; it was 1.3e+05 at step 2; step size 10 is too large here: the
    largest stable learning rate is about 1
    """
    check_choice("method", method, SOLVERS)
    options = Options(
        learning_rate=learning_rate,
        batch_size=batch_size,
        update=update,
        random_state=check_generator(random_state),
        max_iter=check_count("max_iter", max_iter, minimum=0),
    )
    x = check_parameters("x0", x0)
    objective = FunctionObjective(
        f,
        gradient,
        shape=x.shape,
        data=check_data(data),
        bounds=None if bounds is None else check_bounds(bounds, x.shape),
        sign=-1.0 if maximize else 1.0,
    )
    told = check_functions("observers", observers, "[print]")
    told = told if callback is None else (*told, observer_of(callback, x.shape))
    rules = check_functions("stopping", stopping, "[Patience(10)]")
    if kick is not False and kick is not True:
        check_positive("kick", kick)
    trace = Trace.begun(trace, parameters=x.size <= TRACED)
    tolerance = -1.0 if tol is None else check_positive("tol", tol, zero=True)
    descent = Descent(objective, method, options, tolerance, rules, told, check_flag("restore_best", restore_best))
    return descent.run(x.ravel(), kick, trace)


def maximize(f: Callable[..., Any], x0: Any, gradient: Callable[..., Any] | None = None, **options: Any) -> Result:
    """Find a local maximum of any function by going uphill.

    Parameters
    ----------
    f, x0, gradient, **options
        As for :func:`minimize`, of which this is the mirror image: ``fun``, the trace and the messages have the sign
        of ``f``.

    Examples
    --------
    >>> from steepest import maximize
    >>> result = maximize(lambda x: 3.0 - (x - 1.0) ** 2, 0.0)
    >>> round(result.fun, 6), round(float(result.x), 6)
    (3.0, 1.0)
    """
    return minimize(f, x0, gradient, **options, maximize=True)


@dataclass(frozen=True)
class Descent:
    """A run about to be made: an objective, a solver, and what ends it."""

    objective: FunctionObjective
    method: str
    options: Options
    tol: float
    stopping: tuple[StoppingRule, ...]
    observers: tuple[Observer, ...]
    restore_best: bool

    @property
    def solver(self) -> str:
        """The solver's name; with bounds, gradient descent is the projected one."""
        projected = self.objective.bounds is not None and self.method == "gradient-descent"
        return "proximal-gradient" if projected else self.method

    def run(self, theta: Array, kick: bool | float, trace: Trace) -> Result:
        """Go down from ``theta``, unless that is no place to start from."""
        objective, sign = self.objective, self.objective.sign
        theta = objective.prox(theta, 0.0)
        start = self._look(theta)
        trouble = self._trouble(start)
        if trouble is not None and kick:
            theta = objective.prox(self._kicked(theta, trouble.direction, kick), 0.0)
        steps = open_solver(self.solver, objective, theta, self.options)
        trace.about |= {"solver": self.solver, "update": str(self.options.update)}
        if trouble is not None and not kick:
            steps.close()
            return self._refused(start, trouble.verdict(sign), trace)
        result = run(
            steps,
            max_iter=self.options.max_iter or 0,
            stopping=[GradientTolerance(self.tol), *self.stopping],
            observers=self.observers,
            trace=trace,
            stable_rate=lambda: stable_rate(self.solver, objective, self.options, theta),
            restore_best=self.restore_best,
            sign=sign,
        )
        risen = result.reason is Reason.DIVERGED and "every bound" not in result.message  # a fall is the function's own
        if risen and objective.own_gradient is not None and "stable" not in result.message:
            result.message += "; is the gradient right? steepest.check_gradient tells"
            trace.about["message"] = result.message
        return replace(result, shape=objective.shape)

    def _look(self, theta: Array) -> Point:
        """Evaluate the start, which must be finite."""
        with np.errstate(all="ignore"):
            value = self.objective.value(theta)
        if not np.isfinite(value):
            raise UndefinedStartError(
                f"f(x0)={self.objective.sign * value}: must be finite at the start; choose another x0"
            )
        gradient = self.objective.gradient(theta)
        if not np.all(np.isfinite(gradient)):
            raise UndefinedStartError("the gradient at x0 holds NaN or infinity: must be finite; choose another x0")
        return Point(theta, value, gradient)

    def _trouble(self, start: Point) -> Curvatures | None:
        """Return the curvatures at a start where the gradient vanishes but which is no minimum, else None."""
        if start.norm > max(self.tol, 0.0):
            return None
        seen = extreme_curvatures(self.objective, start.theta, self._generator())
        return seen if seen.flat or seen.negative else None

    def _kicked(self, theta: Array, direction: Array, kick: bool | float) -> Array:
        """Return ``theta`` moved along ``direction``, to a random side."""
        length = KICK * (1.0 + float(np.linalg.norm(theta))) if kick is True else check_positive("kick", kick)
        side = self._generator().choice([-1.0, 1.0])
        moved: Array = theta + side * length * direction
        return moved.astype(theta.dtype)

    def _generator(self) -> np.random.Generator:
        """Return the run's generator; without one, a kick is the same every time."""
        generator: np.random.Generator | None = self.options.random_state
        return np.random.default_rng(0) if generator is None else generator

    def _refused(self, start: Point, verdict: str, trace: Trace) -> Result:
        """Return the start itself, with what is the matter with it."""
        message = f"{verdict}; start elsewhere, or let kick=True move it"
        step = Step(0, start.theta, self.objective.sign * start.value, start.norm)
        trace.record(step)
        reason = Reason.STATIONARY_START
        trace.about |= {"reason": reason.name, "message": message}
        return Result(start.theta, step.value, 0, reason, message, trace, step, shape=self.objective.shape)


def check_data(data: Any) -> tuple[Any, ...]:
    """Return the data as a tuple of arrays; one array alone may come bare."""
    arrays = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    arrays = tuple(array if hasattr(array, "tocsr") else np.asarray(array) for array in arrays)
    for i, array in enumerate(arrays):
        if array.ndim == 0 or array.shape[0] == 0:
            raise InvalidInputError(f"data[{i}] has shape {array.shape}: must have at least one row")
    return arrays
