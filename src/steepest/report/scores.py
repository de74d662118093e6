"""Scores of predictions beside those of a baseline that looks at no feature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.typing import Array


@dataclass(frozen=True)
class Score:
    """One measure of quality.

    Attributes
    ----------
    name : str
        What is measured, with its unit where it has one.
    train, test : float
        On the rows the model learned from, and on those held out; NaN where there are none.
    baseline : float
        On the held-out rows (on the training rows where there are none), of the baseline.
    higher_is_better : bool
        Which way is better.
    """

    name: str
    train: float
    test: float
    baseline: float
    higher_is_better: bool


def r_squared(y: Array, predicted: Array) -> float:
    """Return ``1 - |y - predicted|^2 / |y - mean(y)|^2``; NaN where ``y`` does not vary."""
    around = y - np.mean(y) if len(y) else y
    scale = _largest(around)  # so that no square overflows or vanishes
    if not scale > 0:
        return float("nan")
    return 1.0 - float(np.sum(((y - predicted) / scale) ** 2)) / float(np.sum((around / scale) ** 2))


def root_mean_squared_error(y: Array, predicted: Array) -> float:
    """Return ``sqrt(mean (y - predicted)^2)``, in the unit of ``y``."""
    if not len(y):
        return float("nan")
    scale = _largest(y - predicted) or 1.0
    return scale * float(np.sqrt(np.mean(((y - predicted) / scale) ** 2)))


def _largest(values: Array) -> float:
    return float(np.abs(values).max(initial=0.0))


def accuracy(y: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Return the share of rows whose class is predicted rightly."""
    return float(np.mean(y == predicted)) if len(y) else float("nan")


def log_loss(y: NDArray[Any], probabilities: Array, classes: NDArray[Any]) -> float:
    """Return the mean of ``-log p`` of the true class, in nats; a probability of 0 counts as the smallest float."""
    if not len(y):
        return float("nan")
    chosen = probabilities[np.arange(len(y)), np.searchsorted(classes, y)]
    return float(-np.mean(np.log(np.maximum(chosen, np.finfo(np.float64).tiny))))


def regression_scores(model: Any, train: tuple[Array, Array], test: tuple[Array, Array]) -> list[Score]:
    """Return R^2 and the root mean squared error, beside those of always predicting the mean of the training set."""
    mean = np.mean(train[1])
    held_out = test[1] if len(test[1]) else train[1]
    constant = np.full(len(held_out), mean)
    scores = []
    for name, measure, better in (("R²", r_squared, True), ("RMSE", root_mean_squared_error, False)):
        on_train, on_test = (measure(y, model.predict(X)) if len(y) else float("nan") for X, y in (train, test))
        scores.append(Score(name, on_train, on_test, measure(held_out, constant), better))
    return scores


def classification_scores(
    model: Any, train: tuple[Array, NDArray[Any]], test: tuple[Array, NDArray[Any]]
) -> list[Score]:
    """Return accuracy and, where there are probabilities, log loss, beside always guessing the commonest class."""
    classes, counts = np.unique(train[1], return_counts=True)
    held_out = test[1] if len(test[1]) else train[1]
    commonest = np.full(len(held_out), classes[np.argmax(counts)])
    on_train, on_test = (accuracy(y, model.predict(X)) if len(y) else float("nan") for X, y in (train, test))
    scores = [Score("accuracy", on_train, on_test, accuracy(held_out, commonest), True)]
    if hasattr(model, "predict_proba"):
        shares = np.tile(counts / counts.sum(), (len(held_out), 1))
        on_train, on_test = (
            log_loss(y, model.predict_proba(X), model.classes_) if len(y) else float("nan") for X, y in (train, test)
        )
        scores.append(Score("log loss", on_train, on_test, log_loss(held_out, shares, classes), False))
    return scores
