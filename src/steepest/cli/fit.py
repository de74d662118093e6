"""Fit a model to a CSV or Parquet file and print the proof that it is right."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.cli.models import MODELS, OPTIONS, build, in_options, parse_settings
from steepest.cli.options import seed_option, together
from steepest.cli.outputs import (
    PICTURES,
    check_apart,
    json_option,
    output_option,
    print_json,
    save_picture,
    say_written,
    written_to,
)
from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.validation import check_choice

if TYPE_CHECKING:
    from steepest.cli.running import Fitted
    from steepest.report.fit import FitReport
    from steepest.tables import Dataset
    from steepest.trace import Trace

HELP = """Fit a model to a CSV or Parquet file and print the proof that it is right.

DATA is the file, or - for standard input. Nothing is encoded silently: a column of text is refused until --one-hot or
--drop names it.

\b
Examples:
  steepest fit examples/data/diabetes.csv --target progression --model lasso
  steepest fit examples/data/diabetes.csv --target progression --learning-rate 0.1
  steepest fit examples/data/breast_cancer.csv --target diagnosis --model logistic
  steepest fit examples/data/diabetes.csv --target progression --model mlp --hidden 64,64 --activation relu
"""


DATA_OPTIONS = together(
    click.option("-t", "--target", metavar="COLUMN", help="The column to predict."),
    click.option("--drop", multiple=True, metavar="COLUMN", help="Leave a column out, or several: A,B."),
    click.option("--one-hot", multiple=True, metavar="COLUMN", help="Encode a column of text, or several: A,B."),
    click.option("--missing", default="error", metavar="error|drop|mean", help="What to do about missing values."),
    click.option(
        "--standardize/--no-standardize", default=True, help="Scale features to unit variance.  [default: on]"
    ),
    click.option("--test-size", type=float, default=0.2, show_default=True, help="Share of the rows held out."),
    seed_option("For the split and all else that is random."),
    click.option("--separator", metavar="CHAR", help="Between fields; found from the header if not given."),
    click.option("--decimal", default=".", metavar=".|,", help="The decimal mark."),
    click.option("--encoding", metavar="NAME", help="Of the file; UTF-8 if not given."),
)

MODEL_OPTIONS = together(
    click.option(
        "-m", "--model", default="linear", show_default=True, metavar="NAME", help=f"One of {', '.join(MODELS)}."
    ),
    click.option("--hidden", metavar="N,N,...", help="Units of each hidden layer of a network."),
    click.option("--activation", metavar="NAME", help="After each hidden layer: relu, tanh, logistic, identity."),
    click.option("--alpha", type=float, help="Strength of the penalty."),
    click.option("--l1-ratio", type=float, help="Share of the L1 part in an elastic net."),
    click.option("--solver", metavar="NAME", help="How to minimise; the fastest that fits if not given."),
    click.option("--learning-rate", type=float, help="Step size of gradient descent."),
    click.option("--batch-size", type=int, help="Rows an update of gradient descent sees."),
    click.option("--update", metavar="NAME", help="Update rule of gradient descent, e.g. momentum, adam."),
    click.option("--max-iter", type=int, help="The most iterations."),
    click.option("--tol", type=float, help="Tolerance at which to stop."),
    click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any other parameter of the model."),
)

OUTPUT_OPTIONS = together(
    output_option("--save-trace", "Write the run's trace here"),
    output_option("--plot", "Draw the run here", *PICTURES),
    json_option,
    click.option("-v", "--verbose", is_flag=True, help="Print all coefficients, and the course of the run."),
)


@click.command(help=HELP)
@click.argument("data")
@DATA_OPTIONS
@MODEL_OPTIONS
@OUTPUT_OPTIONS
def command(
    data: str,
    model: str,
    seed: int,
    standardize: bool,
    settings: tuple[str, ...],
    save_trace: Path | None,
    plot: Path | None,
    as_json: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Read, fit, report."""
    check_choice("model", model, MODELS)
    check_apart(data, {"--save-trace": save_trace, "--plot": plot})
    from steepest.cli import running

    classifies = MODELS[model].classifies
    dataset = _dataset(data, classifies, options)
    train, test = running.split(dataset, options["test_size"], seed, by_class=classifies)
    estimator = build(model, {name: options[name] for name in OPTIONS}, parse_settings(settings), seed)
    try:
        fitted = running.fit(
            estimator,
            train,
            test,
            standardize=standardize,
            classifies=classifies,
            live=not as_json,
            watch=verbose or save_trace is not None or plot is not None,
        )
    except DivergenceError as error:
        _keep_what_diverged(error.result.trace, save_trace, plot)
        raise DivergenceError(in_options(str(error)), error.result) from None
    trace = fitted.model.trace_
    if fitted.model.stopping_reason_.name == "DIVERGED":  # slopes that are clipped stay finite
        _keep_what_diverged(trace, save_trace, plot)
        raise DivergenceError(f"{type(fitted.model).__name__} {in_options(trace.about['message'])}")
    report = running.report(fitted, data=data, seed=seed, standardized=standardize)
    if save_trace is not None:
        with written_to(save_trace):
            trace.save(save_trace)
    if plot is not None:
        draw(plot, fitted, report)
    _print(report, fitted, as_json=as_json, verbose=verbose)
    say_written(save_trace, plot, as_json=as_json)


def _dataset(data: str, classify: bool, options: dict[str, Any]) -> "Dataset":
    from steepest.tables import prepare, read_table

    how = {name: options[name] for name in ("separator", "encoding", "decimal")}
    table = read_table(data, **how)
    if options["target"] is None:
        raise InvalidInputError(f"--target is missing: name the column to predict, one of {', '.join(table.columns)}")
    drop, one_hot = table.named(options["drop"], "--drop"), table.named(options["one_hot"], "--one-hot")
    missing = options["missing"]
    return prepare(table, options["target"], classify=classify, drop=drop, one_hot=one_hot, missing=missing)


def _keep_what_diverged(trace: "Trace", save_trace: Path | None, plot: Path | None) -> None:
    """Write the trace and the loss curve of a diverged run: they show what happened."""
    if save_trace is not None:
        with written_to(save_trace):
            trace.save(save_trace)
    if plot is not None:
        from steepest.plotting import loss_curve, panels

        figure, (ax,) = panels(1)
        loss_curve(trace, ax=ax).set_title("diverged", fontsize=10)
        save_picture(figure, plot)


def draw(path: Path, fitted: "Fitted", report: "FitReport") -> None:
    """Draw the loss curve beside the predictions."""
    from steepest import plotting
    from steepest.plotting.style import literal

    figure, (left, right) = plotting.panels(2)
    plotting.loss_curve(fitted.model.trace_, ax=left)
    predictions = {name: (part.y, fitted.model.predict(part.X)) for name, part in fitted.parts.items()}
    if fitted.classifies:
        name, (y, predicted) = list(predictions.items())[-1]
        plotting.confusion_matrix(y, predicted, ax=right, rows=name)
    else:
        for name, (y, predicted) in predictions.items():
            plotting.predicted_against_actual(y, predicted, ax=right, rows=name, unit=literal(report.target))
    figure.suptitle(f"{report.model} on {literal(Path(report.data).name, 80)}", fontsize=11)
    save_picture(figure, path)


def _print(report: "FitReport", fitted: "Fitted", *, as_json: bool, verbose: bool) -> None:
    if as_json:
        print_json(report)
        return
    from steepest.cli.rendering import render

    render(report, fitted.model.trace_, verbose=verbose)
