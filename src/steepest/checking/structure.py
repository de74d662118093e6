"""Parameters as the user holds them (array, tuple, dict, several arguments) and as named blocks."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array

__all__ = ["Structure", "argument_names"]

LEAF = "leaf"


@dataclass(frozen=True)
class Structure:
    """How the blocks of parameters are nested, with their names, shapes and types.

    Attributes
    ----------
    arguments : tuple
        For every argument either ``LEAF`` or the nested form (a dict of forms, a tuple, a list).
    names : tuple of str
        One name a block, in the order in which the blocks are met.
    blocks : tuple of arrays
        The point given, as float32 or float64.
    notes : tuple of str
        What was changed on reading.
    """

    arguments: tuple[Any, ...]
    names: tuple[str, ...]
    blocks: tuple[Array, ...]
    notes: tuple[str, ...]

    @classmethod
    def read(cls, params: Sequence[Any], names: Sequence[str]) -> "Structure":
        """Read the arguments; refuse complex, empty, non-finite and non-numeric blocks by name."""
        if not params:
            raise InvalidInputError("no parameters given: pass the point at which to check, such as an array")
        found: list[tuple[str, Any]] = []
        forms = tuple(_form(name, value, found) for name, value in zip(names, params, strict=True))
        notes: list[str] = []
        blocks = tuple(_block(name, value, notes) for name, value in found)
        return cls(forms, tuple(name for name, _ in found), blocks, tuple(notes))

    def pack(self, blocks: Sequence[Any]) -> tuple[Any, ...]:
        """Arguments for the user's function, built from the blocks."""
        remaining = iter(blocks)
        return tuple(_build(form, remaining) for form in self.arguments)

    def unpack(self, result: Any, what: str = "gradient") -> list[Any]:
        """Blocks of what the user's gradient returned; the nesting must be that of the parameters."""
        leaves: list[Any] = []
        if len(self.arguments) == 1:
            _collect(self.arguments[0], result, self.names[0], what, leaves)
            return leaves
        if isinstance(result, dict) and set(self.names) == set(result):
            return [result[name] for name in self.names]
        if not isinstance(result, tuple | list) or len(result) != len(self.arguments):
            got = f"{len(result)} results" if isinstance(result, tuple | list) else _describe(result)
            raise InvalidInputError(
                f"{what} returned {got} for {len(self.arguments)} parameters ({', '.join(self.names)}): "
                "must return a tuple with one array for each"
            )
        for form, part, name in zip(self.arguments, result, self.names, strict=False):
            _collect(form, part, name, what, leaves)
        return leaves


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """Names of the first ``count`` positional arguments of ``function``, as far as it tells them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if count == 1 and not positional:
        return ["x"]
    return [positional[i] if i < len(positional) else f"parameter {i + 1}" for i in range(count)]


def _form(name: str, value: Any, found: list[tuple[str, Any]]) -> Any:
    """Nested form of one argument; its leaves are appended to ``found``."""
    if isinstance(value, dict):
        return {key: _form(str(key), part, found) for key, part in value.items()}
    if isinstance(value, tuple | list) and any(isinstance(v, np.ndarray | list | tuple | dict) for v in value):
        return type(value)([_form(f"{name}[{i}]", part, found) for i, part in enumerate(value)])
    found.append((name, value))
    return LEAF


def _block(name: str, value: Any, notes: list[str]) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InvalidInputError(f"{name}: must be a regular array of numbers ({error})") from None
    if array.dtype.kind == "c":
        raise InvalidInputError(
            f"{name} is complex: derivatives of real functions only; pass its real and imaginary part"
        )
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"{name} has dtype {array.dtype}: must be real numbers")
    if array.size == 0:
        raise InvalidInputError(f"{name} has shape {array.shape}: must hold at least one number")
    if not np.all(np.isfinite(array)):
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InvalidInputError(f"{name}{list(index) or ''} is {array[index]}: the point must be finite")
    if array.dtype.kind in "iub":
        if isinstance(value, np.ndarray):
            notes.append(f"{name} holds integers ({array.dtype}): checked as float64")
        return array.astype(np.float64)
    return array.astype(np.float32 if array.dtype == np.float32 else np.float64)


def _build(form: Any, remaining: Any) -> Any:
    if isinstance(form, dict):
        return {key: _build(part, remaining) for key, part in form.items()}
    if isinstance(form, tuple | list):
        return type(form)([_build(part, remaining) for part in form])
    return next(remaining)


def _collect(form: Any, result: Any, name: str, what: str, leaves: list[Any]) -> None:
    if isinstance(form, dict):
        if not isinstance(result, dict) or set(result) != set(form):
            got = f"keys {sorted(map(str, result))}" if isinstance(result, dict) else _describe(result)
            raise InvalidInputError(f"{what} returned {got}: must return a dict with keys {sorted(map(str, form))}")
        for key, part in form.items():
            _collect(part, result[key], str(key), what, leaves)
    elif isinstance(form, tuple | list):
        if not isinstance(result, tuple | list | np.ndarray) or len(result) != len(form):
            raise InvalidInputError(f"{what} returned {_describe(result)} for {name}: must return {len(form)} arrays")
        for i, part in enumerate(form):
            _collect(part, result[i], f"{name}[{i}]", what, leaves)
    else:
        leaves.append(result)


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple | list):
        return f"{len(value)} results"
    return "None" if value is None else f"a {type(value).__name__}"
