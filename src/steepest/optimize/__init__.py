"""The generic front doors: minimise or maximise any function, from one start or from many."""

from steepest.optimize.descend import maximize, minimize
from steepest.optimize.multistart import Minimum, MultiStartResult, multi_start

__all__ = ["Minimum", "MultiStartResult", "maximize", "minimize", "multi_start"]
