"""Penalties that a value may hold, and their derivatives."""

from dataclasses import dataclass

import numpy as np

from steepest.typing import Array

__all__ = ["KINDS", "MASKS", "Term", "kind_sets", "penalty_derivative"]

KINDS = ("L2", "L1", "norm")
MASKS = (" without the first entry", " without the last entry")


@dataclass(frozen=True)
class Term:
    """A penalty found in the value: its kind and the factor of its derivative.

    ``L2`` has the derivative ``coefficient * w``, ``L1`` ``coefficient * sign(w)``, ``norm``
    ``coefficient * w / |w|``.
    """

    kind: str
    coefficient: float


def kind_sets(masked: bool) -> list[tuple[str, ...]]:
    """Return the combinations of penalties that are considered, the simplest first."""
    sets: list[tuple[str, ...]] = [("L2",), ("L1",), ("norm",), ("L2", "L1")]
    if masked:
        sets += [(kind + mask,) for mask in MASKS for kind in KINDS[:2]]
        sets += [("L2" + mask, "L1" + mask) for mask in MASKS]
    return sets


def penalty_derivative(kind: str, w: Array) -> Array:
    """Return the derivative of ``|w|^2 / 2``, ``|w|_1`` or ``|w|``, with a bias at either end of ``w`` spared."""
    if " without" in kind and w.ndim:
        derivative = np.array(penalty_derivative(kind.split(" ")[0], w))
        derivative[0 if "first" in kind else -1] = 0.0
        return derivative
    if kind.startswith("L1"):
        return np.sign(w)
    if kind.startswith("norm"):
        return w / (float(np.linalg.norm(w)) or 1.0)
    return w
