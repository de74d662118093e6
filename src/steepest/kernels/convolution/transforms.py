r"""The transforms of Winograd's minimal filtering F(4x4, 3x3), for a vector of tiles at a time.

Each is ``Y = M X M^T`` with a small constant M. Written as vector instructions, since the numbers of a tile lie 4
apart in an image, and since 36 intermediate numbers of 16 tiles just fit in registers: the compiler, left to itself,
gathers them one by one.

Reference: ``steepest.operators.convolution2d.winograd``, where the matrices are derived.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from numba.core import types

from steepest.kernels.vectors import VectorCode, inlined, literals

Matrix = tuple[tuple[float, ...], ...]

INPUT: Matrix = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
KERNEL: Matrix = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT: Matrix = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
STEP = 4  # outputs along each side of a tile
SIDE = 6  # inputs


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


FROM_IMAGE, FROM_KERNEL, FROM_SLOPES, TO_KERNEL = 0, 1, 2, 3
MATRICES = (INPUT, KERNEL, _transposed(OUTPUT), _transposed(KERNEL))


@inlined
def transform_planes(
    _typing: Any, which: Any, x: Any, ix: Any, x_pitch: Any, out: Any, io: Any, pitch: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """``Y = M X M^T`` for one vector of tiles; ``which`` is a constant that names M.

    Element (i, j) of X lies at ``x[ix + (i n + j) x_pitch + lane]``, that of Y likewise.
    """
    chosen = literals(which)
    if chosen is None:
        return None
    matrix = MATRICES[chosen[0]]
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x_, ix_, x_pitch_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        numbers = _read_planes(code, code.start(x, x_, ix_), x_pitch_, len(matrix[0]), 1, x_pitch_)
        _write_planes(code, _both_sides(code, matrix, numbers), code.start(out, out_, io_), pitch_, 1, pitch_)
        return context.get_dummy_value()

    return types.void(which, x, i, i, out, i, i), generate


@inlined
def transform_image(
    _typing: Any,
    which: Any,
    rows: Any,
    x: Any,
    ix: Any,
    x_pitch: Any,
    where: Any,
    low: Any,
    high: Any,
    zeros: Any,
    across: Any,
    out: Any,
    io: Any,
    pitch: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``Y = M X M^T`` for one vector of tiles of an image, which come from one row of tiles or from 2 or 4.

    ``which`` and ``rows`` are constants. Row i of the tiles of tile row t begins at ``x[ix + where[t, 0] + i x_pitch]``
    and is in the image if ``where[t, 1] <= i < where[t, 2]``; its column j is if ``low <= j < high``; ``zeros``
    (vectors enough for a row) are read instead. Element (i, j) of Y goes to ``out[io + (i n + j) pitch + lane]``, for
    tile row t beginning at lane ``t across``.
    """
    chosen = literals(which, rows)
    if chosen is None:
        return None
    matrix, n_rows = MATRICES[chosen[0]], chosen[1]
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, x_, ix_, x_pitch_, where_, low_, high_, zeros_, across_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        x_0, zeros_0 = code.start(x, x_, ix_), code.start(zeros, zeros_, code.index(0))
        where_0 = code.start(where, where_, code.index(0))
        starts = [[builder.load(code.at(where_0, 3 * t + k)) for k in range(3)] for t in range(n_rows)]
        per_row = STEP // n_rows  # vectors of a row of tiles
        masks = [code.between(low_, high_, v) for v in range(per_row + 1)]
        numbers = []
        for k in range(len(matrix[0])):
            vectors, ends = [], []
            for first, above, below in starts:
                inside = builder.and_(
                    builder.icmp_signed("<=", above, code.index(k)), builder.icmp_signed("<", code.index(k), below)
                )
                line = code.at(x_0, builder.add(first, builder.mul(x_pitch_, code.index(k))))
                line = builder.select(inside, line, zeros_0)
                vectors += [code.load_where(masks[v], line, v) for v in range(per_row)]
                ends.append(code.load_where(masks[per_row], line, per_row) if len(matrix[0]) > STEP else None)
            numbers.append(_columns_of_tiles(code, vectors, ends, len(matrix[0])))
        result = _both_sides(code, matrix, numbers)
        _write_planes(code, result, code.start(out, out_, io_), pitch_, n_rows, across_)
        return context.get_dummy_value()

    return types.void(which, rows, x, i, i, where, i, i, zeros, i, out, i, i), generate


@inlined
def transform_back(
    _typing: Any,
    rows: Any,
    x: Any,
    ix: Any,
    x_pitch: Any,
    across: Any,
    shift: Any,
    spare: Any,
    count: Any,
    where: Any,
    out: Any,
    io: Any,
    pitch: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """Transform one vector of products back, add ``shift`` and write the tiles' 4 x 4 outputs side by side.

    The arguments are those of `transform_image`, the other way round: row i of tile row t goes to ``out[io + where[t,
    0] + i pitch]``, its first ``count`` columns, if ``i < where[t, 2]``; ``spare`` (vectors enough for a row) is
    written instead.
    """
    chosen = literals(rows)
    if chosen is None:
        return None
    n_rows = chosen[0]
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x_, ix_, x_pitch_, across_, shift_, spare_, count_, where_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        out_0, spare_0 = code.start(out, out_, io_), code.start(spare, spare_, code.index(0))
        where_0 = code.start(where, where_, code.index(0))
        starts = [[builder.load(code.at(where_0, 3 * t + k)) for k in (0, 2)] for t in range(n_rows)]
        numbers = _read_planes(code, code.start(x, x_, ix_), x_pitch_, SIDE, n_rows, across_)
        per_row, shifts = STEP // n_rows, code.splat(shift_)
        masks = [code.between(code.index(0), count_, v) for v in range(per_row)]
        for k, row in enumerate(_both_sides(code, OUTPUT, numbers)):
            vectors = [builder.fadd(vector, shifts) for vector in _side_by_side(code, row)]
            for t, (first, below) in enumerate(starts):
                line = code.at(out_0, builder.add(first, builder.mul(pitch_, code.index(k))))
                line = builder.select(builder.icmp_signed("<", code.index(k), below), line, spare_0)
                for v in range(per_row):
                    code.store_where(masks[v], vectors[t * per_row + v], line, v)
        return context.get_dummy_value()

    return types.void(rows, x, i, i, i, x.dtype, spare, i, where, out, i, i), generate


def _both_sides(code: VectorCode, matrix: Matrix, numbers: Any) -> list[list[Any]]:
    """Return ``M X M^T``."""
    columns = zip(*numbers, strict=True)
    rows = zip(*[_product(code, matrix, column) for column in columns], strict=True)
    return [_product(code, matrix, row) for row in rows]


def _product(code: VectorCode, matrix: Matrix, numbers: Any) -> list[Any]:
    """Return the matrix times a column of vectors, term by term that is not zero."""
    result = []
    for row in matrix:
        total = None
        for weight, number in zip(row, numbers, strict=True):
            if weight == 0:
                continue
            if total is None:
                total = number if weight == 1 else code.builder.fmul(code.constant(weight), number)
            elif abs(weight) == 1:
                total = (code.builder.fadd if weight == 1 else code.builder.fsub)(total, number)
            else:
                total = code.builder.call(code.fused, [code.constant(weight), number, total])
        result.append(total)
    return result


def _read_planes(code: VectorCode, pointer: Any, pitch: Any, n: int, pieces: int, across: Any) -> list[list[Any]]:
    at = [code.at(pointer, code.builder.mul(pitch, code.index(k))) for k in range(n * n)]
    return [[code.load_pieces(pieces, at[i * n + j], across) for j in range(n)] for i in range(n)]


def _write_planes(
    code: VectorCode, numbers: list[list[Any]], pointer: Any, pitch: Any, pieces: int, across: Any
) -> None:
    for k, number in enumerate(chain.from_iterable(numbers)):
        code.store_pieces(pieces, number, code.at(pointer, code.builder.mul(pitch, code.index(k))), across)


def _columns_of_tiles(code: VectorCode, vectors: list[Any], ends: list[Any], n: int) -> list[Any]:
    """Return columns 0 ... n-1 of a vector of tiles whose rows of 4 lie side by side in four vectors.

    The tiles of a row of tiles are neighbours: columns 4 and 5 of a tile are 0 and 1 of the next one and, for the last
    in a row of tiles, come from ``ends``, the vector after the row's.
    """
    L = code.lanes
    even, odd = list(range(0, 2 * L, 2)), list(range(1, 2 * L, 2))
    halves = [[code.shuffle(vectors[k], vectors[k + 1], lanes) for k in (0, 2)] for lanes in (even, odd)]
    columns = [code.shuffle(first, second, lanes) for lanes in (even, odd) for first, second in halves]
    following, group = [min(p + 1, L - 1) for p in range(L)], L // len(ends)
    for j in range(n - STEP):
        column = code.shuffle(columns[j], columns[j], following)
        for t, end in enumerate(ends):
            column = code.shuffle(column, end, [L + j if p == (t + 1) * group - 1 else p for p in range(L)])
        columns.append(column)
    return columns


def _side_by_side(code: VectorCode, row: list[Any]) -> list[Any]:
    """Return the rows of 4 numbers a, b, c, d of every tile side by side, in four vectors."""
    L, (a, b, c, d) = code.lanes, row
    pair = [p + L * s for p in range(L) for s in (0, 1)]
    first, second = code.shuffle(a, c, pair), code.shuffle(b, d, pair)  # a0 c0 a1 c1 ..., b0 d0 b1 d1 ...
    whole = code.shuffle(first, second, [p + 2 * L * s for p in range(2 * L) for s in (0, 1)])
    return [code.shuffle(whole, whole, [v * L + p for p in range(L)]) for v in range(STEP)]
