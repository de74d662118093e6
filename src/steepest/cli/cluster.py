"""Find clusters in a CSV or Parquet file by k-means."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from steepest.cluster import KMeans
    from steepest.tables.table import Table

HELP = """Find clusters in a CSV or Parquet file by k-means.

DATA is the file, or - for standard input. All columns of numbers are used unless --columns names some; columns of text
are left out, and said so.

\b
Examples:
  steepest cluster examples/data/iris.csv --k 3
  steepest cluster examples/data/wine.csv --k 3 --standardize
  steepest cluster examples/data/iris.csv --k 3 --columns petal_length,petal_width --plot iris.png
"""
SHOWN_STEPS = 12
PICTURES = (".png", ".svg", ".pdf", ".gif", ".html")


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("data")
@click.option("-k", "--k", "n_clusters", type=int, required=True, help="Number of clusters.")
@click.option("--columns", metavar="A,B,...", help="Columns to use; all columns of numbers if not given.")
@click.option("--standardize", is_flag=True, help="Scale columns to unit variance; centres are shown unscaled.")
@click.option("--init", default="k-means++", show_default=True, metavar="NAME", help="k-means++ or random.")
@click.option("--n-init", type=int, default=10, show_default=True, help="Starts, of which the best is kept.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="For the random starts.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture (.png, .svg, .pdf) or, of two columns, an animation (.gif, .html).",
)
def command(
    data: str,
    n_clusters: int,
    columns: str | None,
    standardize: bool,
    init: str,
    n_init: int,
    seed: int,
    plot: Path | None,
) -> None:
    """Read, fit, report."""
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise InvalidInputError(f"--plot {plot}: the name must end in {', '.join(PICTURES)}")
    from steepest.cluster import KMeans
    from steepest.tables import read_table
    from steepest.trace import Trace

    X, names, left_out = _numbers(read_table(data), columns)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    if not standardize:
        mean, scale = 0 * mean, 0 * scale + 1
    scale[scale == 0] = 1.0
    scaled = (X - mean) / scale
    model = KMeans(n_clusters, init=init, n_init=n_init, random_state=seed)
    model.set_callbacks(Trace(parameters=True, max_frames=60)).fit(scaled)
    _report(data, model, names, left_out, model.cluster_centers_ * scale + mean, standardize)
    if plot is not None:
        _draw(plot, model, scaled, X, names, standardize)
        click.echo(f"\nWrote {plot}")


def _numbers(table: "Table", columns: str | None) -> tuple[Any, list[str], list[str]]:
    """Return the chosen columns as an array, their names, and the columns of text left out."""
    import numpy as np

    names, left_out = list(table.columns), []
    if columns is not None:
        names = [name.strip() for name in columns.split(",") if name.strip()]
        unknown = [name for name in names if name not in table.columns]
        if unknown:
            raise InvalidInputError(f"--columns {unknown[0]!r}: no such column; there are {', '.join(table.columns)}")
        text = [name for name in names if table.columns[name].is_text]
        if text:
            sample = table.columns[text[0]].sample()
            raise InvalidInputError(f"--columns {text[0]!r}: holds text ({sample}); leave it out")
    else:
        left_out = [name for name in names if table.columns[name].is_text]
        names = [name for name in names if name not in left_out]
    if not names:
        raise InvalidInputError("no column of numbers to cluster by")
    for name in names:
        n_missing = int(table.columns[name].missing.sum())
        if n_missing:
            raise InvalidInputError(f"column {name!r} lacks {n_missing} values: fill them in, or leave the column out")
    return np.column_stack([table.columns[name].values for name in names]), names, left_out


def _report(
    data: str, model: "KMeans", names: list[str], left_out: list[str], centres: Any, standardized: bool
) -> None:
    """Print sizes, centres, the SSE of every step and why the run stopped."""
    import numpy as np
    from rich import box
    from rich.console import Console
    from rich.table import Table as Grid

    console = Console(highlight=False)
    scaled = "standardised" if standardized else "as they are"
    console.print(f"[bold]KMeans[/bold] finds {model.n_clusters} clusters in {len(model.labels_)} rows of {data}")
    console.print(f"Columns    {', '.join(names)}; {scaled}")
    if left_out:
        console.print(f"Left out   {', '.join(left_out)} (text)")
    console.print(f"Stopped    {model.stopping_reason_.sentence}")
    console.print(f"SSE        {model.inertia_:.6g} after {model.n_iter_} iterations, best of {model.n_init} starts")
    console.print()
    sizes = np.bincount(model.labels_, minlength=model.n_clusters)
    if len(names) <= 6:
        grid = Grid("cluster", "rows", *names, box=box.SIMPLE_HEAD, title="Centres", title_justify="left")
        for j, (size, centre) in enumerate(zip(sizes, centres, strict=True)):
            grid.add_row(str(j), str(size), *(f"{value:.4g}" for value in centre))
    else:  # many columns stand in rows
        heads = [f"{j} ({size} rows)" for j, size in enumerate(sizes)]
        grid = Grid("centre", *heads, box=box.SIMPLE_HEAD, title="Centres", title_justify="left")
        for name, values in zip(names, centres.T, strict=True):
            grid.add_row(name, *(f"{value:.4g}" for value in values))
    for column in grid.columns[1:]:
        column.justify = "right"
    console.print(grid)
    console.print(_course(model))


def _course(model: "KMeans") -> Any:
    """Return the steps as a table; of a long run, the first and the last."""
    from rich import box
    from rich.table import Table as Grid

    trace = model.trace_
    grid = Grid("step", "SSE", "labels changed", "empty", box=box.SIMPLE_HEAD, title="Steps", title_justify="left")
    for column in grid.columns:
        column.justify = "right"
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


def _draw(path: Path, model: "KMeans", scaled: Any, X: Any, names: list[str], standardized: bool) -> None:
    """Write the picture: regions and centres of two columns, the centres' ways of more; or the animation."""
    from steepest import plotting

    labels = [f"{name} (standardised)" if standardized else name for name in names]
    if path.suffix.lower() in (".gif", ".html"):
        if len(names) != 2:
            raise InvalidInputError(f"--plot {path}: an animation needs two columns, there are {len(names)}")
        animation = plotting.animate_kmeans(model.trace_, scaled, names=(labels[0], labels[1]))
        if path.suffix.lower() == ".gif":
            animation.save(path, writer="pillow")
        else:
            path.write_text(animation.to_jshtml(), encoding="utf-8")
        return
    if len(names) == 2:
        figure, (left, right) = plotting.panels(2)
        plotting.voronoi(model.cluster_centers_, scaled, model.labels_, ax=left, names=(labels[0], labels[1]))
    else:
        figure, (left, right) = plotting.panels(2)
        from steepest.cluster import silhouette_values

        if len(set(model.labels_.tolist())) > 1:
            plotting.silhouette(silhouette_values(scaled, model.labels_), model.labels_, ax=left)
    if len(names) > 1:
        plotting.centre_paths(model.trace_, scaled, ax=right, names=(labels[0], labels[1]))
    figure.savefig(path)
