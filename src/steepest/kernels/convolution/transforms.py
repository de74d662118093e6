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

from steepest.kernels.convolution.tiles import VectorCode, inlined, literals

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


FROM_IMAGE, FROM_KERNEL, TO_IMAGE, FROM_SLOPES, TO_KERNEL = 0, 1, 2, 3, 4
MATRICES = (INPUT, KERNEL, OUTPUT, _transposed(OUTPUT), _transposed(KERNEL))
READS_IMAGE, WRITES_IMAGE = (FROM_IMAGE, FROM_SLOPES), (TO_IMAGE,)


@inlined
def transform(
    _typing: Any, which: Any, x: Any, ix: Any, x_pitch: Any, out: Any, io: Any, pitch: Any
) -> tuple[Any, Callable[..., Any]] | None:
    """``Y = M X M^T`` for one vector of tiles; ``which`` is a constant that names M.

    Element (i, j) of X lies at ``x[ix + (i n + j) x_pitch + lane]``; in an image, at ``x[ix + i x_pitch + j + 4
    lane]``. Y is written likewise.
    """
    chosen = literals(which)
    if chosen is None:
        return None
    matrix = MATRICES[chosen[0]]
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x_, ix_, x_pitch_, out_, io_, pitch_ = arguments
        code = VectorCode(context, builder, x)
        x_0, out_0 = code.start(x, x_, ix_), code.start(out, out_, io_)
        read = _read_image if chosen[0] in READS_IMAGE else _read_planes
        columns = zip(*read(code, x_0, x_pitch_, len(matrix[0])), strict=True)
        rows = zip(*[_product(code, matrix, column) for column in columns], strict=True)
        write = _write_image if chosen[0] in WRITES_IMAGE else _write_planes
        write(code, [_product(code, matrix, row) for row in rows], out_0, pitch_)
        return context.get_dummy_value()

    return types.void(which, x, i, i, out, i, i), generate


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


def _read_planes(code: VectorCode, pointer: Any, pitch: Any, n: int) -> list[list[Any]]:
    at = [code.at(pointer, code.builder.mul(pitch, code.index(k))) for k in range(n * n)]
    return [[code.load(at[i * n + j]) for j in range(n)] for i in range(n)]


def _write_planes(code: VectorCode, numbers: list[list[Any]], pointer: Any, pitch: Any) -> None:
    for k, number in enumerate(chain.from_iterable(numbers)):
        code.store(number, code.at(pointer, code.builder.mul(pitch, code.index(k))))


def _read_image(code: VectorCode, pointer: Any, pitch: Any, n: int) -> list[list[Any]]:
    """Read n x n numbers of every tile: column j of all tiles is every fourth number from j on."""
    rows = []
    for i in range(n):
        row = code.at(pointer, code.builder.mul(pitch, code.index(i)))
        rows.append([code.load_every_fourth(code.at(row, STEP * (j // STEP)), j % STEP) for j in range(n)])
    return rows


def _write_image(code: VectorCode, numbers: list[list[Any]], pointer: Any, pitch: Any) -> None:
    """Write rows of 4 numbers of every tile side by side."""
    L = code.lanes
    for i, (a, b, c, d) in enumerate(numbers):
        pair = [p + L * s for p in range(L) for s in (0, 1)]
        first, second = code.shuffle(a, c, pair), code.shuffle(b, d, pair)  # a0 c0 a1 c1 ..., b0 d0 b1 d1 ...
        whole = code.shuffle(first, second, [p + 2 * L * s for p in range(2 * L) for s in (0, 1)])
        row = code.at(pointer, code.builder.mul(pitch, code.index(i)))
        for v in range(STEP):
            code.store(code.shuffle(whole, whole, [v * L + p for p in range(L)]), row, v)
