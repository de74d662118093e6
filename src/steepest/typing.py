"""Array types used in signatures."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Array", "ArrayLike", "IntArray"]

Array = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
