"""A learning-rate range test."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from steepest.plotting.style import BLUE, GREY, VERMILION, own_or, tidy


def learning_rate_range(test: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the loss over the learning rate, as it grew from update to update, and the rate suggested.

    Parameters
    ----------
    test : RangeTest
        What :func:`steepest.neural_network.learning_rate_range_test` returned.
    ax : Axes, optional
        Where to draw; a new figure's if not given.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> values = np.array([2.0, 1.0, 3.0])
    >>> test = SimpleNamespace(rates=np.array([0.01, 0.1, 1.0]), values=values, smoothed=values, suggestion=0.01)
    >>> learning_rate_range(test).get_xscale()
    'log'
    """
    ax = own_or(ax)
    ax.plot(test.rates, test.values, color=GREY, linewidth=0.8, label="batches")
    ax.plot(test.rates, test.smoothed, color=BLUE, linewidth=2.0, label="running mean")
    ax.axvline(test.suggestion, color=VERMILION, linestyle="--", label=f"suggested: {test.suggestion:.2g}")
    ax.set_xscale("log")
    top = float(np.quantile(test.smoothed, 0.95))
    ax.set_ylim(0.0 if test.smoothed.min() >= 0 else None, 1.3 * top)
    tidy(ax, x="learning rate", y="loss")
    ax.legend(frameon=False, fontsize=8)
    return ax
