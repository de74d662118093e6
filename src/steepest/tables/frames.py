"""Parquet files and data frames of any library, through narwhals."""

import io
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from steepest.exceptions import FileFormatError, InvalidInputError, MissingDependencyError
from steepest.tables.table import Column

READERS = ("polars", "pyarrow", "fastparquet")


def parquet_columns(content: bytes, name: str) -> dict[str, Column]:
    """Return the columns of a Parquet file, read by polars, pyarrow or pandas, whichever is there."""
    reader = next((library for library in READERS if find_spec(library) is not None), None)
    if reader is None:
        text = f"{name}: a Parquet file needs a reader: pip install 'steepest[polars]', or export the table as CSV"
        raise MissingDependencyError(text)
    try:
        frame = _read_parquet(reader, io.BytesIO(content))
    except Exception as error:  # each reader has its own errors for a damaged file
        detail = str(error).split("\n")[0][:100]
        raise FileFormatError(f"{name}: not a readable Parquet file ({reader}: {detail})") from None
    return frame_columns(frame, name)


def _read_parquet(reader: str, stream: io.BytesIO) -> Any:
    if reader == "polars":
        return import_module("polars").read_parquet(stream)
    if reader == "pyarrow":
        return import_module("pyarrow.parquet").read_table(stream)
    return import_module("pandas").read_parquet(stream)


def frame_columns(frame: Any, name: str) -> dict[str, Column]:
    """Return the columns of a polars, pandas, pyarrow or other frame that narwhals knows."""
    import narwhals as nw

    try:
        whole = nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise InvalidInputError(f"{name}: a column name occurs more than once; rename one ({error})") from None
    return {column: _column(whole[column]) for column in whole.columns}


def _column(series: Any) -> Column:
    """Return numbers and booleans as float64, everything else (text, categories, dates) as text."""
    import narwhals as nw

    cells = [None if null else value for value, null in zip(series.to_list(), series.is_null().to_list(), strict=True)]
    if series.dtype.is_integer():
        return Column.of_integers(cells)
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return Column(np.array([np.nan if value is None else float(value) for value in cells], dtype=np.float64))
    return Column(np.array([None if value is None else str(value) for value in cells], dtype=object))
