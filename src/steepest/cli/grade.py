"""Grade a learner's gradients against a teacher's value."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steepest.cli.options import seed_option
from steepest.cli.outputs import json_option, print_json
from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from steepest.checking.grading import Grade


def _list_mistakes(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from steepest.checking import MISTAKES
    from steepest.cli.terminal import Grid, terminal

    grid = Grid("mistake", "what it is", align="ll")
    for code, words in MISTAKES.items():
        grid.add_row(code, words)
    terminal().print(grid)
    context.exit()


@click.command()
@click.argument("template", metavar="TEMPLATE.py")
@click.argument("submissions", metavar="SUBMISSION.py...", nargs=-1, required=True)
@click.option(
    "--answers/--no-answers", default=None, help="Show numbers and corrected formulas; the template decides otherwise."
)
@seed_option("Seed of the random points.")
@click.option(
    "--mistakes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_mistakes,
    help="List the mistakes that a template may give credit for.",
)
@json_option
def command(template: str, submissions: tuple[str, ...], answers: bool | None, seed: int, as_json: bool) -> int:
    """Grade a learner's gradients against a teacher's value.

    The template defines value, parameters, and if needed data, weights and credit; a submission defines gradient
    or one function gradient_NAME a parameter. Exit code 0: full marks, 1: not, 2: a file is missing or the template
    cannot be used.
    """
    from steepest.checking.grading import grade

    for path in submissions:
        if not Path(path).is_file():
            raise InvalidInputError(f"{path}: no such file; nothing was graded")
    with redirect_stdout(sys.stderr):  # what a template prints is no part of the report
        grades = {path: grade(template, path, show_answers=answers, seed=seed) for path in submissions}
    if as_json:
        print_json({path: vars(g) | {"points": g.points, "out_of": g.out_of} for path, g in grades.items()})
    else:
        _show(grades)
    code = 0 if all(grades.values()) else 1
    click.get_current_context().exit(code)
    return code


def _show(grades: Mapping[str, "Grade"]) -> None:
    from steepest.cli.terminal import Grid, bullets, styled, terminal

    console = terminal()
    for path, grade in grades.items():
        grid = Grid("part", "points", "reason", align="lll", title=f"{path}: {grade.points:g} of {grade.out_of:g}")
        for part in grade.parts:
            style = "green" if part.points == part.out_of else "red" if not part.points else "yellow"
            grid.add_row(part.name, styled(f"{part.points:g} of {part.out_of:g}", style), part.reason)
        console.print(grid)
        console.print()
        if grade.notes:
            console.print(bullets(grade.notes))
            console.print()
