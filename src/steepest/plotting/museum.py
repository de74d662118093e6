"""Pictures for the museum of wrong derivations and for guessing at tests."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from steepest.foundations.probability import GuessingResult, simulate_guessing

from .style import BLUE, INK, VERMILION, own_or, panels, tidy

__all__ = ["PLOTS", "plot_deconvolution", "plot_guessing", "save_plot"]

MOST_BARS = 60


def plot_guessing(result: GuessingResult, path: str | Path | None = None, ax: Axes | None = None) -> Axes:
    """Draw the shares of tests with each number of right answers, and the exact law over them."""
    ax = own_or(ax)
    k = np.arange(result.n_questions + 1)
    shown = np.flatnonzero((result.counts > 0) | (result.law > 1e-6))
    window = slice(int(shown[0]), int(shown[-1]) + 1)
    share, law, k = result.counts[window] / result.n_tests, result.law[window], k[window]
    ax.bar(k, share, width=0.85 if len(k) <= MOST_BARS else 1.0, color=BLUE, alpha=0.6, label="simulated")
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


def plot_deconvolution(ax: Axes | None = None) -> Axes:
    """Draw J over the epochs of the published and of the right run, with the least J there is."""
    from steepest.museum.deconvolution import PROBLEMS, RATE, X, half_squares, optimum, published_gradient, right_gradient

    ax = own_or(ax)
    y, k = PROBLEMS[1]
    for gradient, name, colour in (
        (published_gradient, "published: convolution", VERMILION),
        (right_gradient, "right: correlation", BLUE),
    ):
        w, b, values = np.zeros(k), 0.0, []
        for _ in range(1000):
            values.append(half_squares(w, b, X, y))
            dw, db = gradient(w, b, X, y)
            w, b = w - RATE * dw, b - RATE * float(db)
        ax.plot(values, color=colour, label=f"{name}, ends at {values[-1]:.4g}")
    least = half_squares(*optimum(y, k), X, y)
    ax.axhline(least, color=INK, linewidth=0.8, linestyle=":", label=f"least there is, {least:.4g}")
    ax.set_xscale("symlog", linthresh=1)
    ax.set_yscale("log")
    tidy(ax, x="epoch", y="J, half the squared error")
    ax.legend(frameon=False, fontsize=9)
    return ax


def save_plot(ax: Axes, path: str | Path) -> None:
    """Write the figure of ``ax`` to a file."""
    ax.get_figure(root=True).savefig(path)  # type: ignore[union-attr]


def _guessing() -> Axes:
    figure, (left, right) = panels(2)
    plot_guessing(simulate_guessing(100_000, 10_000, 0.5, seed=0), ax=left)
    plot_guessing(simulate_guessing(100_000, 10, 0.5, seed=0), ax=right)
    return right


PLOTS = {"deconvolution": plot_deconvolution, "guessing": _guessing}
