"""Training of a network: the same loop and solvers as everywhere, compiled where it can be."""

from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.neural_network.divergence import ended_high, growth, rate_advice, told
from steepest.neural_network.inputs import check_rows, check_weights
from steepest.neural_network.notices import notices
from steepest.neural_network.rates import safe_rate
from steepest.neural_network.stride import passes_between_steps
from steepest.objectives.dense_stack import dense_stack
from steepest.objectives.network import NetworkObjective
from steepest.objectives.whole import WholeDenseStack
from steepest.penalties import SquaredL2
from steepest.solvers.catalogue import Options, open_solver
from steepest.solvers.compiled_mini_batch import compiled_mini_batch_descent, compiled_rule
from steepest.solvers.loop import Observer, Steps, run
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.plateau import Plateau
from steepest.solvers.result import Result
from steepest.solvers.schedules import Schedule, Stateful
from steepest.solvers.stopping import Reason, StoppingRule
from steepest.solvers.updates import Clipped, Update, open_update
from steepest.trace import Trace
from steepest.typing import Array
from steepest.validation import (
    check_choice,
    check_count,
    check_flag,
    check_functions,
    check_generator,
    check_numbers,
    check_positive,
)

if TYPE_CHECKING:
    from steepest.neural_network.network import Network

USUAL_RATE = 0.1
MOST_PASSES = 1000  # between two steps


def train(
    network: "Network",
    X: Any,
    y: Any,
    *,
    solver: str = "mini-batch",
    update: str | Update = "adam",
    learning_rate: float | Schedule | Stateful | None = None,
    batch_size: int | None = 32,
    max_iter: int = 100,
    tol: float = 0.0,
    patience: int | None = None,
    l2: float = 0.0,
    clip_norm: float | None = None,
    validation: float | tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    random_state: int | np.random.Generator | None = None,
    compiled: bool | None = None,
    stopping: Iterable[StoppingRule] = (),
    observers: Iterable[Observer] = (),
    trace: Trace | None = None,
) -> Result:
    """Train a network in place.

    Parameters
    ----------
    network : Network
        What to train, from the parameters it has.
    X, y : array (n_samples, ...), array
        The data.
    solver : str, default "mini-batch"
        "mini-batch", or a solver on all rows: "lbfgs" or "gradient-descent" (with its own search for the rate).
    update : str or Update, default "adam"
        What a gradient does: "plain", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "amsgrad", "adamw", or a
        rule with hyperparameters of its own. ``AdamW`` decays weights by itself.
    learning_rate : float or schedule, optional
        The rate, or a function of the pass; if not given, the rule's usual one (0.001 for Adam, 0.1 for plain steps).
    batch_size : int or None, default 32
        Rows an update sees; 1 is stochastic, None is all of them.
    max_iter : int, default 100
        The most passes over the data.
    tol, patience : float and int, default 0 and None
        Stop when this many passes in a row have not lowered the loss (that of the validation rows, if there are any) by
        ``tol``.
    l2 : float, default 0
        Weight decay: adds l2 |W|^2 / 2 to the objective.
    clip_norm : float, optional
        Shorten gradients that are longer.
    validation : float or (X, y), optional
        Rows held out, or the share to hold out at random. Their loss is watched (``validation_loss`` in the trace), and
        the parameters at its lowest are kept.
    sample_weight : array (n_samples,), optional
        Weights of the rows.
    shuffle : bool, default True
        New order of the rows for every pass.
    random_state : int or Generator, optional
        For the order, the held-out rows and layers that draw.
    compiled : bool, optional
        False trains by the layers themselves, True insists on the compiled kernel. If not given, it is used where it
        can: dense layers with the usual activations and losses, a rule that has a twin.
    stopping, observers, trace
        As in :func:`steepest.solvers.loop.run`. An observer sees every pass; without one, small networks advance many
        passes between two steps.

    Returns
    -------
    Result
        ``trace`` has the lengths of each parameter's gradient and of its way in a pass (``gradient_norm_W1``,
        ``step_norm_W1`` ...); ``trace.about["notices"]`` says what is wrong with the network reached.

    Raises
    ------
    DivergenceError
        If the loss grows without bound; the text names the pass and a safe rate. The network keeps the last sound
        parameters.

    Examples
    --------
    >>> from steepest.layers import Dense, Tanh
    >>> from steepest.neural_network import Network
    >>> X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> network = Network([Dense(4), Tanh(), Dense(1)], 2, loss="logistic", random_state=1)
    >>> result = train(network, X, y, batch_size=None, learning_rate=0.1, max_iter=300)
    >>> network.predict(X)
    array([0, 1, 1, 0])
    """
    check_count("max_iter", max_iter)
    check_flag("shuffle", shuffle)
    check_positive("tol", tol, zero=True)
    if compiled is not None:
        check_flag("compiled", compiled)
    generator = np.random.default_rng(check_generator(random_state))
    rule = open_update(update)
    rule = rule if clip_norm is None else Clipped(rule, check_positive("clip_norm", clip_norm))
    rate = _usual_rate(rule) if learning_rate is None else learning_rate
    penalty = SquaredL2(check_positive("l2", l2, zero=True)) if l2 else None
    X, y, sample_weight, held = _split(network, X, y, sample_weight, validation, generator)
    objective = network.objective(X, y, penalty, sample_weight=sample_weight, generator=generator)
    observers = check_functions("observers", observers, "[print]")
    watch = _Validation(network, *held, tol, inf if patience is None else patience) if held else None
    trace = Trace.begun(trace)
    seen = bool(observers) or watch is not None or trace.keep_parameters
    plateau = Plateau(tol, inf if patience is None or watch else check_count("patience", patience))
    if solver == "mini-batch":
        n_rows = objective.n_samples if batch_size is None else min(check_count("batch_size", batch_size), len(X))
        settings: dict[str, Any] = {"learning_rate": rate, "batch_size": n_rows, "generator": generator, "update": rule}
        settings |= {"shuffle": shuffle, "plateau": plateau, "parts": _parts(network)}
        stride = 1 if seen else passes_between_steps(objective.n_samples, objective.n_parameters, MOST_PASSES)
        steps = _passes(objective, network.theta, settings, compiled, stride, max_iter)
    else:
        steps = _whole(solver, objective, network.theta, learning_rate)
    steps = steps if watch is None else watch.follow(steps)
    trace.about |= {"objective": objective.words, "solver": solver}
    start = network.theta.copy()
    result = run(
        steps,
        max_iter=max_iter,
        stopping=check_functions("stopping", stopping, "[TimeBudget(60.0)]"),
        observers=observers,
        trace=trace,
        stable_rate=lambda: safe_rate(objective, start, rule),
    )
    network.theta = result.theta.copy()
    high = watch is None and ended_high(trace["value"])
    if high or result.reason is Reason.DIVERGED:
        since = growth(trace["index"].astype(int), trace["value"])
        since = told(since, rate_advice(objective, start, rule, "learning_rate"))
    if result.reason is Reason.DIVERGED:
        raise DivergenceError(told(result.message, since), result)
    if watch is not None:
        watch.restore(result)
    runaway = [told("the loss ended far above where it was at the start", since)] if high else []
    trace.about["notices"] = runaway + notices(objective, network.theta, trace)
    return result


def _usual_rate(rule: Update) -> float:
    inner = rule.rule if isinstance(rule, Clipped) else rule
    return float(getattr(inner, "usual_rate", USUAL_RATE))


def _parts(network: "Network") -> dict[str, slice]:
    return {p.key: p.span for p in network.architecture.parameters}


def _passes(
    objective: NetworkObjective,
    theta: Array,
    settings: dict[str, Any],
    compiled: bool | None,
    stride: int,
    max_iter: int,
) -> Steps:
    """Return the compiled solver where there is one for this network, else the one that goes through the layers."""
    prepared = None
    if compiled is not False and compiled_rule(settings["update"]) is not None:
        prepared = dense_stack(objective, settings["batch_size"])
    if prepared is not None:
        return compiled_mini_batch_descent(objective, prepared, theta, stride=stride, max_iter=max_iter, **settings)
    if compiled:
        raise InvalidInputError("compiled=True: these layers, this loss or this update rule have no compiled twin")
    return mini_batch_descent(objective, theta, whole_value=False, **settings)


def _whole(solver: str, objective: NetworkObjective, theta: Array, learning_rate: Any) -> Steps:
    """Return a solver that sees all rows at every step."""
    check_choice("solver", solver, ("mini-batch", "lbfgs", "gradient-descent"))
    rate = ("auto" if solver == "lbfgs" else "backtracking") if learning_rate is None else learning_rate
    whole: Any = objective if dense_stack(objective, 1) is None else WholeDenseStack(objective)
    return open_solver(solver, whole, theta.copy(), Options(learning_rate=rate))


def _split(
    network: "Network", X: Any, y: Any, sample_weight: Any, validation: Any, generator: np.random.Generator
) -> tuple[Any, Any, Any, tuple[Any, Any] | None]:
    """Return the rows to learn from, and those held out."""
    X, y = check_numbers("X", X, objects=True), check_numbers("y", y, objects=True)
    if validation is None:
        return X, y, sample_weight, None
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise InvalidInputError(
                f"validation holds {len(validation)} arrays: must be a share of the rows, or X and y"
            )
        return X, y, sample_weight, (validation[0], validation[1])
    check_rows(len(X), y)
    weight = check_weights(sample_weight, len(X), network.theta.dtype)
    n_held = round(check_positive("validation", validation) * len(X))
    if not 1 <= n_held < len(X):
        raise InvalidInputError(
            f"validation={validation!r} of {len(X)} rows: some must be held out, and some must stay"
        )
    order = generator.permutation(len(X))
    held, rest = order[:n_held], order[n_held:]
    return X[rest], y[rest], None if weight is None else weight[rest], (X[held], y[held])


class _Validation:
    """Watches the loss on held-out rows and keeps the parameters at its lowest."""

    def __init__(self, network: "Network", X: Any, y: Any, tol: float, patience: float) -> None:
        self.network, self.objective = network, network.objective(X, y)
        self.tol, self.patience = tol, patience
        self.best = inf
        self.theta: Array | None = None
        self.state: Any = None
        self.index, self.waited = 0, 0

    def follow(self, steps: Steps) -> Steps:
        """Yield the steps with the loss on the held-out rows; end them when it has not fallen for too long."""
        try:
            while True:
                step = next(steps)
                loss = self.objective.value(step.theta)
                step.notes = {**step.notes, "validation_loss": loss}
                self.waited = 0 if loss < self.best - self.tol else self.waited + 1
                if loss < self.best:
                    self.best, self.theta, self.index = loss, step.theta.copy(), step.index
                    self.state = [{k: v.copy() for k, v in named.items()} for named in self.network.state]
                yield step
                if self.waited >= self.patience:
                    return Reason.PATIENCE
        except StopIteration as end:
            reason: Reason | None = end.value
            return reason
        finally:
            steps.close()

    def restore(self, result: Result) -> None:
        """Put the best parameters, and the running statistics that belong to them, into the network."""
        if self.theta is None:
            return
        self.network.theta = self.theta
        for mine, kept in zip(self.network.state, self.state, strict=True):
            for name in mine:
                mine[name][...] = kept[name]
        result.theta = self.theta.copy()
        result.message += f"; the parameters of pass {self.index} are kept: validation loss {self.best:.4g}"
