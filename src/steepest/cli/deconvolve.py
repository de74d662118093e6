"""Find the filter and the bias between two signals in a CSV or Parquet file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from steepest.signal import Deconvolution
    from steepest.tables.table import Table

HELP = """Find the filter w and the bias b between two signals: y = w * x + b + noise.

DATA is a CSV or Parquet file, or - for standard input. The output is the full convolution: it is LENGTH - 1 samples
longer than the input, whose column therefore ends in so many empty cells or zeros.

\b
Examples:
  steepest deconvolve examples/data/echo.csv --input x --output y --length 3
  steepest deconvolve examples/data/echo.csv --input x --output y --length 3 --plot echo.png
"""
PICTURES = (".png", ".svg", ".pdf")
SHOWN_TAPS = 40


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("data")
@click.option("--input", "source", required=True, metavar="COLUMN", help="What was sent, x.")
@click.option("--output", "target", required=True, metavar="COLUMN", help="What came out, y.")
@click.option("--length", type=int, required=True, help="Length of the filter.")
@click.option("--no-bias", is_flag=True, help="Fit no bias.")
@click.option("--ridge", type=float, default=0.0, show_default=True, help="Strength of the penalty on the filter.")
@click.option("--solver", default="auto", show_default=True, help="auto, exact or gradient-descent.")
@click.option("--learning-rate", type=float, help="Of gradient descent; one over the largest curvature if not given.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Write a picture (.png, .svg, .pdf).")
def command(
    data: str,
    source: str,
    target: str,
    length: int,
    no_bias: bool,
    ridge: float,
    solver: Any,
    learning_rate: float | None,
    plot: Path | None,
) -> None:
    """Read, solve, report."""
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise InvalidInputError(f"--plot {plot}: the name must end in {', '.join(PICTURES)}")
    if length < 1:
        raise InvalidInputError(f"--length {length}: must be a positive integer")
    from steepest.signal import deconvolve
    from steepest.tables import read_table

    table = read_table(data)
    x, y = _signal(table, source, "--input"), _signal(table, target, "--output")
    x = _as_long_as_fits(x, y, length)
    found = deconvolve(
        x,
        y,
        length,
        fit_bias=not no_bias,
        ridge=ridge,
        solver=solver,
        learning_rate="auto" if learning_rate is None else learning_rate,
    )
    _report(data, source, target, found, len(x))
    if plot is not None:
        from steepest import plotting

        plotting.deconvolution(x, y, found).savefig(plot)
        click.echo(f"\nWrote {plot}")


def _signal(table: "Table", name: str, option: str) -> Any:
    """Return a column of numbers without the empty cells at its end."""
    import numpy as np

    column = table.require(name, option)
    if column.is_text:
        raise InvalidInputError(f"{option} {name}: holds text ({column.sample()}); a signal is made of numbers")
    values = column.values
    present = np.flatnonzero(~np.isnan(values))
    signal = values[: present[-1] + 1] if len(present) else values[:0]
    if not len(signal):
        raise InvalidInputError(f"{option} {name}: holds no numbers")
    if np.isnan(signal).any():
        row = int(np.flatnonzero(np.isnan(signal))[0])
        raise InvalidInputError(f"{option} {name}: sample {row + 1} is missing; fill it in")
    return signal


def _as_long_as_fits(x: Any, y: Any, length: int) -> Any:
    """Return x without the zeros that fill it up to the length of y."""
    fitting = len(y) - length + 1
    if fitting < 1:
        raise InvalidInputError(f"--length {length}: longer than the output, which has {len(y)} samples")
    if len(x) > fitting and not x[fitting:].any():
        return x[:fitting]
    return x


def _report(data: str, source: str, target: str, found: "Deconvolution", n_samples: int) -> None:
    """Print the filter with its standard errors, the fit and the proof that it is the best."""
    import numpy as np
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    console = Console(highlight=False)
    k = len(found.filter)
    console.print(
        f"[bold]Deconvolution[/bold] of {data}: {target} = w * {source} + b, {n_samples} samples in, {k} taps"
    )
    console.print(f"Solved     {found.result.message} ({found.how})")
    console.print(f"Proof      {found.certificate}")
    rms = float(np.sqrt(np.mean(found.residual**2)))
    console.print(f"Residual   {rms:.6g} (root mean square), J = {found.value:.6g}")
    console.print(f"Condition  {found.condition_number:.3g}")
    console.print()
    grid = Grid("tap", "weight", "standard error", box=box.SIMPLE_HEAD)
    for column in grid.columns:
        column.justify = "right"
    for i in range(min(k, SHOWN_TAPS)):
        grid.add_row(f"w{i + 1}", f"{found.filter[i]:.8f}", _number(found.filter_standard_errors[i]))
    if k > SHOWN_TAPS:
        grid.add_row("...", f"{k - SHOWN_TAPS} more", "")
    grid.add_row("b", f"{found.bias:.8f}", _number(found.bias_standard_error))
    console.print(grid)


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.8f}"
