"""What data are measured from, so that their differences keep their digits."""

import numpy as np
from numpy.typing import NDArray


def short_origin(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an origin for data of this mean and variance: the mean, with few bits.

    It is rounded to a multiple of a power of two near a quarter of the standard deviation (of its own size times
    2^-20 if that is more): subtracting so short a number from a feature of that spread rarely rounds.
    """
    tiny = np.finfo(np.float64).tiny
    unit = np.exp2(np.floor(np.log2(np.maximum(variance, tiny)) / 2) - 2)
    finest = np.exp2(np.floor(np.log2(np.maximum(np.abs(mean), tiny))) - 20)
    unit = np.maximum(unit, finest)
    origin: NDArray[np.float64] = np.round(mean / unit) * unit
    return origin
