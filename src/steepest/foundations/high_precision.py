"""Numbers with as many digits as wanted that NumPy can compute with, as entries of object arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

__all__ = ["Exact", "exact_array"]


class Exact:
    """An ``mpmath`` number with the methods that NumPy calls on objects: ``exp``, ``log``, ``sqrt``, ...

    It refuses to become a float, so that no digit is lost unnoticed.

    Examples
    --------
    >>> import mpmath
    >>> from steepest.foundations.high_precision import exact_array
    >>> with mpmath.workdps(30):
    ...     print(np.sqrt(exact_array(np.array([2.0])))[0].number)
    1.41421356237309504880168872421
    """

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        self.number = mpmath.mpf(number)

    def __float__(self) -> float:
        """Refuse."""
        raise TypeError("an exact number is not cast to float")

    def __neg__(self) -> Exact:
        """Negate."""
        return Exact(-self.number)

    def __abs__(self) -> Exact:
        """Absolute value."""
        return Exact(abs(self.number))

    def __bool__(self) -> bool:
        """Whether it is not zero."""
        return bool(self.number)

    def __hash__(self) -> int:
        """Hash of the number."""
        return hash(self.number)

    def conjugate(self) -> Exact:
        """Itself."""
        return self

    def __repr__(self) -> str:
        """All digits."""
        return f"Exact({self.number})"


def _raw(value: Any) -> Any:
    if isinstance(value, Exact):
        return value.number
    if isinstance(value, np.generic):
        return value.item()
    return value


def _binary(name: str, wrap: Callable[[Any], Any]) -> Callable[[Exact, Any], Any]:
    def operation(self: Exact, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        result = getattr(self.number, name)(_raw(other))
        return result if result is NotImplemented else wrap(result)

    operation.__name__ = name
    return operation


def _unary(function: Callable[[Any], Any]) -> Callable[[Exact], Exact]:
    return lambda self: Exact(function(self.number))


for _name in ("add", "sub", "mul", "truediv", "pow", "radd", "rsub", "rmul", "rtruediv", "rpow"):
    setattr(Exact, f"__{_name}__", _binary(f"__{_name}__", Exact))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Exact, f"__{_name}__", _binary(f"__{_name}__", bool))
for _name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log1p", "expm1"):
    setattr(Exact, _name, _unary(getattr(mpmath, _name)))
for _name, _other in (("arcsin", "asin"), ("arccos", "acos"), ("arctan", "atan"), ("log2", ""), ("log10", "log10")):
    if _other:
        setattr(Exact, _name, _unary(getattr(mpmath, _other)))


def exact_array(values: Any) -> Any:
    """Object array of ``Exact`` numbers, each exactly the float given."""
    array = np.asarray(values, dtype=np.float64)
    exact = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        exact[index] = Exact(float(array[index]))
    return exact
