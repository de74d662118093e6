"""Squared distances of long rows, which come from memory at each pass: they are read as they lie there.

SIMD lanes are features here. To turn rows, so that lanes are points, takes longer than to sum up a long row's lanes.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.kmeans.rows import LINE_BYTES
from steepest.kernels.room import cube
from steepest.kernels.vectors import INT64, VECTOR_BYTES, WIDE, VectorCode, ask_for, cgutils, inlined
from steepest.typing import Array

VECTORS = 8 if WIDE else 4  # of a row's features, which stay in registers for all candidates
CHUNK_BYTES = VECTORS * VECTOR_BYTES
LONG_CHUNKS = 2  # of a row that is long
AHEAD = 2  # rows: those that are asked for while others are added up


@inlined
def _add_chunk(
    _typing: Any, X: Any, row: Any, begin: Any, origin: Any, table: Any, sums: Any, t: Any
) -> tuple[Any, Callable[..., Any]]:
    """``sums[l, t] += sum_f (X[row, f] - origin[f] + table[l, f])^2`` over the chunk of features from ``begin`` on.

    Differences are rounded once, to the precision of the sums. The same chunk of a row further on is asked for.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, row_, begin_, origin_, table_, sums_, t_ = arguments
        code = VectorCode(context, builder, sums)
        data = VectorCode(context, builder, X, code.lanes)
        width, pitch, n_candidates = (
            cgutils.unpack_tuple(builder, context.make_array(form)(context, builder, array).shape)[axis]
            for form, array, axis in ((X, X_, 1), (sums, sums_, 1), (table, table_, 1))
        )
        x_0 = data.start(X, X_, builder.add(builder.mul(row_, width), begin_))
        ahead = data.at(x_0, builder.mul(width, INT64(AHEAD)))
        origin_0, sums_0 = data.start(origin, origin_, begin_), code.start(sums, sums_, t_)
        size = VECTORS * code.lanes
        for f in range(0, size, LINE_BYTES // data.itemsize):
            place = builder.bitcast(data.at(ahead, f), data.vector.as_pointer())
            ask_for(builder, place, nearest=False)
        points = _differences(code, data, x_0, origin_0, builder.sub(width, begin_))
        table_0 = code.start(table, table_, builder.mul(begin_, n_candidates))
        ((even, odd),) = code.accumulators(1, 2)
        with cgutils.for_range(builder, n_candidates) as loop:
            for variable in (even, odd):
                builder.store(code.constant(0.0), variable)
            candidate = code.at(table_0, builder.mul(loop.index, INT64(size)))
            for v, point in enumerate(points):
                difference = builder.fadd(point, code.load(candidate, v))
                code.add_product(odd if v % 2 else even, difference, difference)
            place = code.at(sums_0, builder.mul(loop.index, pitch))
            total = _lanes_sum(code, builder.fadd(builder.load(even), builder.load(odd)))
            builder.store(builder.fadd(builder.load(place), total), place)
        return context.get_dummy_value()

    return types.void(X, types.intp, types.intp, origin, table, sums, types.intp), generate


def _differences(code: VectorCode, data: VectorCode, x_0: Any, origin_0: Any, left: Any) -> list[Any]:
    """Return the vectors of ``x - origin`` of a chunk, with zeros beyond the last feature; so many are ``left``."""
    builder = code.builder
    (given,) = code.accumulators(1, VECTORS)
    with builder.if_else(builder.icmp_signed(">=", left, INT64(VECTORS * code.lanes))) as (whole, part):
        with whole:
            for v, variable in enumerate(given):
                difference = builder.fsub(data.load(x_0, v), data.load(origin_0, v))
                builder.store(code.rounded(difference), variable)
        with part:
            for v, variable in enumerate(given):
                inside = data.between(INT64(0), left, v)
                pair = [data.load_where(inside, start, v) for start in (x_0, origin_0)]
                builder.store(code.rounded(builder.fsub(*pair)), variable)
    return [builder.load(variable) for variable in given]


def _lanes_sum(code: VectorCode, vector: Any) -> Any:
    """Return the sum of a vector's lanes."""
    form = ir.FunctionType(code.scalar, [code.scalar, code.vector])
    name = f"llvm.vector.reduce.fadd.v{code.lanes}f{8 * code.itemsize}"
    function = cgutils.get_or_insert_function(code.builder.module, form, name)
    return code.builder.call(function, [ir.Constant(code.scalar, 0.0), vector], fastmath=("reassoc",))


@borrowing
def chunk_size(kind: Array) -> int:
    """Return how many features of numbers of this kind make a chunk."""
    return CHUNK_BYTES // kind.itemsize


@compiled
def candidates_in_chunks(candidates: Array, origin: Array, kind: Array) -> Array:
    """Return ``table[c, l, g] = o_f - candidate_l, f`` with f = c CHUNK + g, zeros beyond the last feature."""
    (n, d), size = candidates.shape, chunk_size(kind)
    table: Array = cube((d + size - 1) // size, n, size, kind)
    for j in range(n):
        for f in range(table.shape[0] * size):
            table[f // size, j, f % size] = origin[f] - candidates[j, f] if f < d else 0.0
    return table


@borrowing
def long_squared_distances(
    X: Array, origin: Array, start: int, first: int, n_rows: int, table: Array, distances: Array
) -> None:
    """Set ``distances[l, first + t] = |x_(start + t) - candidate_l|^2`` for so many rows.

    Reference: :func:`steepest.objectives.clustering.squared_distances`.
    """
    for j in range(table.shape[1]):
        for t in range(n_rows):
            distances[j, first + t] = 0
    for t in range(n_rows):
        for chunk in range(table.shape[0]):
            _add_chunk(X, start + t, chunk * table.shape[2], origin, table, distances, first + t)
