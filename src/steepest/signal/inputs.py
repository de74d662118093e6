"""The signals that users hand in."""

from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array
from steepest.validation import check_parameters


def check_signals(name: str, value: Any) -> Array:
    """Return one signal (d,) or several (n_signals, d) as finite floats."""
    array = check_parameters(name, value)
    if array.ndim not in (1, 2):
        raise InvalidInputError(
            f"{name} has shape {array.shape}: must be one signal (n_samples,) or several (n_signals, n_samples)"
        )
    return array


def check_filtered(x: Array, y: Array, length: int, what: str = "filter_length") -> tuple[Array, Array]:
    """Return x (n_signals, d) and y (n_signals, n) if ``n = d + length - 1`` and the signals can be paired."""
    d, n = x.shape[-1], y.shape[-1]
    if n != d + length - 1:
        fits = f"{what}={n - d + 1} would fit" if n >= d else f"y must have at least the {d} samples of x"
        raise InvalidInputError(
            f"y has {n} samples, x has {d}, {what}={length}: the full convolution has {d} + {length} - 1 = "
            f"{d + length - 1} samples; {fits}"
        )
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    if len(x) != len(y) and len(x) != 1:
        raise InvalidInputError(f"x has {len(x)} signals, y has {len(y)}: must be as many, or x be one signal")
    return np.broadcast_to(x, (len(y), d)), y
