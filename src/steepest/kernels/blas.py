"""NumPy's and SciPy's BLAS kept to one thread while our own threads call it.

Two pools of threads on the same cores fight; so either BLAS uses all cores on one large product, or each of our
threads works on its own block with a BLAS of one thread.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from math import inf, sqrt
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from steepest.typing import Array

SMALL = 1 << 17  # numbers
LARGE_ORDER = 2048
ALONE = 1 << 13  # numbers whose product with others BLAS computes in one thread


@cache
def _controller() -> Any:
    """Look once for the BLAS libraries in this process; that takes milliseconds."""
    return ThreadpoolController()


class _Limit:
    """The limit and how many blocks ask for it: the first sets it, the last lifts it, in whatever order they end."""

    def __init__(self) -> None:
        self.lock, self.depth, self.limit = threading.Lock(), 0, None

    def enter(self) -> None:
        """Set the limit, if nobody has."""
        with self.lock:
            if self.depth == 0:
                self.limit = _controller().limit(limits=1, user_api="blas")
            self.depth += 1

    def leave(self) -> None:
        """Lift the limit, if nobody else needs it."""
        with self.lock:
            self.depth -= 1
            if self.depth == 0:
                limit: Any = self.limit
                limit.restore_original_limits()


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS calls within the block use one thread each; blocks may be nested, and overlap in several threads."""
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()


def beside_kernels(n_samples: int, n_features: int) -> AbstractContextManager[None]:
    """Return the setting for a fit whose passes over the data are our own threads'.

    After each call the threads of OpenBLAS wait for the next one for a tenth of a second, working: our threads would
    have to share the cores with them. Data so small that BLAS takes one thread by itself are left alone, and so are
    factorisations so large that they gain more from its threads.
    """
    small = n_samples * n_features < SMALL
    return nullcontext() if small or min(n_samples, n_features) > LARGE_ORDER else one_blas_thread()


def length(A: Array) -> float:
    """Return the root of the sum of all squares, computed by one thread.

    OpenBLAS would take two for ten thousand numbers, and its threads then wait for more on cores that ours need.
    Squares may overflow or vanish: then the numbers are measured by the largest of them.

    Examples
    --------
    >>> length(np.array([3.0, 4.0])), length(np.array([[3e200, 0.0], [0.0, 4e200]])) / 1e200
    (5.0, 5.0)
    """
    return lengths([A])[0]


def lengths(arrays: Iterable[Array]) -> list[float]:
    """Return the :func:`length` of each array: sooner than one by one, where they are short."""
    with np.errstate(over="ignore"):
        return [_length(A.ravel()) for A in arrays]


def _length(flat: Array) -> float:
    size = sqrt(_square(flat))
    if 1e-15 < size < inf:  # also single precision has squares of such numbers
        return size
    largest = float(np.max(np.abs(flat), initial=0.0))
    return largest * sqrt(_square(flat / largest)) if 0.0 < largest < inf else largest


def _square(flat: Array) -> float:
    return float(np.dot(flat, flat) if flat.size <= ALONE else np.einsum("i,i->", flat, flat))
