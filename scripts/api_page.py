"""Write docs/api.md: every public name with the first line of its docstring.

Run ``python scripts/api_page.py`` after adding a public name; a test holds the page to the code.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import steepest

PACKAGE = Path(steepest.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "api.md"
NOT_FOR_IMPORT = {"cli", "estimator", "kernels"}  # the command line, what estimators share, the compiled twins


def public_modules() -> Iterator[ModuleType]:
    """Yield the package and every room of it that exports names."""
    yield steepest
    for _, name, _ in sorted(pkgutil.iter_modules([str(PACKAGE)]), key=lambda module: module[1]):
        if name not in NOT_FOR_IMPORT and not name.startswith("__"):
            module = importlib.import_module(f"steepest.{name}")
            if getattr(module, "__all__", None):
                yield module


def summary(documented: str | None) -> str:
    """Return the first line of a docstring."""
    return inspect.cleandoc(documented or "").partition("\n")[0]


def about(module: ModuleType, name: str) -> str:
    """Return the first line of what is said of a public name: in its docstring, or below the constant it is."""
    member = getattr(module, name)
    if inspect.isclass(member) or inspect.isroutine(member) or inspect.ismodule(member):
        return summary(inspect.getdoc(member))
    return summary(below_constant(module, name))


def below_constant(module: ModuleType, name: str) -> str | None:
    """Return the string below the constant of this name, in one of the files of a room."""
    room = Path(str(module.__file__))
    for file in sorted(room.parent.glob("*.py")) if hasattr(module, "__path__") else [room]:
        for line, following in pairwise(ast.parse(file.read_text()).body):
            targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
            named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
            if named and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return str(following.value.value)
    return None


def render() -> str:
    """Return the page."""
    lines = ["# Public names", "", "Written by `python scripts/api_page.py`; each name's docstring says the rest.", ""]
    for module in public_modules():
        lines += [f"## `{module.__name__}`", "", summary(module.__doc__), "", "| name | what it is |", "|---|---|"]
        for name in sorted(module.__all__, key=str.lower):
            lines.append(f"| `{name}` | {about(module, name).replace('|', chr(92) + '|')} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render())
