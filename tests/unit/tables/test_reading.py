"""Files into tables: what is understood, and what is refused with which words."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from steepest.exceptions import FileFormatError, InvalidInputError, MissingDependencyError
from steepest.tables import Column, delimited, frames, read_table


def table_of(tmp_path, content, **options):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **options)


def values(table):
    return {name: column.values.tolist() for name, column in table.columns.items()}


SAME_TABLE = {
    "plain": "a,b\n1,2.5\n-3,4e2\n",
    "no newline at the end": "a,b\n1,2.5\n-3,4e2",
    "Windows line ends": "a,b\r\n1,2.5\r\n-3,4e2\r\n",
    "byte-order mark": "\ufeffa,b\n1,2.5\n-3,4e2\n",
    "semicolons": "a;b\n1;2.5\n-3;4e2\n",
    "tabs": "a\tb\n1\t2.5\n-3\t4e2\n",
    "bars": "a|b\n1|2.5\n-3|4e2\n",
    "quotes": '"a","b"\n"1","2.5"\n"-3","4e2"\n',
    "blank lines": "\na,b\n\n1,2.5\n\n-3,4e2\n\n",
    "spaces": " a , b \n 1 , 2.5\n -3, 4e2 \n",
}


@pytest.mark.parametrize("case", SAME_TABLE)
def test_the_same_table_in_many_dresses(tmp_path, case):
    assert values(table_of(tmp_path, SAME_TABLE[case])) == {"a": [1, -3], "b": [2.5, 400]}


def test_utf_16_with_a_mark(tmp_path):
    assert values(table_of(tmp_path, "größe\n1\n2\n".encode("utf-16"))) == {"größe": [1, 2]}


def test_a_separator_and_a_newline_inside_quotes_belong_to_the_cell(tmp_path):
    table = table_of(tmp_path, 'a,b\n"x, y",1\n"two\nlines",2\n"say ""hi""",3\n')
    assert values(table)["a"] == ["x, y", "two\nlines", 'say "hi"']


def test_a_newline_inside_quotes_belongs_to_the_name(tmp_path):
    table = table_of(tmp_path, '"length\n(cm)";"a;b"\n1;2\n"3";4\n')
    assert values(table) == {"length\n(cm)": [1, 3], "a;b": [2, 4]}
    with pytest.raises(FileFormatError, match="line 4 has 1 field, the header 2"):
        table_of(tmp_path, '"length\n(cm)",b\n1,2\n3\n')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
def test_a_mark_is_no_part_of_the_first_name_whatever_the_encoding_is_called(tmp_path, encoding):
    content = "\ufeffa,b\n1,2\n" if encoding != "utf-16" else "a,b\n1,2\n"
    assert values(table_of(tmp_path, content.encode(encoding), encoding=encoding)) == {"a": [1], "b": [2]}


BEYOND = [2**53, 2**53 + 1, 2**53 + 2]


@pytest.mark.parametrize("reader", ["careful", "fast", "parquet", "pandas"])
def test_whole_numbers_too_large_for_float64_stay_distinct(tmp_path, monkeypatch, reader):
    if reader in ("careful", "fast"):
        monkeypatch.setattr(delimited, "LARGE", 0 if reader == "fast" else 2**30)
        column = table_of(tmp_path, "id,b\n" + "".join(f"{value},1\n" for value in BEYOND) + ",1\n").columns["id"]
    elif reader == "parquet":
        pl.DataFrame({"id": [*BEYOND, None]}).write_parquet(tmp_path / "t.parquet")
        column = read_table(tmp_path / "t.parquet").columns["id"]
    else:
        column = frames.frame_columns(pd.DataFrame({"id": pd.array([*BEYOND, None], dtype="Int64")}), "t")["id"]
    assert column.distinct() == BEYOND
    assert column.rows(np.array([1, 2])).distinct() == BEYOND[1:]
    assert column.missing.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(column.values, [2.0**53, 2.0**53, 2.0**53 + 2, np.nan])


def test_decimal_commas(tmp_path):
    content = "a;b\n1,5;2\n-0,25;3\n4;5\n"
    assert values(table_of(tmp_path, content, decimal=",")) == {"a": [1.5, -0.25, 4], "b": [2, 3, 5]}
    assert table_of(tmp_path, content).columns["a"].has_decimal_commas
    assert not table_of(tmp_path, content).columns["b"].has_decimal_commas


def test_another_encoding_on_request(tmp_path):
    content = "größe\n1\n".encode("latin-1")
    assert list(table_of(tmp_path, content, encoding="latin-1").columns) == ["größe"]


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "null", "None", "?"])
def test_missing_cells(tmp_path, cell):
    table = table_of(tmp_path, f"a,b\n1,x\n{cell},{cell}\n")
    assert table.columns["a"].missing.tolist() == [False, True]
    assert not table.columns["a"].is_text
    assert values(table)["b"] == ["x", None]


def test_huge_integers_are_numbers(tmp_path):
    table = table_of(tmp_path, f"a,b\n{10**30},{'9' * 400}\n")
    assert values(table) == {"a": [1e30], "b": [np.inf]}


@pytest.mark.parametrize("cell", ["1_000", "1,000", "0x10", "12kg", "2026-01-01", "true", "--1"])
def test_what_only_resembles_a_number_is_text(tmp_path, cell):
    assert table_of(tmp_path, f'a\n1\n"{cell}"\n').columns["a"].is_text


REFUSED = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n \n\n", "the file is empty"),
    "nothing in quotes": (b'""\n', "the file is empty"),
    "only a mark": (b"\xef\xbb\xbf", "the file is empty"),
    "short row": (b"a,b,c\n1,2,3\n\n4,5\n", "line 4 has 2 fields, the header 3; correct that line"),
    "short row of one": (b"a,b\n1\n", "line 2 has 1 field, the header 2"),
    "long row": (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 fields, the header 2"),
    "repeated name": (b"a,b,a\n1,2,3\n", "column 'a' occurs more than once (1 and 3); rename one"),
    "first name missing": (b",b\n1,2\n", "column 1 has no name in the header (a row number?); name it"),
    "last name missing": (b"a,b,\n1,2,3\n", "column 3 has no name in the header (a trailing separator?)"),
    "no header": (b"1,2\n3,4\n", "the first line holds numbers, not names; add a header line"),
    "not UTF-8": (b"a,b\n1,2\n3,gr\xf6n\n", "line 3 is not UTF-8; say --encoding latin-1, or convert it"),
    "zero bytes": (b"a,b\n1,\x002\n", "not a text file (it holds zero bytes)"),
    "open quote": (b'a,b\n1,"2\n3,4\n', "unexpected end of data; check its quotes"),
    "open quote in the header": (b'a,"b\n1,2\n', "line 2: unexpected end of data; check its quotes"),
    "stray quote": (b'a,b\n"1"2,3\n', "line 2: ',' expected after '\"'; check its quotes"),
    "workbook": (b"PK\x03\x04rest", "an Excel workbook or a zip archive; export the table as CSV or Parquet"),
    "gzip": (b"\x1f\x8brest", "a gzip archive"),
    "damaged Parquet": (b"PAR1 and no more", "not a readable Parquet file (polars: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused(tmp_path, case):
    content, text = REFUSED[case]
    with pytest.raises(FileFormatError, match=f"data.csv: .*{re.escape(text)}"):
        table_of(tmp_path, content)


def test_a_header_without_rows_is_a_table_without_rows(tmp_path):
    assert table_of(tmp_path, "a,b\n").n_rows == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"encoding": "utf-88"}, "encoding='utf-88': not known; try utf-8, latin-1, cp1252"),
        ({"separator": ", "}, "separator=', ': must be one character"),
        ({"separator": '"'}, "separator='\"': must be one character, no quote and no line end"),
        ({"decimal": "'"}, "must be '.' or ','"),
    ],
)
def test_bad_options_are_refused(tmp_path, options, text):
    with pytest.raises(InvalidInputError, match=re.escape(text)):
        table_of(tmp_path, "a\n1\n", **options)


def test_paths_that_cannot_be_read(tmp_path):
    (tmp_path / "diabetes.csv").write_text("a\n1\n")
    with pytest.raises(InvalidInputError, match=r"diabets.csv: no such file; did you mean '.*diabetes.csv'\?"):
        read_table(tmp_path / "diabets.csv")
    with pytest.raises(InvalidInputError, match=r"no such file \(nor a directory .*nowhere\)"):
        read_table(tmp_path / "nowhere" / "data.csv")
    with pytest.raises(InvalidInputError, match="a directory; name a file in it"):
        read_table(tmp_path)
    with pytest.raises(InvalidInputError, match=r"cannot be read \(Not a directory\)"):
        read_table(tmp_path / "diabetes.csv" / "data.csv")


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a\n1\n")))
    assert values(read_table("-")) == {"a": [1]}


# ---------------------------------------------------------------------- the fast reader against the careful one

IRREGULAR = {
    "quotes": 'a,b\n"1",2\n',
    "blank line": "a,b\n1,2\n\n3,4\n",
    "short row": "a,b\n1,2\n3\n",
    "long": "a\n1,2\n",
}


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n 1 ,2\r\n3,\r\n",
        "a,b\nNA,x\n?,nan\n",
        "a,b\n1e400,-inf\n.5,5.\n",
        "a,b\n1_000,+5\n2,6\n",
        "a\n1\n2",
        "größe,name\n1,Zoë\n",
    ],
)
def test_the_fast_reader_equals_the_careful_one(text):
    names, separator = delimited._header(text, "t", None)
    fast = delimited._fast(text, names, separator)
    careful = delimited._careful(text, "t", names, separator, ".")
    assert fast is not None
    for name in names:
        assert fast[name].is_text == careful[name].is_text
        np.testing.assert_array_equal(fast[name].values, careful[name].values)


@pytest.mark.parametrize("case", IRREGULAR)
def test_the_fast_reader_leaves_irregular_files_alone(case):
    names, separator = delimited._header(IRREGULAR[case], "t", None)
    assert delimited._fast(IRREGULAR[case], names, separator) is None


def test_a_large_file_takes_the_fast_way_and_reads_the_same(tmp_path, monkeypatch):
    rows = "\n".join(f"{i},{i / 7!r},name {i % 3}" for i in range(60_000))
    fast = table_of(tmp_path, f"a,b,c\n{rows}\n")
    monkeypatch.setattr(delimited, "find_spec", lambda name: None)
    careful = table_of(tmp_path, f"a,b,c\n{rows}\n")
    for name in "abc":
        np.testing.assert_array_equal(fast.columns[name].values, careful.columns[name].values)


def test_a_ragged_line_in_a_large_file_is_named(tmp_path):
    rows = ["1,2"] * 300_000
    rows[123_456] = "1,2,3"
    rows[200_000] = "1"
    with pytest.raises(FileFormatError, match="line 123458 has 3 fields, the header 2"):
        table_of(tmp_path, "a,b\n" + "\n".join(rows))


# ---------------------------------------------------------------------- frames

FRAME = {"x": [1, None, 3], "yes": [True, False, None], "text": ["a", None, "c"], "f": [0.5, 1.5, float("nan")]}


@pytest.mark.parametrize("library", ["polars", "pyarrow", "pandas"])
def test_frames_of_any_library(library):
    frame = pl.DataFrame(FRAME, strict=False)
    native = {"polars": frame, "pyarrow": frame.to_arrow(), "pandas": frame.to_pandas()}[library]
    columns = frames.frame_columns(native, "frame")
    np.testing.assert_array_equal(columns["x"].values, [1, np.nan, 3])
    np.testing.assert_array_equal(columns["f"].values, [0.5, 1.5, np.nan])
    assert columns["text"].missing.tolist() == [False, True, False]


def test_categories_and_dates_are_text():
    frame = pd.DataFrame({"c": pd.Categorical(["u", "v"]), "when": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    columns = frames.frame_columns(frame, "frame")
    assert columns["c"].values.tolist() == ["u", "v"]
    assert columns["when"].is_text


@pytest.mark.parametrize("reader", ["polars", "pyarrow"])
def test_parquet_by_each_reader(tmp_path, monkeypatch, reader):
    pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}).write_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(frames, "READERS", (reader,))
    assert values(read_table(tmp_path / "t.parquet")) == {"a": [1, 2], "b": ["x", "y"]}


def test_parquet_without_any_reader(tmp_path, monkeypatch):
    pl.DataFrame({"a": [1.0]}).write_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'steepest\[polars\]', or export the table as CSV"):
        read_table(tmp_path / "t.parquet")


def test_a_frame_with_a_repeated_name_is_refused():
    frame = pa.table([[1], [2]], names=["a", "a"])
    with pytest.raises(InvalidInputError, match=r"frame: a column name occurs more than once; rename one \([^)]*'a'"):
        frames.frame_columns(frame, "frame")


def test_a_column_shows_its_first_values():
    assert (
        Column.of_text(["b", None, "b", "a very long value of more than twenty"]).sample()
        == "'b', 'a very long value...'"
    )
