"""The two nearest centres of points with many features.

Here SIMD lanes are features: a block of a few rows, measured from the origin, is multiplied with all centres by inner
products, 16 at a time. Nothing is transposed, and a row is read from memory once. Reference of the whole file:
:func:`steepest.objectives.clustering.scores`.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans.nearest import LANES
from steepest.typing import Array, IntArray

ROWS = 32  # in a block: with a thousand features they and their scores stay in the second cache


@compiled
def nearest_two_of_rows(
    X: Array,
    rows: IntArray,
    n_rows: int,
    shift: Array,
    block: Array,
    centres: Array,
    half_norms: Array,
    scores: Array,
    norms: Array,
    best: Array,
    second: Array,
    label: Array,
) -> None:
    """Find the two smallest scores of the rows; results as in :func:`.nearest.nearest_two`, ``norms`` too.

    ``block`` (ROWS, d) and ``scores`` (k, ROWS) are room to work in.
    """
    for t in range(LANES):
        best[t] = np.inf
        second[t] = np.inf
        label[t] = 0
    for start in range(0, n_rows, ROWS):
        stop = start + ROWS
        _copy_rows(X, rows[start : min(stop, n_rows)], shift, block, norms[start:stop])
        _multiply(block, centres, half_norms, scores)
        _meet(scores, best[start:stop], second[start:stop], label[start:stop])


@compiled
def _copy_rows(X: Array, rows: IntArray, shift: Array, block: Array, half_norms: Array) -> None:
    """Set ``block[t] = X[rows[t]] - shift`` and ``half_norms[t] = |block[t]|^2 / 2``."""
    half = half_norms.dtype.type(0.5)
    for t in range(rows.shape[0]):
        x, row = X[rows[t]], block[t]
        total = half_norms.dtype.type(0)
        for f in range(X.shape[1]):
            value = x[f] - shift[f]
            row[f] = value
            total += value * value
        half_norms[t] = half * total


@compiled
def _multiply(block: Array, centres: Array, half_norms: Array, scores: Array) -> None:
    """Set ``scores[j, t] = half_norms[j] - centres[j] . block[t]`` (reference: ``half_norms - block @ centres.T``).

    Four rows meet four centres: 8 loads for 16 multiply-adds, whose 16 sums stay in registers.
    """
    zero = block.dtype.type(0)
    for t in range(0, ROWS, 4):
        x0, x1, x2, x3 = block[t], block[t + 1], block[t + 2], block[t + 3]
        for j in range(0, centres.shape[0], 4):
            c0, c1, c2, c3 = centres[j], centres[j + 1], centres[j + 2], centres[j + 3]
            s00, s01, s02, s03, s10, s11, s12, s13 = zero, zero, zero, zero, zero, zero, zero, zero
            s20, s21, s22, s23, s30, s31, s32, s33 = zero, zero, zero, zero, zero, zero, zero, zero
            for f in range(block.shape[1]):
                u0, u1, u2, u3 = x0[f], x1[f], x2[f], x3[f]
                v0, v1, v2, v3 = c0[f], c1[f], c2[f], c3[f]
                s00, s01, s02, s03 = s00 + u0 * v0, s01 + u0 * v1, s02 + u0 * v2, s03 + u0 * v3
                s10, s11, s12, s13 = s10 + u1 * v0, s11 + u1 * v1, s12 + u1 * v2, s13 + u1 * v3
                s20, s21, s22, s23 = s20 + u2 * v0, s21 + u2 * v1, s22 + u2 * v2, s23 + u2 * v3
                s30, s31, s32, s33 = s30 + u3 * v0, s31 + u3 * v1, s32 + u3 * v2, s33 + u3 * v3
            h0, h1, h2, h3 = half_norms[j], half_norms[j + 1], half_norms[j + 2], half_norms[j + 3]
            r0, r1, r2, r3 = scores[j], scores[j + 1], scores[j + 2], scores[j + 3]
            r0[t], r0[t + 1], r0[t + 2], r0[t + 3] = h0 - s00, h0 - s10, h0 - s20, h0 - s30
            r1[t], r1[t + 1], r1[t + 2], r1[t + 3] = h1 - s01, h1 - s11, h1 - s21, h1 - s31
            r2[t], r2[t + 1], r2[t + 2], r2[t + 3] = h2 - s02, h2 - s12, h2 - s22, h2 - s32
            r3[t], r3[t + 1], r3[t + 2], r3[t + 3] = h3 - s03, h3 - s13, h3 - s23, h3 - s33


@compiled
def _meet(scores: Array, best: Array, second: Array, label: Array) -> None:
    """Let every point's scores meet its two smallest; the earlier centre wins a tie."""
    like = best.dtype
    for j in range(scores.shape[0]):
        row, candidate = scores[j], like.type(j)
        for t in range(ROWS):
            score, low, next_low = row[t], best[t], second[t]
            nearer = score < low
            loser = low if nearer else score
            second[t] = loser if loser < next_low else next_low
            label[t] = candidate if nearer else label[t]
            best[t] = score if nearer else low
