"""What all commands print with: one console, facts by their labels, and tables whose numbers are never cut."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from steepest.cli.outputs import STANDARD_OUTPUT, end_unread, written_to
from steepest.escaping import escaped

__all__ = ["Grid", "Pair", "Terminal", "bullets", "counted", "facts", "styled", "terminal"]

NARROWEST, WIDEST = 20, 120
Pair = tuple[str, str | Text]
GAP = 3  # between two columns of a grid
LONGEST_WHOLE = 16  # a longer word of a name or a heading may be folded, on a narrow terminal shorter ones too


def counted(number: int, noun: str) -> str:
    """Return so many of something.

    Examples
    --------
    >>> counted(1, "row"), counted(12000, "row")
    ('1 row', '12,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Terminal(Console):
    """A console that takes text as it stands: no markup, and control characters spelt out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def print(self, *parts: Any, **options: Any) -> None:
        """Print, to files and pipes without the blanks that fill up lines; where that cannot be written, say so."""
        with written_to(STANDARD_OUTPUT):
            if self.is_terminal:
                super().print(*parts, **options)
                return
            with self.capture() as taken:
                super().print(*parts, **options)
            lines = (line.rstrip(" ") for line in taken.get().split("\n"))
            super().print(Text("\n".join(lines)), soft_wrap=True, end="")

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text that can do nothing to the terminal; every string printed, in a table too, comes by here."""
        return super().render_str(escaped(text), **options)

    def on_broken_pipe(self) -> None:
        """End as other output does that nobody reads."""
        end_unread()


def terminal() -> Terminal:
    """Return a console as wide as the terminal, or as COLUMNS says, within limits."""
    console = Terminal()
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    console.width = min(max(console.width, NARROWEST), WIDEST) if told else WIDEST
    return console


def styled(text: str, style: str) -> Text:
    """Return text in a style, with control characters spelt out."""
    return Text(escaped(text), style)


def facts(pairs: Iterable[Pair]) -> Table:
    """Return labels, each with what there is to say."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in pairs:
        grid.add_row(label, text)
    return grid


def bullets(lines: Sequence[str]) -> Table:
    """Return lines behind dashes, wrapped with a hanging indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row("-", line)
    return grid


class Grid:
    """A table whose numbers are never cut.

    Where it is wider than the terminal, headings and names fold; columns that do not even then fit beside each other
    stand below each other, each time behind the first.

    Parameters
    ----------
    *headings : str
        One a column.
    align : str
        "l" or "r" for each column. What is on the right is numbers, and so is every word with a digit after the first
        column.
    title : str
        Stands above.

    Examples
    --------
    >>> grid = Grid("name", "first", "second", align="lrr")
    >>> grid.add_row("a long name", "1.234567", "7.654321")
    >>> grid.add_row("another", "10", "20")
    >>> Terminal(width=25, color_system=None).print(grid)
    name             first
    ──────────────────────
    a long name   1.234567
    another             10
    <BLANKLINE>
    name            second
    ──────────────────────
    a long name   7.654321
    another             20
    """

    def __init__(self, *headings: str, align: str, title: str = "") -> None:
        self.headings, self.align, self.title = headings, align, title
        self.rows: list[tuple[tuple[str | Text, ...], str]] = []
        self.sections: list[int] = []

    def add_row(self, *cells: str | Text, style: str = "") -> None:
        """Add a row, a cell a column."""
        self.rows.append((cells, style))

    def add_section(self) -> None:
        """Part the rows so far from those to come."""
        self.sections.append(len(self.rows) - 1)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table | str]:
        """Yield one table, or several that fit."""
        columns = range(len(self.headings))
        foldable = min(LONGEST_WHOLE, (options.max_width - 8) // 3)
        least = [self._least(j, foldable) for j in columns]
        most = [self._most(j) for j in columns]
        for number, shown in enumerate(_groups(least, options.max_width)):
            if number:
                yield ""
            widths = _widths([least[j] for j in shown], [most[j] for j in shown], options.max_width)
            yield self._table(shown, widths, "" if number else self.title)

    def _cells(self, j: int) -> list[str]:
        return [_plain(cells[j]) for cells, _ in self.rows]

    def _least(self, j: int, foldable: int) -> int:
        """Return the width below which a number would be cut, or a word of no more than ``foldable``."""
        words = [word for cell in self._cells(j) for word in cell.split()]
        numbers = words if self.align[j] == "r" else [w for w in words if j and any(c.isdigit() for c in w)]
        heading = _plain(self.headings[j]).split()
        return max(_longest(numbers), min(_longest([*words, *heading]), foldable))

    def _most(self, j: int) -> int:
        return _longest([_plain(self.headings[j]), *self._cells(j)])

    def _table(self, shown: Sequence[int], widths: Sequence[int], title: str) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left", title_style="bold")
        table.title = styled(title, "bold") if title else None
        for j, width in zip(shown, widths, strict=True):
            side: Any = "right" if self.align[j] == "r" else "left"
            table.add_column(self.headings[j], justify=side, overflow="fold", width=width)
        for number, (cells, style) in enumerate(self.rows):
            table.add_row(*(cells[j] for j in shown), style=style, end_section=number in self.sections)
        return table


def _plain(cell: str | Text) -> str:
    return cell.plain if isinstance(cell, Text) else escaped(cell)


def _longest(words: Iterable[str]) -> int:
    return max(map(cell_len, words), default=0)


def _groups(least: Sequence[int], width: int) -> list[list[int]]:
    """Return columns that fit beside each other, the first in every group.

    Examples
    --------
    >>> _groups([5, 8, 8, 8], 30)
    [[0, 1, 2], [0, 3]]
    """
    groups, used = [[0]], least[0]
    for j in range(1, len(least)):
        if used + GAP + least[j] > width and len(groups[-1]) > 1:
            groups.append([0])
            used = least[0]
        groups[-1].append(j)
        used += GAP + least[j]
    return groups


def _widths(least: Sequence[int], most: Sequence[int], width: int) -> list[int]:
    """Return the widths of columns: what each needs at least, and what is left to those that want little more first.

    Examples
    --------
    >>> _widths([5, 5, 5], [6, 20, 5], 30)
    [6, 13, 5]
    """
    widths = list(least)
    room = max(width - sum(least) - GAP * (len(least) - 1), 0)
    for left, j in enumerate(sorted(range(len(least)), key=lambda j: most[j] - least[j])):
        given = min(max(most[j] - least[j], 0), room // (len(least) - left))
        widths[j] += given
        room -= given
    return widths
