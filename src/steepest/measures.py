"""How good predictions are: the measures that scikit-learn calls by the same names, without its checks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.typing import Array


def r_squared(y: Array, predicted: Array, sample_weight: Array | None = None) -> float:
    """Return the mean over the columns of ``1 - sum_i s_i (y_i - f_i)^2 / sum_i s_i (y_i - mean y)^2``.

    A column whose targets are all the same scores 1 if it is met and 0 otherwise.

    Examples
    --------
    >>> y = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> r_squared(y, y), r_squared(y, np.array([[2.0, 5.0], [2.0, 5.0]])), r_squared(y, y + 1.0)
    (1.0, 0.5, 0.0)
    """
    y, predicted = y.reshape(len(y), -1), predicted.reshape(len(y), -1)
    around = y - np.average(y, axis=0, weights=sample_weight)
    unit = _unit(around)
    missed = np.average(((y - predicted) / unit) ** 2, axis=0, weights=sample_weight)
    spread = np.average((around / unit) ** 2, axis=0, weights=sample_weight)
    shares = np.where(missed == 0, 0.0, 1.0)
    np.divide(missed, spread, out=shares, where=spread != 0)
    return float(np.mean(1.0 - shares))


def root_mean_squared_error(y: Array, predicted: Array) -> float:
    """Return ``sqrt(mean (y - predicted)^2)``, in the unit of ``y`` (n,).

    Examples
    --------
    >>> root_mean_squared_error(np.array([1e200, 3e200]), np.array([4e200, 0.0]))
    3e+200
    """
    missed = y - predicted
    unit = _unit(missed)
    return float(unit * np.sqrt(np.mean((missed / unit) ** 2)))


def _unit(values: Array) -> Any:
    """Return the largest size in each column, in units of which no square overflows or vanishes; 1 if all are 0."""
    largest = np.abs(values).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def accuracy(y: NDArray[Any], predicted: NDArray[Any], sample_weight: Array | None = None) -> float:
    """Return the (weighted) share of rows that are right in all columns.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]))
    0.75
    """
    right = y == predicted
    right = right if right.ndim == 1 else right.all(axis=1)
    return float(np.average(right, weights=sample_weight))


def log_loss(y: NDArray[Any], probabilities: Array, classes: NDArray[Any]) -> float:
    """Return the mean of ``-log p`` of the true class, in nats; a probability of 0 counts as the smallest float.

    Examples
    --------
    >>> log_loss(np.array(["b"]), np.array([[0.5, 0.5]]), np.array(["a", "b"]))
    0.6931471805599453
    """
    chosen = probabilities[np.arange(len(y)), np.searchsorted(classes, y)]
    return float(-np.mean(np.log(np.maximum(chosen, np.finfo(np.float64).tiny))))
