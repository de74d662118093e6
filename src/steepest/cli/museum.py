"""See published derivations that are wrong, and why."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steepest.cli.outputs import PICTURES, json_option, output_option, print_json, say_written
from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from steepest.museum import Exhibit


@click.command()
@click.argument("name", required=False)
@output_option("--plot", "Draw the exhibit, where there is something to draw", *PICTURES)
@json_option
def command(name: str | None, plot: Path | None, as_json: bool) -> None:
    """See published derivations that are wrong, and why.

    Without a name, list the exhibits; with one, show its claim, the audit's verdict and diagnosis, the corrected
    formula and both numbers side by side.
    """
    from steepest.museum import exhibits, find_exhibit

    if name is None:
        if plot:
            raise InvalidInputError("--plot needs the name of an exhibit")
        _list(list(exhibits()), as_json)
        return
    found = find_exhibit(name)
    if plot and not found.plot:
        drawn = [exhibit.name for exhibit in exhibits() if exhibit.plot]
        raise InvalidInputError(f"--plot: exhibit {found.name!r} has none; {' and '.join(drawn)} have")
    if as_json:
        print_json(_facts(found))
    else:
        _show(found)
    if plot:
        _save(found, plot)
    say_written(plot, as_json=as_json)


def _list(exhibits: "list[Exhibit]", as_json: bool) -> None:
    if as_json:
        print_json([{"name": e.name, "title": e.title, "source": e.source} for e in exhibits])
        return
    from steepest.cli.terminal import Grid, terminal

    grid = Grid("exhibit", "what went wrong", align="ll")
    for found in exhibits:
        grid.add_row(found.name, found.title)
    console = terminal()
    console.print(grid)
    console.print()
    console.print("steepest museum NAME shows one.")


def _show(found: "Exhibit") -> None:
    from steepest.cli.terminal import Grid, Pair, facts, styled, terminal

    console = terminal()
    console.print(styled(found.title, "bold"))
    console.print(styled(f"source: {found.source}", "dim"))
    console.print()
    pairs: list[Pair] = [("published", found.claim), ("right", found.truth)]
    if found.case is not None:
        report = found.case().audit()
        pairs.append(("verdict", styled(report.headline, "red")))
        pairs += [("diagnosis", str(diagnosis)) for diagnosis in report.diagnoses]
    console.print(facts(pairs))
    console.print()
    if numbers := found.numbers():
        grid = Grid("", "published", "right", align="lll")
        for figure in numbers:
            grid.add_row(figure.what, figure.published, figure.right)
        console.print(grid)
        console.print()
    console.print(found.lesson)


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


def _save(found: "Exhibit", path: Path) -> None:
    from steepest.plotting.museum import plot_courses, plot_two_guesses, save_plot

    if found.plot == "guessing":
        from steepest.museum.guessing import experiments

        save_plot(plot_two_guesses(*experiments()), path)
    else:
        from steepest.museum.deconvolution import courses

        save_plot(plot_courses(*courses()), path)
