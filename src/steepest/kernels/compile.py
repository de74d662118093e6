"""How a kernel is compiled: one decorator, and one notice on a terminal at the first compilation."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

F = TypeVar("F", bound=Callable[..., Any])


OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


def compiled(function: F) -> F:
    """Compile ``function`` at its first call, without the interpreter lock, and keep the result on disk.

    The order of floating-point operations is kept as written, except that a product and a sum may be fused and
    a reduction may run in several SIMD lanes; NaN and infinity keep their meaning.
    """
    return cast(F, numba.njit(**OPTIONS)(function))


def borrowing(function: F) -> F:
    """Compile a kernel that only works on arrays it is given, and makes none: it need not count who holds them.

    Counting costs some nanoseconds whenever an array is taken out of a tuple, or a row out of a matrix: much, for a
    kernel called with a few numbers. What it calls must be compiled so, too.
    """
    options: dict[str, Any] = {**OPTIONS, "_nrt": False}
    return cast(F, numba.njit(**options)(function))


def inlined(function: F) -> F:
    """Compile ``function`` as part of every kernel that calls it: for the levels between a loop and what it calls.

    The compiler optimises a kernel together with all that it calls; every level between them would be optimised, and
    turned into machine code, once more on its own.
    """
    return cast(F, numba.njit(inline="always", **OPTIONS)(function))


class _Notice(event.Listener):
    """Say once, on a terminal, that the first use of a kernel takes some seconds."""

    said = False

    def on_start(self, event: Any) -> None:
        if not self.said and sys.stderr.isatty():
            print("steepest: compiling kernels for this machine, once ...", file=sys.stderr)
        self.said = True

    def on_end(self, event: Any) -> None:
        """Nothing to do when a compilation ends."""


event.register("numba:compile", _Notice())  # type: ignore[no-untyped-call]  # numba types it in part
