"""How public names are loaded: when they are first used, and while Python's collector of garbage waits.

What an import or the compiler makes, stays. The collector would go through all of it, again and again.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import lazy_loader


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the collector wait."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def public_names(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names stand in its ``__init__.pyi``."""
    load, names, public = lazy_loader.attach_stub(package, file)

    def __getattr__(name: str) -> Any:
        with uncollected():
            return load(name)

    return __getattr__, names, public
