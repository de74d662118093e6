"""Hold a hand-written gradient against its value and name the mistake."""

import inspect
import sys
from contextlib import redirect_stdout
from typing import Any

import click
import numpy as np

from steepest.cli.options import seed_option
from steepest.cli.outputs import json_option, print_json
from steepest.exceptions import InvalidInputError
from steepest.validation import check_positive

HELP = """Hold a hand-written gradient against its value and name the mistake.

The point is given by --at, or by a dict called `parameters` in the value's file; data by --data, or by a dict
called `data`. Exit code 0: agrees, 1: disagrees, 2: cannot tell.

\b
  steepest audit ridge.py:value ridge.py:gradient \\
    --at w=[0.1,-0.2] --at b=0 --data X=X.npy --data y=y.npy
"""
EXIT_CODES = {"agrees": 0, "disagrees": 1, "cannot tell": 2}


@click.command(help=HELP)
@click.argument("value", metavar="FILE.py:VALUE")
@click.argument("gradient", metavar="FILE.py:GRADIENT")
@click.option(
    "--at", multiple=True, metavar="NAME=VALUE", help="A parameter: number, [list], FILE.npy, normal(3,4); or FILE.npz."
)
@click.option("--data", multiple=True, metavar="NAME=VALUE", help="Data that the functions take, written the same way.")
@click.option(
    "--points", default=4, show_default=True, type=click.IntRange(0, 1000), help="Random points besides the given one."
)
@seed_option("Seed of the random points.")
@click.option("--rtol", type=float, help="Relative difference that passes.")
@click.option("--certify", is_flag=True, help="Compute the worst entries to 30 digits (needs mpmath).")
@json_option
def command(
    value: str,
    gradient: str,
    at: tuple[str, ...],
    data: tuple[str, ...],
    points: int,
    seed: int,
    rtol: float | None,
    certify: bool,
    as_json: bool,
) -> int:
    """Check, show, and leave with the exit code of the verdict."""
    from steepest.checking import check_gradient
    from steepest.cli.audit_view import show_report
    from steepest.cli.points import find_function, read_assignments
    from steepest.cli.terminal import terminal

    if rtol is not None:
        check_positive("--rtol", rtol, zero=True)
    with redirect_stdout(sys.stderr):  # what the functions print is no part of the report
        value_function, names = find_function(value)
        gradient_function, _ = find_function(gradient)
        rng = np.random.default_rng(seed)
        parameters = read_assignments("--at", at, names.get("parameters"), rng)
        if not parameters:
            wanted = ", ".join(inspect.signature(value_function).parameters)
            raise InvalidInputError(
                f"no point given for {value}({wanted}): pass --at NAME=VALUE or define parameters = {{...}} in the file"
            )
        known = read_assignments("--data", data, names.get("data"), rng)
        report = check_gradient(
            value_function, gradient_function, *_arguments(value_function, parameters, known),
            data=known, n_points=points, seed=seed, rtol=rtol, certify=certify,
        )  # fmt: skip
    if as_json:
        print_json(report)
    else:
        show_report(report, terminal())
    code = EXIT_CODES[report.verdict]
    click.get_current_context().exit(code)
    return code


def _arguments(function: Any, parameters: dict[str, Any], data: dict[str, Any]) -> tuple[Any, ...]:
    """Parameters in the order of the function's arguments, or as the one dict that it takes."""
    wanted = [name for name in inspect.signature(function).parameters if name not in data]
    if set(parameters) <= set(wanted):
        missing = [name for name in wanted if name not in parameters and _is_required(function, name)]
        if missing:
            raise InvalidInputError(f"no point given for {', '.join(missing)}: pass --at {missing[0]}=VALUE, or --data")
        return tuple(parameters[name] for name in wanted if name in parameters)
    if len(wanted) == 1 and len(parameters) > 1:
        return (parameters,)
    raise InvalidInputError(
        f"the value takes {', '.join(wanted) or 'nothing'}, --at gives {', '.join(parameters)}: "
        "the names must be the same"
    )


def _is_required(function: Any, name: str) -> bool:
    parameter = inspect.signature(function).parameters[name]
    return parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
