"""Guess at many tests and compare with the binomial law."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.cli.options import seed_option
from steepest.cli.outputs import PICTURES, json_option, output_option, print_json, say_written

if TYPE_CHECKING:
    from steepest.foundations.probability import GuessingResult


@click.command()
@click.option("--tests", default=1_000_000, show_default=True, type=click.IntRange(1), help="Tests to guess at.")
@click.option("--questions", default=10, show_default=True, type=click.IntRange(1, 100_000), help="Questions of each.")
@click.option(
    "-p", "--probability", default=0.5, show_default=True, type=click.FloatRange(0, 1), help="Of guessing one right."
)
@seed_option("Seed of the random numbers; another every time if not given.", default=None)
@output_option("--plot", "Draw the histogram", *PICTURES)
@json_option
def command(tests: int, questions: int, probability: float, seed: int | None, plot: Path | None, as_json: bool) -> None:
    """Guess at many tests and compare the number of right answers with the binomial law."""
    from steepest.foundations.probability import simulate_guessing

    result = simulate_guessing(tests, questions, probability, seed)
    if as_json:
        print_json(_facts(result, seed))
    else:
        _show(result)
    if plot:
        from steepest.plotting.museum import plot_guessing

        plot_guessing(result, plot)
    say_written(plot, as_json=as_json)


def _facts(result: "GuessingResult", seed: int | None) -> dict[str, Any]:
    statistic, freedom, likely = result.goodness_of_fit()
    fit = {"chi_squared": statistic, "degrees_of_freedom": freedom, "probability_of_more": likely}
    return {
        "tests": result.n_tests, "questions": result.n_questions, "probability": result.p, "seed": seed,
        "counts": result.counts, "law": result.law,
        "mean": result.mean, "exact_mean": result.exact_mean,
        "variance": result.variance, "exact_variance": result.exact_variance,
        "fit": fit if freedom else None,
    }  # fmt: skip


def _show(result: "GuessingResult") -> None:
    from steepest.cli.terminal import counted, facts, terminal

    console = terminal()
    console.print(
        f"{counted(result.n_tests, 'test')} of {counted(result.n_questions, 'question')}, "
        f"each guessed right with probability {result.p:g}"
    )
    console.print()
    for line in histogram(result.counts / result.n_tests, result.law, console.width):
        console.print(line)
    console.print()
    console.print("# simulated   | exact law")
    console.print()
    statistic, freedom, likely = result.goodness_of_fit()
    fit = (
        f"chi-squared {statistic:.2f} on {freedom} degrees of freedom; {likely:.1%} of simulations deviate more"
        if freedom
        else ("only one outcome is possible" if result.exact_variance == 0.0 else "too few tests to tell")
    )
    pairs = [
        ("mean", f"{result.mean:.4f}, exactly n p = {result.exact_mean:g}"),
        ("variance", f"{result.variance:.4f}, exactly n p (1 - p) = {result.exact_variance:g}"),
        ("fit", fit),
    ]
    console.print(facts(pairs))


def histogram(simulated: "list[float] | object", law: "list[float] | object", width: int) -> list[str]:
    """Bars of the simulated shares with a mark at the exact ones; far tails are left out, long axes thinned."""
    import numpy as np

    seen, exact = np.asarray(simulated, dtype=float), np.asarray(law, dtype=float)
    shown = np.flatnonzero((seen > 0) | (exact > 1e-6))
    first, last = int(shown[0]), int(shown[-1])
    step = -(-(last - first + 1) // 40)
    rows = []
    room = max(width - 24 - len(str(last)) * 2, 20)
    starts = range(first, last + 1, step)
    bars = [(k, min(k + step - 1, last), seen[k : k + step].sum(), exact[k : k + step].sum()) for k in starts]
    top = max(max(share, true) for _, _, share, true in bars)
    for low, high, share, true in bars:
        cells = ["#"] * round(share / top * room) + [" "] * (room + 1)
        cells[round(true / top * room)] = "|"
        label = f"{low}" if low == high else f"{low}-{high}"
        rows.append(f"{label:>{len(str(last)) * 2 + 1}}  {''.join(cells[: room + 1])} {share:8.4%}")
    return rows
