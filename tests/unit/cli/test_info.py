"""``steepest info``: what is installed, without importing what takes long."""

import json
import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from steepest.cli import info, main


def shown(*arguments):
    return CliRunner().invoke(main, ["info", *arguments])


def test_versions_are_those_installed():
    record = json.loads(shown("--json").output)
    assert record["libraries"]["numpy"] == version("numpy")
    assert set(record["libraries"]) == set(info.LIBRARIES)
    assert record["blas"], "NumPy always brings a BLAS"
    assert all(library["threads"] >= 1 for library in record["blas"])
    assert record["kernels"]["available"] is True
    assert record["kernels"]["threads"] >= 1
    assert record["gpus"] is None


def test_the_text_says_the_same():
    text = shown().output
    assert f"numpy         {version('numpy')}\n" in text
    assert "BLAS  " in text
    assert "kernels       available, " in text


@pytest.mark.parametrize("columns", [40, 80])
def test_lines_fit_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert max(map(len, shown().output.splitlines())) <= columns


def test_a_library_that_is_missing_is_said_to_be():
    assert info.versions(("no-such-library",)) == {"no-such-library": None}
    record = info.collect(False) | {"libraries": {"numba": None}, "optional": {"cupy": None}}
    lines = dict(info.lines(record | {"kernels": {"available": False, "threads": 1, "cached": 0}}))
    assert lines["numba"] == "not installed"
    assert lines["cupy"] == "not installed (optional)"
    assert lines["kernels"].startswith("not available: numba is missing")


def test_neither_torch_nor_numba_is_imported():
    code = (
        "import sys; from steepest.cli.info import collect; collect(False);"
        "print(*{'torch', 'cupy', 'numba', 'sklearn'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def fake_torch(names, mps=False):
    cuda = SimpleNamespace(device_count=lambda: len(names), get_device_name=lambda i: names[i])
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps))
    return SimpleNamespace(cuda=cuda, backends=backends)


def fake_cupy(names, driver=True):
    class CUDARuntimeError(RuntimeError):
        pass

    def count():
        if not driver:
            raise CUDARuntimeError
        return len(names)

    def properties(i):
        return {"name": names[i].encode()}

    runtime = SimpleNamespace(getDeviceCount=count, getDeviceProperties=properties, CUDARuntimeError=CUDARuntimeError)
    return SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))


@pytest.mark.parametrize(
    ("libraries", "expected"),
    [
        ({}, "not looked for: neither torch nor cupy is installed"),
        ({"torch": fake_torch([])}, "none seen by torch"),
        ({"torch": fake_torch(["H100"], mps=True)}, "cuda:0 H100 (torch); mps (torch)"),
        ({"cupy": fake_cupy(["A", "B"])}, "cuda:0 A (CuPy); cuda:1 B (CuPy)"),
        ({"torch": fake_torch([]), "cupy": fake_cupy([], driver=False)}, "none seen by torch or cupy"),
    ],
)
def test_gpus_are_those_the_libraries_see(monkeypatch, libraries, expected):
    monkeypatch.setattr(info, "find_spec", lambda name: libraries.get(name))
    real = info.import_module
    monkeypatch.setattr(info, "import_module", lambda name: libraries.get(name) or real(name))
    assert dict(info.lines(info.collect(True)))["GPUs"] == expected


def test_gpus_are_looked_for_only_when_asked(monkeypatch):
    monkeypatch.setattr(info, "find_spec", lambda name: name == "torch" or None)
    assert dict(info.lines(info.collect(False)))["GPUs"] == "not looked for: 'steepest info --gpu' asks torch"
