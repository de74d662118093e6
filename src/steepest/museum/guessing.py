"""The mean of one experiment beside the histogram of another."""

from steepest.foundations.probability import GuessingResult, simulate_guessing
from steepest.museum.exhibit import Exhibit, Figure

__all__ = ["EXHIBITS", "experiments"]


def experiments() -> tuple[GuessingResult, GuessingResult]:
    """Simulate the experiment of the text and the one of the histogram."""
    return simulate_guessing(100_000, 10_000, 0.5, seed=0), simulate_guessing(100_000, 10, 0.5, seed=0)


def _figures() -> list[Figure]:
    long, short = experiments()
    return [
        Figure("questions", "10,000 in the text", "10 in the histogram"),
        Figure("mean n p", f"{long.exact_mean:g}", f"{short.exact_mean:g}"),
        Figure("variance n p (1 - p)", f"{long.exact_variance:g}", f"{short.exact_variance:g}"),
        Figure("simulated mean", f"{long.mean:.1f}", f"{short.mean:.3f}"),
        Figure("simulated variance", f"{long.variance:.0f}", f"{short.variance:.3f}"),
    ]


EXHIBITS = (
    Exhibit(
        "guessing",
        "A mean of 5,000 above a histogram that ends at 10",
        "the same lecture",
        "guessing 10,000 questions gets 5,000 right on average, as the histogram shows",
        "the histogram is that of tests with 10 questions: mean 5, variance 2.5",
        "Both statements are right, each for its own experiment. 10,000 was the number of tests, not of questions.",
        figures=_figures,
        plot="guessing",
    ),
)
