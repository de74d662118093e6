"""Scores of predictions beside those of a baseline that looks at no feature."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.measures import accuracy, log_loss, r_squared, root_mean_squared_error
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


def share_of_spread(y: Array, predicted: Array) -> float:
    """Return R^2; NaN where ``y`` does not vary."""
    return r_squared(y, predicted) if np.ptp(y) > 0 else float("nan")


def _on(
    measure: Callable[..., float], predict: Callable[[Array], Array], train: tuple[Array, Any], test: tuple[Array, Any]
) -> tuple[float, float]:
    """Return a measure of predictions on the features and targets of both sets; NaN where there are no rows."""
    on_train, on_test = (measure(y, predict(X)) if len(y) else float("nan") for X, y in (train, test))
    return on_train, on_test


def regression_scores(model: Any, train: tuple[Array, Array], test: tuple[Array, Array]) -> list[Score]:
    """Return R^2 and the root mean squared error, beside those of always predicting the mean of the training set."""
    mean = np.mean(train[1])
    held_out = test[1] if len(test[1]) else train[1]
    constant = np.full(len(held_out), mean)
    scores = []
    for name, measure, better in (("R²", share_of_spread, True), ("RMSE", root_mean_squared_error, False)):
        scores.append(Score(name, *_on(measure, model.predict, train, test), measure(held_out, constant), better))
    return scores


def classification_scores(
    model: Any, train: tuple[Array, NDArray[Any]], test: tuple[Array, NDArray[Any]]
) -> list[Score]:
    """Return accuracy and, where there are probabilities, log loss, beside always guessing the commonest class."""
    classes, counts = np.unique(train[1], return_counts=True)
    held_out = test[1] if len(test[1]) else train[1]
    commonest = np.full(len(held_out), classes[np.argmax(counts)])
    right = _on(accuracy, model.predict, train, test)
    scores = [Score("accuracy", *right, accuracy(held_out, commonest), True)]
    if hasattr(model, "predict_proba"):
        shares = np.tile(counts / counts.sum(), (len(held_out), 1))
        losses = _on(partial(log_loss, classes=model.classes_), model.predict_proba, train, test)
        scores.append(Score("log loss", *losses, log_loss(held_out, shares, classes), False))
    return scores
