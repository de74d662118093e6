"""A fit's report on the terminal."""

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steepest.cli.terminal import Grid, Pair, counted, facts, styled, terminal

if TYPE_CHECKING:
    from steepest.report.fit import FitReport
    from steepest.trace import Trace

SHOWN_COEFFICIENTS, SHOWN_STEPS = 20, 12
ROUNDING = 1e-9


def render(report: "FitReport", trace: "Trace", *, verbose: bool = False, console: Console | None = None) -> None:
    """Print a report; colours only on a terminal."""
    console = terminal() if console is None else console
    for line in _title(report):
        console.print(line)
    console.print()
    console.print(_facts(report))
    if verbose:
        console.print()
        console.print(_course(trace))
    console.print()
    console.print(_scores(report))
    console.print()
    if len(report.coefficients):
        console.print(_coefficients(report, verbose))
        console.print()
    for line in _footnotes(report, verbose):
        console.print(line)


def _title(report: "FitReport") -> list[Text]:
    held_out = f", {report.n_test} held out (seed {report.seed})" if report.n_test else ", none held out"
    scaled = "standardised" if report.standardized else "as they are"
    return [
        styled(report.model, "bold")
        + styled(f" predicts {report.target} from {counted(len(report.features), 'feature')}", ""),
        styled(f"{report.data}: {counted(report.n_train, 'row')} to learn from{held_out}; features {scaled}", "dim"),
    ]


def _facts(report: "FitReport") -> Table:
    """Return what was minimised, how it ended, and the proof."""
    good, bad = "green", "yellow"
    pairs: list[Pair] = [("Minimise", report.objective or "(not said by this model)")]
    if report.chosen:
        pairs.append(("With", ", ".join(f"{name} = {text}" for name, text in report.chosen.items())))
    pairs.append(("Solver", report.solver or "(not said by this model)"))
    pairs.append(("Stopped", styled(report.stopped.removeprefix("stopped: "), good if report.converged else bad)))
    pairs.append(("Iterations", f"{report.n_iter} in {_duration(report.seconds)}"))
    if report.certificate is not None:
        pairs.append(("Certificate", styled(str(report.certificate), good if report.certificate.optimal else bad)))
    return facts(pairs)


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _course(trace: "Trace") -> Grid:
    """Return some steps of the run, closer together at its start."""
    names = ("value", "gradient_norm", "step_size", "duality_gap")
    columns = trace.columns
    present = [name for name in names if any(math.isfinite(x) for x in columns[name])]
    headings = ["objective" if name == "value" else name.replace("_", " ") for name in present]
    grid = Grid("step", *headings, align="r" * (1 + len(present)), title="Course of the run")
    for i in _spread(len(trace), SHOWN_STEPS):
        grid.add_row(f"{columns['index'][i]:.0f}", *(_number(columns[name][i]) for name in present))
    return grid


def _spread(n: int, most: int) -> list[int]:
    """Return at most ``most`` positions below ``n``: the first, the last and, between, ever wider apart."""
    if n <= most:
        return list(range(n))
    return sorted({0, n - 1, *(round((n - 1) ** (k / (most - 2))) for k in range(most - 1))})


def _scores(report: "FitReport") -> Grid:
    where = "test" if report.n_test else "training"
    grid = Grid("Score", "training", "test", f"predicting {report.baseline} ({where})", align="lrrr")
    for score in report.scores:
        noise = ROUNDING * max(abs(x) for x in (score.train, score.test) if not math.isnan(x))
        values = (score.train, score.test, 0.0 if abs(score.baseline) < noise else score.baseline)
        grid.add_row(score.name, *(f"{value:.4g}" if math.isfinite(value) else "-" for value in values))
    return grid


def _coefficients(report: "FitReport", verbose: bool) -> Grid:
    """Return the coefficients, the largest first and those of zero last."""
    both = report.standardized and len(report.outputs) == 1
    unit = "per std. dev." if report.standardized else "per unit"
    headings = [f"{output} {unit}" if len(report.outputs) > 1 else unit for output in report.outputs]
    headings += ["per unit"] if both else []
    grid = Grid("Coefficient", *headings, align="l" + "r" * len(headings))
    order = report.order if verbose else report.order[:SHOWN_COEFFICIENTS]
    for j in order:
        cells = [_number(row[j]) for row in report.coefficients]
        cells += [_number(report.original[0, j])] if both else []
        grid.add_row(report.features[j], *cells, style="" if report.coefficients[:, j].any() else "dim")
    grid.add_section()
    cells = [_number(value) for value in report.intercept]
    cells += [_number(report.original_intercept[0])] if both else []
    grid.add_row(styled("intercept", "italic"), *cells)
    return grid


def _number(value: float) -> str:
    return "0" if value == 0 else f"{value:.5g}" if math.isfinite(value) else "-"


def _footnotes(report: "FitReport", verbose: bool) -> list[Text]:
    hidden = 0 if verbose else max(len(report.features) - SHOWN_COEFFICIENTS, 0)
    lines = (
        [f"{report.n_nonzero} of {len(report.features)} coefficients are not zero"] if len(report.coefficients) else []
    )
    if hidden and lines:
        lines[0] += f"; {hidden} more with -v"
    if lines and len(report.outputs) == 1 and report.outputs[0] != report.target:
        lines.append(f"positive coefficients speak for {report.target} = {report.outputs[0]}")
    lines += [f"note: {note}" for note in report.notes]
    return [styled(line, "dim") for line in lines]
