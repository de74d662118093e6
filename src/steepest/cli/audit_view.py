"""An audit's report on the terminal."""

from steepest.checking import GradientReport, Verdict
from steepest.cli.terminal import Grid, Terminal, bullets, styled

COLOURS = {Verdict.AGREES: "green", Verdict.DISAGREES: "red", Verdict.CANNOT_TELL: "yellow"}


def show_report(report: GradientReport, console: Terminal) -> None:
    """Headline, table of blocks, what is wrong and how to mend it, the worst entries."""
    console.print(styled(report.headline, f"bold {COLOURS[report.verdict]}"))
    console.print()
    grid = Grid("block", "shape", "verdict", "relative error", align="lllr")
    for block, row in zip(report.blocks, report.rows(), strict=True):
        grid.add_row(*row[:2], styled(row[2], COLOURS[block.verdict]), row[3])
    console.print(grid)
    console.print()
    if details := report.details():
        console.print(bullets(details))
        console.print()
    console.print(styled(report.footer, "dim"))
