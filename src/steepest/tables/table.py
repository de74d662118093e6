"""Named columns, each of numbers or of text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.exceptions import InvalidInputError
from steepest.validation import did_you_mean

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
EXACT = 2.0**53  # beyond it, float64 no longer tells whole numbers apart
DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?")


@dataclass(frozen=True)
class Column:
    """Values of one column.

    Attributes
    ----------
    values : array (n_rows,)
        float64 with NaN where a value is missing, or objects: str, None where missing.
    whole : array (n_rows,) of int, None where missing; or None
        The same values exactly, kept where all are integers and float64 would merge some.

    Examples
    --------
    >>> Column.of_text(["1", "n/a", "2.5"]).values
    array([1. , nan, 2.5])
    >>> Column.of_text(["1", "two"]).is_text
    True
    """

    values: NDArray[Any]
    whole: NDArray[Any] | None = None

    @classmethod
    def of_text(cls, cells: Sequence[str | None], decimal: str = ".") -> "Column":
        """Return numbers if every cell that is not missing is one, else text as it stands, stripped.

        Missing is an empty cell and, in any case, NA, N/A, NaN, null, None and ?.
        """
        stripped = [None if cell is None or cell.strip().lower() in MISSING else cell.strip() for cell in cells]
        try:
            values = np.array([np.nan if cell is None else _number(cell, decimal) for cell in stripped])
        except ValueError:
            return cls(np.array(stripped, dtype=object))
        return cls(values, _integers(stripped) if np.any(beyond_exact(values)) else None)

    @classmethod
    def of_integers(cls, integers: Sequence[int | None]) -> "Column":
        """Return numbers; beside them the integers themselves, where float64 would merge some.

        Examples
        --------
        >>> Column.of_integers([2**53, 2**53 + 1, None]).distinct()
        [9007199254740992, 9007199254740993]
        """
        values = np.array([np.nan if value is None else float(value) for value in integers])
        return cls(values, _integers(integers) if np.any(beyond_exact(values)) else None)

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return self.values.dtype == object

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        if self.is_text:
            return np.array([value is None for value in self.values], dtype=bool)
        missing: NDArray[np.bool_] = np.isnan(self.values)
        return missing

    @property
    def labels(self) -> NDArray[Any]:
        """The values as names to be told apart: exact integers where numbers are too large for float64."""
        return self.values if self.whole is None else self.whole

    def distinct(self) -> list[Any]:
        """Return the different values, sorted, without the missing."""
        return sorted(set(self.labels[~self.missing].tolist()))

    def sample(self) -> str:
        """Return the first values that differ, for a message."""
        first = list(dict.fromkeys(self.labels[~self.missing].tolist()))[:3]
        return ", ".join(repr(value if len(str(value)) <= 20 else f"{str(value)[:17]}...") for value in first)

    @property
    def has_decimal_commas(self) -> bool:
        """Whether every value reads as a number once its comma is a point."""
        present = self.values[~self.missing].tolist()
        return self.is_text and all(DECIMAL_COMMA.fullmatch(value) for value in present)

    def refuse_infinity(self, name: str) -> None:
        """Name the first row that holds infinity."""
        if not self.is_text and np.any(infinite := np.isinf(self.values)):
            raise InvalidInputError(
                f"column {name!r} holds infinity in row {np.argmax(infinite) + 1}: correct it, or drop it"
            )

    def rows(self, keep: NDArray[Any]) -> "Column":
        """Return some rows."""
        return Column(self.values[keep], None if self.whole is None else self.whole[keep])


def beyond_exact(values: NDArray[Any]) -> "NDArray[np.bool_]":
    """Tell which numbers are so large that float64 may have merged them with their neighbours.

    Examples
    --------
    >>> beyond_exact(np.array([2.0**53 - 1, -(2.0**53), np.nan]))
    array([False,  True, False])
    """
    large: NDArray[np.bool_] = np.abs(values) >= EXACT
    return large


def _integers(cells: Sequence[Any]) -> NDArray[Any] | None:
    """Return exact integers where every cell that is not missing is one."""
    try:
        return np.array([None if cell is None else int(cell) for cell in cells], dtype=object)
    except ValueError:
        return None


def _number(cell: str, decimal: str) -> float:
    if "_" in cell:  # Python reads 1_000 as a number; data files do not mean that
        raise ValueError(cell)
    return float(cell if decimal == "." else cell.replace(decimal, "."))


@dataclass(frozen=True)
class Table:
    """Columns of equal length under their names.

    Attributes
    ----------
    name : str
        Where the table came from, for messages.
    columns : dict of str to Column
        In the order of the file.

    Examples
    --------
    >>> table = Table("points.csv", {"x": Column.of_text(["1", "2"]), "y": Column.of_text(["3", "5"])})
    >>> table.n_rows
    2
    >>> table.require("z", "--target")
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: --target z: no column of this name in points.csv; there are x, y
    """

    name: str
    columns: dict[str, Column]

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return next((len(column.values) for column in self.columns.values()), 0)

    def require(self, name: str, option: str) -> Column:
        """Return a column by name; name the nearest where there is none."""
        if name in self.columns:
            return self.columns[name]
        known = list(self.columns)
        shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
        hint = did_you_mean(name, known, otherwise=f"there are {shown}", cutoff=0.5)
        raise InvalidInputError(f"{option} {name}: no column of this name in {self.name}; {hint}")

    def named(self, texts: Sequence[str], option: str) -> list[str]:
        """Return the columns that texts such as ``a,b`` name; a name that holds a comma itself counts as a whole.

        Examples
        --------
        >>> table = Table("t.csv", {name: Column.of_text(["1"]) for name in ("a", "b", "size, cm")})
        >>> table.named(["a,b", "size, cm"], "--drop")
        ['a', 'b', 'size, cm']
        """
        names: list[str] = []
        for text in texts:
            parts = [text] if text in self.columns else [part.strip() for part in text.split(",")]
            names += [part for part in parts if part]
        for name in names:
            self.require(name, option)
        return list(dict.fromkeys(names))

    def without(self, names: Sequence[str]) -> "Table":
        """Return the table without some columns."""
        return Table(self.name, {name: column for name, column in self.columns.items() if name not in names})

    def rows(self, keep: NDArray[Any]) -> "Table":
        """Return some rows."""
        return Table(self.name, {name: column.rows(keep) for name, column in self.columns.items()})
