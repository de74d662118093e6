"""Waiting for another thread in compiled code, without the interpreter lock, for as long as it takes to fall asleep."""

import os
import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels import threads
from steepest.kernels.atomics import load
from steepest.kernels.compile import borrowing
from steepest.kernels.vectors import INT32, INT64, cgutils, inlined
from steepest.typing import IntArray

PATIENCE = 2000  # looks at a word before a thread gives up: some 50 microseconds
OFFERS = 64  # looks before the core is offered to others
COURTESY = 80  # rests until who changed a word will have let go of the interpreter: some 2 microseconds
PAUSE = "llvm.x86.sse2.pause" if platform.machine().lower() in ("x86_64", "amd64") else ""
YIELD = "sched_yield" if hasattr(os, "sched_yield") else ""
CORE = "sched_getcpu" if threads.core else ""


@inlined
def rest(_typing: Any, long: Any) -> tuple[Any, Callable[..., Any]]:
    """Let the core do something else: for some cycles, or, after a ``long`` time, until other threads have had it."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        if PAUSE:
            form = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, form, PAUSE), [])
        if YIELD:
            form = ir.FunctionType(INT32, [])
            with builder.if_then(arguments[0], likely=False):
                builder.call(cgutils.get_or_insert_function(builder.module, form, YIELD), [])
        return context.get_dummy_value()

    return types.void(types.boolean), generate


@inlined
def core(_typing: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the number of the core on which the caller runs, or -1 if the system does not tell."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if not CORE:
            return INT64(-1)
        form = ir.FunctionType(INT32, [])
        return builder.sext(builder.call(cgutils.get_or_insert_function(builder.module, form, CORE), []), INT64)

    return types.int64(), generate


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
