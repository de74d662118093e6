"""The processor's own vector instructions, as functions that kernels call.

What LLVM makes of nested loops depends on its version and on luck: it rarely keeps a tile of sums in registers. Where
that decides the speed, the instructions are spelled out: a *generator* writes them with :class:`VectorCode`, and
:func:`inlined` turns it into a function that compiled code can call, without the cost of a call.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import numba.core.cgutils
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from steepest.kernels import processor

cgutils: Any = numba.core.cgutils  # numba types it in part
WIDE = processor.has("avx512f")
VECTOR_BYTES = 64 if WIDE else 32
PIECE_BYTES = 16  # within which numbers are exchanged fastest

INT64, INT32 = ir.IntType(64), ir.IntType(32)


def lanes(itemsize: int) -> int:
    """Return how many numbers of ``itemsize`` bytes a vector holds."""
    return VECTOR_BYTES // itemsize


def inlined(generator: Callable[..., Any]) -> Callable[..., Any]:
    """Make a generator of instructions callable from compiled code, where it is inlined; constants come as such."""
    callable_there: Callable[..., Any] = intrinsic(prefer_literal=True)(generator)
    return callable_there


def ask_for(builder: Any, pointer: Any, *, write: bool = False, nearest: bool = True) -> None:
    """Have a line of memory brought to the nearest cache, or to the second; one that does not exist does no harm."""
    form = ir.FunctionType(ir.VoidType(), [pointer.type, INT32, INT32, INT32])
    function = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
    builder.call(function, [pointer, INT32(int(write)), INT32(3 if nearest else 2), INT32(1)])


class VectorCode:
    """Builder of vector instructions for arrays of one dtype; ``n_lanes`` if not as many as a vector holds."""

    def __init__(self, context: Any, builder: Any, array_type: Any, n_lanes: int = 0) -> None:
        self.context, self.builder = context, builder
        self.scalar = context.get_value_type(array_type.dtype)
        self.itemsize = array_type.dtype.bitwidth // 8
        self.lanes = n_lanes or lanes(self.itemsize)
        self.vector = ir.VectorType(self.scalar, self.lanes)
        suffix = f"v{self.lanes}f{8 * self.itemsize}"
        form = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fma.{suffix}"
        self.fused = cgutils.get_or_insert_function(builder.module, form, name)

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

    def load_integers(self, pointer: Any, v: int = 0) -> Any:
        """Return vector ``v`` of the 32-bit integers from ``pointer`` on, as numbers of the array's type."""
        place = self.builder.gep(pointer, [INT64(v * self.lanes)])
        place = self.builder.bitcast(place, ir.VectorType(INT32, self.lanes).as_pointer())
        return self.builder.sitofp(self.builder.load(place, align=4), self.vector)

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

    def bits(self, mask: Any) -> Any:
        """Return a mask as an integer, lane p as bit p."""
        return self.builder.zext(self.builder.bitcast(mask, ir.IntType(self.lanes)), INT32)

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
        function = cgutils.get_or_insert_function(self.builder.module, form, name)
        return self.builder.call(function, arguments)

    def fetch(self, pointer: Any, v: int = 0, write: bool = False) -> None:
        """Have the line of vector ``v`` from ``pointer`` on brought to the cache, while what follows is computed.

        With ``write`` other cores give it up, so that writing need not wait for them. An address that does not exist
        does no harm.
        """
        ask_for(self.builder, self._address(pointer, v), write=write)

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

    def transposed(self, rows: list[Any]) -> list[Any]:
        """Return the columns of the square whose rows are these, as many as a vector has lanes.

        First within the pieces of 16 bytes of which long vectors consist, which takes the processor half the time of
        any other exchange; then the pieces themselves are exchanged.
        """
        size = PIECE_BYTES // self.itemsize
        squares = [self._transposed_pieces(rows[r : r + size]) for r in range(0, self.lanes, size)]
        columns = [self._exchanged_pieces(list(column)) for column in zip(*squares, strict=True)]
        return [column[b] for b in range(self.lanes // size) for column in columns]

    def _transposed_pieces(self, rows: list[Any]) -> list[Any]:
        """Transpose the squares of pieces of so many rows: column c of piece b goes to piece b of vector c."""
        if len(rows) == 2:
            return self._interleaved(rows[0], rows[1], 1)
        (a, b), (c, d) = self._interleaved(rows[0], rows[1], 1), self._interleaved(rows[2], rows[3], 1)
        return [*self._interleaved(a, c, 2), *self._interleaved(b, d, 2)]

    def _interleaved(self, first: Any, second: Any, run: int) -> list[Any]:
        """Return the low halves of all pieces of two vectors, and the high ones, in turns of ``run`` numbers."""
        size = PIECE_BYTES // self.itemsize
        masks: list[list[int]] = [[], []]
        for half, mask in enumerate(masks):
            for start in range(0, self.lanes, size):
                for i in range(start + half * size // 2, start + (half + 1) * size // 2, run):
                    mask += [*range(i, i + run), *range(self.lanes + i, self.lanes + i + run)]
        return [self.shuffle(first, second, mask) for mask in masks]

    def _exchanged_pieces(self, vectors: list[Any]) -> list[Any]:
        """Return vector b of piece b of each of two or four vectors."""
        if len(vectors) == 2:
            return [self._pieces(vectors, [b, 2 + b]) for b in range(2)]
        low, high = ([self._pieces(vectors[i : i + 2], [b, b + 1, 4 + b, 5 + b]) for i in (0, 2)] for b in (0, 2))
        return [self._pieces(pair, [b, 2 + b, 4 + b, 6 + b]) for pair in (low, high) for b in range(2)]

    def _pieces(self, pair: list[Any], picked: list[int]) -> Any:
        """Return a vector of pieces of two, the second's counted on from the first's."""
        size = PIECE_BYTES // self.itemsize
        return self.shuffle(pair[0], pair[1], [size * piece + i for piece in picked for i in range(size)])

    def rounded(self, vector: Any) -> Any:
        """Return a vector of the same or of wider numbers as one of the array's type."""
        return vector if vector.type == self.vector else self.builder.fptrunc(vector, self.vector)

    def widened(self, vector: Any) -> Any:
        """Return a vector of the same or of narrower numbers as one of the array's type."""
        return vector if vector.type == self.vector else self.builder.fpext(vector, self.vector)

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

    def fused_sum(self, left: Any, right: Any, addend: Any) -> Any:
        """Return ``left * right + addend``, rounded once."""
        return self.builder.call(self.fused, [left, right, addend])

    def add_product(self, variable: Any, left: Any, right: Any) -> None:
        """Add ``left * right`` to a variable, rounding once."""
        self.builder.store(self.fused_sum(left, right, self.builder.load(variable)), variable)

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


@inlined
def first_bit(_typing: Any, mask: Any) -> tuple[Any, Callable[..., Any]]:
    """Return the place of the lowest bit that is set in an integer that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(place, INT64) if mask.bitwidth < 64 else place

    return types.int64(mask), generate


def literals(*numbers: Any) -> list[int] | None:
    """Return the values of compile-time constants, or None to make numba try again with constants."""
    constant = all(isinstance(n, types.IntegerLiteral) for n in numbers)
    return [n.literal_value for n in numbers] if constant else None
