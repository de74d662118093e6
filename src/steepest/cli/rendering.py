"""A fit's report on the terminal."""

import math
import sys
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from steepest.report.fit import FitReport
    from steepest.trace import Trace

MOST_WIDTH, WIDTH_IN_PIPES = 100, 160
SHOWN_COEFFICIENTS, SHOWN_STEPS = 20, 12
ROUNDING = 1e-9


def render(report: "FitReport", trace: "Trace", *, verbose: bool = False, console: Console | None = None) -> None:
    """Print a report; colours only on a terminal."""
    console = _console() if console is None else console
    console.print(_title(report))
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


def _console() -> Console:
    terminal = sys.stdout.isatty()
    console = Console(highlight=False)
    console.width = min(console.width, MOST_WIDTH) if terminal else WIDTH_IN_PIPES
    return console


def _title(report: "FitReport") -> Text:
    held_out = f", {report.n_test} held out (seed {report.seed})" if report.n_test else ", none held out"
    scaled = "standardised" if report.standardized else "as they are"
    plural = "s" if len(report.features) != 1 else ""
    text = Text.assemble(
        (report.model, "bold"), f" predicts {report.target} from {len(report.features)} feature{plural}"
    )
    text.append(f"\n{report.data}: {report.n_train} rows to learn from{held_out}; features {scaled}", style="dim")
    return text


def _facts(report: "FitReport") -> Table:
    """Return what was minimised, how it ended, and the proof."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    good, bad = "green", "yellow"
    grid.add_row("Minimise", report.objective or "(not said by this model)")
    if report.chosen:
        grid.add_row("With", ", ".join(f"{name} = {text}" for name, text in report.chosen.items()))
    grid.add_row("Solver", report.solver or "(not said by this model)")
    grid.add_row("Stopped", Text(report.stopped.removeprefix("stopped: "), style=good if report.converged else bad))
    grid.add_row("Iterations", f"{report.n_iter} in {_duration(report.seconds)}")
    if report.certificate is not None:
        style = good if report.certificate.optimal else bad
        grid.add_row("Certificate", Text(str(report.certificate), style=style))
    return grid


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _course(trace: "Trace") -> Table:
    """Return some steps of the run, closer together at its start."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title="Course of the run", title_justify="left")
    table.title_style = "bold"
    names = ("value", "gradient_norm", "step_size", "duality_gap")
    columns = trace.columns
    present = [name for name in names if any(math.isfinite(x) for x in columns[name])]
    for header in ("step", *("objective" if name == "value" else name.replace("_", " ") for name in present)):
        table.add_column(header, justify="right")
    for i in _spread(len(trace), SHOWN_STEPS):
        table.add_row(f"{columns['index'][i]:.0f}", *(_number(columns[name][i]) for name in present))
    return table


def _spread(n: int, most: int) -> list[int]:
    """Return at most ``most`` positions below ``n``: the first, the last and, between, ever wider apart."""
    if n <= most:
        return list(range(n))
    return sorted({0, n - 1, *(round((n - 1) ** (k / (most - 2))) for k in range(most - 1))})


def _scores(report: "FitReport") -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    where = "test" if report.n_test else "training"
    table.add_column("Score")
    for header in ("training", "test", f"predicting {report.baseline} ({where})"):
        table.add_column(header, justify="right")
    for score in report.scores:
        table.add_row(
            score.name,
            *(
                f"{value:.4g}" if math.isfinite(value) else "-"
                for value in (score.train, score.test, _zeroed(score.baseline))
            ),
        )
    return table


def _zeroed(value: float) -> float:
    return 0.0 if abs(value) < ROUNDING else value


def _coefficients(report: "FitReport", verbose: bool) -> Table:
    """Return the coefficients, the largest first and those of zero last."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("Coefficient", overflow="fold")
    both = report.standardized and len(report.outputs) == 1
    unit = "per std. dev." if report.standardized else "per unit"
    for output in report.outputs:
        table.add_column(f"{output} {unit}" if len(report.outputs) > 1 else unit, justify="right")
    if both:
        table.add_column("per unit", justify="right")
    order = report.order if verbose else report.order[:SHOWN_COEFFICIENTS]
    for j in order:
        cells = [_number(row[j]) for row in report.coefficients]
        cells += [_number(report.original[0, j])] if both else []
        style = "dim" if not report.coefficients[:, j].any() else ""
        table.add_row(Text(report.features[j]), *cells, style=style)
    table.add_section()
    cells = [_number(value) for value in report.intercept]
    table.add_row(Text("intercept", style="italic"), *cells, *([_number(report.original_intercept[0])] if both else []))
    return table


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
    return [Text(line, style="dim") for line in lines]
