"""An audit's report on the terminal."""

import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from steepest.checking import GradientReport, Verdict

__all__ = ["console_for", "listed", "show_report"]

MOST_WIDTH, WIDTH_IN_PIPES = 100, 120
COLOURS = {Verdict.AGREES: "green", Verdict.DISAGREES: "red", Verdict.CANNOT_TELL: "yellow"}


def console_for() -> Console:
    """Console as wide as the terminal, within limits."""
    console = Console(highlight=False, soft_wrap=False)
    console.width = min(console.width, MOST_WIDTH) if sys.stdout.isatty() or _told_width() else WIDTH_IN_PIPES
    return console


def _told_width() -> bool:
    import os

    return "COLUMNS" in os.environ


def show_report(report: GradientReport, console: Console) -> None:
    """Headline, table of blocks, what is wrong and how to mend it, the worst entries."""
    console.print(Text(report.headline, style=f"bold {COLOURS[report.verdict]}"))
    console.print()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("block", "shape", "verdict", "relative error"):
        table.add_column(title, justify="right" if title == "relative error" else "left")
    for block, row in zip(report.blocks, report.rows(), strict=True):
        table.add_row(*row[:2], Text(row[2], style=COLOURS[block.verdict]), row[3])
    console.print(table)
    listed(report.details(), console)
    console.print(Text(report.footer, style="dim"))


def listed(lines: list[str], console: Console) -> None:
    """Bulleted lines, wrapped with a hanging indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", Text(line))
    if lines:
        console.print(grid)
        console.print()
