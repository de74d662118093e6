"""``steepest cluster``: what it says, what it writes, what it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from steepest.cli import main

DATA = Path(__file__).parents[3] / "examples" / "data"


def cluster(*arguments):
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["cluster", *map(str, arguments)])


def test_it_prints_sizes_centres_steps_and_the_reason():
    shown = cluster(DATA / "iris.csv", "--k", 3)
    assert shown.exit_code == 0, shown.output
    text = shown.stdout
    assert "finds 3 clusters in 150 rows" in text.replace("\n", " ")
    assert "Left out  species (text)" in text
    assert "Stopped   converged: no sample changes its cluster any more" in text
    assert "SSE       78.8514" in text
    for part in ("sepal_length", "5.006", "62", "labels changed"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


def test_standardised_centres_are_shown_in_their_units():
    text = cluster(DATA / "wine.csv", "--k", 3, "--standardize").stdout
    assert "1277.93" in text
    assert "proline" in text
    assert "1100" in text


@pytest.mark.parametrize("name", ["picture.png", "picture.svg", "run.gif", "run.html"])
def test_it_draws(name, tmp_path):
    path = tmp_path / name
    columns = "petal_length, petal_width"
    shown = cluster(DATA / "iris.csv", "--k", 3, "--columns", columns, "--n-init", 1, "--plot", path)
    assert shown.exit_code == 0, shown.output
    assert "Wrote" in shown.stdout
    if path.suffix == ".gif":
        with Image.open(path) as picture:
            assert picture.n_frames > 1
    assert path.stat().st_size > 1000


@pytest.mark.parametrize(
    ("columns", "k", "titles"),
    [
        ("alcohol,hue,ash", 3, ["mean silhouette", "iterations"]),
        ("alcohol,hue,ash", 1, ["iterations"]),
        ("alcohol,hue", 1, ["", "iterations"]),
        ("alcohol", 3, ["mean silhouette", ""]),
        ("alcohol", 1, [""]),
    ],
)
def test_every_panel_of_a_picture_shows_something(columns, k, titles, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path: figures.append(figure))
    shown = cluster(DATA / "wine.csv", "--k", k, "--columns", columns, "--plot", tmp_path / "wine.png")
    assert shown.exit_code == 0, shown.output
    axes = figures[0].axes
    assert len(axes) == len(titles)
    for ax, title in zip(axes, titles, strict=True):
        assert title in ax.get_title()
        assert ax.has_data()
        assert ax.get_xlabel()
        assert ax.get_ylabel()


def test_silhouettes_of_very_many_rows_are_those_of_some(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, path: figures.append(figure))
    monkeypatch.setattr("steepest.cli.cluster.MOST_SILHOUETTES", 50)
    assert cluster(DATA / "iris.csv", "--k", 3, "--plot", tmp_path / "iris.png").exit_code == 0
    assert figures[0].axes[0].get_title().endswith("of 50 rows")


def test_a_column_is_counted_once():
    text = cluster(DATA / "iris.csv", "--k", 2, "--columns", "petal_width, petal_width").stdout
    assert "Columns  petal_width; as they are" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--k", 200], "n_clusters=200: must be at most the number of samples, n_samples=150"),
        (["--k", 0], "n_clusters=0: must be an integer of at least 1"),
        (["--k", 3, "--columns", "species"], "--columns species: holds text ('setosa'"),
        (["--k", 3, "--columns", "petal"], "--columns petal: no column of this name in "),
        (["--k", 3, "--plot", "x.bmp"], "--plot x.bmp: the name must end in .png"),
        (["--k", 3, "--init", "kmeans"], "init='kmeans': must be one of 'k-means++', 'random'"),
        (["--k", 3, "--plot", "x.gif"], "an animation needs two columns, there are 4: --columns A,B"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = cluster(DATA / "iris.csv", *arguments)
    assert shown.exit_code == 2
    assert message in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def test_infinity_is_refused(tmp_path):
    path = tmp_path / "endless.csv"
    path.write_text("a,b\n1,2\ninf,3\n4,5\n")
    shown = cluster(path, "--k", 2)
    assert (shown.exit_code, shown.stderr) == (
        2,
        "steepest: column 'a' holds infinity in row 2: correct it, or drop it\n",
    )


def test_letters_without_a_glyph_are_no_warning(tmp_path):
    path = tmp_path / "letters.csv"
    path.write_text("\N{CJK UNIFIED IDEOGRAPH-6570},b\n1,2\n3,3\n4,5\n", encoding="utf-8")
    for name in ("x.png", "x.gif"):
        shown = cluster(path, "--k", 2, "--plot", tmp_path / name)
        assert (shown.exit_code, shown.stderr) == (0, "")


def test_missing_values_are_refused(tmp_path):
    path = tmp_path / "holes.csv"
    path.write_text("a,b\n1,2\n,3\n4,5\n")
    shown = cluster(path, "--k", 2)
    assert shown.exit_code == 2
    assert "column 'a' lacks 1 values" in shown.stderr
