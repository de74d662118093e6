"""A filter fitted by gradient descent with a convolution where the correlation belongs."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from steepest.museum.exhibit import Case, Exhibit, Figure
from steepest.typing import Array

__all__ = [
    "EXHIBITS",
    "PROBLEMS",
    "courses",
    "descend",
    "half_squares",
    "optimum",
    "published_gradient",
    "right_gradient",
]

Gradient = Callable[[Array, float, Array, Array], tuple[Array, float]]

X = np.arange(1.0, 10.0)
PROBLEMS: tuple[tuple[Array, int], ...] = (
    (np.array([1.0, 1, 1, 1, 1, 1, 1, 1, 1, -9]), 2),
    (np.array([1.0, 5, 2, 3, 4, 5, 6, 7, 8, 9, 5.5]), 3),
)
RATE, EPOCHS = 0.001, 1000


def half_squares(w: Array, b: float, x: Array, y: Array) -> Any:
    """Half the sum of ``e^2`` with the error ``e = w * x + b - y``; ``*`` is the convolution."""
    return np.sum((np.convolve(x, w) + b - y) ** 2) / 2


def published_gradient(w: Array, b: float, x: Array, y: Array) -> tuple[Array, float]:
    """Convolution of error and input: ``sum_t e_t x_(n - 1 + j - t)``."""
    e = np.convolve(x, w) + b - y
    return np.convolve(e, x, "valid"), e.sum()


def right_gradient(w: Array, b: float, x: Array, y: Array) -> tuple[Array, float]:
    """Correlation of error and input.

    Notes
    -----
    ``yhat_t = sum_j w_j x_(t-j) + b``, so ``dyhat_t / dw_j = x_(t-j)`` and ``dJ/dw_j = sum_t e_t x_(t-j)``:
    the index of x falls as j grows, that of e stays. That is a correlation.
    """
    e = np.convolve(x, w) + b - y
    return np.correlate(e, x, "valid"), e.sum()


def descent(gradient: Gradient, y: Array, k: int) -> Iterator[tuple[Array, float]]:
    """Run gradient descent at the published rate from zero; yield weights and bias after every epoch."""
    w, b = np.zeros(k), 0.0
    for _ in range(EPOCHS):
        dw, db = gradient(w, b, X, y)
        w, b = w - RATE * dw, float(b - RATE * db)
        yield w, b


def descend(gradient: Gradient, y: Array, k: int) -> tuple[Array, float]:
    """Weights and bias after the last epoch."""
    *_, last = descent(gradient, y, k)
    return last


def courses() -> tuple[dict[str, list[float]], float]:
    """J after every epoch of the published and of the right run on the second problem, and the least J."""
    y, k = PROBLEMS[1]
    runs = {"published: convolution": published_gradient, "right: correlation": right_gradient}
    values = {name: [half_squares(w, b, X, y) for w, b in descent(g, y, k)] for name, g in runs.items()}
    return values, half_squares(*optimum(y, k), X, y)


def optimum(y: Array, k: int) -> tuple[Array, float]:
    """Least-squares solution."""
    shifted = [np.convolve(X, unit) for unit in np.eye(k)]
    design = np.column_stack([*shifted, np.ones(len(y))])
    theta = np.linalg.lstsq(design, y, rcond=None)[0]
    return theta[:-1], float(theta[-1])


def _case() -> Case:
    y, k = PROBLEMS[1]
    parameters = {"w": np.zeros(k), "b": 0.0}
    return Case(half_squares, published_gradient, right_gradient, parameters, {"x": X, "y": y})


def _figures() -> list[Figure]:
    figures = []
    for y, k in PROBLEMS:
        found, best = descend(published_gradient, y, k), optimum(y, k)
        for what, published, right in (
            (f"w, k = {k}", _digits(found[0]), _digits(best[0])),
            (f"b, k = {k}", _digits(found[1]), _digits(best[1])),
            (f"J, k = {k}", f"{half_squares(*found, X, y):.6g}", f"{round(half_squares(*best, X, y), 12):.4g}"),
        ):
            figures.append(Figure(what, published, right))
    return figures


def _digits(value: Array | float) -> str:
    rounded = np.round(np.atleast_1d(value), 8) + 0.0
    text = ", ".join(f"{v:.8f}".rstrip("0").rstrip(".") for v in rounded)
    return f"[{text}]" if np.ndim(value) else text


EXHIBITS = (
    Exhibit(
        "deconvolution",
        "A filter learned with a convolution where the correlation belongs",
        "a homework with a worked solution",
        "dJ/dw = x * e, the convolution of input and error",
        "dJ/dw_j = sum_t e_t x_(t-j), their correlation",
        "On data that a filter of two taps fits exactly the wrong run comes near the right answer and looks fine. On "
        "other data J falls for a few epochs, then climbs, and stands at 448 where the run ends; the least is 5.267. "
        "Printing J along the way would have told.",
        _case,
        {"w": ("convolved",)},
        _figures,
        "deconvolution",
    ),
)
