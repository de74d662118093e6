"""New arrays within kernels.

NumPy's functions for that are several kernels of numba's own for each way to call them, compiled one by one; these are
a few instructions. What the arrays hold is unknown. They begin with a line of the cache: vectors are read in one go.
"""

from collections.abc import Callable
from typing import Any

from numba.core import types

from steepest.kernels.scratch import LINE
from steepest.kernels.vectors import INT64, inlined


@inlined
def vector(_typing: Any, size: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """Return room for so many numbers of a dtype, or of an array's."""
    return types.Array(like.dtype, 1, "C")(types.intp, like), _allocate


@inlined
def matrix(_typing: Any, rows: Any, columns: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the same in so many rows and columns."""
    return types.Array(like.dtype, 2, "C")(types.intp, types.intp, like), _allocate


@inlined
def cube(_typing: Any, layers: Any, rows: Any, columns: Any, like: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the same in so many layers, rows and columns."""
    return types.Array(like.dtype, 3, "C")(types.intp, types.intp, types.intp, like), _allocate


def _allocate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    from numba.np.arrayobj import populate_array  # which imports much, for the compiler only

    form, shape = signature.return_type, list(arguments[:-1])
    itemsize = context.get_abi_sizeof(context.get_data_type(form.dtype))
    strides = [INT64(itemsize)]
    for length in reversed(shape):
        strides.insert(0, builder.mul(strides[0], length))
    memory = context.nrt.meminfo_alloc_aligned(builder, size=strides[0], align=LINE)
    array = context.make_array(form)(context, builder)
    data = builder.bitcast(context.nrt.meminfo_data(builder, memory), array.data.type)
    parts = {"data": data, "shape": shape, "strides": strides[1:], "itemsize": INT64(itemsize), "meminfo": memory}
    populate_array(array, **parts)  # type: ignore[no-untyped-call]  # numba types it in part
    return array._getvalue()
