"""Functions of NumPy put in terms of the few steps that the trace knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain as chained
from typing import Any

import numpy as np

from steepest.checking.tape.matrices import MATRIX_FUNCTIONS
from steepest.checking.tape.slopes import SLOPES
from steepest.checking.tape.traced import Traced, contract, elementwise, gather, plain, summed

__all__ = ["apply_function", "apply_ufunc"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def apply_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Note a ufunc; one that the trace does not know gives a constant."""
    name = ufunc.__name__
    if method == "__call__" and name == "matmul":
        return product(*inputs)
    if method == "__call__" and name in SLOPES:
        return elementwise(name, ufunc, inputs)
    if method == "outer" and name in SLOPES:
        a, b = map(np.asanyarray, inputs)
        return elementwise(name, ufunc, [a.reshape(a.shape + (1,) * b.ndim), b])
    if method == "reduce" and name in REDUCTIONS:
        given = {k: v for k, v in kwargs.items() if k in ("axis", "keepdims")}
        return REDUCTIONS[name](*inputs, **{"axis": 0, **given})
    if method == "accumulate" and name == "add":
        return cumulative(inputs[0], kwargs.get("axis", 0))
    result = getattr(ufunc, method)(*map(plain, inputs), **kwargs)
    return np.array(result).view(Traced) if np.asarray(result).dtype.kind == "f" else result


def apply_function(func: Any, args: Any, kwargs: Any) -> Any:
    """Note a function; one that the trace does not know gives a constant."""
    if func in COMPOSED:
        return COMPOSED[func](*args, **kwargs)
    if func in MOVES:
        first, rest = args[0], [plain(a) for a in args[1:]]
        if func in JOINS:
            parts = list(first)
            return gather(lambda *numbers: func(numbers, *rest, **kwargs), parts)
        return gather(lambda number: func(number, *rest, **kwargs), [first])
    return func(*_plain(args), **{k: _plain(v) for k, v in kwargs.items()})


def _plain(part: Any) -> Any:
    if isinstance(part, list | tuple):
        return type(part)(map(_plain, part))
    return plain(part)


def product(a: Any, b: Any) -> Any:
    """Matrix product, batched over leading axes."""
    a, b = np.asanyarray(a), np.asanyarray(b)
    batch = LETTERS[: max(a.ndim, b.ndim, 2) - 2]
    left = batch[len(batch) - max(a.ndim - 2, 0) :] + ("xy" if a.ndim > 1 else "y")
    right = batch[len(batch) - max(b.ndim - 2, 0) :] + ("yz" if b.ndim > 1 else "y")
    return contract([left, right], batch + ("x" if a.ndim > 1 else "") + ("z" if b.ndim > 1 else ""), [a, b])


def dot(a: Any, b: Any) -> Any:
    """``np.dot``: the last axis of the first with the last but one of the second."""
    a, b = np.asanyarray(a), np.asanyarray(b)
    if a.ndim == 0 or b.ndim == 0:
        return elementwise("multiply", np.multiply, [a, b])
    if b.ndim <= 2:
        left = LETTERS[: a.ndim - 1] + "y"
        right = "yz" if b.ndim == 2 else "y"
        return contract([left, right], left[:-1] + right[1:], [a, b])
    return tensordot(a, b, axes=([-1], [-2]))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over paired axes."""
    a, b = np.asanyarray(a), np.asanyarray(b)
    if np.ndim(axes) == 0 and not isinstance(axes, list | tuple):
        axes = (list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes))))
    first, second = (np.atleast_1d(part) for part in axes)
    left = LETTERS[: a.ndim]
    right = list(LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    shared = {left[i] for i in first}
    output = "".join(c for c in chained(left, right) if c not in shared)
    return contract([left, "".join(right)], output, [a, b])


def einsum(subscripts: str, *arrays: Any, **_: Any) -> Any:
    """``np.einsum`` with the subscripts spelled out."""
    parts = [np.asanyarray(part) for part in arrays]
    given, _arrow, output = subscripts.replace(" ", "").partition("->")
    letters = given.split(",")
    if "->" not in subscripts:
        counts = "".join(letters).replace(".", "")
        output = ("..." if "..." in given else "") + "".join(sorted(c for c in set(counts) if counts.count(c) == 1))
    free = [c for c in LETTERS.upper() if c not in subscripts]
    deepest = max((p.ndim - len(s) + 3 for s, p in zip(letters, parts, strict=True) if "..." in s), default=0)
    spelled = []
    for s, p in zip(letters, parts, strict=True):
        count = p.ndim - len(s) + 3
        spelled.append(s.replace("...", "".join(free[deepest - count : deepest])) if "..." in s else s)
    output = output.replace("...", "".join(free[:deepest]))
    if any(len(set(s)) < len(s) for s in spelled):  # a diagonal
        parts, spelled = zip(*(_off_diagonal(p, s) for p, s in zip(parts, spelled, strict=True)), strict=True)  # type: ignore[assignment]
    return contract(spelled, output, parts)


def _off_diagonal(part: Any, letters: str) -> tuple[Any, str]:
    kept = "".join(dict.fromkeys(letters))
    return (part, letters) if kept == letters else (gather(lambda n: np.einsum(f"{letters}->{kept}", n), [part]), kept)


def largest(x: Any, axis: Any = None, keepdims: bool = False, sign: float = 1.0, **_: Any) -> Any:
    """Entries at which the maximum is attained, the first of equals."""
    x = np.asanyarray(x)
    bare = sign * plain(x)
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in np.atleast_1d(axis))
    rest = [a for a in range(x.ndim) if a not in axes]
    turned = np.transpose(bare, [*rest, *axes]).reshape(*(x.shape[a] for a in rest), -1)
    where = turned.argmax(axis=-1)

    def take(number: Any) -> Any:
        rows = np.transpose(number, [*rest, *axes]).reshape(turned.shape)
        taken = np.take_along_axis(rows, where[..., None], -1)[..., 0]
        return np.expand_dims(taken, axes) if keepdims else taken

    return gather(take, [x])


def smallest(x: Any, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """Entries at which the minimum is attained."""
    return largest(x, axis, keepdims, -1.0)


def total(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Any:
    """Sum, also of a list of traced numbers."""
    return summed(stack(x) if isinstance(x, list | tuple) else x, axis, bool(keepdims is True))


def mean(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Any:
    """Sum divided by the count."""
    x = stack(x) if isinstance(x, list | tuple) else np.asanyarray(x)
    sums = summed(x, axis, keepdims is True)
    return sums / (x.size / max(sums.size, 1))


def variance(
    x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, **_: Any
) -> Any:
    """Mean square of the distance to the mean."""
    x = np.asanyarray(x)
    centred = x - mean(x, axis, keepdims=True)
    sums = summed(centred * centred, axis, keepdims is True)
    return sums / (x.size / max(sums.size, 1) - ddof)


def deviation(*args: Any, **kwargs: Any) -> Any:
    """Root of the variance."""
    return np.sqrt(variance(*args, **kwargs))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector and Frobenius norms."""
    if ord == 1:
        return summed(np.abs(x), axis, keepdims)
    if ord == np.inf:
        return largest(np.abs(x), axis, keepdims)
    return np.sqrt(summed(x * x, axis, keepdims))


def multiplied(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    """Product of all entries, or along one axis."""
    x = np.asanyarray(x)
    parts = list(x.reshape(-1)) if axis is None else list(np.moveaxis(x, axis, 0))
    result = parts[0]
    for part in parts[1:]:
        result = result * part
    return np.expand_dims(result, axis) if keepdims is True and axis is not None else result


def cumulative(x: Any, axis: Any = None, **_: Any) -> Any:
    """Return running sums, as a product with a triangle of ones."""
    x = np.asanyarray(x)
    x = x.reshape(-1) if axis is None else np.moveaxis(x, axis, -1)
    sums = np.matmul(x, np.triu(np.ones((x.shape[-1],) * 2)))
    return sums if axis is None else np.moveaxis(sums, -1, axis)


def clip(x: Any, low: Any = None, high: Any = None, **kwargs: Any) -> Any:
    """Maximum with the lower bound, minimum with the upper one."""
    low, high = kwargs.get("min", kwargs.get("a_min", low)), kwargs.get("max", kwargs.get("a_max", high))
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def where(condition: Any, *choices: Any) -> Any:
    """Choose between two arrays entry by entry."""
    if not choices:
        return np.where(plain(condition))
    return gather(lambda a, b: np.where(plain(condition), a, b), [np.asanyarray(c) for c in choices])


def log_sum_exp(x: Any, axis: Any = 0, keepdims: bool = False, **_: Any) -> Any:
    """``logaddexp.reduce``."""
    peak = plain(x).max(axis=axis, keepdims=True)
    result = np.log(summed(np.exp(x - peak), axis, True)) + peak
    return result if keepdims else np.squeeze(result, axis)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Windows of the longer signal times the reversed shorter one."""
    if len(v) > len(a):
        a, v = v, a
    taps = np.flip(v)
    return _windows(a, len(v), mode) @ taps


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Windows of the longer signal times the shorter one."""
    if len(v) > len(a):
        return np.flip(correlate(v, a, mode))
    return _windows(a, len(v), mode) @ np.asanyarray(v)


def _windows(a: Any, size: int, mode: str) -> Any:
    before = {"valid": 0, "same": size // 2, "full": size - 1}[mode]
    after = {"valid": 0, "same": size - 1 - size // 2, "full": size - 1}[mode]
    slide = np.lib.stride_tricks.sliding_window_view
    return gather(lambda number: slide(np.pad(number, (before, after)), size), [np.asanyarray(a)])


def stack(parts: Sequence[Any]) -> Any:
    """Join a nested list of traced and other numbers as ``np.array`` does."""
    arrays = [stack(p) if isinstance(p, list | tuple) else np.asanyarray(p) for p in parts]
    return gather(lambda *numbers: np.stack(numbers), arrays)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "add": total, "maximum": largest, "minimum": smallest, "multiply": multiplied, "logaddexp": log_sum_exp,
}  # fmt: skip
COMPOSED: dict[Any, Callable[..., Any]] = {
    np.sum: total, np.mean: mean, np.average: mean, np.var: variance, np.std: deviation, np.linalg.norm: norm,
    np.max: largest, np.amax: largest, np.min: smallest, np.amin: smallest, np.prod: multiplied,
    np.cumsum: cumulative, np.clip: clip, np.where: where, np.dot: dot, np.tensordot: tensordot, np.einsum: einsum,
    np.vdot: lambda a, b: dot(np.ravel(a), np.ravel(b)), np.inner: lambda a, b: tensordot(a, b, ([-1], [-1])),
    np.outer: lambda a, b: contract(["x", "y"], "xy", [np.ravel(a), np.ravel(b)]),
    np.convolve: convolve, np.correlate: correlate,
    np.trace: lambda x: summed(np.diagonal(x)),
    np.ptp: lambda x, axis=None: largest(x, axis) - smallest(x, axis),
    np.zeros_like: lambda x, *_, **__: np.zeros(np.shape(x)).view(Traced),
    np.sort: lambda x, axis=-1: gather(
        lambda n: np.take_along_axis(n, np.argsort(plain(x), axis=axis), axis), [x]
    ),
    np.copy: lambda x, *_, **__: x.copy(),
    **MATRIX_FUNCTIONS,
}  # fmt: skip
JOINS = {np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.dstack, np.block}
MOVES = JOINS | {
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.broadcast_to, np.flip, np.fliplr, np.flipud, np.roll, np.rot90, np.pad, np.diag, np.diagonal, np.tile,
    np.repeat, np.take, np.take_along_axis, np.triu, np.tril, np.atleast_1d, np.atleast_2d,
    np.lib.stride_tricks.sliding_window_view, np.matrix_transpose,
}  # fmt: skip
