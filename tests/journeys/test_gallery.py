"""Every script of the gallery runs, says something and draws."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path for path in GALLERY.glob("*.py") if "__main__" in path.read_text())


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """Run a script once, and return what it said and the folder it drew into."""

    @cache
    def run(name):
        folder = tmp_path_factory.mktemp(name) / "new" / "figures"
        command = [sys.executable, "-W", "error", str(GALLERY / name), "--output", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False), folder

    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_and_draws(script, outcome):
    done, folder = outcome(script.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
    figures = list(folder.iterdir())
    assert figures
    for figure in figures:
        assert figure.suffix in (".png", ".gif")
        assert figure.stat().st_size > 10_000


def test_every_script_is_in_the_gallerys_list():
    listed = set(re.findall(r"\]\((\w+\.py)\)", (GALLERY / "README.md").read_text()))
    assert listed == {script.name for script in SCRIPTS}


def test_the_line_is_that_of_least_squares_and_its_error_is_printed_every_ten_iterations(outcome):
    text = outcome("line_by_gradient_descent.py")[0].stdout
    iterations = [int(number) for number in re.findall(r"^iteration +(\d+)", text, re.MULTILINE)]
    assert iterations == list(range(0, 1001, 10))
    errors = [float(number) for number in re.findall(r"mean squared error +(\S+)", text)]
    assert errors == sorted(errors, reverse=True)
    found, exact = (re.search(rf"{name}: +y = (\S+) \+ (\S+) x", text).groups() for name in ("found", "squares"))
    assert [float(x) for x in found] == pytest.approx([float(x) for x in exact], abs=2e-6)


def test_the_ratios_are_printed(outcome):
    text = outcome("loops_numpy_library.py")[0].stdout
    assert re.search(r"loops/NumPy +NumPy/steepest\n +100 +\S+ ms +\S+ ms +\S+ ms +\d+\.\d +\d+\.\d\n", text)
    assert "All ways arrive at the same W and b" in text
