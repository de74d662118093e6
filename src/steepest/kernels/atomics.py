"""Numbers that threads share while they run compiled code.

Each is a place in an int64 array. Who reads a number sees all that was written before it was stored.
"""

from collections.abc import Callable
from typing import Any

from numba.core import types

from steepest.kernels.vectors import inlined


@inlined
def load(_typing: Any, numbers: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature, arguments)
        return builder.load_atomic(place, ordering="acquire", align=8)

    return types.intp(numbers, types.intp), generate


@inlined
def store(_typing: Any, numbers: Any, at: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Write a number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature, arguments)
        builder.store_atomic(arguments[2], place, ordering="release", align=8)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, types.intp), generate


@inlined
def fetch_add(_typing: Any, numbers: Any, at: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Add to a number; return what it was before."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature, arguments)
        return builder.atomic_rmw("add", place, arguments[2], "acq_rel")

    return types.intp(numbers, types.intp, types.intp), generate


@inlined
def replace(_typing: Any, numbers: Any, at: Any, old: Any, new: Any) -> tuple[Any, Callable[..., Any]]:
    """Put ``new`` in the place of ``old``, at once; return whether ``old`` was there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature, arguments)
        _, _, before, after = arguments
        return builder.extract_value(builder.cmpxchg(place, before, after, "acq_rel", failordering="acquire"), 1)

    return types.boolean(numbers, types.intp, types.intp, types.intp), generate


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    numbers = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(numbers.data, [arguments[1]])
