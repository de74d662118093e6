"""How a solver is to work."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

from steepest.exceptions import InvalidInputError
from steepest.solvers.schedules import Schedule, Stateful
from steepest.solvers.updates import Update
from steepest.validation import check_choice, check_count, check_positive

LearningRate = float | str | Schedule | Stateful


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a solver is to work. Each solver reads what concerns it.

    Attributes
    ----------
    learning_rate : float, schedule, "auto" or "backtracking"
        "auto" is 1 / (largest curvature) where that is known, else backtracking; an update rule whose steps do not
        scale with the gradient brings its usual rate.
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
        Whether to iterate on the rows summed up in a matrix, where the objective offers it; None to decide by shape.
    memory : int
        Pairs that L-BFGS remembers.
    gap_every : int
        Iterations between two computations of the duality gap, where there is one; 0 for never.
    """

    learning_rate: LearningRate = "auto"
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

    def __post_init__(self) -> None:
        """Refuse what no solver could use."""
        if isinstance(self.learning_rate, str):
            check_choice("learning_rate", self.learning_rate, ("auto", "backtracking"))
        elif isinstance(self.learning_rate, Real):
            check_positive("learning_rate", self.learning_rate)
        elif not callable(self.learning_rate) and not isinstance(self.learning_rate, Stateful):
            allowed = "a number above 0, 'auto', 'backtracking', or a schedule such as Cosine(0.1, n_steps=100)"
            raise InvalidInputError(f"learning_rate={self.learning_rate!r}: must be {allowed}")
        if self.batch_size is not None:
            check_count("batch_size", self.batch_size)
        check_count("stride", self.stride)
        check_count("memory", self.memory)
        check_count("gap_every", self.gap_every, minimum=0)
