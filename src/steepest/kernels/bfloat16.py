r"""The Gram matrix of tall data multiplied in bfloat16: half the time of single precision, for who corrects the answer.

bfloat16 is single precision without its last 16 binary digits: the same range, eight digits. Some processors multiply
pairs of such numbers and add both products in single precision, in the time of one product of longer numbers. Two rows
of a column are therefore stored side by side, as one integer::

    gram_jk = sum_i x_ij x_ik ~ sum_q (a_qj a_qk + b_qj b_qk)      a_q, b_q: rows 2q and 2q + 1, rounded

Numbers are rounded by up to 2^-8, up or down: over n rows most of it cancels, and the matrix is off by a few times
``2^-8 sqrt(d / n)`` of its size (:func:`rounding`). What does not cancel, rounding the few numbers that a column
consists of always alike, is avoided by what is taken off the columns: a multiple of about a quarter of their spread,
so that the differences of counts and of zeros and ones are short numbers. Sums of columns, products with the target and
the target's square are not rounded so: they are summed beside, in single precision at least. The mathematics is
:func:`reference_rough_gram`.
"""

from collections.abc import Iterable
from typing import Any

import llvmlite.binding as llvm  # type: ignore[import-untyped]
import numpy as np
from llvmlite import ir
from numba.core import types

from steepest.kernels import processor
from steepest.kernels.compile import compiled
from steepest.kernels.gram import Moments, centred_moments, finish_panel, guessed_shift, some_rows
from steepest.kernels.scratch import scratch
from steepest.kernels.threads import map_blocks
from steepest.kernels.tiles import (
    BFLOAT16,
    LINE,
    add_gram,
    add_vector,
    fill_from_columns,
    fill_from_rows,
    instructions,
    lanes,
    load_vector,
    repeated,
)
from steepest.kernels.vectors import cgutils
from steepest.typing import Array

AVAILABLE = processor.has("avx512bf16") and llvm.llvm_version_info[0] >= 17  # before, the instruction was another

_PANEL_ROWS = 128  # rows moved at a time
_DEPTH, _DEEPER, _DEEP_FROM = 256, 1024, 512  # rows multiplied at a time, and columns from which they are more
_PARTS, _PARTS_BYTES = 16, 1 << 25  # parts of the data, each summed by itself, and the size of all these sums
_LOOK_PARTS, _LOOK_SHARE, _LOOK_ROWS = 4, 8, 4  # parts looked into first, for one row in so many, or so many a column


def rounding(n_samples: int, n_columns: int) -> float:
    """Return what a matrix is off by, relative to its size, as measured on random numbers."""
    return float(5e-3 * np.sqrt(n_columns / max(n_samples, 1)))


class RoughMoments:
    """Moments as by :func:`steepest.kernels.gram.moments`, with a Gram matrix in bfloat16; of one target.

    Parameters
    ----------
    X : array (n, d)
        float32 or float64.
    Y : array (n, 1)
        The target.
    weights : array (n,), optional
        Not negative; ones if not given.
    centre : bool, default True
        Take the means out.

    Attributes
    ----------
    x_shift : array (d,)
        What is taken off the columns before they are rounded.
    """

    def __init__(self, X: Array, Y: Array, weights: Array | None = None, *, centre: bool = True) -> None:
        if not (X.flags.c_contiguous or X.flags.f_contiguous):
            X = np.ascontiguousarray(X)
        n, d = X.shape
        self._by_columns = X.flags.f_contiguous and not X.flags.c_contiguous
        self._X, self._Y = X.T if self._by_columns else X, Y
        self._weights = np.empty(0) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
        self._centre, self._n_columns = centre, d
        self.x_shift: Array = _short_shift(X) if centre else np.zeros(d)
        self._y_shift: Array = guessed_shift(Y) if centre else np.zeros(1)
        self._depth = _DEPTH if d <= _DEEP_FROM else _DEEPER
        most = max(2, min(_PARTS, _PARTS_BYTES // (8 * d * d)))
        self._chunk = -(-n // (most * self._depth)) * self._depth
        n_parts = -(-n // self._chunk)
        self._first = np.unique(np.linspace(0, n_parts - 1, _LOOK_PARTS).round().astype(int)).tolist()
        look = max(n // _LOOK_SHARE, _LOOK_ROWS * d) // len(self._first)
        self._look = min(-(-look // self._depth) * self._depth, self._chunk)
        self._groups = -(-(d + 2) // lanes(np.float32))
        size = self._groups * lanes(np.float32)
        self._grams, self._sums = np.zeros((n_parts, size, size)), np.zeros((n_parts, 2, size))
        self._own = np.zeros((n_parts, 3))  # the target's square and sum, and the sum of the weights

    def of_some(self) -> Moments:
        """Return the moments of some rows, in blocks spread over the data: a first look, which is not lost work."""
        self._add({part: (0, self._look) for part in self._first})
        return self._moments(self._first)

    def of_all(self) -> Moments:
        """Return the moments of all rows; the first look comes before."""
        everything = range(len(self._grams))
        self._add({part: (self._look if part in self._first else 0, self._chunk) for part in everything})
        return self._moments(everything)

    def _add(self, rows: dict[int, tuple[int, int]]) -> None:
        """Add so many of each part's rows, from one to another, to its sums."""
        groups, depth, width = self._groups, self._depth, lanes(np.float32)
        shift = np.zeros(groups * width)
        shift[: self._n_columns] = self.x_shift
        given = self._X, self._by_columns, self._Y, self._weights, shift, self._y_shift
        parts = list(rows)

        def add(index: int, _: int) -> None:
            part = parts[index]
            begin, end = (min(part * self._chunk + row, len(self._Y)) for row in rows[part])
            panel = scratch("panel", groups * _PANEL_ROWS * width, np.float32).reshape(groups, _PANEL_ROWS, width)
            pairs = scratch("pairs", groups * depth // 2 * width, np.uint32).reshape(groups, depth // 2, width)
            sums = self._sums[part], self._own[part], self._grams[part]
            _add_rough_moments(*given, begin, end, panel, pairs, *sums)

        map_blocks(add, len(parts), 1)

    def _moments(self, parts: Iterable[int]) -> Moments:
        """Return the moments of what has been added to these parts."""
        d = self._n_columns
        whole = np.zeros((d + 2, d + 2))
        for part in parts:
            whole[:d, :d] += self._grams[part, :d, :d]
            whole[d:, :d] += self._sums[part, :, :d]
            whole[d:, d:] += self._own[part, [[0, 1], [1, 2]]]
        found = centred_moments(whole, d, self.x_shift, self._y_shift, self._centre)
        found.rounding = rounding(len(self._Y), d)
        return found


def _short_shift(X: Array) -> Array:
    """Return about the means of the columns, rounded to a quarter of their spread, representable in the dtype of X."""
    mean = guessed_shift(X)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = np.std(some_rows(X), axis=0, dtype=np.float64)
    known = np.isfinite(spread) & (spread > 0)
    unit = np.exp2(np.floor(np.log2(np.where(known, spread, 1.0))) - 2.0)
    short = np.where(known, np.rint(mean / unit) * unit, mean)
    return np.asarray(short.astype(X.dtype), dtype=np.float64)


def reference_rough_gram(X: Array, weights: Array | None, shift: Array) -> Array:
    """Return ``sum_i z_i z_i^T`` for ``z_i = sqrt(s_i) (x_i - shift)``, rounded to eight digits; X finite."""
    Z = (X.astype(np.float64) - shift).astype(np.float32)
    if weights is not None:
        Z *= np.sqrt(weights)[:, None].astype(np.float32)
    bits = Z.view(np.uint32)
    bits = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    Z = (bits & np.uint32(0xFFFF0000)).view(np.float32)
    return Z.T.astype(np.float64) @ Z


@compiled
def _add_rough_moments(
    X: Array, by_columns: bool, Y: Array, s: Array, shift: Array, y_shift: Array, start: int, stop: int, panel: Array,
    pairs: Array, sums: Array, own: Array, gram: Array,
) -> None:  # fmt: skip
    """Add the moments of rows ``start`` to ``stop`` of X (n, d), or of its transpose; twin of the reference above.

    Rows are moved to the panel, and from there, two by two, to ``pairs``; these are multiplied when they are full.
    """
    d = X.shape[0] if by_columns else X.shape[1]
    depth, height = 2 * pairs.shape[1], panel.shape[1]
    exact = np.zeros((1, 2))  # the target's sum, and its square
    panel[...] = 0.0
    # where the next rows lie in memory: in one piece, or in a piece for every column
    run = np.int64(np.log2(depth * X.itemsize // LINE)) if by_columns else np.int64(np.log2(depth // 2))
    jump = X.strides[0] if by_columns else depth // 2 * LINE
    for first in range(start, stop, depth):
        rows = min(depth, stop - first)
        for at in range(0, rows, height):
            count = min(height, rows - at)
            if count % 2 == 1:  # the last row has none beside it
                panel[:, count] = 0.0
            if by_columns:
                fill_from_columns(X, shift, first + at, count, panel)
            else:
                fill_from_rows(X, shift, first + at, count, panel)
            own[2] += finish_panel(Y, s, y_shift, d, first + at, count, panel, exact)
            for group in range(-(-d // panel.shape[2])):
                _pair(panel, (count + 1) // 2, group, d, pairs, at // 2, sums)
        ahead = X.ctypes.data + (first + rows) * X.itemsize * (1 if by_columns else d)
        add_gram(pairs, (rows + 1) // 2, d, gram, ahead, run, jump, rows * d * X.itemsize // LINE)
    own[0] += exact[0, 1]
    own[1] += exact[0, 0]


@instructions
def _pair(typing: Any, panel: Any, count: Any, group: Any, column: Any, pairs: Any, at: Any, sums: Any) -> Any:
    """Write ``count`` pairs of rows of one group of the panel's columns to ``pairs``, from pair ``at`` on.

    To ``sums`` is added what the rows give with the panel's column ``column``, the target, and the one after it, the
    ones: ``sums[c, j] += sum_r panel[r, column + c] panel[r, j]``.
    """
    signature = types.void(panel, types.intp, types.intp, types.intp, pairs, types.intp, sums)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, made, total = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 4, 6))
        count, group, column, begin = arguments[1], arguments[2], arguments[3], arguments[5]
        index, width = count.type, lanes(np.float32)
        size, vector = ir.Constant(index, width), ir.VectorType(ir.FloatType(), width)
        pitch = builder.mul(cgutils.unpack_tuple(builder, source.shape, 3)[1], size)  # numbers from group to group
        rows = builder.gep(source.data, [builder.mul(group, pitch)])
        factors, variables = [], []
        for number in (column, builder.add(column, ir.Constant(index, 1))):
            place = builder.add(builder.mul(builder.udiv(number, size), pitch), builder.urem(number, size))
            factors.append(builder.gep(source.data, [place]))
            variables.append(cgutils.alloca_once_value(builder, ir.Constant(vector, None)))
        n_pairs = cgutils.unpack_tuple(builder, made.shape, 3)[1]
        out = builder.add(builder.mul(group, n_pairs), begin)
        out = builder.gep(made.data, [builder.mul(out, size)])
        with cgutils.for_range(builder, count) as loop:
            offset = builder.mul(loop.index, ir.Constant(index, 2 * width))
            two = []
            for place in (offset, builder.add(offset, size)):
                two.append(load_vector(builder, builder.gep(rows, [place]), vector))
                for variable, factor in zip(variables, factors, strict=True):
                    number = repeated(builder, builder.load(builder.gep(factor, [place])), width)
                    product = builder.fmul(number, two[-1], flags=("contract",))
                    builder.store(builder.fadd(builder.load(variable), product, flags=("contract",)), variable)
            written = builder.gep(out, [builder.mul(loop.index, size)])
            _store_short(builder, two, written)
        n_sums = cgutils.unpack_tuple(builder, total.shape, 2)[1]
        for c, variable in enumerate(variables):
            place = builder.add(builder.mul(n_sums, ir.Constant(index, c)), builder.mul(group, size))
            add_vector(builder, builder.gep(total.data, [place]), builder.load(variable), width)
        return context.get_dummy_value()

    return signature, generate


def _store_short(builder: Any, two: list[Any], place: Any) -> None:
    """Write two vectors as one of pairs of shorter numbers."""
    width = two[0].type.count
    turns = ir.Constant(ir.VectorType(ir.IntType(32), 2 * width), [p for i in range(width) for p in (i, width + i)])
    short = builder.fptrunc(builder.shuffle_vector(*two, turns), ir.VectorType(BFLOAT16, 2 * width))
    stored = builder.store(short, builder.bitcast(place, short.type.as_pointer()))
    stored.align = 4
