r"""A convolution with stride 2 as one with stride 1, over the phases of its input.

Notes
-----
Along one side, ``y_i = sum_k w_k x_{2 i + k - p}``. Numbers at even and at odd places of x are two phases, ``x^e_q =
x_{2 q + e}``. With ``k - p = 2 (j - top) + e``, where e is 0 or 1 and top = ceil(p / 2), so that the least j is 0::

    y_i = sum_e sum_j w_{2 (j - top) + e + p} x^e_{i + j - top}

which is a correlation of stride 1, padded by top, of twice as many channels with kernels of half as many taps: for odd
kernel sides k, (k + 1) / 2, of which some are 0, as there is no such tap of w. Both sides together have four phases.
The input gradient is that of the phases, put back in place.
"""

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from steepest.kernels.convolution.phases import PHASES, merge_phases
from steepest.kernels.convolution.transforms import FORMS, FROM_KERNEL, Form, matrices
from steepest.kernels.scratch import scratch
from steepest.operators.convolution2d.geometry import Geometry, Pair
from steepest.operators.convolution2d.sharing import share
from steepest.typing import Array, IntArray

WORK = 20  # products that take as long as to move a number


class Correlation(NamedTuple):
    """What Winograd's products are formed of.

    Attributes
    ----------
    form : Form
        Of the tiles.
    swap : bool
        Whether w's channels are exchanged, as for the input gradient.
    begin : array (phases of the source, 2)
        Row and column of the source with which the first tile of each of its phases begins.
    places : array (phases, taps)
        Which tap of w, numbered row by row, is which tap of a phase; -1 for 0.
    met : array (planes, 4)
        In each plane of products, the range of channels of the source, phase after phase, and that of the output
        which have weights other than 0.
    """

    form: Form
    swap: bool
    begin: IntArray
    places: IntArray
    met: IntArray


class Unstrided(NamedTuple):
    """A convolution with a square kernel as one of stride 1.

    Attributes
    ----------
    shape : tuple of int
        Of its input: x itself, or all channels of one phase after those of the other.
    first : array (phases, 2)
        Row and column of x with which each phase begins.
    forward, backward : Correlation
        The convolution, and its input gradient, which gives phases.
    """

    shape: tuple[int, int, int, int]
    first: IntArray
    forward: Correlation
    backward: Correlation


@lru_cache(maxsize=256)
def unstrided(g: Geometry) -> Unstrided:
    """Return a convolution with stride 1 or 2, and one group, as one of stride 1."""
    stride, k, around = g.stride[0], g.kernel[0], (g.padding[0][0], g.padding[1][0])
    side, start = -(-k // stride), np.array([-(-p // stride) for p in around])
    rows, columns = (_taps(stride, k, p, top, side) for p, top in zip(around, start, strict=True))
    order = _order(rows, columns)
    places = np.array([[k * r + c if min(r, c) >= 0 else -1 for r in rows[e] for c in columns[f]] for e, f in order])
    flipped = np.ascontiguousarray(places[:, ::-1])
    form, plain = FORMS[side, stride], FORMS[side, 1]
    met, gradient = _met(form, places) * g.in_channels, _met(plain, flipped) * g.in_channels
    every = np.full_like(met, (0, g.out_channels))
    first, size = np.array(order), (-(-g.size[0] // stride), -(-g.size[1] // stride))
    return Unstrided(
        shape=(g.batch, len(order) * g.in_channels, *size),
        first=first,
        forward=Correlation(form, False, first - stride * start, places, np.hstack([met, every])),
        backward=Correlation(plain, True, (start - (side - 1))[None], flipped, np.hstack([every, gradient])),
    )


def _taps(stride: int, k: int, p: int, top: int, side: int) -> list[list[int]]:
    """Return of each phase which taps along a side it meets, or -1."""
    taps = [[stride * (j - top) + e + p for j in range(side)] for e in range(stride)]
    return [[tap if 0 <= tap < k else -1 for tap in phase] for phase in taps]


def _order(rows: list[list[int]], columns: list[list[int]]) -> list[Pair]:
    """Return the phases so that those with many taps along a side are neighbours, and so are those with few."""
    if len(rows) == 1:
        return [(0, 0)]
    (few, many), (narrow, wide) = (sorted((0, 1), key=lambda e: -side[e].count(-1)) for side in (rows, columns))
    return [(few, narrow), (many, narrow), (many, wide), (few, wide)]


def _met(form: Form, places: IntArray) -> IntArray:
    """Return the range of phases which have weights other than 0 in each plane of products."""
    kernel = np.array(matrices(form)[FROM_KERNEL]) != 0
    taps = (places >= 0).reshape(-1, form.taps, form.taps)
    there = np.einsum("ak,fkl,bl->fab", kernel, taps, kernel).reshape(len(places), -1)
    return np.array([[np.flatnonzero(plane)[0], np.flatnonzero(plane)[-1] + 1] for plane in there.T])


def room_for_phases(u: Unstrided, g: Geometry, dtype: Any) -> Array:
    """Return where the phases of x go: to a new array if they are x itself, or to this thread's work space."""
    if u.shape == g.input_shape:
        return np.empty(u.shape, dtype=dtype)
    return scratch("phases", prod(u.shape), dtype).reshape(u.shape)


def merged(phases: Array, u: Unstrided, g: Geometry) -> Array:
    """Return an array whose phases are given; where there is but one, that is all."""
    if phases.shape == g.input_shape:
        return phases
    where = np.empty((2, 2), dtype=np.int64)
    where[u.first[:, 0], u.first[:, 1]] = range(PHASES)
    x, planes = np.empty(g.input_shape, dtype=phases.dtype), g.batch * g.in_channels
    share(merge_phases, planes, WORK * x.size, phases, where, x)
    return x
