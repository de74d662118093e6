"""The commands and snippets of the documentation do what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from steepest.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEEPEST = [sys.executable, "-m", "steepest"]


def command(name):
    """Return the README's command of this name."""
    (found,) = re.findall(rf"<!-- command: {name} -->\n```sh\n(.*?)\n```", README)
    return found


def run(arguments, cwd):
    return subprocess.run([*STEEPEST, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def here(tmp_path):
    """A folder from which the paths in the documentation are right, and in which files may be written."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.mark.parametrize("name", ["fit", "tests"])
def test_a_command_does_all_its_own_set_up(name):
    venv, install, work = command(name).split(" && ")
    assert venv == "python3 -m venv .venv"
    assert install.startswith(".venv/bin/pip install -q ")
    assert work.startswith(".venv/bin/")


def test_the_main_command_fits_and_draws(here):
    words = shlex.split(command("fit").split(" && ")[-1])
    assert words[0] == ".venv/bin/steepest"
    done = run(words[1:], here)
    assert done.returncode == 0, done.stderr
    for word in ("Minimise", "Solver", "Stopped", "Iterations", "Certificate  optimal", "R²", "Coefficient"):
        assert word in done.stdout
    assert (here / "fit.png").read_bytes().startswith(b"\x89PNG")


def test_ci_runs_the_very_command_of_the_readme():
    shown = subprocess.run([ROOT / ".ci" / "run", "--print"], capture_output=True, text=True, check=True)
    assert shown.stdout == command("tests") + "\n"


def test_that_command_runs_every_check():
    assert shlex.split(command("tests"))[-1] == "scripts/check"
    listed = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check", "no-such-check"], capture_output=True, text=True, check=False
    )
    assert listed.returncode == 2
    assert "there are lint, format, types, links, tests" in listed.stderr


def test_the_python_of_the_readme_runs(capsys):
    (snippet,) = [text for language, text in BLOCK.findall(README) if language == "python"]
    rng = np.random.default_rng(0)
    X = rng.random((100, 1))
    names = {"X": X, "y": 4 + 3 * X[:, 0] + 0.1 * rng.standard_normal(100)}
    exec(snippet, names)
    assert abs(names["model"].coef_[0] - 3) < 0.5
    assert "gradient norm" in capsys.readouterr().out


def documented():
    for page in (ROOT / "docs" / "command-line.md", ROOT / "README.md"):
        for language, text in BLOCK.findall(page.read_text()):
            if language in ("sh", "console"):
                lines = [line.removeprefix("$ ") for line in text.splitlines()]
                yield from (line for line in lines if line.startswith("steepest "))


@pytest.mark.parametrize("line", sorted(set(documented())))
def test_every_command_in_the_documentation_works(here, monkeypatch, line):
    monkeypatch.chdir(here)
    done = CliRunner().invoke(main, shlex.split(line)[1:])
    if "--learning-rate 3" in line:  # shown because it diverges
        assert done.exit_code == 2
        assert "diverged at step" in done.stderr
    elif line.startswith(("steepest audit examples/audit/ridge.py:value", "steepest grade")):  # a mistake, on show
        assert done.exit_code == 1, done.stderr
        assert done.stdout
    else:
        assert done.exit_code == 0, done.stderr
        assert done.stdout


def test_a_plain_fit_loads_neither_pictures_nor_frames(here):
    code = (
        "import sys\nfrom steepest.cli import main\n"
        "try:\n    main(['fit', 'examples/data/iris.csv', '-t', 'petal_width', '--drop', 'species'])\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert "sklearn" in loaded
    assert not loaded & {"matplotlib", "polars", "torch"}
