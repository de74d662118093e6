"""What is done to single rows, in vector instructions: they are asked for, moved from sum to sum, and passed over."""

from collections.abc import Callable
from typing import Any

from numba.core import types

from steepest.kernels.vectors import INT64, WIDE, VectorCode, cgutils, inlined

VECTORS = 4 if WIDE else 2  # of points side by side: with two centres so many sums, and 32 or 16 registers
LINE_BYTES = 64  # that come from memory together
FETCHED_LINES = 4  # of a row, ahead of their use: the processor itself sees where longer rows go on


class RowFetch:
    """Instructions that ask for up to ``number`` rows of X, listed from ``rows[first]`` on; of long ones, for some."""

    def __init__(
        self, context: Any, builder: Any, X: Any, X_: Any, rows: Any, rows_: Any, first: Any, number: Any
    ) -> None:
        self.code = VectorCode(context, builder, X)
        self.start, self.numbers = self.code.start(X, X_, INT64(0)), self.code.start(rows, rows_, first)
        listed = cgutils.unpack_tuple(builder, context.make_array(rows)(context, builder, rows_).shape, 1)[0]
        left = builder.sub(listed, first)
        self.number = builder.select(builder.icmp_signed("<", number, left), number, left)
        self.width = cgutils.unpack_tuple(builder, context.make_array(X)(context, builder, X_).shape, 2)[1]
        self.line = LINE_BYTES // self.code.itemsize
        n_lines = builder.sdiv(builder.add(self.width, INT64(self.line - 1)), INT64(self.line))
        few = builder.icmp_signed("<", n_lines, INT64(FETCHED_LINES))
        self.n_lines = builder.select(few, n_lines, INT64(FETCHED_LINES))

    def fetch(self, begin: Any, number: Any) -> None:
        """Ask for so many of these rows from the place ``begin`` on, as far as there are any."""
        code, builder = self.code, self.code.builder
        left = builder.sub(self.number, begin)
        number = builder.select(builder.icmp_signed("<", number, left), number, left)
        with cgutils.for_range(builder, number) as loop:
            place = code.at(self.numbers, builder.add(begin, loop.index))
            row = code.at(self.start, builder.mul(builder.load(place), self.width))
            with cgutils.for_range(builder, self.n_lines) as lines:
                code.fetch(code.at(row, builder.mul(lines.index, INT64(self.line))))


@inlined
def fetch_rows(_typing: Any, X: Any, rows: Any, first: Any, number: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask for so many of the rows listed, which will be needed soon; of long ones, for their beginning."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, rows_, first_, number_ = arguments
        RowFetch(context, builder, X, X_, rows, rows_, first_, number_).fetch(INT64(0), number_)
        return context.get_dummy_value()

    return types.void(X, rows, types.intp, types.intp), generate


@inlined
def lower_gaps(_typing: Any, gaps: Any, i: Any, lost: Any, factor: Any, least: Any) -> tuple[Any, Callable[..., Any]]:
    """``gaps[i + t] = factor gaps[i + t] - lost[t]``; return the bits of those that are not above ``least``.

    As many as a panel has points, or as there are in ``lost``.
    """
    number = gaps.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        gaps_, i_, lost_, factor_, least_ = arguments
        code, listed = VectorCode(context, builder, gaps), INT64(0)
        gaps_0, lost_0 = code.start(gaps, gaps_, i_), code.start(lost, lost_, INT64(0))
        left = cgutils.unpack_tuple(builder, context.make_array(lost)(context, builder, lost_).shape, 1)[0]
        for v in range(VECTORS):
            inside = code.between(INT64(0), left, v)
            gap = builder.fmul(code.splat(factor_), code.load_where(inside, gaps_0, v))
            gap = builder.fsub(gap, code.load_where(inside, lost_0, v))
            code.store_where(inside, gap, gaps_0, v)
            low = builder.and_(inside, builder.fcmp_unordered("<=", gap, code.splat(least_)))
            bits = builder.zext(code.bits(low), INT64)
            listed = builder.or_(listed, builder.shl(bits, INT64(v * code.lanes)))
        return listed

    return types.uint64(gaps, types.intp, lost, number, number), generate


@inlined
def move_row(
    _typing: Any, X: Any, i: Any, shift: Any, weight: Any, member: Any, sums: Any, new: Any, old: Any
) -> tuple[Any, Callable[..., Any]]:
    """``sums[new] += (weight (x_i - shift), weight, member)``, and ``sums[old] -=`` the same unless ``old < 0``.

    What fills a row of the sums up to a whole vector stays as it is.
    """
    real, index = types.float64, types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, i_, shift_, weight_, member_, sums_, new_, old_ = arguments
        code = VectorCode(context, builder, sums)
        data = VectorCode(context, builder, X, code.lanes)
        width = cgutils.unpack_tuple(builder, context.make_array(X)(context, builder, X_).shape, 2)[1]
        pitch = cgutils.unpack_tuple(builder, context.make_array(sums)(context, builder, sums_).shape, 2)[1]
        x_0, shift_0 = code.start(X, X_, builder.mul(i_, width)), code.start(shift, shift_, INT64(0))
        to, away = (code.start(sums, sums_, builder.mul(j, pitch)) for j in (new_, old_))
        weights, members = code.splat(weight_), code.splat(member_)
        leaves = builder.icmp_signed(">=", old_, INT64(0))
        with cgutils.for_range(builder, builder.sdiv(pitch, INT64(code.lanes))) as block:
            f = builder.mul(block.index, INT64(code.lanes))
            left = builder.sub(width, f)
            inside = code.between(INT64(0), left)
            x, origin = (code.widened(data.load_where(inside, code.at(start, f))) for start in (x_0, shift_0))
            term = builder.fmul(weights, builder.fsub(x, origin))
            beyond = builder.add(left, INT64(1))
            term = builder.select(code.between(left, beyond), weights, term)
            term = builder.select(code.between(beyond, builder.add(left, INT64(2))), members, term)
            place = code.at(to, f)
            code.store(builder.fadd(code.load(place), term), place)
            with builder.if_then(leaves):
                place = code.at(away, f)
                code.store(builder.fsub(code.load(place), term), place)
        return context.get_dummy_value()

    return types.void(X, index, shift, real, real, sums, index, index), generate
