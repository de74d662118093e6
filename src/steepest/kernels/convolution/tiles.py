r"""The register tiles that every convolution kernel is built of.

A convolution is a matrix product whose right-hand matrix need not be built: its row k is the signal, shifted. So the
tiles read row k at ``x[offset[k]:]``, and one table of offsets stands for strides, padding, dilation and channels::

    outer_tile    out[m, p] = sum_k a[k, m] x[offset[k] + p]       outputs p side by side in a vector
    dot_tile      out[m, j] += sum_p a[m, p] x[offset[j] + p]      terms p side by side

A loop over p that the compiler vectorises by itself reads and writes each output once a term; a tile keeps ROWS rows
of outputs in vector registers over the whole sum and reads each x once for all of them, which is some five times
faster. Registers cannot be named in Python, so the tiles are written as the vector instructions they are, and
inlined in the kernels that call them.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WIDE = bool(llvm.get_host_cpu_features().get("avx512f", False))
VECTOR_BYTES = 64 if WIDE else 32
ROWS = 8  # rows of a tile of outputs
VECTORS = 3 if WIDE else 1  # vectors in each row: ROWS x VECTORS accumulators, and 32 or 16 registers

INT64, INT32 = ir.IntType(64), ir.IntType(32)


def lanes(itemsize: int) -> int:
    """Return how many numbers of ``itemsize`` bytes a vector holds."""
    return VECTOR_BYTES // itemsize


def inlined(generator: Callable[..., Any]) -> Callable[..., Any]:
    """Make a generator of instructions callable from compiled code, where it is inlined; constants come as such."""
    callable_there: Callable[..., Any] = intrinsic(prefer_literal=True)(generator)
    return callable_there


class VectorCode:
    """Builder of vector instructions for arrays of one dtype."""

    def __init__(self, context: Any, builder: Any, array_type: Any) -> None:
        self.context, self.builder = context, builder
        self.scalar = context.get_value_type(array_type.dtype)
        self.itemsize = array_type.dtype.bitwidth // 8
        self.lanes = lanes(self.itemsize)
        self.vector = ir.VectorType(self.scalar, self.lanes)
        suffix = f"v{self.lanes}f{8 * self.itemsize}"
        form = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.{suffix}"
        self.fused = cgutils.get_or_insert_function(builder.module, form, name)  # type: ignore[no-untyped-call]

    def start(self, array_type: Any, array: Any, index: Any) -> Any:
        """Return the address of ``array[index]``."""
        return self.at(self.context.make_array(array_type)(self.context, self.builder, array).data, index)

    def at(self, pointer: Any, index: Any) -> Any:
        """Return the address ``index`` numbers further."""
        return self.builder.gep(pointer, [INT64(index) if isinstance(index, int) else index])

    def _address(self, pointer: Any, v: int) -> Any:
        return self.builder.bitcast(self.at(pointer, v * self.lanes), self.vector.as_pointer())

    def load(self, pointer: Any, v: int = 0) -> Any:
        """Return vector ``v`` from ``pointer`` on."""
        return self.builder.load(self._address(pointer, v), align=self.itemsize)

    def load_every(self, step: int, pointer: Any) -> Any:
        """Return every number, or every second one, from ``pointer`` on; nothing beyond the last is read."""
        if step == 1:
            return self.load(pointer)
        half = self.lanes // 2
        second = self.at(pointer, self.lanes - 1)  # begins one number early, so as not to end one too late
        mask = [2 * p if p < half else self.lanes + 2 * (p - half) + 1 for p in range(self.lanes)]
        return self.shuffle(self.load(pointer), self.load(second), mask)

    def store(self, value: Any, pointer: Any, v: int = 0) -> None:
        """Write vector ``v`` from ``pointer`` on."""
        self.builder.store(value, self._address(pointer, v), align=self.itemsize)

    def between(self, low: Any, high: Any, v: int = 0) -> Any:
        """Return the mask of the lanes of vector ``v`` whose number p has ``low <= p < high``."""
        numbers = ir.Constant(ir.VectorType(INT32, self.lanes), [v * self.lanes + p for p in range(self.lanes)])
        bounds = [self.splat(self.builder.trunc(bound, INT32), INT32) for bound in (low, high)]
        above = self.builder.icmp_signed(">=", numbers, bounds[0])
        return self.builder.and_(above, self.builder.icmp_signed("<", numbers, bounds[1]))

    def load_where(self, mask: Any, pointer: Any, v: int = 0) -> Any:
        """Return vector ``v`` from ``pointer`` on, with 0 in the lanes outside of the mask, which are not read."""
        zero = ir.Constant(self.vector, None)
        address = self._address(pointer, v)
        return self._masked("load", self.vector, [address, INT32(self.itemsize), mask, zero])

    def store_where(self, mask: Any, value: Any, pointer: Any, v: int = 0) -> None:
        """Write the lanes in the mask to vector ``v`` from ``pointer`` on."""
        self._masked("store", ir.VoidType(), [value, self._address(pointer, v), INT32(self.itemsize), mask])

    def _masked(self, what: str, result: Any, arguments: list[Any]) -> Any:
        name = f"llvm.masked.{what}.v{self.lanes}f{8 * self.itemsize}.p0"
        form = ir.FunctionType(result, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, form, name)  # type: ignore[no-untyped-call]
        return self.builder.call(function, arguments)

    def load_pieces(self, count: int, pointer: Any, pitch: Any) -> Any:
        """Return a vector of ``count`` pieces, which lie ``pitch`` apart."""
        if count == 1:
            return self.load(pointer)
        size = self.lanes // count
        form = ir.VectorType(self.scalar, size).as_pointer()
        places = [self.builder.bitcast(self.at(pointer, self.builder.mul(pitch, INT64(t))), form) for t in range(count)]
        pieces = [self.builder.load(place, align=self.itemsize) for place in places]
        while len(pieces) > 1:
            whole = list(range(2 * size))
            pieces = [self.shuffle(a, b, whole) for a, b in zip(pieces[::2], pieces[1::2], strict=True)]
            size *= 2
        return pieces[0]

    def store_pieces(self, count: int, value: Any, pointer: Any, pitch: Any) -> None:
        """Write a vector as ``count`` pieces ``pitch`` apart; where they overlap, the later stays."""
        if count == 1:
            self.store(value, pointer)
            return
        size = self.lanes // count
        form = ir.VectorType(self.scalar, size).as_pointer()
        for t in range(count):
            piece = self.shuffle(value, value, list(range(t * size, (t + 1) * size)))
            place = self.builder.bitcast(self.at(pointer, self.builder.mul(pitch, INT64(t))), form)
            self.builder.store(piece, place, align=self.itemsize)

    def broadcast(self, pointer: Any) -> Any:
        """Return the number at ``pointer`` in every lane."""
        return self.splat(self.builder.load(pointer))

    def splat(self, scalar: Any, form: Any = None) -> Any:
        """Return a number, of the array's type or another, in every lane."""
        undefined = ir.Constant(ir.VectorType(form or self.scalar, self.lanes), ir.Undefined)
        lane = self.builder.insert_element(undefined, scalar, INT32(0))
        return self.shuffle(lane, undefined, [0] * self.lanes)

    def shuffle(self, first: Any, second: Any, lanes: list[int]) -> Any:
        """Return the named lanes of two vectors, the second's counted on from the first's."""
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes))

    def constant(self, number: float) -> Any:
        """Return a constant in every lane."""
        return ir.Constant(self.vector, [number] * self.lanes)

    @staticmethod
    def index(number: int) -> Any:
        """Return an index as a constant."""
        return INT64(number)

    def accumulators(self, rows: int, columns: int) -> list[list[Any]]:
        """Return zeroed variables, which the compiler turns into registers."""
        zero = ir.Constant(self.vector, None)
        new: Callable[..., Any] = cgutils.alloca_once
        table = [[new(self.builder, self.vector) for _ in range(columns)] for _ in range(rows)]
        for variable in chain.from_iterable(table):
            self.builder.store(zero, variable)
        return table

    def add_product(self, variable: Any, left: Any, right: Any) -> None:
        """Add ``left * right`` to a variable, rounding once."""
        self.builder.store(self.builder.call(self.fused, [left, right, self.builder.load(variable)]), variable)

    def add_sums(self, variables: list[Any], pointer: Any) -> None:
        """Sum each variable's lanes, and add the sums, one a lane, to the vectors at ``pointer``.

        Vectors are added in pairs, half of the one beside half of the other, until every lane holds one sum: three
        instructions for two vectors at each of log2(lanes) levels, where each sum for itself takes some three times as
        many.
        """
        for v in range(len(variables) // self.lanes):
            level = [self.builder.load(x) for x in variables[v * self.lanes : (v + 1) * self.lanes]]
            width = self.lanes
            while len(level) > 1:
                pairs = zip(level[::2], level[1::2], strict=True)
                level = [self._fold(first, second, width) for first, second in pairs]
                width //= 2
            self.store(self.builder.fadd(self.load(pointer, v), level[0]), pointer, v)

    def _fold(self, first: Any, second: Any, width: int) -> Any:
        """Halve the segments of ``width`` lanes of both vectors by adding their halves; the first's come first."""
        starts = range(0, 2 * self.lanes, width)
        low = [start + i for start in starts for i in range(width // 2)]
        high = [lane + width // 2 for lane in low]
        halves = [self.shuffle(first, second, mask) for mask in (low, high)]
        return self.builder.fadd(*halves)


def literals(*numbers: Any) -> list[int] | None:
    """Return the values of compile-time constants, or None to make numba try again with constants."""
    constant = all(isinstance(n, types.IntegerLiteral) for n in numbers)
    return [n.literal_value for n in numbers] if constant else None


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
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + m pitch + p] = sum_k a[ia + k rows + m] x[ix + offset[k] + p]``, for ``vectors`` vectors of p.

    ``rows`` and ``vectors`` are constants; ``terms`` is the number of k; a, x, offset and out are contiguous.
    Reference: ``steepest.operators.convolution2d.reference``.
    """
    size = literals(rows, vectors)
    if size is None:
        return None
    n_rows, n_vectors = size
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, a_, ia_, x_, ix_, offset_, terms_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, a)
        a_0, x_0, out_0 = code.start(a, a_, ia_), code.start(x, x_, ix_), code.start(out, out_, io_)
        offset_0 = code.start(offset, offset_, INT64(0))
        sums = code.accumulators(n_rows, n_vectors)
        with cgutils.for_range(builder, terms_) as loop:
            x_k = code.at(x_0, builder.load(code.at(offset_0, loop.index)))
            a_k = code.at(a_0, builder.mul(loop.index, INT64(n_rows)))
            shifted = [code.load(x_k, v) for v in range(n_vectors)]
            for m in range(n_rows):
                weight = code.broadcast(code.at(a_k, m))
                for v in range(n_vectors):
                    code.add_product(sums[m][v], weight, shifted[v])
        for m in range(n_rows):
            row = code.at(out_0, builder.mul(pitch_, INT64(m)))
            for v in range(n_vectors):
                code.store(builder.load(sums[m][v]), row, v)
        return context.get_dummy_value()

    return types.void(rows, vectors, a, i, x, i, offset, i, out, i, i), generate


@inlined
def dot_tile(
    _typing: Any,
    rows: Any,
    columns: Any,
    a: Any,
    ia: Any,
    a_pitch: Any,
    x: Any,
    ix: Any,
    offset: Any,
    j0: Any,
    steps: Any,
    out: Any,
    io: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + m columns + j] += sum_p a[ia + m a_pitch + p] x[ix + offset[j0 + j] + p]`` over ``steps`` vectors.

    ``rows`` and ``columns`` are constants whose product is a multiple of the lanes; a, x, offset and out are
    contiguous. Reference: ``steepest.operators.convolution2d.reference``.
    """
    size = literals(rows, columns)
    if size is None:
        return None
    n_rows, n_columns = size
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, a_, ia_, a_pitch_, x_, ix_, offset_, j0_, steps_, out_, io_ = arguments
        code = VectorCode(context, builder, a)
        a_0, x_0, out_0 = code.start(a, a_, ia_), code.start(x, x_, ix_), code.start(out, out_, io_)
        offset_0 = code.start(offset, offset_, j0_)
        a_rows = [code.at(a_0, builder.mul(a_pitch_, INT64(m))) for m in range(n_rows)]
        x_columns = [code.at(x_0, builder.load(code.at(offset_0, j))) for j in range(n_columns)]
        sums = code.accumulators(n_rows, n_columns)
        with cgutils.for_range(builder, steps_) as loop:
            p = builder.mul(loop.index, INT64(code.lanes))
            shifted = [code.load(code.at(column, p)) for column in x_columns]
            for m in range(n_rows):
                row = code.load(code.at(a_rows[m], p))
                for j in range(n_columns):
                    code.add_product(sums[m][j], row, shifted[j])
        code.add_sums(list(chain.from_iterable(sums)), out_0)
        return context.get_dummy_value()

    return types.void(rows, columns, a, i, i, x, i, offset, i, i, out, i), generate


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
        rows = [code.load(code.at(x_0, builder.mul(x_pitch_, INT64(m)))) for m in range(L)]
        step = 1
        while step < L:  # swap the off-diagonal squares of side ``step`` in each square of side 2 step
            low = [p if not p & step else L + p - step for p in range(L)]
            high = [p + step if not p & step else L + p for p in range(L)]
            for m in (m for m in range(L) if not m & step):
                first, second = rows[m], rows[m + step]
                rows[m], rows[m + step] = code.shuffle(first, second, low), code.shuffle(first, second, high)
            step *= 2
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
    _typing: Any, rows: Any, count: Any, x: Any, ix: Any, iy: Any, x_pitch: Any, out: Any, io: Any, pitch: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[io + r pitch + 2 i] = x[ix + r x_pitch + i]``, ``[... + 2 i + 1] = x[iy + r x_pitch + i]`` for i < count.

    In each of so many rows; nothing is read or written beyond.
    """
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows_, count_, x_, ix_, iy_, x_pitch_, out_, io_, pitch_ = arguments
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
                    for v in (0, 1):
                        mixed = [k // 2 + L * (k % 2) for k in range(v * L, (v + 1) * L)]
                        code.store(code.shuffle(pair[0], pair[1], mixed), code.at(line, builder.mul(p, INT64(2))), v)
                with short, cgutils.for_range(builder, count_) as loop:
                    for v in (0, 1):
                        place = code.at(line, builder.add(builder.mul(loop.index, INT64(2)), INT64(v)))
                        builder.store(builder.load(code.at(lines[v], loop.index)), place)
        return context.get_dummy_value()

    return types.void(i, i, x, i, i, i, out, i, i), generate
