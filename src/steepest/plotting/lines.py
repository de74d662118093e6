"""A regression line over its data, as it learns."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import GREY, VERMILION, own_or, shades, tidy
from steepest.trace import Trace
from steepest.typing import Array, ArrayLike

SHOWN_LINES = 6


def regression_lines(
    X: ArrayLike,
    y: ArrayLike,
    path: Trace | ArrayLike,
    *,
    ax: Axes | None = None,
    names: tuple[str, str] = ("x", "y"),
) -> Axes:
    """Draw the data and the line ``w x + b`` at some steps of a run, from light (early) to dark (late).

    Parameters
    ----------
    X, y : array (n_samples,) or (n_samples, 1); array (n_samples,)
        The data.
    path : Trace or array (n_steps, 2)
        The parameters ``w, b`` of every step; a trace must have kept them. A single row draws a single line.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    names : pair of str
        Labels of the axes, with their units.

    Examples
    --------
    >>> ax = regression_lines([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], [[0.0, 0.0], [1.0, 1.0], [2.0, 1.0]])
    >>> len(ax.lines)
    3
    """
    ax = own_or(ax)
    x = np.asarray(X, dtype=np.float64).reshape(len(np.asarray(X)), -1)
    if x.shape[1] != 1:
        raise InvalidInputError(f"X has {x.shape[1]} features: a line needs exactly one")
    steps, parameters = _course(path)
    ends = np.array([x.min(), x.max()])
    chosen = _spread(len(parameters))
    ax.scatter(x[:, 0], np.asarray(y), s=16, color=GREY, alpha=0.7, linewidths=0, label="data")
    for colour, i in zip(shades(len(chosen)), chosen, strict=True):
        w, b = parameters[i]
        last = i == len(parameters) - 1
        style: dict[str, Any] = {"color": VERMILION, "linewidth": 2.4} if last else {"color": colour, "linewidth": 1.4}
        ax.plot(ends, w * ends + b, label=f"step {steps[i]:g}: {w:.3g} x {'-' if b < 0 else '+'} {abs(b):.3g}", **style)
    tidy(ax, x=names[0], y=names[1])
    ax.legend(framealpha=0.9, edgecolor="none", fontsize=8)
    return ax


def _course(path: Trace | ArrayLike) -> tuple[Array, Array]:
    """Return the step numbers and the parameters at them."""
    parameters = np.asarray(path.parameters if isinstance(path, Trace) else path, dtype=np.float64)
    if parameters.ndim != 2 or parameters.shape[1] != 2 or not len(parameters):
        hint = "; ask for them with Trace(parameters=True)" if isinstance(path, Trace) and not parameters.size else ""
        raise InvalidInputError(
            f"path has shape {parameters.shape}: must be (n_steps, 2), a slope and an intercept{hint}"
        )
    steps = path.frames if isinstance(path, Trace) else np.arange(float(len(parameters)))
    return steps, parameters


def _spread(n: int) -> list[int]:
    """Return positions below ``n``, the first, the last and ever wider apart: a run changes most at its start."""
    if n <= SHOWN_LINES:
        return list(range(n))
    return sorted({0, n - 1, *(round((n - 1) ** (k / (SHOWN_LINES - 2))) for k in range(SHOWN_LINES - 1))})
