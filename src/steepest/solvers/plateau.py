"""When training brings nothing more: the value, or a score on held-out rows, no longer improves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isnan

import numpy as np

from steepest.typing import Array


@dataclass
class Plateau:
    """Counts the passes in a row without improvement, and says what follows from too many.

    Parameters
    ----------
    tol : float
        A pass counts as an improvement if its value undercuts the best so far by this much (its score exceeds it).
    patience : float
        How many passes in a row may bring none; infinity never ends a run.
    score : callable, optional
        Scores parameters on held-out rows, higher is better: then scores are compared instead of values, and the best
        parameters kept.
    reduction : float, default 1.0
        Divides the learning rate at the end of the patience, instead of ending the run; 1 ends it.
    smallest_rate : float, default 1e-6
        At a rate no larger than this the run ends nevertheless.

    Attributes
    ----------
    counts : array (4,)
        Best value, passes since, tol and patience: what a kernel that makes several passes in one call counts with.
    scores : list of float
        The score after each pass.
    best_score, best_theta : float, array or None
        The highest score and its parameters.

    Examples
    --------
    >>> plateau = Plateau(tol=0.1, patience=1)
    >>> [plateau.ends(np.zeros(1), value, 0.5) for value in (2.0, 1.0, 0.95, 0.94)]
    [False, False, False, True]
    """

    tol: float = 0.0
    patience: float = inf
    score: Callable[[Array], float] | None = None
    reduction: float = 1.0
    smallest_rate: float = 1e-6
    best_score: float = -inf
    best_theta: Array | None = None
    scores: list[float] = field(default_factory=list)
    factor: float = field(default=1.0, init=False)
    counts: Array = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count."""
        allowed = inf if self.score is not None else self.patience
        self.counts = np.array([inf, 0.0, self.tol, allowed])

    def count(self, value: float) -> None:
        """Count one pass by its value, as the kernel does by itself."""
        self.counts[1] = self.counts[1] + 1 if value > self.counts[0] - self.tol else 0.0
        self.counts[0] = min(self.counts[0], value)

    def ends(self, theta: Array, value: float, rate: float, *, counted: bool = False) -> bool:
        """Return whether the run ends after a pass that has led to ``theta`` with this value, at this rate."""
        if self.score is not None:
            self._judge(theta, self.score(theta))
        elif not counted:
            self.count(value)
        if self.counts[1] <= self.patience:
            return False
        if self.reduction == 1.0 or rate <= self.smallest_rate:
            return True
        self.factor /= self.reduction
        self.counts[1] = 0.0
        return False

    def notes(self) -> dict[str, float]:
        """Return what a step notes: the score of the held-out rows, where there are any."""
        return {} if self.score is None else {"validation_score": self.scores[-1]}

    def _judge(self, theta: Array, score: float) -> None:
        """Count one pass by its score; NaN never counts as an improvement."""
        self.scores.append(score)
        self.counts[1] = self.counts[1] + 1 if score < self.best_score + self.tol or isnan(score) else 0.0
        if score > self.best_score:
            self.best_score, self.best_theta = score, theta.copy()
