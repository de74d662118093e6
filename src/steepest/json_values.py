"""Values as JSON can hold them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def plain(value: Any, unfold: Callable[[Any], Any] = lambda value: value) -> Any:
    """Return a value made of dicts, lists, text and numbers; a number that is not finite is null, others are text.

    ``unfold`` turns what else there may be, at any depth, into such values, and hands back what it does not know.

    Examples
    --------
    >>> plain({"x": np.array([1.0, np.nan]), "n": np.int64(3)})
    {'x': [1.0, None], 'n': 3}
    """
    value = unfold(value)
    if isinstance(value, dict):
        return {str(key): plain(item, unfold) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, unfold) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), unfold)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
