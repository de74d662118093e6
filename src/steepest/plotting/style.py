"""What all pictures share: figures without a display, colours that colour-blind readers can tell apart."""

from itertools import cycle, islice
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from steepest.escaping import escaped

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A8A8A",
)  # fmt: skip
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""Six colours that people tell apart whatever colours they see, in the order of their use."""
INK = "#222222"


def panels(n: int = 1, *, width: float = 5.0, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``n`` axes side by side, in inches each; pyplot is not touched.

    Examples
    --------
    >>> figure, (left, right) = panels(2)
    >>> figure.get_size_inches().tolist()
    [10.0, 4.2]
    """
    figure = Figure(figsize=(n * width, height), dpi=150, layout="constrained")
    return figure, list(figure.subplots(1, n, squeeze=False)[0])


def own_or(ax: Axes | None) -> Axes:
    """Return ``ax``, or the axes of a new figure."""
    return panels()[1][0] if ax is None else ax


def tidy(ax: Axes, *, x: str, y: str, grid: str = "both") -> Axes:
    """Label the axes, and leave out ink that says nothing.

    Examples
    --------
    >>> tidy(panels(1)[1][0], x="time in seconds", y="speed in m/s").get_xlabel()
    'time in seconds'
    """
    ax.set_xlabel(x, color=INK)
    ax.set_ylabel(y, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(colors=INK, which="both", length=3)
    if grid:
        ax.grid(True, axis=grid, color="#E6E6E6", linewidth=0.7)  # type: ignore[arg-type]  # a literal type there
    ax.set_axisbelow(True)
    return ax


def literal(name: str, most: int = 40) -> str:
    r"""Return a name from data as text for a picture: not too long, and what it holds is neither formula nor control.

    Examples
    --------
    >>> print(literal("cost in $\n"))
    cost in \$\n
    >>> literal("a very long name indeed", most=12)
    'a very lo...'
    """
    shown = escaped(name)
    shown = shown if len(shown) <= most else f"{shown[: most - 3]}..."
    return shown.replace("$", r"\$")


def colours(n: int) -> list[str]:
    """Return ``n`` colours; after the sixth they begin again."""
    return list(islice(cycle(COLOURS), n))


def shades(n: int) -> list[Any]:
    """Return ``n`` shades from light to dark, for things in order of time; told apart by lightness alone."""
    return [sequential(position) for position in np.linspace(0.0, 1.0, max(n, 2))[:n]]


def _between(first: tuple[float, float, float], last: tuple[float, float, float]) -> ListedColormap:
    steps = np.linspace(0.0, 1.0, 256)[:, None]
    return ListedColormap(np.array(first) * (1 - steps) + np.array(last) * steps)


sequential = _between((0.74, 0.85, 0.95), (0.00, 0.20, 0.42))
