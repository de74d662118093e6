"""What users can import: it exists, it is documented, and its examples are there."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.api_page import PAGE, public_modules, render


def exports() -> Iterator[tuple[str, Any]]:
    for module in public_modules():
        for name in module.__all__:
            yield f"{module.__name__}.{name}", getattr(module, name)


EXPORTS = dict(exports())


def is_protocol(member: Any) -> bool:
    return bool(getattr(member, "_is_protocol", False))


def is_used(member: Any) -> bool:
    """Whether users call a name: a function or a class, but no protocol, error or warning."""
    if inspect.isclass(member):
        return not is_protocol(member) and not issubclass(member, BaseException)
    return inspect.isfunction(member)


CALLABLES = {name: member for name, member in EXPORTS.items() if is_used(member)}


def test_something_is_exported() -> None:
    assert len(EXPORTS) > 50


@pytest.mark.parametrize("name", sorted(CALLABLES))
def test_an_export_has_a_docstring_with_an_example(name: str) -> None:
    doc = inspect.getdoc(CALLABLES[name]) or ""
    assert len(doc) > 40, f"{name} has no docstring"
    assert ">>>" in doc, f"{name} has no example"


@pytest.mark.parametrize("name", sorted(n for n, m in CALLABLES.items() if inspect.isclass(m)))
def test_public_methods_of_exports_have_docstrings(name: str) -> None:
    for method, function in inspect.getmembers(CALLABLES[name], inspect.isfunction):
        if not method.startswith("_") and function.__module__.startswith("steepest"):
            assert inspect.getdoc(function), f"{name}.{method} has no docstring"


def test_the_page_of_public_names_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run python scripts/api_page.py"
