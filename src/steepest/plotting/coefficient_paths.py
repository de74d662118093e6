"""Coefficients over the strength of the penalty."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import COLOURS, GREY, INK, own_or, tidy
from steepest.typing import Array, ArrayLike

NAMED = 10
CLOSEST = 0.045


def coefficient_path(
    alphas: ArrayLike,
    coefficients: ArrayLike,
    *,
    ax: Axes | None = None,
    features: Sequence[str] | None = None,
    chosen: float | None = None,
) -> Axes:
    """Draw every coefficient over ``alpha``: which features come in first, and how far they are shrunk.

    Parameters
    ----------
    alphas : array (n_alphas,)
        The strengths, above 0, in any order.
    coefficients : array (n_features, n_alphas)
        As ``lasso_path`` and ``enet_path`` return them.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    features : sequence of str, optional
        Names of the features; the ten with the largest coefficients are written at their lines.
    chosen : float, optional
        An alpha to mark, such as the one found by cross-validation.

    Examples
    --------
    >>> ax = coefficient_path([1.0, 0.1], [[0.0, 2.0], [0.0, -1.0]], features=["bmi", "sex"])
    >>> [text.get_text() for text in ax.texts]
    ['sex', 'bmi']
    """
    ax = own_or(ax)
    strengths, paths = np.asarray(alphas, dtype=np.float64), np.asarray(coefficients, dtype=np.float64)
    if strengths.ndim != 1 or paths.ndim != 2 or paths.shape[1] != len(strengths):
        raise InvalidInputError(
            f"alphas has shape {strengths.shape}, coefficients {paths.shape}: "
            "must be (n_alphas,) and (n_features, n_alphas)"
        )
    if np.any(strengths <= 0):
        raise InvalidInputError("alphas: must be above 0 to stand on a logarithmic axis")
    order = np.argsort(strengths)
    strengths, paths = strengths[order], paths[:, order]
    largest = list(np.argsort(-np.abs(paths).max(axis=1), kind="stable")[:NAMED])
    for j in range(len(paths)):
        colour = COLOURS[largest.index(j) % len(COLOURS)] if j in largest else GREY
        ax.plot(strengths, paths[j], color=colour, linewidth=1.6 if j in largest else 0.7, zorder=2 + (j in largest))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda alpha, _: f"{alpha:g}"))
    ax.invert_xaxis()  # from everything zero on the left to little penalty on the right
    tidy(ax, x="alpha, the strength of the penalty (logarithmic, falling)", y="coefficient")
    ax.axhline(0, color=GREY, linewidth=0.8)
    if chosen is not None:
        ax.axvline(chosen, color=INK, linewidth=1, linestyle="--")
        side = "right" if chosen**2 < strengths[0] * strengths[-1] else "left"  # where there is more room
        ax.annotate(
            f" alpha = {chosen:.3g} ", (chosen, 1), xycoords=("data", "axes fraction"), fontsize=8, va="top", ha=side
        )
    if features is not None:
        _write_names(ax, strengths[0], paths[largest, 0], [features[j] for j in largest])
    return ax


def _write_names(ax: Axes, alpha: float, heights: Array, names: list[str]) -> None:
    """Write names at the right ends of the lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    least = CLOSEST * (high - low)
    order = np.argsort(heights)
    places = heights[order].astype(np.float64)
    for _ in range(200):
        gaps = np.diff(places)
        tight = np.flatnonzero(gaps < least * 0.999)
        if not len(tight):
            break
        for i in tight:
            push = (least - (places[i + 1] - places[i])) / 2
            if push > 0:
                places[i] -= push
                places[i + 1] += push
    for place, j in zip(places, order, strict=True):
        ax.annotate(
            names[j], (alpha, heights[j]), xytext=(1.02, (place - low) / (high - low)), textcoords="axes fraction",
            fontsize=8, va="center", color=COLOURS[j % len(COLOURS)], annotation_clip=False,
        )  # fmt: skip
