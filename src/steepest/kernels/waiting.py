"""Waiting for another thread in compiled code, without the interpreter lock, for as long as it takes to fall asleep."""

import platform
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
from llvmlite import ir
from numba.core import types

from steepest.kernels.atomics import load
from steepest.kernels.compile import borrowing
from steepest.kernels.vectors import cgutils, inlined
from steepest.typing import IntArray

PATIENCE = 2000  # looks at a word before a thread gives up: some 50 microseconds
OFFERS = 64  # looks before the core is offered to others
COURTESY = 80  # rests until who changed a word will have let go of the interpreter: some 2 microseconds
PAUSE = "llvm.x86.sse2.pause" if platform.machine().lower() in ("x86_64", "amd64") else ""
YIELD = "sched_yield" if llvm.address_of_symbol("sched_yield") else ""


@inlined
def rest(_typing: Any, long: Any) -> tuple[Any, Callable[..., Any]]:
    """Let the core do something else: for some cycles, or, after a ``long`` time, until other threads have had it."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        if PAUSE:
            form = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, form, PAUSE), [])
        if YIELD:
            form = ir.FunctionType(ir.IntType(32), [])
            with builder.if_then(arguments[0], likely=False):
                builder.call(cgutils.get_or_insert_function(builder.module, form, YIELD), [])
        return context.get_dummy_value()

    return types.void(types.boolean), generate


@borrowing
def changes(word: IntArray, seen: int) -> bool:
    """Wait for ``word[0]`` to be something else than it was ``seen`` to be; return whether it is by now.

    Who changed it holds the interpreter lock and is about to run compiled code, without it: to ask for the lock before
    that would be to fall asleep over it.
    """
    for look in range(PATIENCE):
        if load(word, 0) != seen:
            for _ in range(COURTESY):
                rest(False)
            return True
        rest(look % OFFERS == OFFERS - 1)
    return False
