"""Rows held out of training, and how good predictions on them are: scikit-learn's scores without its checks."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from steepest.exceptions import InvalidInputError
from steepest.typing import Array, IntArray


def split_rows(n_rows: int, share: float, random_state: Any, stratify: Any) -> tuple[IntArray, IntArray]:
    """Return the numbers of the rows to learn from and of a share to hold out, drawn as scikit-learn draws them.

    Examples
    --------
    >>> learn, held = split_rows(10, 0.2, np.random.RandomState(0), stratify=None)
    >>> sorted([*learn, *held]) == list(range(10)), len(held)
    (True, 2)
    """
    learn, held = train_test_split(np.arange(n_rows), random_state=random_state, test_size=share, stratify=stratify)
    if len(held) < 2:
        text = f"holds out {len(held)} of {n_rows} rows: the validation set is too small"
        raise InvalidInputError(f"validation_fraction={share!r} {text}; raise it, or give more data")
    return learn, held


def accuracy(y: Array, chosen: Array, sample_weight: Array | None) -> float:
    """Return the (weighted) share of rows that are right in all columns.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), None)
    0.75
    """
    right = y == chosen
    right = right if right.ndim == 1 else right.all(axis=1)
    return float(np.average(right, weights=sample_weight))


def r2(y: Array, predicted: Array, sample_weight: Array | None) -> float:
    """Return the mean over the columns of ``1 - sum_i s_i (y_i - f_i)^2 / sum_i s_i (y_i - mean y)^2``.

    A column whose targets are all the same scores 1 if it is met and 0 otherwise.

    Examples
    --------
    >>> y = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> r2(y, y, None), r2(y, np.array([[2.0, 5.0], [2.0, 5.0]]), None), r2(y, y + 1.0, None)
    (1.0, 0.5, 0.0)
    """
    y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
    weight = 1.0 if sample_weight is None else sample_weight[:, None]
    missed = np.sum(weight * (y - predicted) ** 2, axis=0)
    spread = np.sum(weight * (y - np.average(y, axis=0, weights=sample_weight)) ** 2, axis=0)
    shares = np.where(missed == 0, 0.0, 1.0)
    np.divide(missed, spread, out=shares, where=spread != 0)
    return float(np.mean(1.0 - shares))
