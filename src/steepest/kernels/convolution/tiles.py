r"""The register tiles that every convolution kernel is built of.

A convolution is a matrix product whose right-hand matrix need not be built: its row k is the signal, shifted. So the
tiles read row k at ``x[offset[k]:]``, and one table of offsets stands for strides, padding, dilation and channels::

    outer_tile    out[m, p] = sum_k a[k, m] x[offset[k] + p]       outputs p side by side in a vector
    dot_tile      out[m, j] += sum_p a[m, p] x[offset[j] + p]      terms p side by side

A loop over p that the compiler vectorises by itself reads and writes each output once a term; a tile keeps ROWS rows
of outputs in vector registers over the whole sum and reads each x once for all of them, which is some five times
faster; see :mod:`steepest.kernels.vectors`.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from numba.core import cgutils, types

from steepest.kernels.vectors import INT64, WIDE, VectorCode, inlined, literals

ROWS = 8  # rows of a tile of outputs
VECTORS = 3 if WIDE else 1  # vectors in each row: ROWS x VECTORS accumulators, and 32 or 16 registers


@inlined
def outer_tile(
    _typing: Any,
    rows: Any,
    vectors: Any,
    a: Any,
    ia: Any,
    x: Any,
    ix: Any,
    offset: Any,
    terms: Any,
    out: Any,
    io: Any,
    pitch: Any,
    more: Any,
    ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + m pitch + p] = sum_k a[ia + k rows + m] x[ix + offset[k] + p]``, for ``vectors`` vectors of p.

    ``rows`` and ``vectors`` are constants; ``terms`` is the number of k; a, x, offset and out are contiguous. With
    ``more`` the sum is added to what out holds. Of each row of x, the line ``ahead`` numbers further is fetched,
    and out's lines are while the sum is formed.
    Reference: ``steepest.operators.convolution2d.reference``.
    """
    size = literals(rows, vectors)
    if size is None:
        return None
    n_rows, n_vectors = size
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, a_, ia_, x_, ix_, offset_, terms_, out_, io_, pitch_, more_, ahead_ = arguments
        code = VectorCode(context, builder, a)
        a_0, x_0, out_0 = code.start(a, a_, ia_), code.start(x, x_, ix_), code.start(out, out_, io_)
        offset_0 = code.start(offset, offset_, INT64(0))
        sums = code.accumulators(n_rows, n_vectors)
        lines = [code.at(out_0, builder.mul(pitch_, INT64(m))) for m in range(n_rows)]
        places = [(row[v], line, v) for row, line in zip(sums, lines, strict=True) for v in range(n_vectors)]
        for _, line, v in places:
            code.fetch(line, v, write=True)
        with builder.if_then(more_):
            for total, line, v in places:
                builder.store(code.load(line, v), total)
        with cgutils.for_range(builder, terms_) as loop:
            x_k = code.at(x_0, builder.load(code.at(offset_0, loop.index)))
            a_k = code.at(a_0, builder.mul(loop.index, INT64(n_rows)))
            shifted = [code.load(x_k, v) for v in range(n_vectors)]
            code.fetch(code.at(x_k, ahead_))
            for m in range(n_rows):
                weight = code.broadcast(code.at(a_k, m))
                for v in range(n_vectors):
                    code.add_product(sums[m][v], weight, shifted[v])
        for total, line, v in places:
            code.store(builder.load(total), line, v)
        return context.get_dummy_value()

    return types.void(rows, vectors, a, i, x, i, offset, i, out, i, i, types.boolean, i), generate


@inlined
def dot_tile(
    _typing: Any,
    rows: Any,
    columns: Any,
    a: Any,
    ia: Any,
    a_pitch: Any,
    last: Any,
    x: Any,
    ix: Any,
    offset: Any,
    j0: Any,
    count: Any,
    out: Any,
    io: Any,
    ahead: Any,
    iz: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + m columns + j] += sum_p a[ia + m a_pitch + p] x[ix + offset[j0 + j] + p]`` over p < ``count``.

    ``rows`` and ``columns`` are constants; a, x, offset and out are contiguous. Nothing beyond ``count`` is read, and
    no row beyond row ``last``, which is taken instead. What follows in out, up to a whole vector, is written as it was.
    Meanwhile as many numbers of another array, ``ahead``, are fetched from ``iz`` on.
    Reference: ``steepest.operators.convolution2d.reference``.
    """
    size = literals(rows, columns)
    if size is None:
        return None
    n_rows, n_columns = size
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, a_, ia_, a_pitch_, last_, x_, ix_, offset_, j0_, count_, out_, io_, ahead_, iz_ = arguments
        code = VectorCode(context, builder, a)
        a_0, x_0, out_0 = code.start(a, a_, ia_), code.start(x, x_, ix_), code.start(out, out_, io_)
        offset_0 = code.start(offset, offset_, j0_)
        there = [builder.select(builder.icmp_signed("<", INT64(m), last_), INT64(m), last_) for m in range(n_rows)]
        a_rows = [code.at(a_0, builder.mul(a_pitch_, m)) for m in there]
        x_columns = [code.at(x_0, builder.load(code.at(offset_0, j))) for j in range(n_columns)]
        fetched = code.start(ahead, ahead_, iz_)
        sums = code.accumulators(n_rows, n_columns)
        wide = INT64(code.lanes)
        rest = builder.srem(count_, wide)

        def add(p: Any, load: Callable[[Any], Any]) -> None:
            shifted = [load(code.at(column, p)) for column in x_columns]
            for m in range(n_rows):
                row = load(code.at(a_rows[m], p))
                for j in range(n_columns):
                    code.add_product(sums[m][j], row, shifted[j])

        with cgutils.for_range(builder, builder.sdiv(count_, wide)) as loop:
            p = builder.mul(loop.index, wide)
            code.fetch(code.at(fetched, p))
            add(p, code.load)
        with builder.if_then(builder.icmp_signed(">", rest, INT64(0))):
            left = code.between(INT64(0), rest)
            add(builder.sub(count_, rest), lambda pointer: code.load_where(left, pointer))
        spare = code.accumulators(1, -n_rows * n_columns % code.lanes)
        code.add_sums(list(chain.from_iterable(sums + spare)), out_0)
        return context.get_dummy_value()

    return types.void(rows, columns, a, i, i, i, x, i, offset, i, i, out, i, ahead, i), generate


@inlined
def transpose_tile(
    _typing: Any, width: Any, x: Any, ix: Any, x_pitch: Any, out: Any, io: Any, pitch: Any, apart: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + p pitch + m] = x[ix + m x_pitch + p]`` for a square of as many numbers as a vector holds.

    Where that is more than ``width``, a constant, rows are written in pieces of ``width``, which lie ``apart``.
    """
    size = literals(width)
    if size is None:
        return None
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x_, ix_, x_pitch_, out_, io_, pitch_, apart_ = arguments
        code = VectorCode(context, builder, x)
        x_0, out_0, L = code.start(x, x_, ix_), code.start(out, out_, io_), code.lanes
        rows = code.transposed([code.load(code.at(x_0, builder.mul(x_pitch_, INT64(m)))) for m in range(L)])
        for p, row in enumerate(rows):
            code.store_pieces(max(1, L // size[0]), row, code.at(out_0, builder.mul(pitch_, INT64(p))), apart_)
        return context.get_dummy_value()

    return types.void(width, x, i, i, out, i, i, i), generate


@inlined
def copy_rows(
    _typing: Any,
    step: Any,
    rows: Any,
    count: Any,
    x: Any,
    ix: Any,
    x_pitch: Any,
    shift: Any,
    out: Any,
    io: Any,
    pitch: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + r pitch + i] = x[ix + r x_pitch + step i] + shift`` for i < count in each of so many rows.

    ``step`` is the constant 1 or 2. The last vector of a row overlaps the one before, so that nothing is read or
    written beyond; rows shorter than a vector go number by number.
    """
    size = literals(step)
    if size is None:
        return None
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, rows_, count_, x_, ix_, x_pitch_, shift_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        x_0, out_0 = code.start(x, x_, ix_), code.start(out, out_, io_)
        wide, last = INT64(code.lanes), builder.sub(count_, INT64(code.lanes))
        vectors = builder.sdiv(builder.add(count_, INT64(code.lanes - 1)), wide)
        shifts = code.splat(shift_)
        with cgutils.for_range(builder, rows_) as row:
            x_r = code.at(x_0, builder.mul(row.index, x_pitch_))
            out_r = code.at(out_0, builder.mul(row.index, pitch_))
            with builder.if_else(builder.icmp_signed(">=", last, INT64(0))) as (long, short):
                with long, cgutils.for_range(builder, vectors) as loop:
                    p = builder.mul(loop.index, wide)
                    p = builder.select(builder.icmp_signed("<", p, last), p, last)
                    numbers = code.load_every(size[0], code.at(x_r, builder.mul(p, INT64(size[0]))))
                    code.store(builder.fadd(numbers, shifts), code.at(out_r, p))
                with short, cgutils.for_range(builder, count_) as loop:
                    number = builder.load(code.at(x_r, builder.mul(loop.index, INT64(size[0]))))
                    builder.store(builder.fadd(number, shift_), code.at(out_r, loop.index))
        return context.get_dummy_value()

    return types.void(step, i, i, x, i, i, x.dtype, out, i, i), generate


@inlined
def interleave_rows(
    _typing: Any,
    rows: Any,
    count: Any,
    x: Any,
    ix: Any,
    iy: Any,
    x_pitch: Any,
    out: Any,
    io: Any,
    pitch: Any,
    ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + r pitch + 2 i] = x[ix + r x_pitch + i]``, ``[... + 2 i + 1] = x[iy + r x_pitch + i]`` for i < count.

    In each of so many rows; nothing is read or written beyond. The lines of out ``ahead`` numbers further are fetched.
    """
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows_, count_, x_, ix_, iy_, x_pitch_, out_, io_, pitch_, ahead_ = arguments
        code = VectorCode(context, builder, x)
        starts, out_0, L = [code.start(x, x_, at) for at in (ix_, iy_)], code.start(out, out_, io_), code.lanes
        last = builder.sub(count_, INT64(L))
        vectors = builder.sdiv(builder.add(count_, INT64(L - 1)), INT64(L))
        with cgutils.for_range(builder, rows_) as row:
            lines = [code.at(start, builder.mul(row.index, x_pitch_)) for start in starts]
            line = code.at(out_0, builder.mul(row.index, pitch_))
            with builder.if_else(builder.icmp_signed(">=", last, INT64(0))) as (long, short):
                with long, cgutils.for_range(builder, vectors) as loop:
                    p = builder.mul(loop.index, INT64(L))
                    p = builder.select(builder.icmp_signed("<", p, last), p, last)
                    pair = [code.load(code.at(start, p)) for start in lines]
                    beyond = code.at(line, builder.add(ahead_, builder.mul(p, INT64(2))))
                    for edge in (0, 2 * L - 1):  # and the line between, as the next vectors' edges
                        code.fetch(code.at(beyond, edge), write=True)
                    for v in (0, 1):
                        mixed = [k // 2 + L * (k % 2) for k in range(v * L, (v + 1) * L)]
                        code.store(code.shuffle(pair[0], pair[1], mixed), code.at(line, builder.mul(p, INT64(2))), v)
                with short, cgutils.for_range(builder, count_) as loop:
                    for v in (0, 1):
                        place = code.at(line, builder.add(builder.mul(loop.index, INT64(2)), INT64(v)))
                        builder.store(builder.load(code.at(lines[v], loop.index)), place)
        return context.get_dummy_value()

    return types.void(i, i, x, i, i, i, out, i, i, i), generate
