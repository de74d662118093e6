"""Grade a learner's gradients against a teacher's value."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from steepest.exceptions import InvalidInputError


@click.command()
@click.argument("template", metavar="TEMPLATE.py")
@click.argument("submissions", metavar="SUBMISSION.py...", nargs=-1, required=True)
@click.option(
    "--answers/--no-answers", default=None, help="Show numbers and corrected formulas; the template decides otherwise."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Seed of the random points.")
@click.option("--json", "as_json", is_flag=True, help="Print the grades as JSON.")
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
    grades = {path: grade(template, path, show_answers=answers, seed=seed) for path in submissions}
    if as_json:
        click.echo(
            json.dumps(
                {path: {**asdict(g), "points": g.points, "out_of": g.out_of} for path, g in grades.items()}, indent=1
            )
        )
    else:
        _show(grades)
    code = 0 if all(grades.values()) else 1
    click.get_current_context().exit(code)
    return code


def _show(grades: Mapping[str, object]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from steepest.checking.grading import Grade
    from steepest.cli.report_view import console_for, listed

    console = console_for()
    for path, grade in grades.items():
        assert isinstance(grade, Grade), "made by grade()"
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            title=f"{path}: {grade.points:g} of {grade.out_of:g}",
            title_justify="left",
        )
        for title in ("part", "points", "reason"):
            table.add_column(title, overflow="fold")
        for part in grade.parts:
            style = "green" if part.points == part.out_of else "red" if not part.points else "yellow"
            table.add_row(part.name, Text(f"{part.points:g} of {part.out_of:g}", style=style), Text(part.reason))
        console.print(table)
        listed(list(grade.notes), console)
