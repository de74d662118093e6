"""Products of matrices of any size, in tiles that stay in the processor's registers.

A network of some ten units makes products too small for BLAS, whose calls and copies cost more than the work; here a
product of 2 x 2 takes some ten nanoseconds, and a large one reaches the processor's speed as BLAS does.

Matrices are addresses, as :func:`address` returns them, of stretches of flat arrays: a call with four arrays would take
longer than a small product. Entry (i, t) of the left one lies ``i a_row + t a_column`` further, so that it may be a
transpose; rows of the right one and of the result are contiguous. A tile of ROWS x 4 vectors is summed over all
terms: for each, four vectors are loaded, and each of ROWS numbers, repeated in all lanes, is multiplied with them and
added. Each entry is the sum of its terms in their order, whatever tile it falls into.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.compile import borrowing
from steepest.kernels.compile import inlined as copied
from steepest.kernels.procedures import Numbers, as_in, call, procedure
from steepest.kernels.vectors import INT64, VECTOR_BYTES, WIDE, VectorCode, cgutils, inlined, literals

ROWS = 6  # of a tile; with its vectors, those loaded and the number repeated: 29 of 32 registers, or 15 of 16
VECTORS = 4 if WIDE else 2
TALL = 8 if WIDE else 6  # rows of a tile of one or two vectors
FEW = 3  # rows of the tile of two vectors that a handful is left to
TINY = 64  # multiplications of a product that plain loops make sooner
SAME, NEXT = 0, 1  # steps from row to row, or column to column
NARROW = 96  # entries of a matrix below which turning it number by number costs less than by vectors


@inlined
def address(_typing: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Return where ``array[index]`` is, or the number ``index`` further than an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = arguments[0]
        if not isinstance(array, types.CPointer):
            start = context.make_array(array)(context, builder, start).data
        return builder.gep(start, [arguments[1]])

    pointer: Any = types.CPointer
    return pointer(array.dtype)(array, types.intp), generate


@inlined
def lanes(_typing: Any, numbers: Any) -> tuple[Any, Callable[..., Any]]:
    """Return how many of the numbers at an address a vector holds."""
    return types.intp(numbers), lambda *_: INT64(VECTOR_BYTES // (numbers.dtype.bitwidth // 8))


@inlined
def given(_typing: Any, numbers: Any) -> tuple[Any, Callable[..., Any]]:
    """Return whether an address is one."""
    return types.boolean(numbers), lambda _context, builder, _signature, given: cgutils.is_not_null(builder, *given)


def _rows(code: VectorCode, first: Any, step: Any, last: Any, n_rows: int) -> list[Any]:
    """Return where so many rows begin; those beyond number ``last`` are that one once more."""
    found = [first]
    for r in range(1, n_rows):
        further = code.builder.icmp_signed("<=", INT64(r), last)
        found.append(code.at(found[-1], code.builder.select(further, step, INT64(0))))
    return found


@inlined
def _tile(
    _typing: Any,
    rows: Any,
    vectors: Any,
    A: Any,
    a_row: Any,
    a_column: Any,
    last: Any,
    B: Any,
    b_row: Any,
    s: Any,
    C: Any,
    c_row: Any,
    terms: Any,
    width: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``C_ij = s_j + sum_t A_it B_tj`` for ``rows`` rows i and the ``width`` columns j of up to ``vectors`` vectors.

    Rows beyond number ``last`` are computed as that one once more. ``rows`` and ``vectors`` are constants. Without an
    address ``s`` is zero.
    """
    size = literals(rows, vectors)
    if size is None:
        return None
    n_rows, n_vectors = size
    i = types.intp
    signature = types.void(rows, vectors, A, i, i, i, B, i, s, C, i, i, i)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, a_step, a_next, last_, right, b_step, s_, c_, c_step, terms_, width_ = arguments[2:]
        code = VectorCode(context, builder, A)
        masks = [code.between(INT64(0), width_, v) for v in range(n_vectors)]
        lefts, outs = (_rows(code, first, step, last_, n_rows) for first, step in ((left, a_step), (c_, c_step)))
        sums = code.accumulators(n_rows, n_vectors)
        added = cgutils.is_not_null(builder, s_)
        place = builder.select(added, s_, right)  # to read nothing where nothing can be read takes microseconds
        for v in range(n_vectors):
            start = code.load_where(builder.and_(masks[v], code.splat(added, ir.IntType(1))), place, v)
            for row in sums:
                builder.store(start, row[v])
        with cgutils.for_range(builder, terms_) as loop:
            place = code.at(right, builder.mul(loop.index, b_step))
            loaded = [code.load_where(masks[v], place, v) for v in range(n_vectors)]
            shift = builder.mul(loop.index, a_next)
            for row, first in zip(sums, lefts, strict=True):
                number = code.broadcast(code.at(first, shift))
                for variable, vector in zip(row, loaded, strict=True):
                    code.add_product(variable, number, vector)
        for row, out in zip(sums, outs, strict=True):
            for v, variable in enumerate(row):
                code.store_where(masks[v], builder.load(variable), out, v)
        return context.get_dummy_value()

    return signature, generate


@copied
def _by_loops(
    A: Any, a_row: Any, a_column: Any, B: Any, b_row: Any, s: Any, C: Any, c_row: Any, m: int, n: int, terms: Any
) -> None:
    added, zero = given(s), as_in(A, 0.0)
    for i in range(m):
        for j in range(n):
            total = s[j] if added else zero
            for t in range(terms):
                total += A[i * a_row + t * a_column] * B[j + t * b_row]
            C[i * c_row + j] = total


@borrowing
def _by_tiles(
    A: Any, a_row: int, a_column: int, B: Any, b_row: int, s: Any, C: Any, c_row: int, m: int, n: int, terms: int
) -> None:
    size, added = lanes(A), given(s)
    for j in range(0, n, VECTORS * size):
        width = min(VECTORS * size, n - j)
        rows = ROWS if width > 2 * size else TALL
        right, start = address(B, j), address(s, j if added else 0)
        for i in range(0, m, rows):
            last = min(rows, m - i) - 1
            x, o = address(A, i * a_row), address(C, i * c_row + j)
            if last < FEW and width <= 2 * size:
                _tile(FEW, 2, x, a_row, a_column, last, right, b_row, start, o, c_row, terms, width)
            elif last == 0:
                _tile(1, VECTORS, x, a_row, a_column, last, right, b_row, start, o, c_row, terms, width)
            elif width > 2 * size:
                _tile(ROWS, VECTORS, x, a_row, a_column, last, right, b_row, start, o, c_row, terms, width)
            elif width > size:
                _tile(TALL, 2, x, a_row, a_column, last, right, b_row, start, o, c_row, terms, width)
            else:
                _tile(TALL, 1, x, a_row, a_column, last, right, b_row, start, o, c_row, terms, width)


@procedure
def product(
    A: Numbers, a_row: int, a_column: int, B: Numbers, b_row: int, s: Numbers, C: Numbers, c_row: int, m: int, n: int,
    terms: int,
) -> None:  # fmt: skip
    """``C = s + A B`` for A (m, terms), B (terms, n), C (m, n) and s (n,), or 0 in its place.

    Reference: the same with arrays.
    """
    if n == 1 and a_column == 1:
        _by_loops(A, a_row, 1, B, b_row, s, C, c_row, m, 1, terms)
        return
    if m * n * terms <= TINY:
        _by_loops(A, a_row, a_column, B, b_row, s, C, c_row, m, n, terms)
        return
    if n == 1 and a_row == c_row == 1 and not given(s):  # a column is a row with its matrices exchanged
        A, a_column, B, b_row, m, n = B, b_row, A, a_column, n, m
    _by_tiles(A, a_row, a_column, B, b_row, s, C, c_row, m, n, terms)


@inlined
def _turn(
    _typing: Any, W: Any, w_row: Any, last: Any, width: Any, panel: Any, panel_row: Any
) -> tuple[Any, Callable[..., Any]]:
    """Write a square of LANES rows and columns of W to the panel as columns and rows.

    Rows beyond number ``last`` are that one once more, columns from ``width`` on 0.
    """
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, step, last_, width_, target, panel_step = arguments
        code = VectorCode(context, builder, W)
        mask, vectors = code.between(INT64(0), width_), []
        for r in range(code.lanes):
            row = builder.select(builder.icmp_signed("<", INT64(r), last_), INT64(r), last_)
            vectors.append(code.load_where(mask, code.at(source, builder.mul(row, step))))
        for r, vector in enumerate(code.transposed(vectors)):
            code.store(vector, code.at(target, builder.mul(INT64(r), panel_step)))
        return context.get_dummy_value()

    return types.void(W, i, i, i, panel, i), generate


def panel_size(terms: int) -> int:
    """Return how many numbers of either precision a panel of so many terms takes, and a little more."""
    return (terms + VECTOR_BYTES // 4) * VECTORS * (VECTOR_BYTES // 4)


def padded(columns: int) -> int:
    """Return how many numbers of a row panels of so many columns hold, in either precision."""
    width = VECTORS * (VECTOR_BYTES // 4)
    return (columns + width - 1) // width * width


@procedure
def lay_out(A: Numbers, a_row: int, m: int, n: int, panels: Numbers, first: int, room: int) -> None:
    """Copy A (m, n) to rows ``first`` on of panels: as wide as a tile, of ``room`` rows, one behind the other."""
    width = VECTORS * lanes(A)
    for j in range(0, n, width):
        columns = min(width, n - j)
        for i in range(m):
            source, target = address(A, i * a_row + j), address(panels, j * room + (first + i) * width)
            for k in range(columns):
                target[k] = source[k]


@procedure
def product_with_panels(
    A: Numbers, a_row: int, a_column: int, panels: Numbers, room: int, C: Numbers, c_row: int, m: int, n: int,
    terms: int, multiply: int,
) -> None:  # fmt: skip
    """``C = A B`` for B (terms, n) as :func:`lay_out` has laid it out: a tile reads memory from one end to the other.

    Rows of a large B are far apart, and none of the processor's devices that read ahead sees them coming. ``multiply``
    is the address of :func:`product`.
    """
    width = VECTORS * lanes(A)
    for j in range(0, n, width):
        columns, B = min(width, n - j), address(panels, j * room)
        call(multiply, (A, a_row, a_column, B, width, 0, address(C, j), c_row, m, columns, terms))


@procedure
def product_with_transpose(
    A: Numbers, a_row: int, W: Numbers, w_row: int, C: Numbers, c_row: int, m: int, n: int, terms: int,
    panel: Numbers, multiply: int,
) -> None:  # fmt: skip
    """``C = A W^T`` for A (m, terms), W (n, terms) and C (m, n), both with contiguous rows.

    A few columns of W^T at a time are written to ``panel``, as long as ``panel_size`` says; ``multiply`` is the
    address of :func:`product`. Reference: the same with arrays.
    """
    size = lanes(A)
    width = VECTORS * size
    for j in range(0, n, width):
        columns = min(width, n - j)
        if columns * terms < NARROW:
            for t in range(terms):
                for k in range(columns):
                    panel[t * width + k] = W[(j + k) * w_row + t]
        else:
            for k in range(0, columns, size):
                for t in range(0, terms, size):
                    last, kept = min(size, columns - k) - 1, min(size, terms - t)
                    _turn(address(W, (j + k) * w_row + t), w_row, last, kept, address(panel, t * width + k), width)
        call(multiply, (A, a_row, NEXT, panel, width, 0, address(C, j), c_row, m, columns, terms))
