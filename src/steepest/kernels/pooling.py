"""The largest number of every window of images, compiled.

References: ``steepest.operators.pooling2d.largest_by_taps`` and ``spread_by_taps``. Images are planes (N C, H, W),
already padded.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.threads import map_blocks
from steepest.typing import Array, IntArray

PLANE_NUMBERS = 100_000  # entries of the planes that one thread takes at a time
SQUARE = ((2, 2), (2, 2))  # size and stride of the usual windows, which need no loop over their elements


@compiled
def largest_of_planes(
    X: Array, size: tuple[int, int], stride: tuple[int, int], Y: Array, chosen: IntArray, start: int, stop: int
) -> None:
    """Write the largest number of each window of planes ``start`` to ``stop``, and which it was, row by row."""
    for p in range(start, stop):
        for i in range(Y.shape[1]):
            for j in range(Y.shape[2]):
                best, which = X[p, i * stride[0], j * stride[1]], 0
                for k in range(size[0]):
                    for m in range(size[1]):
                        x = X[p, i * stride[0] + k, j * stride[1] + m]
                        if x > best or x != x:
                            best, which = x, k * size[1] + m
                Y[p, i, j] = best
                chosen[p, i, j] = which


@compiled
def spread_over_planes(
    dY: Array, size: tuple[int, int], stride: tuple[int, int], chosen: IntArray, dX: Array, start: int, stop: int
) -> None:
    """Add each slope of planes ``start`` to ``stop`` to the place that was chosen."""
    for p in range(start, stop):
        for i in range(dY.shape[1]):
            for j in range(dY.shape[2]):
                k, m = divmod(chosen[p, i, j], size[1])
                dX[p, i * stride[0] + k, j * stride[1] + m] += dY[p, i, j]


@compiled
def largest_of_squares(X: Array, Y: Array, chosen: IntArray, start: int, stop: int) -> None:
    """Do as :func:`largest_of_planes` for windows of 2 x 2 side by side, without branches: in SIMD lanes."""
    for p in range(start, stop):
        for i in range(Y.shape[1]):
            for j in range(Y.shape[2]):
                best, which = X[p, 2 * i, 2 * j], 0
                x = X[p, 2 * i, 2 * j + 1]
                better = (x > best) | (x != x)
                best, which = (x if better else best), (1 if better else which)
                x = X[p, 2 * i + 1, 2 * j]
                better = (x > best) | (x != x)
                best, which = (x if better else best), (2 if better else which)
                x = X[p, 2 * i + 1, 2 * j + 1]
                better = (x > best) | (x != x)
                Y[p, i, j] = x if better else best
                chosen[p, i, j] = 3 if better else which


@compiled
def spread_over_squares(dY: Array, chosen: IntArray, dX: Array, start: int, stop: int) -> None:
    """Do as :func:`spread_over_planes` for windows of 2 x 2 side by side."""
    zero = dY.dtype.type(0)
    for p in range(start, stop):
        for i in range(dY.shape[1]):
            for k in range(2):
                left, right = 2 * k, 2 * k + 1
                for j in range(dY.shape[2]):
                    slope, which = dY[p, i, j], chosen[p, i, j]
                    dX[p, 2 * i + k, 2 * j] += slope if which == left else zero
                    dX[p, 2 * i + k, 2 * j + 1] += slope if which == right else zero


def largest(X: Array, size: tuple[int, int], stride: tuple[int, int], out: tuple[int, int]) -> tuple[Array, IntArray]:
    """Return the largest numbers of the windows of ``X`` (N, C, H, W), (N, C, H', W'), and which they were."""
    planes = np.ascontiguousarray(X).reshape(-1, *X.shape[2:])
    Y, chosen = np.empty((len(planes), *out), X.dtype), np.empty((len(planes), *out), np.int32)

    def block(start: int, stop: int) -> None:
        if (size, stride) == SQUARE:
            largest_of_squares(planes, Y, chosen, start, stop)
            return
        largest_of_planes(planes, size, stride, Y, chosen, start, stop)

    map_blocks(block, len(planes), _planes_a_block(X))
    return Y.reshape(*X.shape[:2], *out), chosen.reshape(*X.shape[:2], *out)


def spread(dY: Array, size: tuple[int, int], stride: tuple[int, int], chosen: IntArray, dX: Array) -> None:
    """Add ``dY`` (N, C, H', W') to ``dX`` (N, C, H, W) in place, each number where its window's largest was."""
    slopes = np.ascontiguousarray(dY).reshape(-1, *dY.shape[2:])
    places, planes = chosen.reshape(slopes.shape), dX.reshape(-1, *dX.shape[2:])

    def block(start: int, stop: int) -> None:
        if (size, stride) == SQUARE:
            spread_over_squares(slopes, places, planes, start, stop)
            return
        spread_over_planes(slopes, size, stride, places, planes, start, stop)

    map_blocks(block, len(planes), _planes_a_block(dX))


def _planes_a_block(X: Array) -> int:
    return int(max(1, PLANE_NUMBERS // max(1, X.shape[2] * X.shape[3])))
