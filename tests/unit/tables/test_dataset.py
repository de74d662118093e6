"""Tables into X and y: nothing encoded silently, and every refusal says what to do."""

import re

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.tables import Column, Table, prepare


def table(**columns):
    cells = {name: [None if cell is None else str(cell) for cell in column] for name, column in columns.items()}
    return Table("t.csv", {name: Column.of_text(column) for name, column in cells.items()})


PEOPLE = table(age=[30, 40, 50, 60], city=["Rome", "Oslo", "Rome", "Bonn"], grade=[1, 2, 2, 3], y=[1.5, 2.5, 3.5, 5])


def test_numbers_become_columns_in_the_order_of_the_file():
    dataset = prepare(PEOPLE, "y", drop=["city"])
    assert dataset.features == ["age", "grade"]
    np.testing.assert_array_equal(dataset.X, [[30, 1], [40, 2], [50, 2], [60, 3]])
    np.testing.assert_array_equal(dataset.y, [1.5, 2.5, 3.5, 5])


def test_one_hot_leaves_out_the_first_value_and_says_so():
    dataset = prepare(PEOPLE, "y", one_hot=["city", "grade"])
    assert dataset.features == ["age", "city=Oslo", "city=Rome", "grade=2", "grade=3"]
    np.testing.assert_array_equal(dataset.X[:, 1:], [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    assert dataset.notes == ["city one-hot encoded against city=Bonn", "grade one-hot encoded against grade=1"]


def test_classes_stand_as_in_the_file():
    assert prepare(PEOPLE, "city", classify=True).y.tolist() == ["Rome", "Oslo", "Rome", "Bonn"]
    assert prepare(PEOPLE, "grade", classify=True, drop=["city"]).y.dtype.kind == "i"


def test_labels_that_float64_would_merge_stay_classes_and_categories_of_their_own():
    ids = [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3]
    data = table(id=ids, y=[1, 2, 3, 4])
    assert prepare(data, "id", classify=True).y.tolist() == ids
    assert prepare(data, "y", one_hot=["id"]).features == [f"id={value}" for value in ids[1:]]
    huge = table(id=[10**20, 10**20 + 1], y=[1, 2])
    assert prepare(huge, "id", classify=True).y.tolist() == [str(10**20), str(10**20 + 1)]
    assert prepare(table(id=["1e20", "2e20"], y=[1, 2]), "id", classify=True).y.tolist() == ["1e+20", "2e+20"]


def test_categories_that_differ_in_late_digits_have_a_column_each():
    dataset = prepare(table(a=[1234567, 1234568, 1234569, 0.5], y=[1, 2, 3, 4]), "y", one_hot=["a"])
    assert dataset.features == ["a=1234567", "a=1234568", "a=1234569"]
    assert dataset.notes == ["a one-hot encoded against a=0.5"]


def test_a_name_may_hold_a_comma():
    data = Table("t.csv", {name: Column.of_text(["1"]) for name in ("a", "b", "a, b")})
    assert data.named(["a,b", " b "], "--drop") == ["a", "b"]
    assert data.named(["a, b"], "--drop") == ["a, b"]
    with pytest.raises(InvalidInputError, match=r"--drop c: no column of this name in t\.csv"):
        data.named(["a,c"], "--drop")


GAPS = table(a=[1, None, 3, 4, 5], b=[1, 2, None, 8, 9], y=[1, 2, 3, None, 5])


def test_rows_with_gaps_are_dropped_on_request():
    dataset = prepare(GAPS, "y", missing="drop")
    np.testing.assert_array_equal(dataset.X, [[1, 1], [5, 9]])
    assert dataset.notes == ["3 of 5 rows with missing values left out"]


def test_gaps_are_left_for_the_mean_on_request_but_not_in_the_target():
    dataset = prepare(GAPS, "y", missing="mean")
    np.testing.assert_array_equal(dataset.X, [[1, 1], [np.nan, 2], [3, np.nan], [5, 9]])
    assert dataset.notes == ["1 of 5 rows without y left out"]


REFUSED = {
    "target misspelled": (PEOPLE, {"target": "yy"}, "--target yy: no column of this name in t.csv; did you mean 'y'?"),
    "name taken": (
        Table("t.csv", {n: Column.of_text(["1", "2"]) for n in ("a", "a=2", "y")}),
        {"target": "y", "one_hot": ["a"]},
        "--one-hot a: there is a column 'a=2' already; rename one",
    ),
    "drop misspelled": (
        PEOPLE,
        {"drop": ["ages"]},
        "--drop ages: no column of this name in t.csv; did you mean 'age'?",
    ),
    "nothing near": (PEOPLE, {"target": "price"}, "there are age, city, grade, y"),
    "target dropped": (PEOPLE, {"drop": ["y"]}, "--drop y: it is the target"),
    "target encoded": (PEOPLE, {"one_hot": ["y"]}, "--one-hot y: it is the target"),
    "text": (
        PEOPLE,
        {},
        "column 'city' holds text: 'Rome', 'Oslo', 'Bonn'; --one-hot city encodes it, --drop city leaves",
    ),
    "two texts": (table(a=["x", "y"], b=["u", "v"], y=[1, 2]), {}, "column 'a' holds text: 'x', 'y' (as do 'b')"),
    "decimal commas": (table(a=["1,5", "2,5"], y=[1, 2]), {}, "these look like decimal commas: --decimal ,"),
    "text as number": (
        PEOPLE,
        {"target": "city"},
        "target 'city' holds text ('Rome', 'Oslo', 'Bonn'), this model predicts",
    ),
    "constant": (table(a=[1, 2], y=[7, 7]), {}, "target 'y' is 7 in every row: there is nothing to learn"),
    "one class": (table(a=[1, 2], y=["u", "u"]), {"classify": True}, "target 'y' is 'u' in every row"),
    "no classes": (
        table(a=range(40), y=range(40)),
        {"classify": True},
        "target 'y' has 40 distinct values, this model predicts classes; for numbers, --model linear, ridge or lasso",
    ),
    "infinity": (table(a=[1, "1e999"], y=[1, 2]), {}, "column 'a' holds infinity in row 2"),
    "infinite target": (table(a=[1, 2], y=["inf", 2]), {}, "column 'y' holds infinity in row 1"),
    "gaps": (
        GAPS,
        {},
        "column 'a' lacks 1 of 5 values, the first in row 2 (2 more columns lack some): "
        "--missing drop leaves out 3 rows, --missing mean fills in means",
    ),
    "gap in text": (
        table(a=["u", None], y=[1, 2]),
        {"missing": "mean", "one_hot": ["a"]},
        "column 'a' lacks 1 of 2 values and has no mean: --missing drop, or --drop a",
    ),
    "gaps everywhere": (table(a=[1, None], b=[None, 1], y=[1, 2]), {"missing": "drop"}, "every row lacks a value"),
    "empty column": (
        table(a=[None, None], y=[1, 2]),
        {"missing": "mean"},
        "column 'a' holds no value at all: --drop a",
    ),
    "no rows": (table(a=[], y=[]), {}, "t.csv: a header, but no rows"),
    "only a target": (table(y=[1, 2]), {}, "no column is left to predict 'y' from"),
    "many values": (
        table(a=[f"v{i}" for i in range(60)], y=range(60)),
        {"one_hot": ["a"]},
        "--one-hot a: 60 distinct values would make as many columns, at most 50 are allowed; --drop a",
    ),
    "one value": (table(a=["u", "u"], y=[1, 2]), {"one_hot": ["a"]}, "--one-hot a: every row is 'u'; --drop a"),
    "missing how": (PEOPLE, {"missing": "men"}, "missing='men': must be one of 'error', 'drop', 'mean'; did you mean"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(case):
    given, options, text = REFUSED[case]
    with pytest.raises(InvalidInputError, match=re.escape(text)):
        prepare(given, **({"target": "y"} | options))


@pytest.mark.parametrize("by_class", [False, True])
def test_a_split_is_a_partition_that_the_seed_decides(by_class):
    y = np.repeat(["a", "b"], [80, 20])
    dataset = prepare(table(x=range(100), y=y), "y", classify=True)
    train, test = dataset.split(0.25, 3, by_class=by_class)
    assert len(test.y) == 25
    assert sorted([*train.X[:, 0], *test.X[:, 0]]) == list(range(100))
    again = dataset.split(0.25, 3, by_class=by_class)[1]
    other = dataset.split(0.25, 4, by_class=by_class)[1]
    np.testing.assert_array_equal(test.X, again.X)
    assert not np.array_equal(test.X, other.X)
    if by_class:
        assert np.sum(test.y == "b") == 5


def test_a_split_keeps_one_row_of_every_class_for_training():
    dataset = prepare(table(x=range(10), y=["rare", *["common"] * 9]), "y", classify=True)
    assert "rare" in dataset.split(0.9, 0, by_class=True)[0].y


def test_no_test_set():
    train, test = prepare(PEOPLE, "y", drop=["city"]).split(0.0, 0, by_class=False)
    assert (len(train.y), len(test.y)) == (4, 0)
