"""Update rules: what a gradient does to the parameters."""

from steepest.solvers.updates.plain import Plain
from steepest.solvers.updates.protocol import Update

__all__ = ["Plain", "Update"]
