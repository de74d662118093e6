"""Guess at many tests and compare with the binomial law."""

import click


@click.command()
@click.option("--tests", default=1_000_000, show_default=True, type=click.IntRange(1), help="Tests to guess at.")
@click.option("--questions", default=10, show_default=True, type=click.IntRange(1, 100_000), help="Questions of each.")
@click.option(
    "-p", "--probability", default=0.5, show_default=True, type=click.FloatRange(0, 1), help="Of guessing one right."
)
@click.option("--seed", type=click.IntRange(0), help="Seed of the random numbers.")
@click.option("--plot", type=click.Path(dir_okay=False), metavar="FILE", help="Save the histogram as an image.")
def command(tests: int, questions: int, probability: float, seed: int | None, plot: str | None) -> None:
    """Guess at many tests and compare the number of right answers with the binomial law."""
    from steepest.cli.report_view import console_for
    from steepest.foundations.probability import simulate_guessing

    result = simulate_guessing(tests, questions, probability, seed)
    console = console_for()
    console.print(f"{tests:,} tests of {questions:,} questions, each guessed right with probability {probability:g}\n")
    for line in histogram(result.counts / result.n_tests, result.law, console.width):
        console.print(line, markup=False)
    statistic, freedom, likely = result.goodness_of_fit()
    console.print(
        f"\n  # simulated   | exact law\n\n  mean      {result.mean:.4f}, exactly n p = {result.exact_mean:g}"
    )
    console.print(f"  variance  {result.variance:.4f}, exactly n p (1 - p) = {result.exact_variance:g}")
    if freedom:
        console.print(f"  fit       chi-squared {statistic:.2f} on {freedom} degrees of freedom;")
        console.print(f"            {likely:.1%} of simulations deviate more")
    else:
        console.print("  fit       too few tests to tell")
    if plot:
        from steepest.plotting.museum import plot_guessing

        plot_guessing(result, plot)
        console.print(f"  plot      {plot}")


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
