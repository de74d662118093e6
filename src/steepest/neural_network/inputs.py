"""What users hand to a network: samples, targets in the form its loss asks for, weights."""

from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.layer import Shape
from steepest.losses import Loss
from steepest.typing import Array
from steepest.validation import check_numbers

ALLOWED = {
    "binary": (0.0, 1.0, "labels 0 and 1"),
    "sign": (-1.0, 1.0, "labels -1 and +1"),
    "count": (0.0, np.inf, "numbers not below 0"),
    "real": (-np.inf, np.inf, "numbers"),
}


def check_precision(dtype: Any) -> np.dtype[Any]:
    """Return the dtype of parameters: float32 or float64.

    Examples
    --------
    >>> check_precision("f4"), check_precision(float)
    (dtype('float32'), dtype('float64'))
    """
    try:
        precision: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        precision = np.dtype(object)
    if precision not in (np.float32, np.float64):
        raise InvalidInputError(f"dtype={dtype!r}: must be float32 or float64")
    return precision


def check_samples(X: Any, input_shape: Shape, dtype: Any) -> Array:
    """Return samples (n_samples, *input_shape) in the dtype of a network."""
    X = check_numbers("X", X, objects=True).astype(dtype, copy=False)
    samples: Array = X
    if X.shape[1:] != input_shape or X.ndim == 0:
        raise InvalidInputError(
            f"X has shape {X.shape}: the network takes (n_samples, {', '.join(map(str, input_shape))})"
        )
    return samples


def check_rows(n_samples: int, y: Array) -> None:
    """Refuse targets that are not as many as the samples."""
    if y.ndim and len(y) != n_samples:
        raise InvalidInputError(f"X has {n_samples} rows, y has {len(y)}: they must be as many")


def check_targets(y: Any, loss: Loss, n_samples: int, output_shape: Shape, dtype: Any) -> Array:
    """Return targets in the form that a loss asks for: class numbers, or numbers in the dtype of the network."""
    y = check_numbers("y", y, objects=True)
    check_rows(n_samples, y)
    classes = loss.target == "class"
    expected: list[tuple[int, ...]] = [(n_samples,)] if classes or output_shape == (1,) else []
    expected += [] if classes else [(n_samples, *output_shape)]
    if y.shape not in expected:
        raise InvalidInputError(f"y has shape {y.shape}: must be {' or '.join(map(str, expected))}")
    low, high, words = (0.0, output_shape[0] - 1.0, "") if classes else ALLOWED[loss.target]
    if classes:
        words = f"class numbers from 0 to {high:.0f}, one an output of the network"
    wrong = ~((y >= low) & (y <= high) & np.isfinite(y)) | (classes and y != np.floor(y))
    if loss.target == "sign":
        wrong |= np.abs(y) != 1
    if np.any(wrong):
        raise InvalidInputError(f"y holds {y[wrong].flat[0]}: {loss.words} takes {words}")
    targets: Array = y.astype(np.intp if classes else dtype, copy=False)
    return targets


def check_weights(sample_weight: Any, n_samples: int, dtype: Any) -> Array | None:
    """Return weights of the samples, finite, not below 0 and not all 0; None for None."""
    if sample_weight is None:
        return None
    weight = check_numbers("sample_weight", sample_weight, objects=True)
    if weight.shape != (n_samples,):
        raise InvalidInputError(f"sample_weight has shape {weight.shape}: must be {(n_samples,)}")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0) or not np.any(weight):
        raise InvalidInputError("sample_weight: must hold finite numbers not below 0, and one above")
    weights: Array = weight.astype(dtype, copy=False)
    return weights
