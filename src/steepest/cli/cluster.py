"""Find clusters in a CSV or Parquet file by k-means."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steepest.cli.options import seed_option
from steepest.cli.outputs import (
    ANIMATIONS,
    PICTURES,
    json_option,
    output_option,
    print_json,
    save_animation,
    save_picture,
    say_written,
)
from steepest.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from steepest.cluster import KMeans
    from steepest.tables.table import Table
    from steepest.typing import Array

HELP = """Find clusters in a CSV or Parquet file by k-means.

DATA is the file, or - for standard input. All columns of numbers are used unless --columns names some; columns of text
are left out, and said so.

\b
Examples:
  steepest cluster examples/data/iris.csv --k 3
  steepest cluster examples/data/wine.csv --k 3 --standardize
  steepest cluster examples/data/iris.csv --k 3 --columns petal_length,petal_width --plot iris.png
"""
MOST_SILHOUETTES = 5000


@dataclass(frozen=True)
class Clustering:
    """A fitted model with the data it was fitted to."""

    model: "KMeans"
    data: str
    X: "Array"
    names: list[str]
    left_out: list[str]
    standardized: bool
    centres: "Array"
    notes: list[str]

    @property
    def sizes(self) -> list[int]:
        """The rows of each cluster."""
        import numpy as np

        return list(np.bincount(self.model.labels_, minlength=self.model.n_clusters).tolist())


@click.command(help=HELP, short_help=__doc__.rstrip("."))
@click.argument("data")
@click.option("-k", "--k", "n_clusters", type=int, required=True, help="Number of clusters.")
@click.option("--columns", metavar="A,B,...", help="Columns to use; all columns of numbers if not given.")
@click.option("--standardize", is_flag=True, help="Scale columns to unit variance; centres are shown unscaled.")
@click.option("--init", default="k-means++", show_default=True, metavar="NAME", help="k-means++ or random.")
@click.option("--n-init", type=int, default=10, show_default=True, help="Starts, of which the best is kept.")
@seed_option("For the random starts.")
@output_option("--plot", "Draw the clusters or, of two columns, animate them", *PICTURES, *ANIMATIONS)
@json_option
def command(
    data: str,
    n_clusters: int,
    columns: str | None,
    standardize: bool,
    init: str,
    n_init: int,
    seed: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Read, fit, report."""
    from steepest.cli.cluster_view import show
    from steepest.cli.notes import noted
    from steepest.cluster import KMeans
    from steepest.tables import read_table
    from steepest.trace import Trace

    table = read_table(data)
    names, left_out = _chosen(table, columns)
    if plot is not None and plot.suffix.lower() in ANIMATIONS and len(names) != 2:
        raise InvalidInputError(f"--plot {plot}: an animation needs two columns, there are {len(names)}: --columns A,B")
    X = _numbers(table, names)
    mean, scale = _scaling(X, standardize)
    scaled = (X - mean) / scale
    model = KMeans(n_clusters, init=init, n_init=n_init, random_state=seed)
    with noted("KMeans") as notes:
        model.set_callbacks(Trace(parameters=True, max_frames=60)).fit(scaled)
    centres = model.cluster_centers_ * scale + mean
    found = Clustering(model, data, scaled, names, left_out, standardize, centres, notes)
    if as_json:
        print_json(_facts(found, seed))
    else:
        show(found)
    if plot is not None:
        _draw(plot, found)
    say_written(plot, as_json=as_json)


def _chosen(table: "Table", columns: str | None) -> tuple[list[str], list[str]]:
    """Return the names of the columns to use, and of those of text that are left out."""
    if columns is not None:
        names, left_out = table.named([columns], "--columns"), []
    else:
        left_out = [name for name, column in table.columns.items() if column.is_text]
        names = [name for name in table.columns if name not in left_out]
    if not names:
        raise InvalidInputError("no column of numbers to cluster by")
    return names, left_out


def _numbers(table: "Table", names: list[str]) -> "Array":
    """Return columns as an array."""
    import numpy as np

    for name in names:
        column = table.columns[name]
        if column.is_text:
            raise InvalidInputError(f"--columns {name}: holds text ({column.sample()}); leave it out")
        if n_missing := int(column.missing.sum()):
            raise InvalidInputError(f"column {name!r} lacks {n_missing} values: fill them in, or leave the column out")
        column.refuse_infinity(name)
    return np.column_stack([table.columns[name].values for name in names])


def _scaling(X: "Array", standardize: bool) -> "tuple[Array, Array]":
    """Return what is subtracted from every column, and what it is then divided by."""
    from steepest.report.fit import Scaling

    scaling = Scaling.of(X, standardize=standardize)
    return scaling.mean, scaling.scale


def _facts(found: Clustering, seed: int) -> dict[str, Any]:
    model = found.model
    columns = ("value", "labels_changed", "empty_clusters")
    return {
        "model": type(model).__name__, "data": found.data, "columns": found.names, "left_out": found.left_out,
        "standardized": found.standardized, "n_rows": len(found.X), "n_clusters": model.n_clusters,
        "init": model.init, "n_init": model.n_init, "seed": seed,
        "stopped": model.stopping_reason_.sentence, "converged": model.stopping_reason_.converged,
        "n_iter": model.n_iter_, "sse": model.inertia_,
        "sizes": found.sizes, "centres": found.centres, "labels": model.labels_,
        "steps": {name: model.trace_[name] for name in columns},
        "notes": found.notes,
    }  # fmt: skip


def _draw(path: Path, found: Clustering) -> None:
    """Write the picture or the animation."""
    from steepest import plotting
    from steepest.plotting.style import literal

    labels = [literal(name) + " (standardised)" * found.standardized for name in found.names]
    if path.suffix.lower() in ANIMATIONS:
        save_animation(plotting.animate_kmeans(found.model.trace_, found.X, names=(labels[0], labels[1])), path)
        return
    drawings = _drawings(found, labels)
    figure, axes = plotting.panels(len(drawings))
    for draw, ax in zip(drawings, axes, strict=True):
        draw(ax)
    save_picture(figure, path)


def _drawings(found: Clustering, labels: list[str]) -> "list[Callable[[Any], Any]]":
    """Return what there is to see: of two columns, regions; of others, silhouettes; then the ways or the SSE."""
    from steepest import plotting

    model = found.model
    drawings: list[Callable[[Any], Any]] = []
    if len(labels) == 2:
        pair = (labels[0], labels[1])
        drawings.append(lambda ax: plotting.voronoi(model.cluster_centers_, found.X, model.labels_, ax=ax, names=pair))
    elif sum(size > 0 for size in found.sizes) > 1:
        drawings.append(lambda ax: _silhouettes(found, ax))
    if len(labels) > 1:
        pair = (labels[0], labels[1])
        drawings.append(lambda ax: plotting.centre_paths(model.trace_, found.X, ax=ax, names=pair))
    else:
        drawings.append(lambda ax: plotting.loss_curve(model.trace_, ax=ax).set_ylabel("SSE"))
    return drawings


def _silhouettes(found: Clustering, ax: Any) -> None:
    """Draw silhouettes; of very many rows, those of some, as every pair of rows is looked at."""
    import numpy as np

    from steepest import plotting
    from steepest.cluster import silhouette_values

    rows = np.unique(np.linspace(0, len(found.X) - 1, MOST_SILHOUETTES).astype(int))
    labels = found.model.labels_[rows]
    plotting.silhouette(silhouette_values(found.X[rows], labels), labels, ax=ax)
    if len(rows) < len(found.X):
        ax.set_title(f"{ax.get_title()} of {len(rows)} rows", fontsize=10)
