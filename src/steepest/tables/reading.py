"""Files into tables: which kind a file is, and the errors that its path can have."""

import sys
from difflib import get_close_matches
from pathlib import Path

from steepest.exceptions import FileFormatError, InvalidInputError
from steepest.tables.delimited import parse
from steepest.tables.frames import parquet_columns
from steepest.tables.table import Table

PARQUET = b"PAR1"
OTHER_KINDS = {b"PK\x03\x04": "an Excel workbook or a zip archive", b"\x1f\x8b": "a gzip archive"}


def read_table(
    path: str | Path, *, separator: str | None = None, encoding: str | None = None, decimal: str = "."
) -> Table:
    """Read a CSV or Parquet file; ``-`` is standard input.

    Parameters
    ----------
    path : str or Path
        Which file. What it is shows in its first bytes, not in its name.
    separator : str, optional
        One character between the fields; found from the header if not given.
    encoding : str, optional
        UTF-8 (with or without mark) or UTF-16 (with mark) if not given.
    decimal : {".", ","}, default "."
        The decimal mark.

    Raises
    ------
    FileFormatError, InvalidInputError
        If the file cannot be read; the text says which line is wrong and what to do.

    Examples
    --------
    >>> table = read_table("examples/data/iris.csv")
    >>> list(table.columns)[0], table.n_rows
    ('sepal_length', 150)
    """
    content = _bytes(path)
    if content[:4] == PARQUET:
        return Table(str(path), parquet_columns(content, str(path)))
    for magic, kind in OTHER_KINDS.items():
        if content.startswith(magic):
            raise FileFormatError(f"{path}: {kind}; export the table as CSV or Parquet")
    return Table(str(path), parse(content, str(path), separator=separator, encoding=encoding, decimal=decimal))


def _bytes(path: str | Path) -> bytes:
    """Return what the file holds; a path that cannot be read is the user's error."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InvalidInputError(f"{path}: no such file{_nearest(Path(path))}") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path}: a directory; name a file in it") from None
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror})") from None


def _nearest(path: Path) -> str:
    """Return a hint at the file of the nearest name in the same folder."""
    if not path.parent.is_dir():
        return f" (nor a directory {path.parent})"
    near = get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1, cutoff=0.8)
    return f"; did you mean {str(path.parent / near[0])!r}?" if near else ""
