"""What training remembers, so that a later run goes on as if there had been no break."""

from dataclasses import dataclass, field
from math import nan
from typing import Any


@dataclass
class Memory:
    """What training remembers from one run to the next.

    Attributes
    ----------
    state : tuple of array, or array (2 or 3, at least n_parameters)
        The update rule's: as the rule itself has it, or as its compiled twin does.
    n_updates : int
        Updates made.
    rate : float
        The learning rate of the last pass.
    values : list of float
        The value of every pass.
    """

    state: Any
    n_updates: int = 0
    rate: float = nan
    values: list[float] = field(default_factory=list)
