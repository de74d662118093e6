"""The commands audit, grade, museum and guess as a user runs them."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from steepest.cli import main
from steepest.cli.guess import histogram

RIDGE = """
import numpy as np
parameters = {"w": np.array([0.5, -1.0])}
data = {"X": np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]]), "y": np.array([1.0, 0.0, 2.0]), "alpha": 0.2}
def value(w, X, y, alpha):
    return np.mean((X @ w - y) ** 2) + alpha * w @ w
def gradient(w, X, y, alpha):
    return 2 * X.T @ (X @ w - y) / len(y) + 2 * alpha * w
def wrong(w, X, y, alpha):
    return -gradient(w, X, y, alpha)
def square(x):
    return x @ x
def twice(x):
    return 2 * x
def undefined(x):
    return np.log(-1 - x @ x)
def of_dict(p):
    return p["a"] * p["b"]
def nothing():
    return 1.0
def slopes(p):
    return {"a": p["b"], "b": p["a"]}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run a command in a folder that holds ridge.py."""
    (tmp_path / "ridge.py").write_text(RIDGE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    return call


def test_audit_says_whether_it_agrees_by_its_exit_code(run) -> None:  # type: ignore[no-untyped-def]
    right = run("audit", "ridge.py:value", "ridge.py:gradient")
    assert (right.exit_code, right.output.splitlines()[0]) == (0, "The gradient agrees with the value.")
    wrong = run("audit", "ridge.py:value", "ridge.py:wrong")
    assert wrong.exit_code == 1
    assert "dJ/dw equals minus the true derivative." in wrong.output
    assert max(map(len, wrong.output.splitlines())) <= 80
    unknown = run("audit", "ridge.py:undefined", "ridge.py:twice", "--at", "x=[1, 2]")
    assert unknown.exit_code == 2
    assert "Cannot tell" in unknown.output


def test_audit_takes_points_in_every_form(run) -> None:  # type: ignore[no-untyped-def]
    np.save("x.npy", np.ones(3))
    np.savez("x.npz", x=np.ones(3))
    for at in ("x=[1, 2]", "x=x.npy", "x.npz", "x=normal(4)", "x=uniform(2)"):
        assert run("audit", "ridge.py:square", "ridge.py:twice", "--at", at).exit_code == 0
    assert run("audit", "ridge.py:of_dict", "ridge.py:slopes", "--at", "a=1", "--at", "b=2").exit_code == 0
    given = ["--data", "X=normal(5,2)", "--data", "y=normal(5)", "--data", "alpha=0.1"]
    assert run("audit", "ridge.py:value", "ridge.py:gradient", "--at", "w=[1, 2]", *given).exit_code == 0


def test_audit_as_json(run) -> None:  # type: ignore[no-untyped-def]
    report = json.loads(run("audit", "ridge.py:value", "ridge.py:wrong", "--json").output)
    assert report["verdict"] == "disagrees"
    assert report["diagnoses"][0]["codes"] == ["sign"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["ridge.py:vale", "ridge.py:gradient"], "has no function 'vale'; did you mean 'value'?"),
        (["rigde.py:value", "ridge.py:gradient"], "rigde.py: no such file"),
        (["value", "ridge.py:gradient"], "'value': must be FILE.py:FUNCTION"),
        (["ridge.py:square", "ridge.py:twice", "--at", "y=[1, 2]"], "the value takes x, --at gives y"),
        (["ridge.py:square", "ridge.py:twice", "--at", "x=one"], "--at x=one: must be a number, a list"),
        (["ridge.py:square", "ridge.py:twice", "--at", "x"], "--at 'x': must be NAME=VALUE or FILE.npz"),
        (["ridge.py:square", "ridge.py:twice", "--at", "x=no.npy"], "no.npy: cannot be read as .npy"),
        (
            ["ridge.py:value", "ridge.py:gradient", "--at", "w=[1, 2]", "--data", "X=[[1, 2]]", "--data", "alpha=1"],
            "no point given for y: pass --at y=VALUE, or --data",
        ),
        (["ridge.py:square", "ridge.py:twice", "--at", "x=[1, [2]]"], "--at x=[1, [2]]: must be a number, a list"),
        (["ridge.py:square", "ridge.py:twice", "--at", 'x=["a"]'], "must be a number, a list"),
        (["ridge.py:square", "ridge.py:twice", "--at", "x=1", "--rtol", "nan"], "--rtol=nan: must be a finite number"),
        (["ridge.py:nothing", "ridge.py:twice", "--at", "x=1"], "the value takes nothing, --at gives x"),
        (["ridge.py:square", "ridge.py:twice", "--at", "no.npz"], "no.npz: cannot be read as .npz"),
    ],
)
def test_audit_names_what_was_wrong_with_the_call(run, arguments: list[str], text: str) -> None:  # type: ignore[no-untyped-def]
    result = run("audit", *arguments)
    assert result.exit_code == 2
    assert text in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_audit_without_a_point_or_with_a_broken_file(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bare.py").write_text("def value(x):\n    return x @ x\n")
    assert "no point given for bare.py:value(x): pass --at" in run("audit", "bare.py:value", "bare.py:value").output
    (tmp_path / "broken.py").write_text("1 / 0\n")
    assert "broken.py: raised ZeroDivisionError" in run("audit", "broken.py:value", "bare.py:value").output


def test_grade_lists_what_credit_can_be_given_for(run) -> None:  # type: ignore[no-untyped-def]
    result: Result = run("grade", "--mistakes")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert "penalty-missing         the penalty's derivative is missing" in lines
    assert not any(line.endswith(" ") for line in lines)


def test_grade_shows_points_and_reasons(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "good.py").write_text(
        "from math import *\ndef gradient(w, X, y, alpha):\n    return 2 * X.T @ (X @ w - y) / len(y) + 2 * alpha * w\n"
    )
    (tmp_path / "bad.py").write_text("def gradient(w, X, y, alpha):\n    return 2 * X.T @ (y - X @ w) / len(y)\n")
    good = run("grade", "ridge.py", "good.py")
    assert good.exit_code == 0
    assert "good.py: 1 of 1" in good.output
    both = run("grade", "ridge.py", "good.py", "bad.py")
    assert both.exit_code == 1
    assert "bad.py: 0 of 1" in both.output
    assert "Add 0.4 w" not in both.output
    assert "Add 0.4 w" in run("grade", "ridge.py", "bad.py", "--answers").output
    assert json.loads(run("grade", "ridge.py", "good.py", "--json").output)["good.py"]["points"] == 1.0
    missing = run("grade", "ridge.py", "good.py", "missing.py")
    assert missing.exit_code == 2
    assert missing.output == "steepest: missing.py: no such file; nothing was graded\n"


def test_museum_lists_and_shows(run) -> None:  # type: ignore[no-untyped-def]
    listing = run("museum")
    assert listing.exit_code == 0
    assert "deconvolution" in listing.output
    shown = run("museum", "deconvolution", "--plot", "d.png").output
    assert "[0.96134719, -0.96935766]" in shown
    assert "5.267" in shown
    assert Path("d.png").read_bytes()[:4] == b"\x89PNG"
    assert "0.2 w" not in run("museum", "xor").output
    assert json.loads(run("museum", "penalty-sign", "--json").output)["verdict"] == "disagrees"
    assert len(json.loads(run("museum", "--json").output)) >= 16
    assert run("museum", "guessing", "--plot", "g.png").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["xro"], "no exhibit 'xro'; did you mean 'xor'?"),
        (["xor", "--plot", "x.png"], "--plot: exhibit 'xor' has none; deconvolution and guessing have"),
        (["--plot", "x.png"], "--plot needs the name of an exhibit"),
    ],
)
def test_museum_errors(run, arguments: list[str], text: str) -> None:  # type: ignore[no-untyped-def]
    result = run("museum", *arguments)
    assert result.exit_code == 2
    assert text in result.output


def test_guess_draws_the_law(run) -> None:  # type: ignore[no-untyped-def]
    result = run("guess", "--tests", "20000", "--seed", "1", "--plot", "g.png")
    assert result.exit_code == 0
    assert "exactly n p = 5" in result.output
    assert "exactly n p (1 - p) = 2.5" in result.output
    assert "chi-squared" in result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert Path("g.png").read_bytes()[:4] == b"\x89PNG"
    assert run("guess", "--tests", "0").exit_code == 2


def test_the_histogram_joins_bars_and_marks_the_law() -> None:
    rows = histogram([0.25, 0.5, 0.25], [0.25, 0.5, 0.25], 60)
    assert [row.count("#") for row in rows] == [17, 34, 17]
    assert all("|" in row for row in rows)
    law = np.full(1000, 1e-3)
    assert len(histogram(law, law, 80)) == 40


def test_guess_says_when_the_tests_are_too_few(run) -> None:  # type: ignore[no-untyped-def]
    output = run("guess", "--tests", "5", "--seed", "0").output
    assert "too few tests to tell" in output
    assert "chi-squared" not in output
    assert "only one outcome is possible" in run("guess", "--tests", "50", "-p", "0").output


@pytest.mark.parametrize("where", ["", "def value(x):\n    ", "def gradient(x):\n    "])
def test_a_file_that_ends_the_process_does_not_pass(run, tmp_path: Path, where: str) -> None:  # type: ignore[no-untyped-def]
    good = "parameters = {'x': 2.0}\ndef value(x):\n    return x * x\ndef gradient(x):\n    return 2 * x\n"
    (tmp_path / "quits.py").write_text(f"{good}import sys\n{where}sys.exit(0)\n")
    result = run("audit", "quits.py:value", "quits.py:gradient")
    assert result.exit_code == 2
    assert "raised SystemExit: 0" in result.output
    if not where:
        (tmp_path / "good.py").write_text(good)
        graded = run("grade", "quits.py", "good.py")
        assert graded.exit_code == 2
        assert "quits.py: raised SystemExit: 0" in graded.output


@pytest.mark.parametrize(
    "command", [["audit", "a:b", "a:b"], ["grade", "a", "b"], ["guess"], ["cluster", "x", "--k", "2"]]
)
def test_a_negative_seed_is_refused(run, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run(*command, "--seed", "-1")
    assert result.exit_code == 2
    assert "Invalid value for '--seed': -1 is not in the range" in result.output


def test_a_mistake_of_the_template_is_no_verdict(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "lesson.py").write_text("parameters = {'x': 2.0}\nweights = 3\ndef value(x): return x * x\n")
    (tmp_path / "good.py").write_text("def gradient(x): return 2 * x\n")
    assert run("grade", "lesson.py", "good.py").exit_code == 2


@pytest.mark.parametrize("command", ["audit ridge.py:square ridge.py:twice --at x=1", "grade a b"])
def test_what_is_unforeseen_is_no_verdict(run, monkeypatch, tmp_path: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    (tmp_path / "b").write_text("")
    monkeypatch.setattr("steepest.checking.check_gradient", fails)
    monkeypatch.setattr("steepest.checking.grading.grade", fails)
    result = run(*command.split())
    assert result.exit_code == 2
    assert "unexpected RuntimeError: unforeseen" in result.output


AUDIT = ["audit", "chatty.py:value", "chatty.py:gradient"]


@pytest.mark.parametrize("command", [AUDIT, ["grade", "chatty.py", "part.py"]])
def test_what_the_files_print_is_no_part_of_the_record(run, command) -> None:  # type: ignore[no-untyped-def]
    chatty = RIDGE.replace("def value(w, X, y, alpha):\n", "def value(w, X, y, alpha):\n    print('computing')\n")
    Path("chatty.py").write_text(chatty + "print('reading')\n")
    Path("part.py").write_text("def gradient(w, X, y, alpha):\n    return 0 * w\n")
    done = run(*command, "--json")
    assert isinstance(json.loads(done.stdout), dict)
    assert "reading" in done.stderr
    assert "computing" in done.stderr
