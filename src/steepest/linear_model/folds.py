"""Cross-validation along a path of penalties: errors of every alpha on every held-out fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from steepest.kernels.gram import Moments, moments
from steepest.objectives.linear import LinearObjective
from steepest.solvers.coordinate_descent import Problem, prepare
from steepest.solvers.gram_problem import GramProblem
from steepest.solvers.path import Path
from steepest.typing import Array, IntArray


@dataclass
class Fold:
    """One split: a problem on the training rows, and the rows held out."""

    problem: Problem
    test: IntArray

    def errors(self, path: Path, X: Any, y: Array, sample_weight: Array | None) -> Array:
        """Return the (weighted) mean squared errors on the held-out rows, one a penalty."""
        used = np.flatnonzero(path.coefficients.any(axis=0))
        W = path.coefficients[:, used].T.astype(X.dtype)
        part = X[np.ix_(self.test, used)] if not sparse.issparse(X) else X[self.test][:, used]
        residuals = np.asarray(part @ W) + path.intercepts - y[self.test, None]
        weights = None if sample_weight is None else sample_weight[self.test]
        return np.asarray(np.average(residuals.astype(np.float64) ** 2, axis=0, weights=weights))


def without(whole: Moments, part: Moments, centre: bool) -> Moments:
    r"""Return the moments of the rows that are in ``whole`` but not in ``part``.

    Notes
    -----
    With weights W and w, means M and m (x and y alike). About the whole's mean, the part's moments are
    ``gram_p + w (m - M)(m - M)^T``, as ``sum s (x - M)(x - M)^T = sum s (x - m)(x - m)^T + w (m - M)(m - M)^T``.
    The rest, of weight ``W - w``, has the mean ``M' = M - w (m - M) / (W - w)``, and back about its own mean::

        gram_rest = gram - gram_p - w (m - M)(m - M)^T - (W - w) (M' - M)(M' - M)^T

    So one pass over the data, fold by fold, gives the Gram matrices of all training sets. Digits are lost where the
    rest is small against the part; folds hold out the smaller share.
    """
    weight = whole.weight - part.weight
    x_step, y_step = part.x_mean - whole.x_mean, part.y_mean - whole.y_mean
    scale = part.weight + part.weight**2 / weight if centre else 0.0
    return Moments(
        weight,
        whole.x_mean - x_step * (part.weight / weight if centre else 0.0),
        whole.y_mean - y_step * (part.weight / weight if centre else 0.0),
        whole.gram - part.gram - scale * np.outer(x_step, x_step),
        whole.cross - part.cross - scale * np.outer(x_step, y_step),
        whole.y_square - part.y_square - scale * y_step**2,
    )


def gram_folds(
    X: Array, y: Array, sample_weight: Array | None, splits: Sequence[tuple[IntArray, IntArray]], centre: bool
) -> list[Fold]:
    """Return folds that work on Gram matrices, by subtraction of the held-out part from the whole.

    A split whose training rows are not exactly the rest (bootstraps, time series) gets a pass of its own.
    """
    Y, n = y[:, None], len(y)
    whole = moments(X, Y, sample_weight, centre=centre)
    folds = []
    for train, test in splits:
        rest = np.ones(n, dtype=bool)
        rest[test] = False
        complement = len(train) == np.count_nonzero(rest) and bool(rest[train].all()) and len(test) + len(train) == n
        rows = test if complement else train
        weights = None if sample_weight is None else sample_weight[rows]
        part = moments(X[rows], Y[rows], weights, centre=centre)
        own = without(whole, part, centre) if complement else part
        folds.append(Fold(GramProblem.of_moments(own, 0, len(train), 1.0 / own.weight, np.zeros(X.shape[1])), test))
    return folds


def column_folds(
    X: Any, y: Array, sample_weight: Array | None, splits: Sequence[tuple[IntArray, IntArray]], centre: bool
) -> list[Fold]:
    """Return folds that work on columns; rows that are not trained on have weight zero, so that X is not copied."""
    folds = []
    for train, test in splits:
        weights = np.bincount(train, minlength=len(y)).astype(X.dtype)
        if sample_weight is not None:
            weights *= sample_weight
        objective = LinearObjective(X, y, sample_weight=weights, fit_intercept=centre)
        folds.append(Fold(prepare(objective, objective.start(), False)[0], test))
    return folds
