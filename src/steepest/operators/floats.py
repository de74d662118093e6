"""What operators compute with: arrays of floats in one of two precisions."""

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array


def floats(name: str, value: Array) -> Array:
    """Return ``value`` as an array of floats; whole numbers become doubles.

    Examples
    --------
    >>> floats("x", [1, 2]).dtype
    dtype('float64')
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.dtype == np.float16:
        raise InvalidInputError(f"{name} has dtype {array.dtype}: must be float32 or float64")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
