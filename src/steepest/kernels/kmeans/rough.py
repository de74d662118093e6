"""Rough scores: points and centres in bfloat16, which some processors multiply twice as fast as single precision.

bfloat16 is single precision without its last 16 binary digits. Two features of a point lie side by side, as one number
of four bytes; one instruction multiplies such pairs and adds both products, in single precision. Rounding x and c to
eight digits changes ``x.c`` by up to ``2^-7 |x| |c|``, mostly by less than half of it, so that rough scores tell most
points' nearest centres, and leave those near a border to scores of full length. The reference is that of the scores
themselves, :func:`steepest.objectives.clustering.scores`, up to this error.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.bfloat16 import AVAILABLE as BFLOAT16_AVAILABLE
from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.nearest import score_error
from steepest.kernels.kmeans.rows import VECTORS
from steepest.kernels.kmeans.tiles import CENTRES, add_short_products
from steepest.kernels.tiles import BFLOAT16
from steepest.kernels.vectors import INT64, WIDE, VectorCode, cgutils, inlined
from steepest.typing import Array

AVAILABLE = BFLOAT16_AVAILABLE and WIDE
LEAST_REACH = 1e-30  # below, what is lost to numbers too small to be multiplied might count
ROUNDING = 2.0**-8  # of a number, at most, relative to it
SHORTER = 1 + 2.0**-6  # the square of what may be lacking of a rounded point's length


def rough_table(n_clusters: int, n_features: int, used: bool) -> Array:
    """Return room for :func:`round_centres`; where it is not ``used``, of another dtype, lest it be compiled."""
    shape = (-(-n_clusters // CENTRES), -(-n_features // 2), CENTRES)
    return np.zeros(shape, np.int32) if used else np.zeros((0, 0, 0), np.float32)


def has_rough_table(centres: Any) -> bool:
    """Whether rough scores are used, by the compiler's type of :class:`.Centres`: what they need is compiled then."""
    return isinstance(centres.types[centres.fields.index("rough")].dtype, types.Integer)


@compiled
def rough_error(half_norms: Array, limits: tuple[float, float], reach: float, typical: float) -> tuple[float, float]:
    r"""Return ``slope, offset`` as by :func:`.nearest.score_error`, for rough scores.

    Notes
    -----
    With x', c' the rounded x and c, and ``limits`` rho and e so that ``|x - x'| <= rho |x|`` and ``|c - c'| <= e``,
    the scores lose, besides what adding up in single precision does::

        |x.c - x'.c'| = |(x - x').c + x'.(c - c')| <= rho |x| |c| + (1 + rho) |x| e

    that is ``(rho + (1 + rho) e / |c|) |x| |c|`` with the largest |c|; and |x'| may be shorter than |x|.
    """
    rho, error = limits
    if not reach > LEAST_REACH:
        return 0.0, np.inf
    rounding = (rho + (1 + rho) * error / np.sqrt(2 * reach)) * SHORTER
    return score_error(half_norms, rounding, reach, typical)


@borrowing
def _rounded(bits: int) -> int:
    """Return the bits of a number in single precision, rounded to the nearest bfloat16, the even one of two."""
    return (bits + 0x7FFF + ((bits >> 16) & 1)) & ~0xFFFF


@compiled
def round_centres(table: Array, rough: Array) -> float:
    """Write the centres' table, (groups, features, CENTRES) in single precision, as pairs of features in bfloat16.

    Return the largest distance of a centre from the rounded one.
    """
    bits, (n_groups, d, n), largest = table.view(np.int32), table.shape, 0.0
    short = np.empty(1, np.float32)
    short_bits = short.view(np.int32)
    for q in range(n_groups):
        for c in range(n):
            square = 0.0
            for f in range(d):
                short_bits[0] = _rounded(int(bits[q, f, c]))
                square += (np.float64(short[0]) - np.float64(table[q, f, c])) ** 2
                first = np.int64(short_bits[0]) >> 16 & 0xFFFF
                rough[q, f // 2, c] = first if f % 2 == 0 else rough[q, f // 2, c] | (first << 16)
            largest = max(largest, square)
    return float(np.sqrt(largest))


@compiled
def largest_rounding(X: Array, origin: Array, block_rows: int, first: int, last: int, largest: Array) -> None:
    """Set ``largest[block]`` to the largest ``|z - z'| / |z|`` of the block's rows, z = x - origin, z' rounded."""
    z = np.empty((2, X.shape[1]), np.float32)
    bits = z.view(np.int32)
    for block in range(first, last):
        most = 0.0
        for i in range(block * block_rows, min((block + 1) * block_rows, X.shape[0])):
            for f in range(X.shape[1]):
                z[0, f] = X[i, f] - origin[f]
            for f in range(X.shape[1]):
                bits[1, f] = (bits[0, f] + np.int32(0x7FFF) + ((bits[0, f] >> 16) & np.int32(1))) & np.int32(-65536)
            square, error = 0.0, 0.0
            for f in range(X.shape[1]):
                square += np.float64(z[0, f]) ** 2
                error += np.float64(z[0, f] - z[1, f]) ** 2
            most = max(most, error / square if square > 0 else 0.0)
        largest[block] = np.sqrt(most)


@inlined
def pack_rough(_typing: Any, X: Any, rows: Any, shift: Any, panel: Any, first: Any) -> tuple[Any, Callable[..., Any]]:
    """Pack rows as :func:`.tiles.pack_panel` does, ``panel[1 + p, t]`` being features 2 p and 2 p + 1, rounded.

    The half squared lengths, too, are those of the rounded points.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, rows_, shift_, panel_, first_ = arguments
        code = VectorCode(context, builder, panel)
        data = VectorCode(context, builder, X, code.lanes)
        zero, wide = INT64(0), INT64(2 * code.lanes)
        x_0, shift_0 = code.start(X, X_, zero), code.start(shift, shift_, zero)
        norms_0, panel_0 = code.start(panel, panel_, zero), code.start(panel, panel_, INT64(VECTORS * code.lanes))
        rows_0 = code.start(rows, rows_, first_)
        width = cgutils.unpack_tuple(builder, context.make_array(X)(context, builder, X_).shape, 2)[1]
        blocks = builder.sdiv(builder.add(width, INT64(2 * code.lanes - 1)), wide)
        ((squares,),) = code.accumulators(1, 1)
        with cgutils.for_range(builder, INT64(VECTORS)) as group:
            t = builder.mul(group.index, INT64(code.lanes))
            numbers = [builder.load(code.at(rows_0, builder.add(t, INT64(m)))) for m in range(code.lanes)]
            starts = [code.at(x_0, builder.mul(number, width)) for number in numbers]
            builder.store(code.constant(0.0), squares)
            with cgutils.for_range(builder, blocks) as block:
                f = builder.mul(block.index, wide)
                inside = [code.between(zero, builder.sub(width, f), v) for v in range(2)]
                shifts = [data.load_where(inside[v], code.at(shift_0, f), v) for v in range(2)]
                given = []
                for start in starts:
                    x = code.at(start, f)
                    halves = [builder.fsub(data.load_where(inside[v], x, v), shifts[v]) for v in range(2)]
                    given.append(_short(code, [code.rounded(half) for half in halves]))
                for m, pair in enumerate(code.transposed(given)):
                    place = builder.add(builder.mul(block.index, INT64(code.lanes)), INT64(m))
                    place = builder.mul(place, INT64(VECTORS * code.lanes))
                    code.store(pair, code.at(panel_0, builder.add(place, t)))
                    add_short_products(code, squares, pair, pair)
            half = builder.fmul(builder.load(squares), code.constant(0.5))
            code.store(half, code.at(norms_0, t))
        return context.get_dummy_value()

    return types.void(X, rows, shift, panel, types.intp), generate


def _short(code: VectorCode, two: list[Any]) -> Any:
    """Return two vectors, one behind the other, as one of bfloat16."""
    both = code.shuffle(two[0], two[1], list(range(2 * code.lanes)))
    return code.builder.bitcast(code.builder.fptrunc(both, ir.VectorType(BFLOAT16, 2 * code.lanes)), code.vector)
