"""Every script of the gallery runs, says something and draws."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

GALLERY = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path for path in GALLERY.glob("*.py") if "__main__" in path.read_text())


def run(script, folder):
    command = [sys.executable, "-W", "error", str(script), "--output", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_and_draws(script, tmp_path):
    folder = tmp_path / "new" / "figures"
    folder.parent.mkdir()
    done = run(script, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert done.stderr == ""
    figures = list(folder.iterdir())
    assert figures
    for figure in figures:
        assert figure.suffix == ".png"
        assert figure.stat().st_size > 10_000


def test_every_script_is_in_the_gallerys_list():
    listed = set(re.findall(r"\]\((\w+\.py)\)", (GALLERY / "README.md").read_text()))
    assert listed == {script.name for script in SCRIPTS}


def test_the_line_is_that_of_least_squares_and_its_error_is_printed_every_ten_iterations(tmp_path):
    text = run(GALLERY / "line_by_gradient_descent.py", tmp_path / "figures").stdout
    iterations = [int(number) for number in re.findall(r"^iteration +(\d+)", text, re.MULTILINE)]
    assert iterations == list(range(0, 1001, 10))
    errors = [float(number) for number in re.findall(r"mean squared error +(\S+)", text)]
    assert errors == sorted(errors, reverse=True)
    found, exact = (re.search(rf"{name}: +y = (\S+) \+ (\S+) x", text).groups() for name in ("found", "squares"))
    assert [float(x) for x in found] == pytest.approx([float(x) for x in exact], abs=2e-6)


def test_the_ratios_are_printed(tmp_path):
    text = run(GALLERY / "loops_numpy_library.py", tmp_path / "figures").stdout
    assert re.search(r"loops/NumPy +NumPy/steepest\n +100 +\S+ ms +\S+ ms +\S+ ms +\d+\.\d +\d+\.\d\n", text)
    assert "All ways arrive at the same W and b" in text
