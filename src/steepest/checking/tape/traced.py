"""Arrays that note how they were computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from steepest.checking.tape.node import Node
from steepest.checking.tape.places import here
from steepest.checking.tape.slopes import SLOPES
from steepest.exceptions import InvalidInputError
from steepest.typing import Array

__all__ = ["Traced", "UntraceableError", "contract", "gather", "plain", "record", "steps_left", "summed"]

steps_left: ContextVar[int] = ContextVar("steps_left", default=0)


class UntraceableError(InvalidInputError):
    """The value is computed in a way, or in more steps, than the trace follows."""


class Traced(np.ndarray):
    """Array with the ``Node`` it came from; whatever is computed from it with NumPy is traced too.

    Notes
    -----
    Every result holds its own numbers: nothing is a view of another array, so that assignments to entries
    can be noted as steps as well. Where a computation leaves this type (a cast to float, a library that
    unpacks arrays) the trace ends; whoever uses it compares its derivative with the true one first.
    """

    node: Node | None = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Compute and note one ufunc, also as a reduction or in place."""
        from steepest.checking.tape.functions import apply_ufunc

        result = apply_ufunc(ufunc, method, inputs, kwargs)
        if out is None:
            return result
        target = out[0]
        np.copyto(plain(target), plain(result), casting="unsafe")
        if isinstance(target, Traced):
            target.node = result.node if isinstance(result, Traced) else None
        return target

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Compute and note one function of NumPy."""
        from steepest.checking.tape.functions import apply_function

        return apply_function(func, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        """Take entries; a single one stays an array, of shape ()."""
        key = tuple(map(plain, key)) if isinstance(key, tuple) else plain(key)
        return gather(lambda index: index[key], [self])

    def __setitem__(self, key: Any, part: Any) -> None:
        """Put entries; the array continues from the changed one."""
        key = tuple(map(plain, key)) if isinstance(key, tuple) else plain(key)

        def put(whole: Any, new: Any) -> Any:
            changed = whole.copy()
            changed[key] = new
            return changed

        result = gather(put, [self, part])
        np.copyto(plain(self), plain(result))
        self.node = result.node if isinstance(result, Traced) else None

    def __float__(self) -> float:
        """Leave the trace."""
        return float(plain(self).reshape(()))

    def __iter__(self) -> Any:
        """Iterate over the first axis."""
        return (self[k] for k in range(len(self)))

    @property
    def T(self) -> Any:
        """Transposed."""
        return np.transpose(self)

    def copy(self, order: Any = "C") -> Any:
        """Return the same numbers, traced."""
        return gather(lambda index: index, [self])

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the same numbers, traced as long as they are real."""
        return self.copy() if np.dtype(dtype).kind == "f" else plain(self).astype(dtype, *args, **kwargs)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """Reshape."""
        return gather(lambda index: index.reshape(*shape, **kwargs), [self])

    def transpose(self, *axes: Any) -> Any:
        """Transpose."""
        return gather(lambda index: index.transpose(*axes), [self])

    def flatten(self, order: Any = "C") -> Any:
        """Flatten."""
        return self.reshape(-1)


def _method(name: str) -> Callable[..., Any]:
    """Make a method of the function of the same name, which is dispatched."""

    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, f"``np.{name}`` of this array."
    return method


METHODS = (
    "sum", "mean", "var", "std", "max", "min", "prod", "dot", "ravel", "squeeze", "swapaxes",
    "clip", "cumsum", "trace", "diagonal", "repeat", "take", "argmax", "argmin", "argsort", "ptp",
)  # fmt: skip
for _name in METHODS:
    setattr(Traced, _name, _method(_name))


def plain(value: Any) -> Any:
    """Return the bare array of a traced one; anything else as it is."""
    return value.view(np.ndarray) if isinstance(value, Traced) else value


def record(operation: str, compute: Callable[..., Any], arguments: Sequence[Any], **details: Any) -> Any:
    """Compute and note a step; with no traced argument the result stays a constant."""
    parents = {k: part.node for k, part in enumerate(arguments) if isinstance(part, Traced) and part.node is not None}
    bare = [np.asarray(plain(part), dtype=np.float64) for part in arguments]
    value = np.array(compute(*bare), dtype=np.float64)
    result = value.view(Traced)
    if parents:
        result.node = Node(operation, value.copy(), bare, parents, details, here(), compute)
        steps_left.set(steps_left.get() - 1)
        if steps_left.get() < 0:
            raise UntraceableError("the value takes too many steps to be followed")
    return result


def elementwise(name: str, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Note a function that acts entry by entry."""
    return record(name, function, arguments, slopes=SLOPES[name])


def gather(function: Callable[..., Any], arrays: Sequence[Any]) -> Any:
    """Note a function that only moves entries, zeros among them, by applying it to their numbers.

    Notes
    -----
    Entry m of the flattened arguments gets the number m + 1; the function applied to these numbers tells
    for each entry of the result which one it is. Zero, which padding puts in, stands for none.
    """
    numbers, offsets, start = [], [], 1
    for part in arrays:
        bare = np.asarray(plain(part))
        numbers.append(np.arange(start, start + bare.size).reshape(bare.shape))
        offsets.append(start)
        start += bare.size
    index = np.asarray(function(*numbers)).astype(np.int64)

    def taken(*parts: Array) -> Array:
        return np.concatenate([[0.0], *(part.ravel() for part in parts)])[index]

    return record("gather", taken, arrays, index=index, offsets=offsets)


def summed(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Note a sum over axes."""
    x = np.asanyarray(x)
    total = partial(np.sum, axis=axis, keepdims=keepdims)
    return record("sum", total, [x], axis=axis, keepdims=keepdims)


def contract(letters: Sequence[str], output: str, arguments: Sequence[Any]) -> Any:
    """Note a product summed over shared axes."""
    compute = partial(np.einsum, ",".join(letters) + "->" + output, optimize=len(arguments) > 2)
    return record("contract", compute, arguments, subscripts=(list(letters), output))
