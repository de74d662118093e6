"""One step of a computation: its value, what it was computed from, and how derivatives go back through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steepest.checking.tape.places import Place
from steepest.typing import Array, IntArray

__all__ = ["Node", "contracted", "unbroadcast"]

Slope = Callable[..., Any]


@dataclass(eq=False)
class Node:
    """A step ``value = operation(arguments)``.

    Attributes
    ----------
    operation : str
        A ufunc applied entry by entry (``"tanh"``), a function of matrices (``"inverse"``), or ``"sum"``, ``"gather"``,
        ``"contract"``, ``"input"``.
    arguments : list of arrays
        Values of the arguments, constants included.
    parents : dict
        Position of an argument -> the node it came from; constants have none.
    details : dict
        What the operation needs besides: an axis, an index, subscripts, the rules of its own by which derivatives go
        back (``pulls``).
    compute : callable
        The operation itself, for other arguments of the same shapes.
    """

    operation: str
    value: Array
    arguments: Sequence[Array] = ()
    parents: Mapping[int, Node] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    place: Place = ()
    compute: Callable[..., Any] = np.asarray

    def pull(self, k: int, g: Array) -> Array:
        """Pull the derivative ``g`` with respect to the value back to argument ``k``."""
        like = self.arguments[k]
        if self.operation == "gather":
            return _scattered(g, self.details["index"], self.details["offsets"][k], like)
        if self.operation == "sum":
            return np.broadcast_to(self.expanded(g), like.shape)
        if self.operation == "contract":
            return contracted(self.details["subscripts"], self.arguments, k, g)
        if "pulls" in self.details:
            pulled: Array = self.details["pulls"][k](g, *self.arguments, self.value)
            return pulled
        return unbroadcast(g * self.details["slopes"][k](*self.arguments, self.value), like.shape)

    def expanded(self, g: Array) -> Array:
        """Put back the axes that a sum has removed."""
        axis = self.details["axis"]
        if axis is None or self.details["keepdims"]:
            return g if axis is not None or self.details["keepdims"] else np.reshape(g, (1,) * self.arguments[0].ndim)
        return np.expand_dims(g, axis)


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which an argument of this shape was repeated."""
    if np.shape(g) == shape:
        return g
    whole: Any = np.asarray(g)
    ahead: Any = whole.sum(axis=tuple(range(whole.ndim - len(shape))))
    repeated = tuple(a for a, size in enumerate(shape) if size == 1 and ahead.shape[a] != 1)
    summed: Array = ahead.sum(axis=repeated, keepdims=True) if repeated else ahead
    return np.broadcast_to(summed, shape)


def _scattered(g: Array, index: IntArray, offset: int, like: Array) -> Array:
    """Add every entry to the place it was taken from."""
    total: Any = np.bincount(
        index.ravel(), weights=np.broadcast_to(g, index.shape).ravel(), minlength=offset + like.size
    )
    part: Array = total[offset : offset + like.size].reshape(like.shape)
    return part


def contracted(subscripts: tuple[list[str], str], arguments: Sequence[Array], k: int, g: Array) -> Array:
    """Return the derivative of ``einsum(subscripts, *arguments)`` with respect to argument ``k``."""
    letters, output = subscripts
    others = [j for j in range(len(letters)) if j != k]
    known = set(output).union(*(letters[j] for j in others)) if others else set(output)
    kept = "".join(c for c in letters[k] if c in known)
    spec = ",".join([output, *(letters[j] for j in others)]) + "->" + kept
    part = np.einsum(spec, g, *(arguments[j] for j in others), optimize=len(others) > 1)
    lost = tuple(a for a, c in enumerate(letters[k]) if c not in known)
    return np.broadcast_to(np.expand_dims(part, lost), arguments[k].shape) if lost else part
