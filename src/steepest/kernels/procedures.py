"""Compiled functions that kernels call by their address.

A kernel that calls one of several functions, as a number tells, is compiled with all of them, though most never run:
half the time of a network's first training went to the losses, activations and update rules of other networks. A
*procedure* is compiled by itself, when its address is first asked for, and kept on disk; the kernel is handed the
address. Its arguments are whole and real numbers, and pointers.
"""

import ctypes
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.np.numpy_support import from_dtype

from steepest.kernels.compile import OPTIONS, Kernel
from steepest.kernels.vectors import cgutils, inlined

Numbers = Annotated[Any, "a pointer to numbers of the precision in use"]
Reals = Annotated[Any, "a pointer to numbers of double precision"]
Integers = Annotated[Any, "a pointer to whole numbers of 64 bits"]

_pointer: Any = types.CPointer  # numba types it in part
FIXED: dict[Any, Any] = {
    int: types.int64,
    float: types.float64,
    Reals: _pointer(types.float64),
    Integers: _pointer(types.int64),
}


class Procedure:
    """A function with arguments annotated as above, to be called by its address; it returns nothing.

    Examples
    --------
    >>> from steepest.kernels.dense_passes import add
    >>> total = np.empty(3)
    >>> add(total, np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), 3)
    >>> total
    array([5., 7., 9.])
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self._kernel = Kernel(function, targetoptions={**OPTIONS, "no_cpython_wrapper": True})
        self._kinds = [kind for name, kind in function.__annotations__.items() if name != "return"]
        self._addresses: dict[str, int] = {}

    def address(self, dtype: Any) -> int:
        """Return where the form for numbers of a precision begins."""
        dtype = np.dtype(dtype)
        if dtype.str not in self._addresses:
            numbers = _pointer(from_dtype(dtype))
            arguments = tuple(numbers if kind is Numbers else FIXED[kind] for kind in self._kinds)
            self._kernel.compile(arguments)
            form: Any = self._kernel.overloads[arguments]
            self._addresses[dtype.str] = int(form.library.get_pointer_to_function(form.fndesc.llvm_func_name))
        return self._addresses[dtype.str]

    def __call__(self, *arguments: Any) -> None:
        """Call it from Python, with arrays for pointers; the first is of the precision in use."""
        kinds: Any = [{int: ctypes.c_int64, float: ctypes.c_double}.get(kind, ctypes.c_void_p) for kind in self._kinds]
        entry = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *kinds)
        given = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments]
        entry(self.address(arguments[0].dtype))(ctypes.byref(ctypes.c_void_p()), None, *given)


def procedure(function: Callable[..., None]) -> Procedure:
    """Make a procedure of a function."""
    return Procedure(function)


@inlined
def call(_typing: Any, address: Any, arguments: Any) -> tuple[Any, Callable[..., Any]]:
    """Call the procedure at an address with a tuple of arguments."""

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        nothing = cgutils.alloca_once(builder, ir.IntType(8).as_pointer())  # what numba's functions return, and where
        values = [nothing, ir.Constant(nothing.type.as_pointer(), None)]  # they say what was raised: here, nothing is
        for k, kind in enumerate(arguments):
            value = builder.extract_value(given[1], k)
            values.append(context.cast(builder, value, kind, types.int64) if isinstance(kind, types.Integer) else value)
        form = ir.FunctionType(ir.IntType(32), [value.type for value in values])
        builder.call(builder.inttoptr(given[0], form.as_pointer()), values)
        return context.get_dummy_value()

    return types.void(types.int64, arguments), generate


@inlined
def as_in(_typing: Any, numbers: Any, value: Any) -> tuple[Any, Callable[..., Any]]:
    """Return a value in the precision of a number, or of those at a pointer."""
    number = numbers.dtype if isinstance(numbers, types.CPointer) else numbers

    def generate(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return context.cast(builder, given[1], value, number)

    return number(numbers, value), generate
