r"""The transforms of Winograd's minimal filtering, for a vector of tiles at a time.

Each is ``Y = M X M^T`` with a small constant M. Written as vector instructions, since the numbers of a tile lie some
places apart in an image, and since 25 or 36 intermediate numbers of 16 tiles just fit in registers: the compiler, left
to itself, gathers them one by one.

Reference: ``steepest.operators.convolution2d.winograd``, where the matrices are derived.
"""

from collections.abc import Callable, Iterable
from itertools import chain
from math import prod
from typing import Any, NamedTuple

from numba.core import types

from steepest.kernels.vectors import INT64, VectorCode, inlined, literals

Matrix = tuple[tuple[float, ...], ...]

P, Q = 0.75, 1.5  # of all that are short binary fractions, those with the least error; 1 and 2 have some three times it
POINTS = (0.0, P, -P, Q, -Q)  # without the last one where tiles have five numbers along each side; and infinity


class TwoTaps(NamedTuple):
    """F(4x4, 2x2): 4 x 4 outputs of a kernel of 2 x 2.

    Kernels are compiled for each form by itself, as its type is another.
    """

    step: int = 4
    taps: int = 2
    side: int = 5  # numbers along each side of a tile, and points at which its polynomials are evaluated
    stride: int = 1  # of the rows and columns of an image that a tile is made of


class TwoTapsApart(NamedTuple):
    """F(4x4, 2x2) for tiles of every second row and column."""

    step: int = 4
    taps: int = 2
    side: int = 5
    stride: int = 2


class ThreeTaps(NamedTuple):
    """F(4x4, 3x3): 4 x 4 outputs of a kernel of 3 x 3."""

    step: int = 4
    taps: int = 3
    side: int = 6
    stride: int = 1


class FiveTaps(NamedTuple):
    """F(2x2, 5x5): 2 x 2 outputs of a kernel of 5 x 5."""

    step: int = 2
    taps: int = 5
    side: int = 6
    stride: int = 1


Form = TwoTaps | TwoTapsApart | ThreeTaps | FiveTaps
FORMS: dict[tuple[int, int], Form] = {
    (form.taps, form.stride): form for form in (TwoTaps(), TwoTapsApart(), ThreeTaps(), FiveTaps())
}


def finite_points(form: Form) -> tuple[float, ...]:
    """Return the points at which polynomials are evaluated, but for infinity."""
    return POINTS[: form.side - 1]


def powers(form: Form, degrees: int) -> Matrix:
    """Return the powers 0 ... degrees - 1 of every point, and the highest one alone for the point at infinity."""
    highest = tuple(float(k == degrees - 1) for k in range(degrees))
    return (*(tuple(point**k for k in range(degrees)) for point in finite_points(form)), highest)


def lagrange(form: Form) -> tuple[Matrix, tuple[float, ...]]:
    """Return the coefficients of ``prod_{j != i} (t - t_j)`` of every point, and one over its value at the point.

    For infinity: those of the product over all points, and 1.
    """
    points = finite_points(form)
    others = [[t for t in points if t != point] for point in points]
    rows = (*((*_product_over(some), 0.0) for some in others), _product_over(list(points)))
    scales = [1 / prod(point - t for t in some) for point, some in zip(points, others, strict=True)]
    return rows, (*scales, 1.0)


def _product_over(roots: list[float]) -> tuple[float, ...]:
    """Return the coefficients of ``prod_j (t - roots_j)``, the constant one first."""
    coefficients: tuple[float, ...] = (1.0,)
    for root in roots:
        pairs = zip((0.0, *coefficients), (*coefficients, 0.0), strict=True)
        coefficients = tuple(lower - root * same for lower, same in pairs)
    return coefficients


def matrices(form: Form) -> tuple[Matrix, ...]:
    """Return the matrices of a form, in the order of their numbers below."""
    image, scales = lagrange(form)
    kernel = tuple(tuple(s * p for p in row) for s, row in zip(scales, powers(form, form.taps), strict=True))
    slopes = powers(form, form.step)
    return image, kernel, slopes, _transposed(kernel), _transposed(slopes)


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


FROM_IMAGE, FROM_KERNEL, FROM_SLOPES, TO_KERNEL, TO_IMAGE = 0, 1, 2, 3, 4


def _matrix(form: Any, which: int) -> Matrix:
    return matrices(form.instance_class())[which]


@inlined
def transform_planes(
    _typing: Any, form: Any, which: Any, x: Any, ix: Any, x_pitch: Any, out: Any, io: Any, pitch: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """``Y = M X M^T`` for one vector of tiles; the type of ``form`` and the constant ``which`` name M.

    Element (i, j) of X lies at ``x[ix + (i n + j) x_pitch + lane]``, that of Y likewise.
    """
    chosen = literals(which)
    if chosen is None:
        return None
    matrix = _matrix(form, chosen[0])
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, x_, ix_, x_pitch_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        numbers = _read_planes(code, code.start(x, x_, ix_), x_pitch_, len(matrix[0]), 1, x_pitch_)
        _write_planes(
            code, _both_sides(code, matrix, zip(*numbers, strict=True)), code.start(out, out_, io_), pitch_, 1, pitch_
        )
        return context.get_dummy_value()

    return types.void(form, which, x, i, i, out, i, i), generate


@inlined
def transform_image(
    _typing: Any,
    form: Any,
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
    ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``Y = M X M^T`` for one vector of tiles of an image, which come from one row of tiles or from 2 or 4.

    ``which`` and ``rows`` are constants; nothing is done for more rows than a tile has steps. Row i of the tiles of
    tile row t begins at ``x[ix + where[t, 0] + i x_pitch]`` and is in the image if ``where[t, 1] <= i < where[t, 2]``;
    its column j, ``stride j`` numbers further (for an image; slopes have all their columns), is if ``low <= stride j <
    high``; ``zeros`` (vectors enough for a row) are read instead. Element (i, j) of Y goes to ``out[io + (i n + j)
    pitch + lane]``, for tile row t beginning at lane ``t across``. What lies ``ahead`` numbers further is fetched for
    the next call.
    """
    chosen = literals(which, rows)
    if chosen is None:
        return None
    matrix, n_rows, step = _matrix(form, chosen[0]), chosen[1], form.instance_class().step
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, _, x_, ix_, x_pitch_, where_, low_, high_, zeros_, across_, out_, io_, pitch_, ahead_ = arguments
        if n_rows > step:
            return context.get_dummy_value()
        code = VectorCode(context, builder, x)
        x_0, zeros_0 = code.start(x, x_, ix_), code.start(zeros, zeros_, code.index(0))
        where_0 = code.start(where, where_, code.index(0))
        starts = [[builder.load(code.at(where_0, 3 * t + k)) for k in range(3)] for t in range(n_rows)]
        per_row = step // n_rows  # vectors of a row of tiles
        stride = form.instance_class().stride if chosen[0] == FROM_IMAGE else 1
        masks = [code.between(low_, high_, v) for v in range(stride * (per_row + 1))]

        def read(line: Any, v: int) -> Any:
            """Return vector v of the columns of tiles."""
            pieces = [code.load_where(masks[k], line, k) for k in range(stride * v, stride * (v + 1))]
            return pieces[0] if stride == 1 else code.shuffle(pieces[0], pieces[1], list(range(0, 2 * code.lanes, 2)))

        numbers = []
        for k in range(len(matrix[0])):
            vectors, ends = [], []
            for first, above, below in starts:
                inside = builder.and_(
                    builder.icmp_signed("<=", above, code.index(k)), builder.icmp_signed("<", code.index(k), below)
                )
                line = code.at(x_0, builder.add(first, builder.mul(x_pitch_, code.index(k))))
                for v in range(stride * per_row):
                    code.fetch(code.at(line, ahead_), v)
                line = builder.select(inside, line, zeros_0)
                vectors += [read(line, v) for v in range(per_row)]
                ends.append(read(line, per_row) if len(matrix[0]) > step else None)
            numbers.append(_columns_of_tiles(code, vectors, ends, len(matrix[0])))
        result = _both_sides(code, matrix, zip(*numbers, strict=True))
        _write_planes(code, result, code.start(out, out_, io_), pitch_, n_rows, across_)
        return context.get_dummy_value()

    return types.void(form, which, rows, x, i, i, where, i, i, zeros, i, out, i, i, i), generate


@inlined
def transform_back(
    _typing: Any,
    form: Any,
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
    ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """Transform one vector of products back, add ``shift`` and write the tiles' outputs side by side.

    The arguments are those of `transform_image`, the other way round: row i of tile row t goes to ``out[io + where[t,
    0] + i pitch]``, its first ``count`` columns, if ``i < where[t, 2]``; ``spare`` (vectors enough for a row) is
    written instead.
    """
    chosen = literals(rows)
    if chosen is None:
        return None
    n_rows, i = chosen[0], types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, x_, ix_, x_pitch_, across_, shift_, spare_, count_, where_, out_, io_, pitch_, ahead_ = arguments
        if n_rows > form.instance_class().step:
            return context.get_dummy_value()
        code = VectorCode(context, builder, x)
        starts = [code.start(*array) for array in ((where, where_, INT64(0)), (spare, spare_, INT64(0)))]
        numbers = _read_planes(code, code.start(x, x_, ix_), x_pitch_, form.instance_class().side, n_rows, across_)
        columns = zip(*numbers, strict=True)
        write_tiles(form, code, n_rows, columns, shift_, count_, starts, code.start(out, out_, io_), pitch_, ahead_)
        return context.get_dummy_value()

    return types.void(form, rows, x, i, i, i, x.dtype, spare, i, where, out, i, i, i), generate


def write_tiles(
    form: Any,
    code: VectorCode,
    rows: int,
    columns: Iterable[Any],
    shift: Any,
    count: Any,
    starts: list[Any],
    out: Any,
    pitch: Any,
    ahead: Any,
) -> None:
    """Transform a vector of tiles, given column by column, back and write it as `transform_back` says.

    ``starts`` are the addresses of ``where`` and ``spare``.
    """
    builder, step, (where, spare) = code.builder, form.instance_class().step, starts
    bounds = [[builder.load(code.at(where, 3 * t + k)) for k in (0, 2)] for t in range(rows)]
    per_row, shifts = step // rows, code.splat(shift)
    masks = [code.between(INT64(0), count, v) for v in range(per_row)]
    for k, row in enumerate(_both_sides(code, _matrix(form, TO_IMAGE), columns)):
        vectors = [builder.fadd(vector, shifts) for vector in _side_by_side(code, row)]
        for t, (first, below) in enumerate(bounds):
            line = code.at(out, builder.add(first, builder.mul(pitch, INT64(k))))
            for v in range(per_row):
                code.fetch(code.at(line, ahead), v, write=True)
            line = builder.select(builder.icmp_signed("<", INT64(k), below), line, spare)
            for v in range(per_row):
                code.store_where(masks[v], vectors[t * per_row + v], line, v)


def _both_sides(code: VectorCode, matrix: Matrix, columns: Iterable[Any]) -> list[list[Any]]:
    """Return ``M X M^T`` of the columns of X, each of which is used up when the next is asked for."""
    rows = zip(*[_product(code, matrix, column) for column in columns], strict=True)
    return [_product(code, matrix, row) for row in rows]


def _product(code: VectorCode, matrix: Matrix, numbers: Any) -> list[Any]:
    """Return the matrix times a column of vectors.

    Rows 1 and 2, and 3 and 4 of six, belong to points t and -t: they are the sum and the difference of an even and an
    odd part, of half as many terms. In a transposed matrix, the same goes for columns.
    """
    if len(matrix) >= len(matrix[0]):
        parts = _transposed(tuple(_halves(column) for column in _transposed(matrix)))
        return _mixed(code, [_combination(code, row, numbers) for row in parts])
    mixed = _mixed(code, numbers)
    return [_combination(code, _halves(row), mixed) for row in matrix]


def _halves(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(_paired(numbers, lambda a, b: (a + b) / 2, lambda a, b: (a - b) / 2))


def _mixed(code: VectorCode, vectors: Any) -> list[Any]:
    return _paired(vectors, code.builder.fadd, code.builder.fsub)


def _paired(numbers: Any, first: Callable[..., Any], second: Callable[..., Any]) -> list[Any]:
    """Return numbers of which those that belong to points t and -t are replaced by two functions of both."""
    paired: list[Any] = list(numbers)
    for k in range(1, len(paired) - 2, 2):
        a, b = paired[k : k + 2]
        paired[k : k + 2] = first(a, b), second(a, b)
    return paired


def _combination(code: VectorCode, weights: tuple[float, ...], numbers: Any) -> Any:
    """Return the sum of weights times vectors; a weight of 1, where there is one, costs nothing."""
    terms = [(weight, number) for weight, number in zip(weights, numbers, strict=True) if weight]
    (weight, total), *terms = sorted(terms, key=lambda term: term[0] != 1)
    if weight != 1:
        total = code.builder.fmul(code.constant(weight), total)
    for weight, number in terms:
        if weight == 1:
            total = code.builder.fadd(total, number)
        else:
            total = code.builder.call(code.fused, [code.constant(weight), number, total])
    return total


def _read_planes(code: VectorCode, pointer: Any, pitch: Any, n: int, pieces: int, across: Any) -> list[list[Any]]:
    at = [code.at(pointer, code.builder.mul(pitch, code.index(k))) for k in range(n * n)]
    return [[code.load_pieces(pieces, at[i * n + j], across) for j in range(n)] for i in range(n)]


def _write_planes(
    code: VectorCode, numbers: list[list[Any]], pointer: Any, pitch: Any, pieces: int, across: Any
) -> None:
    for k, number in enumerate(chain.from_iterable(numbers)):
        code.store_pieces(pieces, number, code.at(pointer, code.builder.mul(pitch, code.index(k))), across)


def _columns_of_tiles(code: VectorCode, vectors: list[Any], ends: list[Any], n: int) -> list[Any]:
    """Return columns 0 ... n-1 of a vector of tiles, one tile every ``step`` numbers of as many vectors.

    The tiles of a row of tiles are neighbours: a column beyond ``step`` is an earlier one of a following tile and, for
    the last in a row of tiles, comes from ``ends``, the vector after the row's.
    """
    L, step = code.lanes, len(vectors)
    columns, group = _every(code, vectors), L // len(ends)
    for j in range(step, n):
        following = [min(p + j // step, L - 1) for p in range(L)]
        column = code.shuffle(columns[j % step], columns[j % step], following)
        for t, end in enumerate(ends):
            beyond = [(p - (t + 1) * group) * step + j for p in range(L)]  # of the row's vectors
            lanes = [L + b if b >= 0 and p // group == t else p for p, b in enumerate(beyond)]
            column = code.shuffle(column, end, lanes)
        columns.append(column)
    return columns


def _every(code: VectorCode, vectors: list[Any]) -> list[Any]:
    """Return numbers 0, n, 2 n, ..., then 1, n + 1, ... of n vectors; n is a power of 2."""
    if len(vectors) == 1:
        return vectors
    pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
    halves = [
        _every(code, [code.shuffle(*pair, list(range(first, 2 * code.lanes, 2))) for pair in pairs]) for first in (0, 1)
    ]
    return list(chain.from_iterable(zip(*halves, strict=True)))


def _side_by_side(code: VectorCode, columns: list[Any]) -> list[Any]:
    """Undo `_every`: return the rows a, b, ... of every tile side by side."""
    if len(columns) == 1:
        return columns
    L, halves = code.lanes, [_side_by_side(code, columns[first::2]) for first in (0, 1)]
    mixed = [[k // 2 + L * (k % 2) for k in range(v * L, (v + 1) * L)] for v in (0, 1)]
    return [code.shuffle(even, odd, lanes) for even, odd in zip(*halves, strict=True) for lanes in mixed]
