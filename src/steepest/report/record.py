"""Records as JSON can hold them."""

import math
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from steepest.certificate import Certificate


def plain(value: Any) -> Any:
    """Return a record made of dicts, lists, text and numbers; a number that is not finite is null.

    Examples
    --------
    >>> plain({"x": np.array([1.0, np.nan]), "n": np.int64(3)})
    {'x': [1.0, None], 'n': 3}
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Certificate):
        return plain(vars(value) | {"optimal": value.optimal})
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
