"""See published derivations that are wrong, and why."""

import json
from typing import TYPE_CHECKING

import click

from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from rich.console import Console

    from steepest.museum import Exhibit


@click.command()
@click.argument("name", required=False)
@click.option(
    "--plot", type=click.Path(dir_okay=False), metavar="FILE", help="Save the exhibit's plot, where it has one."
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(name: str | None, plot: str | None, as_json: bool) -> None:
    """See published derivations that are wrong, and why.

    Without a name, list the exhibits; with one, show its claim, the audit's verdict and diagnosis, the corrected
    formula and both numbers side by side.
    """
    from steepest.cli.report_view import console_for
    from steepest.museum import exhibits, find_exhibit

    console = console_for()
    if name is None:
        if plot:
            raise InvalidInputError("--plot needs the name of an exhibit")
        _list(list(exhibits()), console, as_json)
        return
    found = find_exhibit(name)
    if as_json:
        click.echo(json.dumps(_facts(found), indent=1))
    else:
        _show(found, console)
    if plot:
        _save(found, plot)
        console.print(f"plot saved as {plot}")


def _list(exhibits: "list[Exhibit]", console: "Console", as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([{"name": e.name, "title": e.title, "source": e.source} for e in exhibits], indent=1))
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("exhibit", no_wrap=True)
    table.add_column("what went wrong", overflow="fold")
    for found in exhibits:
        table.add_row(found.name, found.title)
    console.print(table)
    console.print("steepest museum NAME shows one.")


def _show(found: "Exhibit", console: "Console") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console.print(Text(found.title, style="bold"))
    console.print(Text(f"source: {found.source}", style="dim"))
    console.print()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    grid.add_row("published", Text(found.claim))
    grid.add_row("right", Text(found.truth))
    if found.case is not None:
        report = found.case().audit()
        grid.add_row("verdict", Text(report.headline, style="red"))
        for diagnosis in report.diagnoses:
            grid.add_row("diagnosis", Text(str(diagnosis)))
    console.print(grid)
    numbers = found.numbers()
    if numbers:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("", "published", "right"):
            table.add_column(title, overflow="fold")
        for figure in numbers:
            table.add_row(Text(figure.what), Text(figure.published), Text(figure.right))
        console.print(table)
    console.print(Text(found.lesson))


def _facts(found: "Exhibit") -> dict[str, object]:
    report = found.case().audit() if found.case else None
    return {
        "name": found.name, "title": found.title, "source": found.source,
        "published": found.claim, "right": found.truth,
        "verdict": str(report.verdict) if report is not None else None,
        "diagnoses": [str(d) for d in report.diagnoses] if report is not None else [],
        "numbers": [{"what": f.what, "published": f.published, "right": f.right} for f in found.numbers()],
        "lesson": found.lesson,
    }  # fmt: skip


def _save(found: "Exhibit", path: str) -> None:
    if not found.plot:
        raise InvalidInputError(f"exhibit {found.name!r} has no plot; deconvolution and guessing have")
    from steepest.plotting.museum import plot_courses, plot_two_guesses, save_plot

    if found.plot == "guessing":
        from steepest.museum.guessing import experiments

        save_plot(plot_two_guesses(*experiments()), path)
    else:
        from steepest.museum.deconvolution import courses

        save_plot(plot_courses(*courses()), path)
