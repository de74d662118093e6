"""Records of runs as JSON can hold them."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from steepest.certificate import Certificate
from steepest.json_values import plain


def as_record(value: Any) -> Any:
    """Return what a report holds as :func:`~steepest.json_values.plain` values, each object as a dict.

    Examples
    --------
    >>> as_record(Certificate("duality gap", 1e-9, 1e-12, 1e-4))["optimal"]
    True
    """
    return plain(value, _unfolded)


def _unfolded(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Certificate):
        return vars(value) | {"optimal": value.optimal}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value
