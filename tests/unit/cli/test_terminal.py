"""What every command prints: numbers whole at any width, names harmless, JSON that machines can read."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from steepest.cli import main
from steepest.cli.terminal import Grid, Terminal

EXAMPLES = Path(__file__).parents[3] / "examples"
IRIS, WINE, ECHO = (EXAMPLES / "data" / f"{name}.csv" for name in ("iris", "wine", "echo"))
DIABETES, CANCER = EXAMPLES / "data" / "diabetes.csv", EXAMPLES / "data" / "breast_cancer.csv"
RIDGE, ANSWER = EXAMPLES / "audit" / "ridge.py", EXAMPLES / "audit" / "answer.py"

COMMANDS = {
    "fit": ["fit", DIABETES, "-t", "progression", "--model", "lasso", "-v"],
    "fit classes": ["fit", IRIS, "-t", "species", "--model", "logistic"],
    "cluster": ["cluster", IRIS, "--k", 3],
    "cluster many columns": ["cluster", WINE, "--k", 3],
    "cluster many clusters": ["cluster", WINE, "--k", 20],
    "deconvolve": ["deconvolve", ECHO, "--input", "x", "--output", "y", "--length", 3],
    "conv2d": ["conv2d", "digit"],
    "audit": ["audit", f"{RIDGE}:value", f"{ANSWER}:gradient"],
    "grade": ["grade", RIDGE, ANSWER],
    "museum": ["museum", "deconvolution"],
    "museum list": ["museum"],
    "guess": ["guess", "--tests", 1000, "--seed", 0],
    "info": ["info"],
}
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")


def steepest(*arguments, width=None):
    environment = {} if width is None else {"COLUMNS": str(width)}
    return CliRunner(env=environment).invoke(main, list(map(str, arguments)))


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("width", [30, 40])
@pytest.mark.parametrize("case", [case for case in COMMANDS if case not in ("info", "fit", "grade")])
def test_no_number_is_cut_on_a_narrow_terminal(case, width):
    wide, narrow = (steepest(*COMMANDS[case], width=columns).stdout for columns in (120, width))
    assert max(map(len, narrow.splitlines())) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in narrow
    wide = "\n".join(line for line in wide.splitlines() if not line.startswith("Iterations"))  # which are timed
    missing = set(NUMBER.findall(wide)) - set(NUMBER.findall(narrow))
    assert not {number for number in missing if case != "conv2d" and len(number) < 12}


@given(
    rows=st.lists(
        st.tuples(st.text(st.characters(codec="ascii"), max_size=30), st.floats(), st.floats(), st.floats()),
        min_size=1,
        max_size=5,
    ),
    width=st.integers(20, 60),
)
def test_a_grid_shows_every_number_whole_within_any_width(rows, width):
    grid = Grid("some heading", "an extraordinarily long heading", "short", "x", align="lrrr")
    for name, *numbers in rows:
        grid.add_row(name, *(f"{number:.6g}" for number in numbers))
    console = Terminal(width=width, color_system=None)
    with console.capture() as captured:
        console.print(grid)
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= width
    for _, *numbers in rows:
        for number in numbers:
            assert any(f"{number:.6g}" in line for line in lines)


NASTY = {
    "red\x1b[31m": r"red\x1b[31m",
    "[bold]b[/bold][/]": "[bold]b[/bold][/]",
    "two\nlines": r"two\nlines",
    "over\rwritten": r"over\rwritten",
    "right\u202eleft": r"right\u202eleft",
    "$x$ $\\y$": "$x$ $\\y$",
    ":smile:": ":smile:",
}


@pytest.fixture
def nasty(tmp_path):
    """A table whose names, classes and own name try to do something to the terminal."""
    rng = np.random.default_rng(0)
    path = tmp_path / "[red]nasty\x1b[31m.csv"
    header = ",".join(f'"{name}"' for name in NASTY)
    rows = [",".join(f"{x:.3f}" for x in row) + f",{'ab'[i % 2]}\x1b[5m$" for i, row in enumerate(rng.random((60, 7)))]
    path.write_text("\n".join([f"{header},class", *rows]), newline="")
    return path


def harmless(shown):
    assert not set(shown.output) & set("\x1b\r\u202e\x07")
    return shown


def test_names_do_nothing_to_the_terminal(nasty, tmp_path):
    picture = tmp_path / "picture.png"
    fitted = harmless(
        steepest("fit", nasty, "-t", next(iter(NASTY)), "--drop", "class", "-v", "--plot", picture, width=100)
    )
    grouped = harmless(steepest("cluster", nasty, "--k", 2, "--plot", picture, width=100))
    named = harmless(steepest("fit", nasty, "-t", "class", "--model", "logistic", "--plot", picture))
    for shown in (fitted, grouped, named):
        assert shown.exit_code == 0, shown.output
        for name in [*NASTY.values()][1:]:
            assert name in shown.stdout
    assert r"predicts red\x1b[31m from 6 features" in fitted.stdout
    assert r"class = b\x1b[5m$" in named.stdout
    output, source, *_ = NASTY
    pair = ["--input", source, "--output", output, "--length", 1, "--plot", picture]
    assert harmless(steepest("deconvolve", nasty, *pair)).exit_code == 0


def test_messages_do_nothing_to_the_terminal(nasty):
    for arguments in (
        ["fit", nasty, "-t", "x\x1b[2J"],
        ["cluster", nasty, "--k", 2, "--columns", "class"],
        ["\x1b[2J"],
    ):
        shown = harmless(steepest(*arguments))
        assert shown.exit_code == 2
        assert "\\x1b" in shown.stderr
        assert shown.stderr.count("\n") == 1


# ---------------------------------------------------------------------- JSON


@pytest.mark.parametrize("case", COMMANDS)
def test_every_command_prints_json_and_nothing_else(case):
    shown = steepest(*COMMANDS[case], "--json")
    assert shown.stderr == ""
    assert shown.stdout.isascii()
    assert strict(shown.stdout)
    assert shown.exit_code == (1 if case in ("audit", "grade") else 0)


@pytest.mark.parametrize("case", ["fit", "cluster", "deconvolve", "conv2d", "museum", "guess"])
def test_a_picture_leaves_the_json_alone(case, tmp_path):
    arguments = [*COMMANDS[case], "--plot", tmp_path / "picture.svg"]
    assert strict(steepest(*arguments, "--json").stdout)
    assert f"Wrote {tmp_path / 'picture.svg'}\n" in steepest(*arguments).stdout
    assert (tmp_path / "picture.svg").stat().st_size > 1000


def keys(record):
    """Return every key of a record and of what it holds."""
    if isinstance(record, dict):
        return set(record).union(*map(keys, record.values()))
    return set().union(*map(keys, record)) if isinstance(record, list) else set()


def test_the_documentation_names_what_json_holds():
    page = (EXAMPLES.parent / "docs" / "command-line.md").read_text().partition("## JSON")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    assert {command for command, _ in rows} == {command.split()[0] for command in COMMANDS}
    for command, text in rows:
        named = set(re.findall(r"`(\w+)`", text))
        assert not named - keys(strict(steepest(*COMMANDS[command], "--json").stdout)), command


def test_json_of_a_clustering():
    found = strict(steepest(*COMMANDS["cluster"], "--json").stdout)
    assert (found["model"], found["n_rows"], found["n_clusters"], found["seed"]) == ("KMeans", 150, 3, 0)
    assert found["columns"] == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert found["left_out"] == ["species"]
    assert found["converged"] is True
    assert found["sse"] == pytest.approx(78.8514, abs=1e-4)
    assert np.bincount(found["labels"]).tolist() == found["sizes"]
    assert np.shape(found["centres"]) == (3, 4)
    assert len(found["steps"]["value"]) == found["n_iter"] + 1
    assert found["steps"]["value"][-1] == pytest.approx(found["sse"])


def test_json_of_a_deconvolution():
    found = strict(steepest(*COMMANDS["deconvolve"], "--json").stdout)
    np.testing.assert_allclose(found["filter"], [-0.07263967, 0.44233085, 0.38241651], atol=1e-8)
    assert (found["input"], found["output"], found["n_samples"], found["fit_bias"]) == ("x", "y", 9, True)
    assert found["certificate"]["optimal"] is True
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(found["residual"]))), found["residual_rms"])
    assert strict(steepest(*COMMANDS["deconvolve"], "--no-bias", "--json").stdout)["bias_standard_error"] is None


def test_json_of_a_convolution_and_of_guesses():
    found = strict(steepest(*COMMANDS["conv2d"], "--stride", 2, "--json").stdout)
    assert (found["kernel"], found["stride"], found["padding"], found["shape"]) == ("sobel", 2, 0, [8, 8])
    assert np.shape(found["output"]) == (3, 3)
    guessed = strict(steepest(*COMMANDS["guess"], "--json").stdout)
    assert sum(guessed["counts"]) == guessed["tests"] == 1000
    assert sum(guessed["law"]) == pytest.approx(1.0)
    assert 0 < guessed["fit"]["probability_of_more"] < 1
    assert strict(steepest("guess", "--tests", 5, "--seed", 0, "--json").stdout)["fit"] is None


def test_what_is_warned_of_is_a_note(tmp_path):
    path = tmp_path / "silence.csv"
    path.write_text("x,y\n" + "0,1\n" * 5)
    arguments = ["deconvolve", path, "--input", "x", "--output", "y", "--length", 3]
    shown = steepest(*arguments)
    assert re.search(r"^Note +deconvolve: the data", shown.stdout, re.MULTILINE)
    assert shown.stderr == ""
    assert strict(steepest(*arguments, "--json").stdout)["notes"]
