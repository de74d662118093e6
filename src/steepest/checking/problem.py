"""A value and a claimed gradient as the user wrote them, called safely."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from steepest.checking.structure import Structure, argument_names
from steepest.exceptions import InvalidInputError
from steepest.typing import Array

__all__ = ["Data", "Problem", "read_data"]

Data = Mapping[str, Any]


class Problem:
    """The two functions, the point, and the data; every call hands out copies and watches them.

    Attributes
    ----------
    structure : Structure
        The parameters.
    data : dict
        Name -> array or number, as handed to the functions.
    changed : set of str
        What the functions were seen to change in place, as sentences.
    calls : int
        Evaluations of the value so far.
    """

    def __init__(
        self,
        value: Callable[..., Any],
        gradient: Callable[..., Any],
        structure: Structure,
        data: Data,
        what: str = "gradient",
    ) -> None:
        self.structure = structure
        self.data = dict(data)
        self.what = what
        self.changed: set[str] = set()
        self.calls = 0
        self.single = any(block.dtype == np.float32 for block in structure.blocks)
        self._value_is_destructive = False
        self._value = value
        self._gradient = gradient
        self._value_style = _call_style(value, "value", structure, data)
        self._gradient_style = _call_style(gradient, what, structure, data)
        self._precise = {name: _as_double(part) for name, part in self.data.items()}

    @property
    def uses_data(self) -> bool:
        """Whether the value takes the data as arguments, so that it can be asked about other data."""
        return bool(self._value_style)

    @property
    def sees_data(self) -> bool:
        """Whether the claimed gradient takes data as arguments too."""
        return bool(self._gradient_style)

    @property
    def precise_data(self) -> dict[str, Any]:
        """The data in float64, in which the reference is computed."""
        return dict(self._precise)

    def value(self, blocks: Sequence[Any], data: Data | None = None) -> Any:
        """Value at ``blocks``, which may be float64 or complex: the reference is computed in float64."""
        self.calls += 1
        if self._value_is_destructive:
            blocks = [np.array(block, subok=True) for block in blocks]
            data = {name: _copy(part) for name, part in (data or self._precise).items()}
        arguments = self.structure.pack([_scalar(block) for block in blocks])
        return self._value(*arguments, **_chosen(self._value_style, data or self._precise))

    def first_value(self) -> float:
        """Value at the given point, with every complaint about what the function does."""
        blocks = [np.array(block) for block in self.structure.blocks]
        data = {name: _copy(part) for name, part in self.data.items()}
        arguments = self.structure.pack([_scalar(block) for block in blocks])
        try:
            result = self._value(*arguments, **_chosen(self._value_style, data))
        except (Exception, SystemExit) as error:
            raise InvalidInputError(f"value raised {type(error).__name__}: {error}") from error
        self._watch("value", blocks, self.structure.blocks, data, self.data)
        self._value_is_destructive = bool(self.changed)
        return _number(result)

    def gradient(self, blocks: Sequence[Array], data: Data | None = None) -> list[Any]:
        """Blocks of the claimed gradient, in the type of the given parameters."""
        given = [np.array(block, dtype=like.dtype) for block, like in zip(blocks, self.structure.blocks, strict=True)]
        handed = [block.copy() for block in given]
        pristine = data or self.data
        copies = {name: _copy(part) for name, part in pristine.items()}
        arguments = self.structure.pack([_scalar(block) for block in handed])
        try:
            result = self._gradient(*arguments, **_chosen(self._gradient_style, copies))
        except (Exception, SystemExit) as error:
            raise InvalidInputError(f"{self.what} raised {type(error).__name__}: {error}") from error
        raw = self._leaves(result)
        self.single |= any(getattr(leaf, "dtype", None) in (np.float32, np.float16) for leaf, _ in raw)
        leaves = [_real(leaf, name, self.what) for leaf, name in raw]
        self._watch(self.what, handed, given, copies, pristine)
        return leaves

    def _leaves(self, result: Any) -> list[tuple[Any, str]]:
        leaves = self.structure.unpack(result, self.what)
        return list(zip(leaves, self.structure.names, strict=True))

    def _watch(self, who: str, handed: Sequence[Array], given: Sequence[Array], copies: Data, pristine: Data) -> None:
        """Note what a call changed in place."""
        for name, now, before in zip(self.structure.names, handed, given, strict=True):
            if not np.array_equal(now, before, equal_nan=True):
                self.changed.add(f"{who} changes its argument {name} in place: it must work on a copy")
        for name, before in pristine.items():
            if isinstance(before, np.ndarray) and not np.array_equal(copies[name], before):
                self.changed.add(f"{who} changes the data {name} in place: it must work on a copy")


def read_data(value: Callable[..., Any], n_params: int, data: Any) -> dict[str, Any]:
    """Return the data as a dict; a sequence is named after the arguments of ``value`` that follow the parameters."""
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        if isinstance(data, np.ndarray) or not isinstance(data, Sequence):
            data = (data,)
        names = argument_names(value, n_params + len(data))[n_params:]
        data = dict(zip(names, data, strict=True))
    read: dict[str, Any] = {}
    for name, part in data.items():
        if isinstance(part, list | tuple):
            try:
                part = np.asarray(part)
            except ValueError as error:
                raise InvalidInputError(f"data {name}: must be a regular array ({error})") from None
        read[str(name)] = part
    return read


def _call_style(function: Callable[..., Any], who: str, structure: Structure, data: Data) -> dict[str, str]:
    """Argument of ``function`` -> name of the data it takes; empty where it takes the parameters alone.

    Arguments are matched by name; where that leaves one open, by position.
    """
    same = {name: name for name in data}
    if not data:
        return {}
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return same
    parameters = list(signature.parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return same
    named = {p.name: p.name for p in parameters if p.name in data and p.kind is not p.POSITIONAL_ONLY}
    rest = [p.name for p in parameters[len(structure.arguments) :]]
    by_position = dict(zip(rest, data, strict=False)) if len(rest) == len(data) else {}
    for style in (named, by_position):
        try:
            signature.bind(*structure.arguments, **dict.fromkeys(style))
        except TypeError:
            continue
        return style
    raise InvalidInputError(
        f"{who}{signature} cannot be called with the parameters ({', '.join(structure.names)}) "
        f"and the data ({', '.join(data)}): each of its arguments must be one of them"
    )


def _chosen(style: Mapping[str, str], data: Data) -> dict[str, Any]:
    return {argument: data[name] for argument, name in style.items()}


def _scalar(block: Any) -> Any:
    """Hand a parameter of shape () over as a number, as the user does."""
    return block[()] if np.ndim(block) == 0 else block


def _copy(part: Any) -> Any:
    return part.copy() if isinstance(part, np.ndarray) else part


def _as_double(part: Any) -> Any:
    if isinstance(part, np.ndarray | np.generic) and part.dtype in (np.float32, np.float16):
        return part.astype(np.float64)
    return part


def _number(result: Any) -> float:
    if result is None:
        raise InvalidInputError("value returned None: must return one number (is a return missing?)")
    try:
        array = np.asarray(result)
    except ValueError:
        array = np.empty(2, dtype=object)
    if array.dtype.kind == "c":
        raise InvalidInputError("value returned a complex number: must return a real one")
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"value returned a {type(result).__name__}: must return one number")
    if array.size != 1:
        raise InvalidInputError(
            f"value returned an array of shape {array.shape}: must return one number; sum or average it, "
            "or use check_jacobian"
        )
    return float(array.reshape(()))


def _real(leaf: Any, name: str, what: str) -> Any:
    """Array of one returned block; complex or non-numeric ones are refused by name."""
    try:
        array = np.asarray(leaf)
    except ValueError as error:
        raise InvalidInputError(f"{what} of {name}: must be a regular array ({error})") from None
    if array.dtype.kind not in "fiub":
        kind = "complex" if array.dtype.kind == "c" else f"of dtype {array.dtype}"
        shown = "None" if leaf is None else kind
        raise InvalidInputError(f"{what} of {name} is {shown}: must be an array of real numbers")
    return np.array(array, dtype=np.float64)
