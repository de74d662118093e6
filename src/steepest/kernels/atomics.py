"""Counters that threads share while they run compiled code: every operation is seen by all, in one order."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

ORDER = "seq_cst"  # what was written before is seen by whoever sees the counter


def _on_counter(change: Callable[..., Any], result: Any, n_values: int) -> Any:
    """Return a function of an int64 array, a place in it and so many values, which compiled code can call."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        done = change(builder, builder.gep(data, [arguments[1]]), *arguments[2:])
        return done if result is types.int64 else context.get_dummy_value()

    if n_values == 0:
        return intrinsic(lambda _typing, counters, place: (result(counters, types.intp), generate))
    return intrinsic(lambda _typing, counters, place, value: (result(counters, types.intp, types.int64), generate))


def _add(builder: ir.IRBuilder, place: Any, value: Any) -> Any:
    return builder.atomic_rmw("add", place, value, ORDER)


def _load(builder: ir.IRBuilder, place: Any) -> Any:
    return builder.load_atomic(place, ORDER, 8)


def _store(builder: ir.IRBuilder, place: Any, value: Any) -> Any:
    return builder.store_atomic(value, place, ORDER, 8)


fetch_add = _on_counter(_add, types.int64, 1)  # (counters, place, value) -> what was there before
load = _on_counter(_load, types.int64, 0)
store = _on_counter(_store, types.void, 1)
