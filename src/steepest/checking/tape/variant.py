"""A wrong rule for one argument of a step, as people write it."""

from __future__ import annotations

from dataclasses import dataclass

from steepest.checking.tape.graph import Change

__all__ = ["Variant"]


@dataclass(frozen=True)
class Variant:
    """A wrong rule for one argument; ``said`` has places for the code of the step and of the other factor."""

    code: str
    change: Change
    said: str
    remedy: str
    hint: str = "one of the local derivatives is wrong"
