"""Cross-validation along a path of penalties: errors of every alpha on every held-out fold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from steepest.exceptions import InvalidInputError
from steepest.kernels.gram import Moments, moments
from steepest.objectives.linear import LinearObjective
from steepest.solvers.coordinate_descent import Problem, prepare
from steepest.solvers.gram_problem import GramProblem
from steepest.solvers.path import Path
from steepest.typing import Array, IntArray

NEARLY_PERFECT = 1e-7  # of the target's mean square: below, an error summed from moments has lost too many digits


@dataclass
class Fold:
    """One split: a problem on the training rows, the rows held out and, where they are known, those rows' moments."""

    problem: Problem
    test: IntArray
    held_out: Moments | None = None

    def errors(self, path: Path, X: Any, y: Array, sample_weight: Array | None) -> Array:
        r"""Return the (weighted) mean squared errors on the held-out rows, one a penalty.

        Notes
        -----
        With the moments of these rows about their means (x, y), weight W, ``r_i = (y_i - y) - (x_i - x).w`` sums to
        zero, so that the constant part of the error separates and no row is read again::

            sum s (y_i - x_i.w - b)^2 / W = (|y|^2 - 2 w.c + w.G w) / W + (y - x.w - b)^2
        """
        part = self.held_out
        if part is not None and part.weight > 0:
            W = path.coefficients
            spread = part.y_square[0] - 2.0 * W @ part.cross[:, 0] + np.einsum("ij,ij->i", W @ part.gram, W)
            errors = spread / part.weight + (part.y_mean[0] - W @ part.x_mean - path.intercepts) ** 2
            if errors.min() > NEARLY_PERFECT * (part.y_square[0] / part.weight + part.y_mean[0] ** 2):
                return np.asarray(errors)
        return self._errors_of_rows(path, X, y, sample_weight)

    def _errors_of_rows(self, path: Path, X: Any, y: Array, sample_weight: Array | None) -> Array:
        used = np.flatnonzero(path.coefficients.any(axis=0))
        W = path.coefficients[:, used].T.astype(X.dtype)
        part = X[np.ix_(self.test, used)] if not sparse.issparse(X) else X[self.test][:, used]
        residuals = np.asarray(part @ W) + path.intercepts - y[self.test, None]
        weights = None if sample_weight is None else sample_weight[self.test]
        return np.asarray(np.average(residuals.astype(np.float64) ** 2, axis=0, weights=weights))


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is looked for by the caller
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


@np.errstate(over="ignore", invalid="ignore")
def merged(parts: Sequence[Moments], centre: bool) -> Moments:
    r"""Return the moments of all rows of ``parts``, by the same identity: each part about the common mean, summed."""
    weight = sum(part.weight for part in parts)
    x_mean: Array = np.sum([part.weight * part.x_mean for part in parts], axis=0) / weight
    y_mean: Array = np.sum([part.weight * part.y_mean for part in parts], axis=0) / weight
    zeros = np.zeros_like(parts[0].gram), np.zeros_like(parts[0].cross), np.zeros_like(y_mean)
    whole = Moments(weight, x_mean, y_mean, *zeros, rounding=parts[0].rounding)
    for part in parts:
        x_step, y_step = part.x_mean - x_mean, part.y_mean - y_mean
        scale = part.weight if centre else 0.0
        whole.gram += part.gram + scale * np.outer(x_step, x_step)
        whole.cross += part.cross + scale * np.outer(x_step, y_step)
        whole.y_square += part.y_square + scale * y_step**2
    return whole


Splits = Sequence[tuple[IntArray, IntArray]]


def row_numbers(splits: Iterable[Any], n_samples: int, sample_weight: Array | None) -> Splits:
    """Return splits as row numbers, none of them negative; a part that weighs nothing is refused.

    A splitter of the user's own may as well return masks, slices, or numbers that count from the end.
    """
    numbers = np.arange(n_samples)
    found = []
    for i, split in enumerate(splits):
        train, test = (numbers[rows if isinstance(rows, slice | list) else np.asarray(rows)] for rows in split)
        for rows, does in ((train, "trains on"), (test, "holds out")):
            if not len(rows) or (sample_weight is not None and not np.any(sample_weight[rows])):
                what = "only samples of weight zero" if len(rows) else "no sample"
                raise InvalidInputError(f"cv: split {i} {does} {what}: both parts must hold one that counts")
        found.append((train, test))
    if not found:
        raise InvalidInputError("cv: has no splits: at least one is needed")
    return found


def gram_folds(
    X: Array, y: Array, sample_weight: Array | None, splits: Splits, centre: bool
) -> tuple[Problem, list[Fold]]:
    """Return the problem on all rows, and folds that work on Gram matrices.

    Where the held-out parts make up the data, one pass gives them and, summed, the whole; every training set is the
    whole without its part. A split whose training rows are not exactly the rest (bootstraps, time series) gets a pass
    of its own.
    """
    Y, n = y[:, None], len(y)

    def of(rows: Any) -> Moments:
        return moments(X[rows], Y[rows], None if sample_weight is None else sample_weight[rows], centre=centre)

    def problem(part: Moments, n_rows: int) -> Problem:
        return GramProblem.of_moments(part, 0, n_rows, 1.0 / part.weight, np.zeros(X.shape[1]))

    complements = [_is_complement(train, test, n) for train, test in splits]
    parts = [of(_contiguous(test if rest else train)) for (train, test), rest in zip(splits, complements, strict=True)]
    held_out = np.bincount(np.concatenate([test for _, test in splits]), minlength=n)
    partition = all(complements) and bool(np.all(held_out == 1)) and all(part.weight > 0 for part in parts)
    whole = merged(parts, centre) if partition else of(slice(None))
    folds = []
    for (train, test), part, rest in zip(splits, parts, complements, strict=True):
        own = without(whole, part, centre) if rest else part
        folds.append(Fold(problem(own, len(train)), test, part if rest and centre else None))
    return problem(whole, n), folds


def _is_complement(train: IntArray, test: IntArray, n: int) -> bool:
    """Return whether every row is either trained on, once, or held out."""
    times = np.bincount(train, minlength=n)
    times[test] += 1
    return len(train) + len(test) == n and bool(np.all(times == 1))


def _contiguous(rows: IntArray) -> Any:
    """Return consecutive rows as a slice, which copies nothing."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if np.array_equal(rows, np.arange(first, last + 1)) else rows


def column_folds(
    X: Any, y: Array, sample_weight: Array | None, splits: Splits, centre: bool
) -> tuple[Problem, list[Fold]]:
    """Return the problem on all rows, and folds that work on columns.

    Rows that are not trained on have weight zero in a fold, so that X is not copied.
    """
    plain = LinearObjective(X, y, sample_weight=sample_weight, fit_intercept=centre)
    folds = []
    for train, test in splits:
        weights = np.bincount(train, minlength=len(y)).astype(X.dtype)
        if sample_weight is not None:
            weights *= sample_weight
        objective = LinearObjective(X, y, sample_weight=weights, fit_intercept=centre)
        folds.append(Fold(prepare(objective, objective.start(), False)[0], test))
    return prepare(plain, plain.start(), False)[0], folds
