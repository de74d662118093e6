"""A clustering on the terminal."""

from typing import TYPE_CHECKING

from steepest.cli.terminal import Grid, Pair, counted, facts, styled, terminal

if TYPE_CHECKING:
    from steepest.cli.cluster import Clustering
    from steepest.cluster import KMeans

SHOWN_STEPS = 12
MOST_COLUMNS = 6  # of centres beside each other, unless the clusters are even more


def show(found: "Clustering") -> None:
    """Print sizes, centres, the SSE of every step and why the run stopped."""
    console, model = terminal(), found.model
    text = f" finds {counted(model.n_clusters, 'cluster')} in {counted(len(found.X), 'row')} of {found.data}"
    console.print(styled("KMeans", "bold") + styled(text, ""))
    scaled = "standardised" if found.standardized else "as they are"
    pairs: list[Pair] = [("Columns", f"{', '.join(found.names)}; {scaled}")]
    if found.left_out:
        pairs.append(("Left out", f"{', '.join(found.left_out)} (text)"))
    pairs.append(("Stopped", model.stopping_reason_.sentence))
    starts = "" if model.n_init == 1 else f", best of {model.n_init} starts"
    pairs.append(("SSE", f"{model.inertia_:.6g} after {counted(model.n_iter_, 'iteration')}{starts}"))
    pairs += [("Note", note) for note in found.notes]
    console.print(facts(pairs))
    console.print()
    console.print(_centres(found))
    console.print()
    console.print(_course(model))


def _centres(found: "Clustering") -> Grid:
    """Return the centres, one a row; of many columns, one a column."""
    names, sizes = found.names, found.sizes
    if len(names) <= max(MOST_COLUMNS, len(sizes)):
        grid = Grid("cluster", "rows", *names, align="l" + "r" * (1 + len(names)), title="Centres")
        for j, (size, centre) in enumerate(zip(sizes, found.centres, strict=True)):
            grid.add_row(str(j), str(size), *(f"{value:.4g}" for value in centre))
        return grid
    heads = [f"{j} ({counted(size, 'row')})" for j, size in enumerate(sizes)]
    grid = Grid("centre", *heads, align="l" + "r" * len(heads), title="Centres")
    for name, values in zip(names, found.centres.T, strict=True):
        grid.add_row(name, *(f"{value:.4g}" for value in values))
    return grid


def _course(model: "KMeans") -> Grid:
    """Return the steps as a table; of a long run, the first and the last."""
    trace = model.trace_
    grid = Grid("step", "SSE", "labels changed", "empty", align="rrrr", title="Steps")
    n = len(trace)
    shown = list(range(n)) if n <= SHOWN_STEPS else [*range(SHOWN_STEPS // 2), *range(n - SHOWN_STEPS // 2, n)]
    previous = -1
    for i in shown:
        if i > previous + 1:
            grid.add_row("...", "", "", "")
        changed, empty = trace["labels_changed"][i], trace["empty_clusters"][i]
        grid.add_row(f"{i}", f"{trace['value'][i]:.6g}", f"{changed:.0f}", f"{empty:.0f}")
        previous = i
    return grid
