"""Pictures of a clustering: where clusters end, how centres came there, and how many there should be."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from steepest.exceptions import InvalidInputError
from steepest.plotting.style import COLOURS, GREY, INK, colours, own_or, panels, tidy
from steepest.trace import Trace, check_trace
from steepest.typing import Array, ArrayLike, IntArray

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation

MOST_POINTS = 5000
MOST_LABELS = 18  # of clusters beside their silhouettes
MARGIN = 0.06


def elbow(n_clusters: Sequence[int], inertias: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the SSE over the number of clusters; a bend is where more clusters stop paying.

    The number furthest below the straight line between the two ends is marked, both axes scaled to one.

    Examples
    --------
    >>> ax = elbow([1, 2, 3, 4], [100.0, 20.0, 15.0, 12.0])
    >>> ax.texts[0].get_text()
    'k = 2'
    """
    ax = own_or(ax)
    ks, values = np.asarray(n_clusters, dtype=np.float64), np.asarray(inertias, dtype=np.float64)
    if ks.ndim != 1 or ks.shape != values.shape or not len(ks):
        raise InvalidInputError(f"n_clusters has shape {ks.shape}, inertias {values.shape}: both must be (n,)")
    ax.plot(ks, values, marker="o", color=COLOURS[0])
    if len(ks) > 2:
        across = (ks - ks[0]) / (ks[-1] - ks[0])
        down = (values - values[-1]) / ((values[0] - values[-1]) or 1.0)
        bend = int(np.argmax(1 - across - down))
        ax.plot(ks[bend], values[bend], marker="o", markersize=11, fillstyle="none", color=COLOURS[1])
        ax.annotate(f"k = {ks[bend]:g}", (ks[bend], values[bend]), (8, 8), textcoords="offset points", color=INK)
    ax.set_xticks(ks)
    ax.set_ylim(bottom=0)
    return tidy(ax, x="number of clusters k", y="SSE, the squared distances to the centres", grid="y")


def silhouette(values: ArrayLike, labels: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the silhouette of every sample, by cluster, sorted; the mean as a line.

    Parameters
    ----------
    values : array (n_samples,)
        Silhouettes from -1 (nearer to another cluster) to 1, as ``steepest.cluster.silhouette_values`` returns them.
    labels : array (n_samples,)
        The clusters.
    ax : Axes, optional
        Where to draw; a new figure's if not given.

    Examples
    --------
    >>> ax = silhouette([0.9, 0.8, 0.5], [0, 0, 1])
    >>> ax.get_title()
    'mean silhouette 0.733'
    """
    ax = own_or(ax)
    widths, clusters = np.asarray(values, dtype=np.float64), np.asarray(labels)
    if widths.shape != clusters.shape or widths.ndim != 1 or not len(widths):
        raise InvalidInputError(f"values has shape {widths.shape}, labels {clusters.shape}: both must be (n_samples,)")
    names = np.unique(clusters)
    most = 0.2 * len(widths) / len(names)  # so that all gaps are a fifth of the samples at most
    gap = min(max(1.0, 0.02 * len(widths)), most)
    bottom, middles = 0.0, []
    for name, colour in zip(names, colours(len(names)), strict=True):
        own = np.sort(widths[clusters == name])
        ax.fill_betweenx(bottom + np.arange(len(own) + 1), 0, np.append(own, own[-1]), step="post", color=colour)
        middles.append(bottom + len(own) / 2)
        bottom += len(own) + gap
    ax.axvline(float(widths.mean()), color=INK, linewidth=1, linestyle="--")
    named = _apart(middles, bottom / MOST_LABELS)
    ax.set_yticks([middles[j] for j in named], [f"{names[j]} ({np.sum(clusters == names[j])})" for j in named])
    ax.set_ylim(-gap, bottom)
    ax.set_title(f"mean silhouette {widths.mean():.3f}", fontsize=10, color=INK)
    return tidy(ax, x="silhouette", y="cluster (samples)", grid="x")


def voronoi(
    centres: ArrayLike,
    X: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
    names: tuple[str, str] = ("first feature", "second feature"),
) -> Axes:
    """Draw which points of the plane are nearest to which centre.

    Parameters
    ----------
    centres : array (n_clusters, 2)
        The centres; for more features a region is no polygon in a plane.
    X : array (n_samples, 2), optional
        Samples to draw; at most 5000 of them.
    labels : array (n_samples,), optional
        Their clusters; the nearest centre if not given.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    names : pair of str
        Labels of the axes.

    Examples
    --------
    >>> ax = voronoi([[0.0, 0.0], [2.0, 0.0]], [[0.5, 0.0], [1.6, 1.0]])
    >>> len(ax.patches)
    2
    """
    ax = own_or(ax)
    C = _plane("centres", centres)
    points = C if X is None else _plane("X", X)
    low, high = _box(np.vstack([points, C]))
    _draw_regions(ax, C, low, high)
    if X is not None:
        rows = _some(len(points))
        shown = _nearest(points, C) if labels is None else np.asarray(labels)
        palette = np.array(colours(len(C)))
        ax.scatter(points[rows, 0], points[rows, 1], s=_dot(len(rows)), c=palette[shown[rows]], linewidths=0)
    _draw_centres(ax, C)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    return tidy(ax, x=names[0], y=names[1], grid="")


def centre_paths(
    trace: Trace,
    X: ArrayLike | None = None,
    *,
    columns: tuple[int, int] = (0, 1),
    ax: Axes | None = None,
    names: tuple[str, str] = ("first feature", "second feature"),
) -> Axes:
    """Draw the way of every centre, from a ring to a cross, over the samples.

    Parameters
    ----------
    trace : Trace
        Of a k-means run that kept its parameters: ``KMeans(...).set_callbacks(Trace(parameters=True))``.
    X : array (n_samples, n_features), optional
        Samples to draw; at most 5000 of them.
    columns : pair of int
        Which features to show.
    ax : Axes, optional
        Where to draw; a new figure's if not given.
    names : pair of str
        Labels of the axes.

    Examples
    --------
    >>> from steepest.cluster import KMeans
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    >>> model = KMeans(2, init=X[:2]).set_callbacks(Trace(parameters=True)).fit(X)
    >>> centre_paths(model.trace_, X).get_title()
    '3 iterations'
    """
    ax = own_or(ax)
    frames = centre_frames(trace)[:, :, list(columns)]
    if X is not None:
        points = np.asarray(X, dtype=np.float64)[:, list(columns)]
        rows = _some(len(points))
        palette = np.array(colours(frames.shape[1]))
        nearest = _nearest(np.asarray(X, dtype=np.float64)[rows], centre_frames(trace)[-1])
        ax.scatter(points[rows, 0], points[rows, 1], s=_dot(len(rows)), c=palette[nearest], alpha=0.45, linewidths=0)
    shrunk = _shrunk(frames.shape[1])
    for j in range(frames.shape[1]):
        ax.plot(*frames[:, j].T, color=INK, linewidth=1.2 * shrunk, marker=".", markersize=4 * shrunk)
        ax.plot(*frames[0, j], marker="o", markersize=7 * shrunk, fillstyle="none", color=INK)
    _draw_centres(ax, frames[-1])
    ax.set_title(f"{len(frames) - 1} iterations", fontsize=10, color=INK)
    return tidy(ax, x=names[0], y=names[1], grid="")


def animate_kmeans(
    trace: Trace, X: ArrayLike, *, names: tuple[str, str] = ("first feature", "second feature"), interval: int = 700
) -> "FuncAnimation":
    """Return the run as an animation: regions, samples and centres of every kept step.

    ``animation.save("run.gif", writer="pillow")`` writes a GIF, ``animation.to_jshtml()`` gives HTML5 with controls.

    Parameters
    ----------
    trace : Trace
        Of a k-means run on two features that kept its parameters.
    X : array (n_samples, 2)
        The samples; at most 5000 of them are drawn.
    names : pair of str
        Labels of the axes.
    interval : int, default 700
        Milliseconds a step.

    Examples
    --------
    >>> from steepest.cluster import KMeans
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
    >>> model = KMeans(2, init=X[:2]).set_callbacks(Trace(parameters=True)).fit(X)
    >>> "<img" in animate_kmeans(model.trace_, X).to_jshtml()
    True
    """
    from matplotlib.animation import FuncAnimation

    frames, points = centre_frames(trace), _plane("X", X)
    if frames.shape[2] != 2:
        raise InvalidInputError(f"the run has {frames.shape[2]} features: only runs on 2 features can be animated")
    figure, (ax,) = panels(1)
    rows = _some(len(points))
    low, high = _box(np.vstack([points, *frames]))
    values = dict(zip(trace["index"], trace["value"], strict=True))

    def draw(number: int) -> list[Any]:
        ax.clear()
        C, index = frames[number], trace.frames[number]
        _draw_regions(ax, C, low, high)
        palette = np.array(colours(len(C)))
        ax.scatter(
            points[rows, 0], points[rows, 1], s=_dot(len(rows)), c=palette[_nearest(points[rows], C)], linewidths=0
        )
        for j in range(len(C)):
            ax.plot(*frames[: number + 1, j].T, color=INK, linewidth=1)
        _draw_centres(ax, C)
        ax.set_xlim(low[0], high[0])
        ax.set_ylim(low[1], high[1])
        tidy(ax, x=names[0], y=names[1], grid="")
        ax.set_title(f"step {index:g}: SSE {values.get(index, np.nan):.5g}", fontsize=10, color=INK)
        return list(ax.patches)

    return FuncAnimation(figure, draw, frames=len(frames), interval=interval, repeat_delay=2000)


def centre_frames(trace: Trace) -> NDArray[np.float64]:
    """Return the centres of every kept step, (n_frames, n_clusters, n_features)."""
    if not len(check_trace(trace).frames) or "n_clusters" not in trace.about:
        raise InvalidInputError(
            "the trace holds no centres: fit with KMeans(...).set_callbacks(Trace(parameters=True)) to keep them"
        )
    return np.asarray(trace.parameters, dtype=np.float64).reshape(len(trace.frames), int(trace.about["n_clusters"]), -1)


# ---------------------------------------------------------------------- parts


def region(C: Array, j: int, low: Array, high: Array) -> NDArray[np.float64]:
    """Return the corners of what is nearest to centre j within a box, in order; none if it lies outside.

    Notes
    -----
    x is nearer to c_j than to c_l where ``2 (c_l - c_j) . x <= |c_l|^2 - |c_j|^2``: a half-plane. The box is cut by
    one after the other: of each edge, the inner ends stay, and where it crosses the line, the crossing.
    """
    corners = [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
    polygon: list[NDArray[np.float64]] = [np.array(corner, dtype=np.float64) for corner in corners]
    for other in range(len(C)):
        normal = 2 * (C[other] - C[j])
        if not np.any(normal):
            continue
        limit = normal @ (C[other] + C[j]) / 2
        kept: list[NDArray[np.float64]] = []
        for start, end in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
            inside, next_inside = limit - normal @ start, limit - normal @ end
            if inside >= 0:
                kept.append(start)
            if inside * next_inside < 0:
                kept.append(start + inside / (inside - next_inside) * (end - start))
        polygon = kept
    return np.array(polygon).reshape(-1, 2)


def _draw_regions(ax: Axes, C: Array, low: Array, high: Array) -> None:
    for j, colour in enumerate(colours(len(C))):
        corners = region(C, j, low, high)
        if len(corners) > 2:
            ax.fill(*corners.T, facecolor=colour, alpha=0.13, edgecolor=GREY, linewidth=0.8)


def _draw_centres(ax: Axes, C: Array) -> None:
    size, edge = 90 * _shrunk(len(C)) ** 2, 1.2 * _shrunk(len(C))
    ax.scatter(C[:, 0], C[:, 1], marker="X", s=size, c=colours(len(C)), edgecolors="white", linewidths=edge, zorder=5)


def _shrunk(n_clusters: int) -> float:
    """Return the size of marks, 1 for few clusters: of many they would hide each other."""
    return float(np.clip(np.sqrt(16 / n_clusters), 0.55, 1.0))


def _plane(name: str, points: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InvalidInputError(f"{name} has shape {array.shape}: must be (n, 2), two features")
    return array


def _box(points: Array) -> tuple[Array, Array]:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * np.where(high > low, high - low, 1.0)
    return low - margin, high + margin


def _some(n: int) -> IntArray:
    """Return the rows to draw: all, or 5000 evenly spaced ones."""
    return np.arange(n) if n <= MOST_POINTS else np.linspace(0, n - 1, MOST_POINTS).astype(np.int64)


def _dot(n: int) -> float:
    return float(np.clip(6000 / n, 2, 24))


def _apart(places: Sequence[float], least: float) -> list[int]:
    """Return which of rising places to label, so that no two labels are closer than ``least``.

    Examples
    --------
    >>> _apart([0.0, 1.0, 2.0, 5.0], 2.0)
    [0, 2, 3]
    """
    chosen: list[int] = []
    for j, place in enumerate(places):
        if not chosen or place - places[chosen[-1]] >= least:
            chosen.append(j)
    return chosen


def _nearest(points: Array, C: Array) -> IntArray:
    return np.asarray(((points[:, None, :] - C) ** 2).sum(axis=2).argmin(axis=1))
