"""Work space that a thread keeps between calls: fresh pages cost as much as the work done in them."""

import threading
from typing import Any

import numpy as np

from steepest.typing import Array

LINE = 64  # bytes of a line of the cache: vectors that begin with one are read in one go
LARGEST = 64 << 20  # bytes kept of one piece; larger ones are given back

_kept = threading.local()


def scratch(name: str, size: int, dtype: Any) -> Array:
    """Return ``size`` numbers of unknown content; the next call with this name on this thread returns the same."""
    key = name + np.dtype(dtype).str
    piece: Array | None = getattr(_kept, key, None)
    if piece is None or len(piece) < size:
        piece = aligned(size, np.dtype(dtype))
        if piece.nbytes <= LARGEST:
            setattr(_kept, key, piece)
    return piece[:size]


def aligned(size: int, dtype: Any) -> Array:
    """Return numbers that begin with a line of the cache."""
    room = np.empty(size * dtype.itemsize + LINE, dtype=np.uint8)
    skip = -room.ctypes.data % LINE
    numbers: Array = room[skip : skip + size * dtype.itemsize].view(dtype)
    return numbers
