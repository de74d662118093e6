"""Products of matrices in tiles that stay in the processor's registers, written in its own vector instructions.

What LLVM makes of nested loops depends on its version and on luck; here the loop is spelled out. A tile of 8 x 3
vectors (4 x 3 where there are 16 registers) is summed over the rows of a panel: for every row, three vectors are loaded
and each of eight numbers, repeated in all lanes, is multiplied with them and added. Only at the end is the tile added
to the matrix in memory, in double precision.

A panel is an array (n_groups, n_rows, LANES): the columns of a block of rows, as many side by side as a vector has
lanes, so that every tile reads its operands from consecutive lines of the cache.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from steepest.kernels import processor
from steepest.kernels.compile import compiled
from steepest.kernels.vectors import WIDE, ask_for, cgutils
from steepest.typing import Array

HALVED = processor.name() == "znver4"  # multiplies long vectors in halves: short ones waste fewer lanes
BYTES = ir.IntType(8).as_pointer()
LINE = 64  # bytes that come from memory together
TILE = 8 if WIDE else 4  # columns that are repeated; times 3 vectors they fill the registers, with some to spare


class _BFloat16(ir.Type):  # type: ignore[misc]
    """A number of 16 bits: single precision without the last 16 binary digits."""

    def _to_string(self) -> str:
        return "bfloat"


BFLOAT16 = _BFloat16()


def lanes(dtype: Any) -> int:
    """Return how many numbers of ``dtype`` a vector holds."""
    itemsize = int(np.dtype(dtype).itemsize)
    return (64 if WIDE and not (HALVED and itemsize == 4) else 32) // itemsize


def reference_add_gram(panel: Array, gram: Array) -> None:
    """Add the products of all pairs of the panel's columns to ``gram``: the formula as it is read."""
    groups, rows, width = panel.shape
    Z = panel.transpose(1, 0, 2).reshape(rows, groups * width).astype(np.float64)
    gram += Z.T @ Z


def instructions(function: Callable[..., Any]) -> Any:
    """Turn a function that writes vector instructions into one that kernels can call."""
    return intrinsic(function)


@instructions
def _move(typing: Any, X: Any, shift: Any, first: Any, rows: Any, group: Any, panel: Any) -> Any:
    """Write ``X[first + r, j] - shift[j]`` for r < ``rows`` and the columns j of one group; zero beyond the last.

    A vector is read where the row may end before it: what it reads then is the next row, which must be there.
    """
    signature = types.void(X, shift, types.intp, types.intp, types.intp, panel)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, shifts, out = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 1, 5))
        first, count, at = arguments[2:5]
        index, width = count.type, lanes(panel.dtype.name)
        size = ir.Constant(index, width)
        begin = builder.mul(at, size)
        n_columns = cgutils.unpack_tuple(builder, data.shape, 2)[1]
        n_rows = cgutils.unpack_tuple(builder, out.shape, 3)[1]
        source = builder.gep(data.data, [builder.add(builder.mul(first, n_columns), begin)])
        target = builder.gep(out.data, [builder.mul(builder.mul(at, n_rows), size)])
        given, made = (ir.VectorType(context.get_data_type(t), width) for t in (X.dtype, panel.dtype))
        numbers = ir.Constant(ir.VectorType(index, width), list(range(width)))
        inside = builder.icmp_signed("<", numbers, repeated(builder, builder.sub(n_columns, begin), width))
        offsets = load_vector(builder, builder.gep(shifts.data, [begin]), ir.VectorType(ir.DoubleType(), width))
        offsets = _converted(builder, offsets, _wider(given, made))
        with cgutils.for_range(builder, count) as loop:
            row = load_vector(builder, builder.gep(source, [builder.mul(loop.index, n_columns)]), given)
            row = builder.fsub(_converted(builder, row, offsets.type), offsets)
            row = _converted(builder, row, made)
            place = builder.gep(target, [builder.mul(loop.index, size)])
            stored = builder.store(
                builder.select(inside, row, ir.Constant(made, None)), builder.bitcast(place, made.as_pointer())
            )
            stored.align = 4
        return context.get_dummy_value()

    return signature, generate


@instructions
def _transpose(typing: Any, X: Any, shift: Any, first: Any, blocks: Any, group: Any, panel: Any) -> Any:
    """Write ``X[j, first + r] - shift[j]`` of the columns j of one group, for ``blocks`` times LANES rows r.

    Columns beyond the last of X are zero. A square of LANES columns and rows is turned in registers: vectors i and
    i + LANES/2 are merged, alternately one number of each, and log2(LANES) such rounds exchange rows and columns.
    """
    signature = types.void(X, shift, types.intp, types.intp, types.intp, panel)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, shifts, out = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 1, 5))
        first, count, at = arguments[2:5]
        index, width = count.type, lanes(panel.dtype.name)
        size = ir.Constant(index, width)
        n_columns, n_samples = cgutils.unpack_tuple(builder, data.shape, 2)
        last = builder.sub(n_columns, ir.Constant(index, 1))
        n_rows = cgutils.unpack_tuple(builder, out.shape, 3)[1]
        given, made = (ir.VectorType(context.get_data_type(t), width) for t in (X.dtype, panel.dtype))
        columns = [builder.add(builder.mul(at, size), ir.Constant(index, i)) for i in range(width)]
        offsets = [repeated(builder, builder.load(builder.gep(shifts.data, [j])), width) for j in columns]
        offsets = [_converted(builder, offset, _wider(given, made)) for offset in offsets]
        target = builder.gep(out.data, [builder.mul(builder.mul(at, n_rows), size)])
        with cgutils.for_range(builder, count) as loop:
            row = builder.mul(loop.index, size)
            vectors = []
            for j, offset in zip(columns, offsets, strict=True):
                inside = builder.icmp_signed("<", j, n_columns)
                place = builder.mul(builder.select(inside, j, last), n_samples)
                place = builder.add(place, builder.add(first, row))
                vector = load_vector(builder, builder.gep(data.data, [place]), given)
                vector = builder.fsub(_converted(builder, vector, offset.type), offset)
                vector = _converted(builder, vector, made)
                vectors.append(builder.select(inside, vector, ir.Constant(made, None)))
            for i, vector in enumerate(_turned(builder, vectors)):
                place = builder.mul(builder.add(row, ir.Constant(index, i)), size)
                stored = builder.store(vector, builder.bitcast(builder.gep(target, [place]), made.as_pointer()))
                stored.align = 4
        return context.get_dummy_value()

    return signature, generate


def _turned(builder: Any, vectors: list[Any]) -> list[Any]:
    """Return the columns of the square whose rows are ``vectors``."""
    width, place = len(vectors), ir.IntType(32)
    merged = [number for i in range(width) for number in (i, width + i)]
    halves = [ir.Constant(ir.VectorType(place, width), merged[h * width : (h + 1) * width]) for h in (0, 1)]
    for _ in range(width.bit_length() - 1):
        pairs = zip(vectors[: width // 2], vectors[width // 2 :], strict=True)
        vectors = [builder.shuffle_vector(a, b, half) for a, b in pairs for half in halves]
    return vectors


def repeated(builder: Any, number: Any, width: int) -> Any:
    """Return a vector with ``number`` in every lane."""
    undefined = ir.Constant(ir.VectorType(number.type, width), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), width), None))


def _wider(a: Any, b: Any) -> Any:
    """Return that of two vector types whose numbers are the more precise."""
    return a if a.element == ir.DoubleType() else b


def _converted(builder: Any, vector: Any, wanted: Any) -> Any:
    """Return ``vector`` with numbers of another precision."""
    if vector.type == wanted:
        return vector
    return builder.fpext(vector, wanted) if wanted.element == ir.DoubleType() else builder.fptrunc(vector, wanted)


def _tile(n_vectors: int) -> Any:
    """Return the intrinsic that adds a tile of TILE rows and ``n_vectors`` vectors to the matrix ``gram``."""

    @instructions
    def tile(typing: Any, panel: Any, rows: Any, j: Any, group: Any, gram: Any, ahead: Any, run: Any, jump: Any) -> Any:
        """Add ``sum_r panel[j]_r * panel[group ...]_r`` over the first ``rows`` rows to ``gram[j:j + TILE, ...]``.

        Meanwhile as many lines of memory as there are rows are fetched, see :func:`add_gram`.
        """
        signature = types.void(panel, types.intp, types.intp, types.intp, gram, types.intp, types.intp, types.intp)
        scalar = ir.DoubleType() if panel.dtype == types.float64 else ir.FloatType()
        width = lanes(panel.dtype.name)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            source = context.make_array(signature.args[0])(context, builder, arguments[0])
            target = context.make_array(signature.args[4])(context, builder, arguments[4])
            count, first, at = arguments[1:4]
            size = ir.Constant(count.type, width)
            n_rows = cgutils.unpack_tuple(builder, source.shape, 3)[1]
            stride = builder.mul(n_rows, size)  # numbers from one group to the next
            place = builder.add(builder.mul(builder.udiv(first, size), stride), builder.urem(first, size))
            left = builder.gep(source.data, [place])
            groups = [builder.add(at, ir.Constant(count.type, v)) for v in range(n_vectors)]
            right = [builder.gep(source.data, [builder.mul(g, stride)]) for g in groups]
            sums = _loop(builder, scalar, width, count, left, right, arguments[5:])
            columns = cgutils.unpack_tuple(builder, target.shape, 2)[1]
            for i in range(TILE):
                row = builder.mul(builder.add(first, ir.Constant(count.type, i)), columns)
                for v in range(n_vectors):
                    begin = builder.gep(target.data, [builder.add(row, builder.mul(groups[v], size))])
                    add_vector(builder, begin, sums[i][v], width)
            return context.get_dummy_value()

        return signature, generate

    return tile


def _loop(
    builder: Any, scalar: Any, width: int, count: Any, left: Any, right: list[Any], ahead: Any
) -> list[list[Any]]:
    """Write the loop over rows; return the tile's sums, TILE lists of vectors."""
    vector, index = ir.VectorType(scalar, width), count.type
    given = ir.VectorType(left.type.pointee, width)
    zero = ir.Constant(vector, None)
    before = builder.block
    body, after = builder.append_basic_block("rows"), builder.append_basic_block("summed")
    builder.cbranch(builder.icmp_signed(">", count, ir.Constant(index, 0)), body, after)
    builder.position_at_end(body)
    row = builder.phi(index)
    row.add_incoming(ir.Constant(index, 0), before)
    old = [[builder.phi(vector) for _ in right] for _ in range(TILE)]
    offset = builder.mul(row, ir.Constant(index, width))
    _fetch(builder, row, *ahead)
    loaded = [load_vector(builder, builder.gep(pointer, [offset]), given) for pointer in right]
    new = []
    for i in range(TILE):
        number = builder.load(builder.gep(left, [builder.add(offset, ir.Constant(index, i))]))
        number = repeated(builder, number, width)
        new.append([_with_product(builder, s, number, v) for s, v in zip(old[i], loaded, strict=True)])
    following = builder.add(row, ir.Constant(index, 1))
    row.add_incoming(following, body)
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)
    sums = []
    for i in range(TILE):
        for phi, value in zip(old[i], new[i], strict=True):
            phi.add_incoming(zero, before)
            phi.add_incoming(value, body)
        sums.append([builder.phi(vector) for _ in right])
        for total, value in zip(sums[i], new[i], strict=True):
            total.add_incoming(zero, before)
            total.add_incoming(value, body)
    return sums


def _with_product(builder: Any, total: Any, a: Any, b: Any) -> Any:
    """Return ``total + a b``, lane by lane; of integers, which are pairs of 16-bit numbers, the products of both."""
    if a.type == total.type:
        return builder.fadd(total, builder.fmul(a, b, flags=("contract",)), flags=("contract",))
    pairs = ir.VectorType(BFLOAT16, 2 * total.type.count)
    name = f"llvm.x86.avx512bf16.dpbf16ps.{32 * total.type.count}"
    form = ir.FunctionType(total.type, [total.type, pairs, pairs])
    function = cgutils.get_or_insert_function(builder.module, form, name)
    return builder.call(function, [total, builder.bitcast(a, pairs), builder.bitcast(b, pairs)])


def _fetch(builder: Any, row: Any, ahead: Any, run: Any, jump: Any) -> None:
    """Ask for the line of memory that belongs to ``row`` in the pattern of :func:`add_gram`."""
    whole = builder.ashr(row, run)
    rest = builder.sub(row, builder.shl(whole, run))
    place = builder.add(builder.mul(whole, jump), builder.mul(rest, ir.Constant(row.type, LINE)))
    ask_for(builder, builder.inttoptr(builder.add(ahead, place), BYTES), nearest=False)


@instructions
def fetch(typing: Any, address: Any, n_bytes: Any) -> Any:
    """Ask for so many bytes of memory from ``address`` on, which will be needed soon; the processor goes on."""
    signature = types.void(types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        line = ir.Constant(arguments[1].type, LINE)
        with cgutils.for_range(builder, builder.sdiv(arguments[1], line)) as loop:
            address = builder.add(arguments[0], builder.mul(loop.index, line))
            ask_for(builder, builder.inttoptr(address, BYTES), nearest=False)
        return context.get_dummy_value()

    return signature, generate


def load_vector(builder: Any, pointer: Any, vector: Any) -> Any:
    """Return the vector of that type that begins there, on any number."""
    loaded = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    loaded.align = 4
    return loaded


def add_vector(builder: Any, begin: Any, sums: Any, width: int) -> None:
    """Add a vector to the numbers, in double precision, that begin there."""
    wide = ir.VectorType(ir.DoubleType(), width)
    place = builder.bitcast(begin, wide.as_pointer())
    old = builder.load(place)
    old.align = 8
    stored = builder.store(builder.fadd(old, _converted(builder, sums, wide)), place)
    stored.align = 8


_tile_1, _tile_2, _tile_3 = _tile(1), _tile(2), _tile(3)


@compiled
def add_gram(
    panel: Any, rows: Any, columns: Any, gram: Any, ahead: Any, run: Any, jump: Any, lines: Any
) -> None:  # fmt: skip
    """Add the products of the first ``columns`` columns to the lower triangle of ``gram``, and more above it.

    ``gram`` is square, of as many columns as the panel; in double precision. Three groups of columns meet all others,
    and stay in the nearest cache meanwhile. While the processor multiplies, it fetches what is needed next: ``lines``
    lines of memory in runs of ``2^run``, the first at the address ``ahead``, each ``jump`` bytes after the one before.
    Then it asks for the first lines again: they are there. Reference: :func:`reference_add_gram`.
    """
    width, begin, fetched = panel.shape[2], ahead, 0
    for group in range(0, -(-columns // width), 3):
        for j in range(group * width // TILE * TILE, columns, TILE):
            needed = (j + TILE - 1) // width + 1 - group  # groups that reach up to the diagonal
            if needed >= 3:
                _tile_3(panel, rows, j, group, gram, ahead, run, jump)
            elif needed == 2:
                _tile_2(panel, rows, j, group, gram, ahead, run, jump)
            else:
                _tile_1(panel, rows, j, group, gram, ahead, run, jump)
            fetched += rows
            ahead = ahead + (rows >> run) * jump if fetched < lines else begin


@compiled
def fill_from_rows(X: Any, shift: Any, first: Any, rows: Any, panel: Any) -> None:
    """Write rows of X (n, d), less ``shift``, to the panel, and zeros beyond column d.

    ``shift`` is as long as the panel is wide.
    Reference: ``panel[j // LANES, r, j % LANES] = X[first + r, j] - shift[j]``.
    """
    n, d = X.shape
    width = panel.shape[2]
    safe = rows - 1 if first + rows == n else rows  # after the last row of X nothing may be read
    for group in range(-(-d // width)):
        _move(X, shift, first, safe, group, panel)
    if safe < rows:
        for j in range(-(-d // width) * width):
            value = X[n - 1, j] - shift[j] if j < d else 0.0
            panel[j // width, safe, j % width] = value


@compiled
def fill_from_columns(X: Any, shift: Any, first: Any, rows: Any, panel: Any) -> None:
    """Do the same for X given as its transpose (d, n)."""
    d, width = X.shape[0], panel.shape[2]
    blocks = rows // width
    for group in range(-(-d // width)):
        _transpose(X, shift, first, blocks, group, panel)
    for j in range(d):
        for r in range(blocks * width, rows):
            panel[j // width, r, j % width] = X[j, first + r] - shift[j]
