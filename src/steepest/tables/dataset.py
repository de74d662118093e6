"""A table into a design matrix and a target, encoding nothing that was not asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.exceptions import InvalidInputError
from steepest.tables.table import Column, Table
from steepest.typing import Array, IntArray
from steepest.validation import check_choice

MOST_CATEGORIES = 50
MOST_CLASSES = 30


@dataclass(frozen=True)
class Dataset:
    """What a model is fitted to.

    Attributes
    ----------
    X : array (n_rows, n_features)
        NaN where a value is missing, which only ``missing="mean"`` lets through.
    y : array (n_rows,)
        Numbers to predict, or the classes as they stand in the file.
    features : list of str
        Names of the columns of ``X``.
    target : str
        Name of ``y``.
    notes : list of str
        What was done to the table, one sentence each.

    Examples
    --------
    >>> dataset = Dataset(np.arange(10.0)[:, None], np.arange(10.0), ["x"], "y")
    >>> train, test = dataset.split(0.2, seed=0, by_class=False)
    >>> train.X.shape, test.X.shape
    ((8, 1), (2, 1))
    """

    X: Array
    y: NDArray[Any]
    features: list[str]
    target: str
    notes: list[str] = field(default_factory=list)

    def rows(self, keep: NDArray[Any]) -> "Dataset":
        """Return some rows."""
        return Dataset(self.X[keep], self.y[keep], self.features, self.target, self.notes)

    def split(self, test_size: float, seed: int, *, by_class: bool) -> tuple["Dataset", "Dataset"]:
        """Return a training and a test set; with ``by_class``, every class is split in the same proportion."""
        rng = np.random.default_rng(seed)
        groups = (
            [np.flatnonzero(self.y == value) for value in np.unique(self.y)] if by_class else [np.arange(len(self.y))]
        )
        test: list[IntArray] = []
        for rows in groups:
            n_test = min(round(test_size * len(rows)), len(rows) - 1)
            test.append(rng.permutation(rows)[:n_test])
        in_test = np.zeros(len(self.y), dtype=bool)
        in_test[np.concatenate(test)] = True
        return self.rows(~in_test), self.rows(in_test)


def prepare(
    table: Table,
    target: str,
    *,
    classify: bool = False,
    drop: Sequence[str] = (),
    one_hot: Sequence[str] = (),
    missing: str = "error",
) -> Dataset:
    """Return the design matrix and the target.

    Parameters
    ----------
    table : Table
        The data.
    target : str
        Name of the column to predict.
    classify : bool, default False
        Whether the target names classes.
    drop : sequence of str
        Columns to leave out.
    one_hot : sequence of str
        Columns to replace by one column of zeros and ones a value, all but the first value (which the zeros mean).
    missing : {"error", "drop", "mean"}, default "error"
        What to do about rows with missing values: refuse them, leave them out, or leave NaN to be replaced by the mean
        of the training set. Rows without target are left out under both of the latter.

    Examples
    --------
    >>> table = Table("points", {"x": Column.of_text(["1", "2"]), "y": Column.of_text(["3", "5"])})
    >>> prepare(table, "y").X
    array([[1.],
           [2.]])
    """
    check_choice("missing", missing, ("error", "drop", "mean"))
    table.require(target, "--target")
    for names, option in ((drop, "--drop"), (one_hot, "--one-hot")):
        for name in names:
            table.require(name, option)
            if name == target:
                raise InvalidInputError(f"{option} {name}: it is the target")
    table = table.without([name for name in drop if name not in one_hot])
    notes: list[str] = []
    table = _without_missing(table, target, missing, one_hot, notes)
    y = _classes(table, target) if classify else _numbers(table, target)
    columns = _features(table, target, one_hot, notes)
    X = np.column_stack(list(columns.values()))
    return Dataset(X, y, list(columns), target, notes)


def _without_missing(table: Table, target: str, missing: str, one_hot: Sequence[str], notes: list[str]) -> Table:
    """Refuse missing values, or leave out the rows that have some; with "mean", only those without target."""
    if table.n_rows == 0:
        raise InvalidInputError(f"{table.name}: a header, but no rows")
    lacking = {name: column.missing for name, column in table.columns.items()}
    for name, rows in lacking.items():
        if rows.all():
            raise InvalidInputError(f"column {name!r} holds no value at all: --drop {name}")
        if missing == "mean" and rows.any() and name != target and (table.columns[name].is_text or name in one_hot):
            raise InvalidInputError(
                f"column {name!r} lacks {_count(rows)} and has no mean: --missing drop, or --drop {name}"
            )
    relevant = [lacking[target]] if missing == "mean" else list(lacking.values())
    incomplete = np.any(relevant, axis=0)
    if missing == "error" and incomplete.any():
        name, rows = next((name, rows) for name, rows in lacking.items() if rows.any())
        others = sum(rows.any() for rows in lacking.values()) - 1
        more = f" ({others} more column{'s lack' if others > 1 else ' lacks'} some)" if others else ""
        raise InvalidInputError(
            f"column {name!r} lacks {_count(rows)}, the first in row {np.argmax(rows) + 1}{more}: "
            f"--missing drop leaves out {incomplete.sum()} rows, --missing mean fills in means"
        )
    if incomplete.any():
        which = f"without {target}" if missing == "mean" else "with missing values"
        notes.append(f"{incomplete.sum()} of {table.n_rows} rows {which} left out")
        table = table.rows(~incomplete)
    if table.n_rows == 0:
        raise InvalidInputError(f"{table.name}: every row lacks a value; --missing mean, or --drop the emptiest column")
    return table


def _count(rows: NDArray[np.bool_]) -> str:
    return f"{rows.sum()} of {len(rows)} values"


def _numbers(table: Table, target: str) -> Array:
    """Return the target of a regression."""
    column = table.columns[target]
    if column.is_text:
        hint = _decimal_hint(column) or "for classes, --model logistic"
        raise InvalidInputError(
            f"target {target!r} holds text ({column.sample()}), this model predicts numbers; {hint}"
        )
    column.refuse_infinity(target)
    if np.all(column.values == column.values[0]):
        raise InvalidInputError(f"target {target!r} is {column.values[0]:g} in every row: there is nothing to learn")
    y: Array = column.values
    return y


def _classes(table: Table, target: str) -> NDArray[Any]:
    """Return the target of a classification: text, or whole numbers as such."""
    column = table.columns[target]
    column.refuse_infinity(target)
    distinct = column.distinct()
    if len(distinct) < 2:
        raise InvalidInputError(f"target {target!r} is {distinct[0]!r} in every row: there is nothing to learn")
    if len(distinct) > MOST_CLASSES:
        raise InvalidInputError(
            f"target {target!r} has {len(distinct)} distinct values, this model predicts classes; "
            "for numbers, --model linear, ridge or lasso"
        )
    labels = column.labels
    whole = not column.is_text and np.all(column.values == np.floor(column.values))
    return labels.astype(np.int64 if whole and max(map(abs, distinct)) < 2**63 else str)


def _features(table: Table, target: str, one_hot: Sequence[str], notes: list[str]) -> dict[str, Array]:
    """Return the columns of the design matrix under their names."""
    text = {
        name: column
        for name, column in table.columns.items()
        if column.is_text and name != target and name not in one_hot
    }
    if text:
        name, column = next(iter(text.items()))
        others = f" (as do {', '.join(map(repr, [*text][1:4]))})" if len(text) > 1 else ""
        hint = _decimal_hint(column) or f"--one-hot {name} encodes it, --drop {name} leaves it out"
        raise InvalidInputError(f"column {name!r} holds text: {column.sample()}{others}; {hint}")
    features: dict[str, Array] = {}
    for name, column in table.columns.items():
        if name in one_hot:
            indicators = _indicators(name, column, notes)
            if taken := [label for label in indicators if label in table.columns or label in features]:
                raise InvalidInputError(f"--one-hot {name}: there is a column {taken[0]!r} already; rename one")
            features |= indicators
        elif name != target:
            column.refuse_infinity(name)
            features[name] = column.values
    if not features:
        raise InvalidInputError(f"{table.name}: no column is left to predict {target!r} from")
    return features


def _decimal_hint(column: Column) -> str:
    return "these look like decimal commas: --decimal ," if column.has_decimal_commas else ""


def _indicators(name: str, column: Column, notes: list[str]) -> dict[str, Array]:
    """Return one column of zeros and ones a value, all but the first value."""
    values = column.distinct()
    if len(values) > MOST_CATEGORIES:
        raise InvalidInputError(
            f"--one-hot {name}: {len(values)} distinct values would make as many columns, "
            f"at most {MOST_CATEGORIES} are allowed; --drop {name}"
        )
    if len(values) < 2:
        raise InvalidInputError(f"--one-hot {name}: every row is {values[0]!r}; --drop {name}")
    shown = [str(int(value) if isinstance(value, float) and value.is_integer() else value) for value in values]
    notes.append(f"{name} one-hot encoded against {name}={shown[0]}")
    return {
        f"{name}={label}": (column.labels == value).astype(np.float64)
        for label, value in zip(shown[1:], values[1:], strict=True)
    }
