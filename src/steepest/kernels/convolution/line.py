"""One-dimensional convolution without transforms."""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.convolution.tiles import ROWS, VECTORS, dot_tile, outer_tile
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array, IntArray

BLOCK_FACTOR = 16  # blocks of ROWS * lanes * VECTORS * BLOCK_FACTOR outputs fit in the first-level cache
LAGS = 16  # summed at a time
CACHED_STEPS = 128


def shifted_filters(w: Array) -> tuple[Array, IntArray]:
    """Return the filter reversed and shifted by 0 ... ROWS-1, term by term, and how far along each term reads.

    Output ``y[ROWS q + m] = sum_s W_m[s] x[ROWS q + s - (k - 1)]`` with ``W_m[s] = w[k - 1 + m - s]``: ROWS outputs
    that share every input, as if they were the output channels of a convolution with stride ROWS.
    """
    k = len(w)
    table = np.zeros((k + ROWS - 1, ROWS), dtype=w.dtype)
    for m in range(ROWS):
        table[m : m + k, m] = w[::-1]
    return table.ravel(), np.arange(k + ROWS - 1)


@compiled
def convolve_block(x: Array, table: Array, terms: int, y: Array, start: int, stop: int) -> None:
    """Write ``y[start:stop]`` of the full convolution; reference: ``operators.toeplitz.convolution_matrix``."""
    k = terms - ROWS + 1
    width = VECTORS * lanes_of(x)
    block = width * BLOCK_FACTOR
    pitch = block + (terms + ROWS - 1) // ROWS + width
    phases = np.zeros(ROWS * pitch, dtype=x.dtype)
    offset = np.empty(terms, dtype=np.int64)
    for s in range(terms):
        offset[s] = (s % ROWS) * pitch + s // ROWS
    tile = np.empty((ROWS, width), dtype=x.dtype)
    flat = tile.reshape(ROWS * width)
    for begin in range(start, stop, ROWS * block):
        outputs = min(ROWS * block, stop - begin)
        split_phases(x, begin - (k - 1), outputs + terms, phases, pitch)
        for q in range(0, (outputs + ROWS - 1) // ROWS, width):
            outer_tile(ROWS, VECTORS, table, 0, phases, q, offset, terms, flat, 0, width, False, 0)
            first = begin + ROWS * q
            here = min(ROWS * width, stop - first)
            for column in range(here // ROWS):
                for m in range(ROWS):
                    y[first + ROWS * column + m] = tile[m, column]
            for t in range(here // ROWS * ROWS, here):
                y[first + t] = tile[t % ROWS, t // ROWS]


@compiled
def correlate_block(y: Array, w: Array, lags: int, start: int, stop: int) -> Array:
    """Return ``sum_j w[j] y[i+j]`` over start <= j < stop for i < lags; reference: ``numpy.correlate``."""
    columns = (lags + LAGS - 1) // LAGS * LAGS
    offset = np.minimum(np.arange(columns), lags - 1)
    sums = np.zeros(columns, dtype=y.dtype)
    batch = CACHED_STEPS * lanes_of(y)
    for at in range(start, stop, batch):
        for i in range(0, columns, LAGS):
            dot_tile(1, LAGS, w, at, 0, 0, y, at, offset, i, min(batch, stop - at), sums, i, y, at)
    return sums[:lags]


@compiled
def split_phases(x: Array, first: int, count: int, phases: Array, pitch: int) -> None:
    """Write ``phases[(t mod ROWS) pitch + t div ROWS] = x[first + t]`` for t < count, with zeros outside of x."""
    lead = min(max(0, -first), count)
    inside = min(max(lead, len(x) - first), count)
    for t in range(lead):
        phases[(t % ROWS) * pitch + t // ROWS] = 0
    for t in range(lead, inside):
        phases[(t % ROWS) * pitch + t // ROWS] = x[first + t]
    for t in range(inside, count):
        phases[(t % ROWS) * pitch + t // ROWS] = 0


@compiled
def lanes_of(x: Array) -> int:
    """Return the lanes of a vector of x's numbers."""
    return VECTOR_BYTES // x.itemsize
