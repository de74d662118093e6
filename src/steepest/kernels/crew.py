"""Threads that stay inside one compiled call and share its work, task by task.

To wake a thread takes some ten microseconds, as long as a whole training step of a small network. So each thread makes
the same compiled call, and all go through the same phases. A phase has a fixed number of tasks, whatever the number of
threads, so that results do not depend on it; whoever comes first claims a task, and nobody goes on to the next phase
before all tasks are finished. A thread that comes late, or never, finds its tasks done by the others.

What a task did in phase p is the number in its word of ``words``: 2 p - 1 once claimed, 2 p once finished.
"""

import platform
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from steepest.kernels.compile import borrowing
from steepest.kernels.vectors import inlined
from steepest.typing import IntArray

APART = 16  # words from one task's to the next: two lines of the cache, which processors fetch together
PATIENCE = 4096  # looks at a word before the core is offered to others: some 50 microseconds
PAUSE = "llvm.x86.sse2.pause" if platform.machine().lower() in ("x86_64", "amd64") else ""
YIELD = "sched_yield" if llvm.address_of_symbol("sched_yield") else ""


def open_words(n_tasks: int) -> IntArray:
    """Return the words of tasks of which none has begun; none for a single task, which needs no claim."""
    return np.zeros(n_tasks * APART if n_tasks > 1 else 0, dtype=np.int64)


@inlined
def _claim(_typing: Any, words: Any, at: Any, old: Any, new: Any) -> tuple[Any, Callable[..., Any]]:
    """Put ``new`` in the place of ``old``, at once; return whether ``old`` was there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = _address(context, builder, signature.args[0], arguments)
        return builder.extract_value(
            builder.cmpxchg(word, arguments[2], arguments[3], "acq_rel", failordering="acquire"), 1
        )

    return types.boolean(words, types.intp, types.intp, types.intp), generate


@inlined
def _publish(_typing: Any, words: Any, at: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Write a word so that whoever reads it sees all that was written before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = _address(context, builder, signature.args[0], arguments)
        builder.store_atomic(arguments[2], word, ordering="release", align=8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.intp), generate


@inlined
def _look(_typing: Any, words: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """Read a word, and with it all that was written before it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = _address(context, builder, signature.args[0], arguments)
        return builder.load_atomic(word, ordering="acquire", align=8)

    return types.intp(words, types.intp), generate


def _address(context: Any, builder: Any, array_type: Any, arguments: Any) -> Any:
    words = context.make_array(array_type)(context, builder, arguments[0])
    return builder.gep(words.data, [arguments[1]])


@inlined
def _rest(_typing: Any, long: Any) -> tuple[Any, Callable[..., Any]]:
    """Let the core do something else: for some cycles, or, after a ``long`` time, until other threads have had it."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        if PAUSE:
            form = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, form, PAUSE), [])  # type: ignore[no-untyped-call]
        if YIELD:
            form = ir.FunctionType(ir.IntType(32), [])
            with builder.if_then(arguments[0], likely=False):
                builder.call(cgutils.get_or_insert_function(builder.module, form, YIELD), [])  # type: ignore[no-untyped-call]
        return context.get_dummy_value()

    return types.void(types.boolean), generate


@borrowing
def claim(words: IntArray, task: int, phase: int) -> bool:
    """Return whether a task of this phase, counted from 1, is the caller's: nobody else has it."""
    return words.size == 0 or bool(_claim(words, task * APART, 2 * phase - 2, 2 * phase - 1))


@borrowing
def finish(words: IntArray, task: int, phase: int) -> None:
    """Say that a task is finished."""
    if words.size > 0:
        _publish(words, task * APART, 2 * phase)


@borrowing
def await_all(words: IntArray, n_tasks: int, phase: int) -> None:
    """Return when all tasks of this phase are finished."""
    for task in range(n_tasks if words.size > 0 else 0):
        looks = 0
        while _look(words, task * APART) < 2 * phase:
            looks += 1
            _rest(looks > PATIENCE)
