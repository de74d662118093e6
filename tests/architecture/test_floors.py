"""The house: who may import whom."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import steepest

ROOT = Path(steepest.__file__).parent

FLOORS = [
    {"exceptions", "typing", "loading", "validation", "foundations", "kernels", "step"}
    | {"tensor_file", "trace_file", "json_values", "escaping"},
    {"losses", "penalties", "operators", "trace", "certificate", "tables", "measures"},
    {"layers"},
    {"objectives", "solvers"},
    {"checking", "estimator", "optimize"},
    {"linear_model", "cluster", "neural_network", "signal"},
    {"plotting", "report", "museum", "testing", "reference", "storage"},
    {"cli", "lab"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LEAVES = {"exceptions", "typing", "loading", "tensor_file"}  # every file on the ground floor may use them

LIBRARY_ROOMS = {
    "sklearn": {"validation", "estimator", "linear_model", "cluster", "neural_network", "signal", "storage"},
    "matplotlib": {"plotting"},
    "numba": {"kernels"},
    "click": {"cli"},
    "rich": {"cli"},
}

FILES = sorted(p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] not in ("__init__.py", "__main__.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Dotted names of all modules a file imports, also inside functions; type-checking blocks do not count."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "steepest":
                yield from (f"steepest.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


def violations(path: Path) -> Iterator[str]:
    """Every import of a file that the house does not allow."""
    here = room_of(path)
    for module in imports(path):
        library, *rest = module.split(".")
        if library in LIBRARY_ROOMS and here not in LIBRARY_ROOMS[library]:
            yield f"{here} imports {library}"
        if library != "steepest" or not rest or rest[0] == here or rest[0] == "__version__":
            continue
        if rest[0] not in FLOOR:  # a name of the public face, which may come from any floor but the last
            if FLOOR[here] < FLOOR["cli"]:
                yield f"{here} imports steepest.{rest[0]} from the public face"
            continue
        below = FLOOR[rest[0]] < FLOOR[here]
        if not below and not (FLOOR[here] == 0 and rest[0] in LEAVES):
            yield f"{here} (floor {FLOOR[here] + 1}) imports {rest[0]} (floor {FLOOR[rest[0]] + 1})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_from_floors_below(path: Path) -> None:
    assert not list(violations(path))


def test_every_room_stands_on_a_floor() -> None:
    assert {room_of(path) for path in FILES} <= set(FLOOR)


def test_a_wrong_import_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.test_floors.ROOT", tmp_path)
    wrong = tmp_path / "losses" / "upstairs.py"
    wrong.parent.mkdir()
    wrong.write_text("import numba\nfrom steepest.solvers.loop import run\n")
    found = list(violations(wrong))
    assert found == ["losses imports numba", "losses (floor 2) imports solvers (floor 4)"]


def test_the_architecture_page_shows_every_room_on_its_floor() -> None:
    page = (ROOT.parents[1] / "docs" / "architecture.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for number, rooms in enumerate(FLOORS, start=1):
        row = next(row for row in rows if row.startswith(f"| {number} "))
        standing = {room for room in rooms if (ROOT / room).is_dir() or (ROOT / f"{room}.py").is_file()}
        missing = {room for room in standing if room not in row}
        assert not missing, f"docs/architecture.md, floor {number}, lacks {missing}"
