"""What an import may load."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "matplotlib", "sklearn", "scipy", "rich", "torch", "pandas", "polars")


def loaded_by(code: str) -> set[str]:
    """Return the top-level names of the modules that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_steepest_loads_nothing_heavy() -> None:
    assert not loaded_by("import steepest") & set(HEAVY)


@pytest.mark.parametrize("module", ["numba", "matplotlib", "click", "rich"])
def test_losses_penalties_and_objectives_do_without(module: str) -> None:
    assert module not in loaded_by("import steepest.losses, steepest.penalties, steepest.objectives.linear")


def test_help_loads_neither_numpy_nor_anything_heavy() -> None:
    code = "import sys\nsys.argv = ['steepest', '--help']\nfrom steepest.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass"
    assert not loaded_by(code) & {"numpy", *HEAVY}


def test_estimators_load_no_plots() -> None:
    assert "matplotlib" not in loaded_by("import steepest.linear_model; steepest.linear_model.LinearRegression()")
