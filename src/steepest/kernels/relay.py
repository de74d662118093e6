"""Passes over blocks of tasks that threads share without the interpreter.

To hand a block to another thread from Python, both need the interpreter and its lock: ten to thirty microseconds, as
kernels sweep the interpreter out of the cache. Here a pass is one compiled call. It offers the addresses of its machine
code and of its arguments, and a thread that is awake (`steepest.kernels.threads`) finds them while it waits, in
compiled code, a microsecond later. Then both claim blocks until none is left. Who comes late finds nothing to do, and
who never comes is not waited for. Of passes begun at once by several threads, the first gets the helpers.

A kernel to be shared does the tasks of a *turn*::

    @shared
    def add(x, y, turn):
        for i in range(turn.start, turn.stop):
            y[i] += x[i]

and ``run(add, n_threads, n_tasks, block_tasks, x, y)`` does all tasks. The boundaries of blocks do not depend on the
number of threads; sums go to a place for each block, ``turn.block``.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.atomics import fetch_add, load, replace, store
from steepest.kernels.compile import OPTIONS, Kernel, borrowing, compiled
from steepest.kernels.threads import (
    CALLED,
    CORE,
    LINE,
    NOTHING_CAME,
    OFFER,
    POSTED,
    TASK_CAME,
    WATCHING,
    the_pool,
)
from steepest.kernels.vectors import INT64, cgutils, inlined
from steepest.kernels.waiting import COURTESY, OFFERS, PATIENCE, core, rest
from steepest.typing import IntArray

# Of a pool's board: whether somebody offers, who has entered, which pass it is, where its code and arguments are.
TAKEN, STATE, NUMBER, CODE, DATA = range(OFFER, OFFER + 5 * LINE, LINE)
OPEN = 1 << 32  # in STATE, beside how many threads have entered: both change at once
# Of a pass: the next block, how many have helped, and the block that each worker has in hand, counted from 1.
NEXT, HELPERS, IN_HAND = 0, LINE, 2 * LINE
NO_BOARD = np.zeros(0, dtype=np.int64)


class Turn(NamedTuple):
    """What a thread has claimed: a block, of tasks start ... stop. Each worker of a pass has work space of its own."""

    block: int
    start: int
    stop: int
    worker: int


class Shared(Kernel):
    """A kernel whose tasks threads share; called as such, it does the tasks of one turn."""

    def __init__(self, py_func: Callable[..., Any], locals: Any = None, targetoptions: Any = None) -> None:
        super().__init__(py_func, locals, targetoptions)
        self.share = compiled(_copy(_share, py_func, {"kernel": self}))


def shared(function: Callable[..., None]) -> Shared:
    """Compile a kernel whose last argument is a turn."""
    return Shared(function, targetoptions=OPTIONS)


def run(kernel: Shared, n_threads: int, n_tasks: int, block_tasks: int, *arguments: Any) -> None:
    """Do all tasks, ``block_tasks`` at a time, on up to so many threads."""
    n_blocks = -(-n_tasks // block_tasks)
    n_workers = max(1, min(n_threads, n_blocks))
    board = the_pool().watched_by(n_workers - 1) if n_workers > 1 else NO_BOARD
    words = np.zeros(IN_HAND + n_workers * LINE, dtype=np.int64)
    if kernel.share(board, words, n_tasks, block_tasks, *arguments):
        begun = {int(block) - 1 for block in words[IN_HAND::LINE] if block}
        for block in sorted(begun | set(range(words[NEXT], n_blocks))):
            start = block * block_tasks
            kernel(*arguments, Turn(block, start, min(start + block_tasks, n_tasks), 0))  # which raises the error again


kernel: Any = None  # in the template below, of which each shared kernel has a copy with its own


def _share(board: IntArray, words: IntArray, n_tasks: int, block_tasks: int, *arguments: Any) -> int:
    """Do a pass with the threads that watch the board; return how many failed."""
    code, data = work(kernel, words, n_tasks, block_tasks, arguments)
    return lead(board, words, code, data)


def _copy(template: Any, original: Callable[..., Any], names: dict[str, Any]) -> FunctionType:
    """Return a copy of a template for a kernel, to be kept on disk as a function of the kernel's file."""
    place, name = original.__code__, f"{original.__qualname__}{template.__name__}"
    code = template.__code__.replace(co_filename=place.co_filename, co_firstlineno=place.co_firstlineno)
    function = FunctionType(code, {**globals(), **names}, name)
    function.__qualname__, function.__module__ = name, original.__module__
    return function


_FORM = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer(), ir.IntType(1)])


@inlined
def work(
    typing: Any, kernel: Any, words: Any, n_tasks: Any, block_tasks: Any, given: Any
) -> tuple[Any, Callable[..., Any]]:
    """Return the addresses of a function that takes turns, and of what it is given, which lasts until the return.

    The function does::

        worker = 0 if leads else 1 + fetch_add(words, HELPERS, 1)
        while worker < n_workers and (block := fetch_add(words, NEXT, 1)) * block_tasks < n_tasks:
            store(words, IN_HAND + worker * LINE, block + 1)
            kernel(*given, Turn(...))                               # the word of who fails keeps saying at which block
            store(words, IN_HAND + worker * LINE, 0)

    Instructions are compiled in half the time of such code.
    """
    named: Any = types.NamedUniTuple
    turn = named(types.int64, len(Turn._fields), Turn)
    call = kernel.get_call_type(typing, (*given.types, turn), {})

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        part = kernel.dispatcher.compiled_part(call)
        context.add_linking_libs([part.library])
        places = context.make_array(words)(context, builder, arguments[1])
        data = cgutils.alloca_once_value(
            builder, cgutils.pack_struct(builder, [places.data, places.nitems, *arguments[2:]])
        )
        function = ir.Function(builder.module, _FORM, builder.module.get_unique_name("take"))
        function.linkage = "internal"
        entry, claiming, working, done, leaving = (function.append_basic_block() for _ in range(5))
        code = ir.IRBuilder(entry)
        pieces = code.load(code.bitcast(function.args[0], data.type))
        first, size, tasks, block_size, numbers = (code.extract_value(pieces, k) for k in range(5))
        leads, zero, one = function.args[1], INT64(0), INT64(1)
        helped = code.atomic_rmw("add", code.gep(first, [INT64(HELPERS)]), code.select(leads, zero, one), "acq_rel")
        worker = code.select(leads, zero, code.add(helped, one))
        place = code.add(INT64(IN_HAND), code.mul(worker, INT64(LINE)))
        in_hand = code.gep(first, [place])
        code.cbranch(code.icmp_signed("<", place, size), claiming, leaving)
        code.position_at_end(claiming)
        block = code.atomic_rmw("add", code.gep(first, [INT64(NEXT)]), one, "acq_rel")
        start = code.mul(block, block_size)
        code.cbranch(code.icmp_signed("<", start, tasks), working, done)
        code.position_at_end(working)
        code.store_atomic(code.add(block, one), in_hand, ordering="release", align=8)
        end = code.add(start, block_size)
        stop = code.select(code.icmp_signed("<", end, tasks), end, tasks)
        claimed = context.make_tuple(code, turn, [block, start, stop, worker])
        callee = context.declare_function(builder.module, part.fndesc)
        inputs = [*cgutils.unpack_tuple(code, numbers, len(given)), claimed]
        status, _ = context.call_conv.call_function(code, callee, call.return_type, call.args, inputs)
        code.cbranch(status.is_error, leaving, claiming)
        code.position_at_end(done)
        code.store_atomic(zero, in_hand, ordering="release", align=8)
        code.branch(leaving)
        code.position_at_end(leaving)
        code.ret_void()
        addresses = [builder.ptrtoint(address, INT64) for address in (function, data)]
        return context.make_tuple(builder, signature.return_type, addresses)

    pair: Any = types.UniTuple
    return pair(types.int64, 2)(kernel, words, n_tasks, block_tasks, given), generate


@inlined
def do(_typing: Any, code: Any, data: Any, leads: Any) -> tuple[Any, Callable[..., Any]]:
    """Take turns at the work at two addresses."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], _FORM.as_pointer())
        builder.call(function, [builder.inttoptr(arguments[1], _FORM.args[0]), arguments[2]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.boolean), generate


@borrowing
def lead(board: IntArray, words: IntArray, code: int, data: int) -> int:
    """Offer work to who watches, unless there is nobody, or somebody else's work is there; do it; return who failed."""
    offered = board.size > 0 and replace(board, TAKEN, 0, 1)
    if offered:
        store(board, CORE, core())
        store(board, CODE, code)
        store(board, DATA, data)
        fetch_add(board, STATE, OPEN)
        fetch_add(board, NUMBER, 1)
    do(code, data, True)
    if offered:
        withdraw(board)
    failed = 0
    for at in range(IN_HAND, len(words), LINE):
        failed += words[at] != 0
    return failed


@borrowing
def withdraw(board: IntArray) -> None:
    """Let nobody else enter, and wait for who has."""
    fetch_add(board, STATE, -OPEN)
    looks = 0
    while load(board, STATE) != 0:
        looks += 1
        rest(looks > PATIENCE)
    store(board, TAKEN, 0)


@borrowing
def watch(board: IntArray, posted: int, moved: int) -> int:
    """Take part in passes until there is a reason to stop watching; return it, as `steepest.kernels.threads.watch`.

    Who posted a task holds the interpreter lock and is about to run compiled code, without it: to ask for the lock
    before that would be to fall asleep over it.
    """
    fetch_add(board, WATCHING, 1)
    called, looks, number, reason = load(board, CALLED), 0, -1, NOTHING_CAME  # what is offered by now may be new
    while looks < PATIENCE and reason == NOTHING_CAME:
        now = load(board, NUMBER)
        if now != number:
            number = now
            if fetch_add(board, STATE, 1) >= OPEN:
                if now != moved and core() == load(board, CORE) >= 0:
                    reason = now
                else:
                    do(load(board, CODE), load(board, DATA), False)
                called, looks = load(board, CALLED), 0
            fetch_add(board, STATE, -1)
        elif load(board, POSTED) != posted:
            reason = TASK_CAME
        rest(looks % OFFERS == OFFERS - 1)
        looks += 1
    fetch_add(board, WATCHING, -1)
    if reason == NOTHING_CAME and load(board, CALLED) != called:  # by somebody who may not have seen this thread leave
        return TASK_CAME
    if reason == TASK_CAME:
        for _ in range(COURTESY):
            rest(False)
    return reason
