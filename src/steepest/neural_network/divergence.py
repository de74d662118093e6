"""What to say of training that has diverged: since when, and which rate to begin with."""

from math import inf, isfinite
from typing import Any

import numpy as np

from steepest.neural_network.rates import safe_rate
from steepest.objectives.network import NetworkObjective
from steepest.solvers.updates import Clipped, Update
from steepest.typing import Array

HIGHER = 10.0  # times the loss at the start: where training that ends there has not learned
NOTICEABLE = 1.001  # growth that is more than rounding
SAFE_SHARE = 0.1  # of the largest stable rate: curvature grows on the way, and a batch's is above that of all rows


def growth(steps: Any, values: Any) -> str:
    """Return since when the loss has grown to its highest value, or to NaN; nothing if it has not.

    Examples
    --------
    >>> growth([0, 1, 2, 3, 4], [5.0, 2.0, 1.0, 80.0, 9e9])
    'it began to grow in step 3, from 1 to 80'
    """
    heights = np.where(np.isfinite(values), values, inf)
    peak = int(np.argmax(heights))
    foot = peak
    while foot > 0 and heights[foot - 1] * NOTICEABLE < heights[foot]:
        foot -= 1
    if foot == peak:
        return ""
    return f"it began to grow in step {steps[foot + 1]}, from {values[foot]:.3g} to {values[foot + 1]:.3g}"


def ended_high(values: Any) -> bool:
    """Return whether training has ended far above where it began."""
    return bool(len(values) > 1 and isfinite(values[0]) and not values[-1] <= HIGHER * abs(values[0]))


def rate_advice(objective: NetworkObjective, start: Array, update: Update, name: str) -> str:
    """Return at which rate, a parameter of that name, the rule is safe to begin with; nothing if that is not known.

    Examples
    --------
    >>> from steepest.layers import Dense, Sequential
    >>> from steepest.solvers.updates import Adam
    >>> objective = NetworkObjective(Sequential([Dense(1)], (1,)), np.ones((2, 1)), np.zeros(2))
    >>> rate_advice(objective, np.zeros(2), Adam(), "learning_rate_init")
    'Adam is safe to begin with at learning_rate_init=0.001'
    """
    rule = update.rule if isinstance(update, Clipped) else update
    rate = SAFE_SHARE * safe_rate(objective, start, rule)
    if not isfinite(rate):
        rate = getattr(rule, "usual_rate", inf)
    return f"{type(rule).__name__} is safe to begin with at {name}={rate:.1g}" if isfinite(rate) else ""


def told(*parts: str) -> str:
    """Return the parts that say something, as one sentence."""
    return "; ".join(part for part in parts if part)
