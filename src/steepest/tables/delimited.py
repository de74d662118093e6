"""Delimited text (CSV, TSV, semicolons) into columns, with the line named where it is wrong.

The csv module reads every file. Where polars is installed, a large and regular one (no quotes, no blank lines, as many
separators as there must be) is read by it into the same cells, only faster.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.tables.table import MISSING, Column, beyond_exact

SEPARATORS = (",", ";", "\t", "|")
LARGE = 2**20


def parse(
    content: bytes, name: str, *, separator: str | None = None, encoding: str | None = None, decimal: str = "."
) -> dict[str, Column]:
    """Return the columns of a delimited text; see :func:`steepest.tables.read_table`."""
    if decimal not in (".", ","):
        raise InvalidInputError(f"decimal={decimal!r}: must be '.' or ','")
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise InvalidInputError(f"separator={separator!r}: must be one character, no quote and no line end")
    text = _decode(content, name, encoding)
    names, separator = _header(text, name, separator)
    columns = _fast(text, names, separator) if decimal == "." and len(text) >= LARGE else None
    return columns or _careful(text, name, names, separator, decimal)


def _decode(content: bytes, name: str, encoding: str | None) -> str:
    if encoding is None:
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except LookupError:
        raise InvalidInputError(f"encoding={encoding!r}: not known; try utf-8, latin-1, cp1252") from None
    except UnicodeError as error:
        line = content[: getattr(error, "start", 0)].count(b"\n") + 1
        kind = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise FileFormatError(f"{name}: line {line} is not {kind}; say --encoding latin-1, or convert it") from None
    if "\0" in text:
        raise FileFormatError(f"{name}: not a text file (it holds zero bytes)")
    return text.removeprefix("\ufeff")  # the byte-order mark, where the encoding was named without it


def _records(text: str, name: str, separator: str, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the number of its last line; a quote may hold several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    try:
        for record in reader:
            if any(field.strip() for field in record) or len(record) > 1:
                yield reader.line_num, record
    except csv.Error as error:
        raise FileFormatError(f"{name}: line {reader.line_num}: {error}; check its quotes") from None


def _header(text: str, name: str, separator: str | None) -> tuple[list[str], str]:
    """Return the names in the first record, and the separator: the one that gives the most names."""
    if separator is None:
        separator = max(SEPARATORS, key=lambda each: len(_first(_records(text, name, each, strict=False))))
    names = [field.strip() for field in _first(_records(text, name, separator))]
    if not names:
        raise FileFormatError(f"{name}: the file is empty")
    for position, field in enumerate(names, start=1):
        if not field:
            hint = "a row number?" if position == 1 else "a trailing separator?"
            raise FileFormatError(f"{name}: column {position} has no name in the header ({hint}); name it")
    repeated = [field for field, count in Counter(names).items() if count > 1]
    if repeated:
        positions = " and ".join(str(i) for i, field in enumerate(names, start=1) if field == repeated[0])
        raise FileFormatError(f"{name}: column {repeated[0]!r} occurs more than once ({positions}); rename one")
    if all(_is_number(field) for field in names):
        raise FileFormatError(f"{name}: the first line holds numbers, not names; add a header line")
    return names, separator


def _first(records: Iterator[tuple[int, list[str]]]) -> list[str]:
    return next(records, (0, []))[1]


def _is_number(field: str) -> bool:
    return not Column.of_text([field]).is_text


def _careful(text: str, name: str, names: list[str], separator: str, decimal: str) -> dict[str, Column]:
    """Read field by field; a row of another length, or a quote out of place, is refused with its line."""
    records = _records(text, name, separator)
    next(records)
    rows: list[list[str]] = []
    for line, record in records:
        if len(record) != len(names):
            counts = f"{len(record)} field{'s'[: len(record) != 1]}, the header {len(names)}"
            raise FileFormatError(f"{name}: line {line} has {counts}; correct that line")
        rows.append(record)
    cells = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {column: Column.of_text(list(values), decimal) for column, values in zip(names, cells, strict=True)}


def _fast(text: str, names: list[str], separator: str) -> dict[str, Column] | None:
    """Read a large regular text by polars; None if it is not regular, or polars not there."""
    body = text.lstrip().replace("\r\n", "\n").rstrip("\n") + "\n"
    n_lines = body.count("\n")
    regular = '"' not in body and "\r" not in body and "\n\n" not in body
    if not regular or body.count(separator) != (len(names) - 1) * n_lines or find_spec("polars") is None:
        return None
    import polars as pl

    try:
        frame = pl.read_csv(
            io.BytesIO(body.encode()),
            separator=separator,
            skip_rows=1,
            has_header=False,
            new_columns=names,
            infer_schema=False,
            quote_char=None,
        )
    except pl.exceptions.PolarsError:  # a row is too long: the careful reader names it
        return None
    columns = {}
    for column in names:
        cells = frame[column].str.strip_chars()
        present = cells.set(cells.str.to_lowercase().is_in(list(MISSING)), None)
        numbers = present.cast(pl.Float64, strict=False)
        values = numbers.fill_null(np.nan).to_numpy().copy()
        if numbers.null_count() == present.null_count() and not np.any(beyond_exact(values)):
            columns[column] = Column(values)
        else:
            columns[column] = Column.of_text(frame[column].to_list())
    return columns
