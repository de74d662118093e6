"""Pictures for the museum of wrong derivations and for guessing at tests."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from steepest.exceptions import InvalidInputError
from steepest.foundations.probability import GuessingResult
from steepest.plotting.style import BLUE, INK, VERMILION, own_or, panels, tidy

__all__ = ["plot_courses", "plot_guessing", "plot_two_guesses", "save_plot"]

MOST_BARS = 60


def plot_guessing(result: GuessingResult, path: str | Path | None = None, ax: Axes | None = None) -> Axes:
    """Draw the shares of tests with each number of right answers, and the exact law over them."""
    ax = own_or(ax)
    k = np.arange(result.n_questions + 1)
    shown = np.flatnonzero((result.counts > 0) | (result.law > 1e-6))
    window = slice(max(int(shown[0]) - 1, 0), int(shown[-1]) + 2)  # one bar alone does not fill the picture
    share, law, k = result.counts[window] / result.n_tests, result.law[window], k[window]
    ax.bar(k, share, width=0.85 if len(k) <= MOST_BARS else 1.0, color=BLUE, alpha=0.6, label="simulated")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.plot(k, law, color=VERMILION, marker="o" if len(k) <= MOST_BARS else "", markersize=4, label="binomial law")
    tidy(ax, x=f"right answers of {result.n_questions:,}", y="share of tests", grid="y")
    ax.set_title(
        f"{result.n_tests:,} guessed tests\nmean {result.mean:.2f} (n p = {result.exact_mean:g}), "
        f"variance {result.variance:.2f} (n p (1 - p) = {result.exact_variance:g})",
        fontsize=10,
        color=INK,
    )
    ax.legend(frameon=False)
    if path is not None:
        save_plot(ax, path)
    return ax


def plot_courses(courses: dict[str, list[float]], least: float, ax: Axes | None = None) -> Axes:
    """Draw J after every epoch of several runs, with the least J there is."""
    ax = own_or(ax)
    for (name, values), colour in zip(courses.items(), (VERMILION, BLUE), strict=True):
        ax.plot(np.arange(1, len(values) + 1), values, color=colour, label=f"{name}, ends at {values[-1]:.4g}")
    ax.axhline(least, color=INK, linewidth=0.8, linestyle=":", label=f"least there is, {least:.4g}")
    ax.set_xscale("log")
    ax.set_yscale("log")
    tidy(ax, x="epoch", y="J, half the squared error")
    ax.legend(frameon=False, fontsize=9)
    return ax


def plot_two_guesses(left: GuessingResult, right: GuessingResult) -> Axes:
    """Draw two experiments side by side."""
    _, (first, second) = panels(2)
    plot_guessing(left, ax=first)
    return plot_guessing(right, ax=second)


def save_plot(ax: Axes, path: str | Path) -> None:
    """Write the figure of ``ax`` to a file."""
    try:
        ax.get_figure(root=True).savefig(path)  # type: ignore[union-attr]
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path}: the plot cannot be saved ({error})") from None
