"""How good predictions are, point by point."""

import numpy as np
from matplotlib.axes import Axes

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import BLUE, GREY, VERMILION, own_or, tidy
from steepest.typing import ArrayLike

MANY_POINTS = 2000
DIAGONAL = "predicted = actual"


def predicted_against_actual(
    y: ArrayLike,
    predicted: ArrayLike,
    *,
    ax: Axes | None = None,
    rows: str = "",
    unit: str = "",
) -> Axes:
    """Draw the prediction over the true value of every row; a perfect model puts all points on the diagonal.

    Called again with the same ``ax``, it adds a second set of rows in another colour.

    Parameters
    ----------
    y, predicted : array (n_samples,)
        True values and predictions.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    rows : str, optional
        What the rows are, for the legend, such as "test".
    unit : str, optional
        What is predicted, with its unit.

    Examples
    --------
    >>> ax = predicted_against_actual([1.0, 2.0], [1.5, 2.0], rows="test", unit="price in euros")
    >>> ax.get_ylabel()
    'predicted price in euros'
    """
    actual, guess = np.asarray(y, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if actual.shape != guess.shape or actual.ndim != 1 or not len(actual):
        raise InvalidInputError(f"y has shape {actual.shape}, predicted {guess.shape}: both must be (n_samples,)")
    for name, numbers in (("y", actual), ("predicted", guess)):
        lost = np.flatnonzero(~np.isfinite(numbers))
        if lost.size:
            raise InvalidInputError(
                f"{name} is {numbers[lost[0]]} in row {lost[0]}: must be finite; leave such rows out"
            )
    ax = own_or(ax)
    earlier = len(ax.collections)
    size, alpha = (14.0, 0.65) if len(actual) <= MANY_POINTS else (3.0, 0.25)
    ax.scatter(
        actual, guess, s=size, alpha=alpha, linewidths=0, zorder=2 + earlier,
        color=(BLUE, VERMILION)[earlier % 2], marker="os"[earlier % 2], label=rows or None,
    )  # fmt: skip
    _draw_diagonal(ax)
    ax.set_aspect("equal")
    tidy(ax, x=f"actual {unit}".strip(), y=f"predicted {unit}".strip())
    ax.legend(frameon=False, fontsize=8, loc="upper left")
    return ax


def _draw_diagonal(ax: Axes) -> None:
    """Draw the diagonal over all points so far, in place of an earlier one."""
    for line in list(ax.lines):
        line.remove()
    points = np.concatenate([np.asarray(drawn.get_offsets()) for drawn in ax.collections])
    low, high = float(points.min()), float(points.max())
    margin = 0.04 * (high - low) or 1.0
    low, high = low - margin, high + margin
    ax.plot([low, high], [low, high], color=GREY, linewidth=1.2, linestyle="--", zorder=1, label=DIAGONAL)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
