"""The solvers by name: what estimators and the front doors call."""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any

from steepest.exceptions import InvalidInputError
from steepest.solvers.gradient_descent import gradient_descent
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective, Smooth
from steepest.solvers.schedules import Schedule, Stateful
from steepest.solvers.updates import Update, open_update
from steepest.typing import Array
from steepest.validation import check_choice


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a solver is to work. Each solver reads what concerns it.

    Attributes
    ----------
    learning_rate : float, schedule, "auto" or "backtracking"
        "auto" is 1 / (largest curvature) where that is known, else backtracking.
    batch_size : int or None
        Rows an update sees; None for all of them.
    update : str or Update
        What a gradient does to the parameters.
    random_state : int, Generator, SeedSequence or None
        Where the order of the rows comes from.
    shuffle : bool
        Whether the rows are put into a new order for every pass.
    watch : bool
        Whether every update within a pass is recorded.
    stride : int
        Iterations between two yielded steps, where nobody watches single ones.
    max_iter : int or None
        The most iterations, so that the last stride does not overshoot.
    summed : bool or None
        Whether to iterate on the data summed up in a matrix, where the objective offers it; None to decide by shape.
    memory : int
        Pairs that L-BFGS remembers.
    gap_every : int
        Iterations between two computations of the duality gap; 0 for never.
    """

    learning_rate: float | str | Schedule | Stateful = "auto"
    batch_size: int | None = None
    update: str | Update = "plain"
    random_state: Any = None
    shuffle: bool = True
    watch: bool = False
    stride: int = 1
    max_iter: int | None = None
    summed: bool | None = None
    memory: int = 10
    gap_every: int = 0


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
    """
    options = Options() if options is None else options
    return SOLVERS[check_choice("solver", name, SOLVERS)](objective, theta, options)


def stable_rate(name: str, objective: Objective, options: Options | None = None, theta: Array | None = None) -> float:
    """Return the largest stable learning rate of a solver on ``objective``; NaN if it is not known."""
    options = Options() if options is None else options
    return open_update(options.update).stable_rate(objective.lipschitz()) if isinstance(objective, Smooth) else nan


def _gradient_descent(objective: Objective, theta: Array, options: Options) -> Steps:
    rate = options.learning_rate
    if rate == "auto" and isinstance(objective, Smooth):
        rate = 1.0 / objective.lipschitz()
    if isinstance(rate, str):
        raise InvalidInputError(f"learning_rate={rate!r}: not known")
    return gradient_descent(
        objective,
        theta,
        learning_rate=rate,
        update=open_update(options.update),
        stride=options.stride,
        max_iter=options.max_iter,
    )


SOLVERS: dict[str, Callable[[Objective, Array, Options], Steps]] = {"gradient-descent": _gradient_descent}
