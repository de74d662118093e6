"""Array types used in signatures."""

from typing import Any

import numpy as np
import numpy.typing
from numpy.typing import NDArray

__all__ = ["Array", "ArrayLike", "IntArray"]

Array = NDArray[np.floating[Any]]
"""Arrays of floating-point numbers."""

IntArray = NDArray[np.integer[Any]]
"""Arrays of integers."""

ArrayLike = numpy.typing.ArrayLike
"""What NumPy makes an array of: numbers, sequences of them, arrays."""
