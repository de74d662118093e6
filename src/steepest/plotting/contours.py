"""A function of two parameters from above, with the path of a run on it."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import INK, ORANGE, VERMILION, own_or, sequential, tidy
from steepest.trace import Trace
from steepest.typing import Array, ArrayLike

GRID, LEVELS, MARGIN = 121, 14, 0.25
MOST_DOTS = 200


def contour(
    f: Callable[[Array], float],
    path: Trace | ArrayLike,
    *,
    ax: Axes | None = None,
    names: tuple[str, str] = ("first parameter", "second parameter"),
    minimum: ArrayLike | None = None,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> Axes:
    """Draw lines of equal value of ``f`` and the path of a run from its start to its end.

    Parameters
    ----------
    f : callable
        Takes an array of shape (2,) and returns a number, such as ``objective.value``.
    path : Trace or array (n_steps, 2)
        The run; a trace must have kept its parameters.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    names : pair of str
        Labels of the two axes.
    minimum : array (2,), optional
        Where the minimum is, marked by a star.
    limits : ((low, high), (low, high)), optional
        The part of the plane to show; the path with a margin if not given.

    Examples
    --------
    >>> ax = contour(lambda x: float(x @ x), [[2.0, 1.0], [1.0, 0.5], [0.5, 0.25]], names=("a", "b"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('a', 'b')
    """
    ax = own_or(ax)
    points = _points(path)
    marked = points if minimum is None else np.vstack([points, np.asarray(minimum, dtype=np.float64)])
    (left, right), (low, high) = _around(marked) if limits is None else limits
    across, up = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    values = np.array([[f(np.array([a, b])) for a in across] for b in up])
    levels = _levels(values)
    drawn = ax.contour(across, up, values, levels=levels, cmap=sequential.reversed(), linewidths=0.9)
    ax.clabel(drawn, levels=levels[::3], fmt=lambda level: f"{level:.3g}", fontsize=7)
    dot = "." if len(points) <= MOST_DOTS else ""
    ax.plot(*points.T, color=VERMILION, linewidth=1.4, marker=dot, markersize=5, zorder=3, label="path")
    ax.plot(*points[0], "o", color="white", markeredgecolor=VERMILION, markersize=8, zorder=4, label="start")
    ax.plot(*points[-1], "o", color=VERMILION, markersize=8, zorder=4, label="end")
    if minimum is not None:
        ax.plot(*np.asarray(minimum), "*", color=ORANGE, markeredgecolor=INK, markersize=14, zorder=5, label="minimum")
    tidy(ax, x=names[0], y=names[1], grid="")
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=8)
    return ax


def _points(path: Trace | ArrayLike) -> Array:
    """Return the finite points of a path, (n_steps, 2)."""
    points = np.asarray(path.parameters if isinstance(path, Trace) else path, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        hint = "; ask for them with Trace(parameters=True)" if isinstance(path, Trace) and not points.size else ""
        raise InvalidInputError(f"path has shape {points.shape}: must be (n_steps, 2){hint}")
    finite: Array = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        raise InvalidInputError("path holds NaN or infinity in every point: there is nothing to draw")
    return finite


def _around(points: Array) -> list[tuple[float, float]]:
    """Return the limits that hold all points with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    width = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    return [(float(a - MARGIN * w), float(b + MARGIN * w)) for a, b, w in zip(low, high, width, strict=True)]


def _levels(values: Array) -> Array:
    """Return levels that lie densely near the lowest value: equally spaced in the square root of the height."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise InvalidInputError("f is NaN or infinite everywhere on the part of the plane to show: pass other limits")
    low, high = float(finite.min()), float(finite.max())
    if not high > low:
        raise InvalidInputError(f"f is {low:g} everywhere on the part of the plane to show: it has no contours")
    return np.asarray(low + (high - low) * np.linspace(0.0, 1.0, LEVELS + 2)[1:-1] ** 2)
