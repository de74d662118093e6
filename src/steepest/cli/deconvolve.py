"""Find the filter and the bias between two signals in a CSV or Parquet file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.cli.outputs import PICTURES, json_option, output_option, print_json, save_picture, say_written
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
SHOWN_TAPS = 40
PLAIN_FROM, PLAIN_BELOW = 1e-3, 1e6  # the largest number, where eight decimals tell all of them


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("data")
@click.option("--input", "source", required=True, metavar="COLUMN", help="What was sent, x.")
@click.option("--output", "target", required=True, metavar="COLUMN", help="What came out, y.")
@click.option("--length", type=int, required=True, help="Length of the filter.")
@click.option("--no-bias", is_flag=True, help="Fit no bias.")
@click.option("--ridge", type=float, default=0.0, show_default=True, help="Strength of the penalty on the filter.")
@click.option("--solver", default="auto", show_default=True, help="auto, exact or gradient-descent.")
@click.option("--learning-rate", type=float, help="Of gradient descent; one over the largest curvature if not given.")
@output_option("--plot", "Draw signals, fit and filter", *PICTURES)
@json_option
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
    as_json: bool,
) -> None:
    """Read, solve, report."""
    if length < 1:
        raise InvalidInputError(f"--length {length}: must be a positive integer")
    if learning_rate is not None and solver == "auto":
        solver = "gradient-descent"  # closed forms have no use for a rate
    from steepest.cli.notes import noted
    from steepest.signal import deconvolve
    from steepest.tables import read_table

    table = read_table(data)
    x, y = _signal(table, source, "--input"), _signal(table, target, "--output")
    x = _as_long_as_fits(x, y, length)
    with noted("deconvolve") as notes:
        found = deconvolve(
            x,
            y,
            length,
            fit_bias=not no_bias,
            ridge=ridge,
            solver=solver,
            learning_rate="auto" if learning_rate is None else learning_rate,
        )
    about = {"data": data, "input": source, "output": target, "n_samples": len(x), "fit_bias": not no_bias}
    if as_json:
        print_json(about | _facts(found) | {"notes": notes})
    else:
        _show(about, found, notes)
    if plot is not None:
        from steepest import plotting

        save_picture(plotting.deconvolution(x, y, found), plot)
    say_written(plot, as_json=as_json)


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


def _facts(found: "Deconvolution") -> dict[str, Any]:
    result = found.result
    return {
        "filter": found.filter, "filter_standard_errors": found.filter_standard_errors,
        "bias": found.bias, "bias_standard_error": found.bias_standard_error,
        "fitted": found.fitted, "residual": found.residual, "residual_rms": _rms(found), "value": found.value,
        "condition_number": found.condition_number, "how": found.how,
        "stopped": result.message, "converged": result.reason.converged, "n_iter": result.n_iter,
        "certificate": found.certificate,
    }  # fmt: skip


def _show(about: dict[str, Any], found: "Deconvolution", notes: list[str]) -> None:
    """Print the filter with its standard errors, the fit and the proof that it is the best."""
    from steepest.cli.terminal import Grid, Pair, facts, styled, terminal

    console, k = terminal(), len(found.filter)
    signals = f"{about['output']} = w * {about['input']}{' + b' if about['fit_bias'] else ''}"
    text = f" of {about['data']}: {signals}, {about['n_samples']} samples in, {k} taps"
    console.print(styled("Deconvolution", "bold") + styled(text, ""))
    pairs: list[Pair] = [
        ("Solved", f"{found.result.message.removeprefix('solved ')} ({found.how})"),
        ("Proof", str(found.certificate)),
        ("Residual", f"{_rms(found):.6g} (root mean square), J = {found.value:.6g}"),
        ("Condition", f"{found.condition_number:.3g}"),
    ]
    console.print(facts([*pairs, *(("Note", note) for note in notes)]))
    console.print()
    grid = Grid("tap", "weight", "standard error", align="lrr")
    largest = max(abs(float(number)) for number in (*found.filter, found.bias))
    form = ".8f" if PLAIN_FROM <= largest < PLAIN_BELOW else ".6e"
    for i in range(min(k, SHOWN_TAPS)):
        grid.add_row(f"w{i + 1}", f"{found.filter[i]:{form}}", _spelt(found.filter_standard_errors[i], form))
    if k > SHOWN_TAPS:
        grid.add_row("...", f"{k - SHOWN_TAPS} more", "")
    grid.add_row("b", f"{found.bias:{form}}", _spelt(found.bias_standard_error, form))
    console.print(grid)


def _rms(found: "Deconvolution") -> float:
    import numpy as np

    return float(np.sqrt(np.mean(found.residual**2)))


def _spelt(value: float, form: str) -> str:
    return "-" if value != value else f"{value:{form}}"
