"""Write docs/api.md: every public name with the first line of its docstring.

Run ``python scripts/api_page.py`` after adding a public name; a test holds the page to the code.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

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


def summary(member: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(member) or "").partition("\n")[0]


def render() -> str:
    """Return the page."""
    lines = ["# Public names", "", "Written by `python scripts/api_page.py`; each name's docstring says the rest.", ""]
    for module in public_modules():
        lines += [f"## `{module.__name__}`", "", summary(module), "", "| name | what it is |", "|---|---|"]
        for name in sorted(module.__all__, key=str.lower):
            member = getattr(module, name)
            text = summary(member) if callable(member) or inspect.ismodule(member) else f"`{type(member).__name__}`"
            lines.append(f"| `{name}` | {text.replace('|', chr(92) + '|')} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render())
