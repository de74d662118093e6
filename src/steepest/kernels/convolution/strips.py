"""Depthwise correlation with small square kernels: a strip of a plane, one vector wide, from top to bottom.

The image is read where it lies, without a padded copy: lanes outside of it are masked, rows outside of it are read
from a vector of zeros. From one row to the next everything stays in registers: the weights and the begun sums of as
many rows of the output as a row of the input has a part in; or, for their gradient, its sums and that many rows of the
output's slopes. So a row is read once for each column of taps. Meanwhile the same lines of the next plane are fetched
from memory, which otherwise would decide the speed.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from numba.core import cgutils, types

from steepest.kernels.vectors import INT64, VectorCode, inlined, literals

ROWS_AT_ONCE = 4  # in one go of a loop


def _row(code: VectorCode, start: Any, row: Any, rows: Any, pitch: Any, instead: Any) -> Any:
    """Return the address of a row, or ``instead`` if there is no such row."""
    builder = code.builder
    inside = builder.and_(builder.icmp_signed(">=", row, INT64(0)), builder.icmp_signed("<", row, rows))
    return builder.select(inside, code.at(start, builder.mul(row, pitch)), instead)


def _windows(code: VectorCode, side: int, left: Any, width: Any, column: Any) -> list[Any]:
    """Return, tap by tap, the mask of the lanes of a strip that lie in the image."""
    builder = code.builder
    low, high = builder.sub(left, column), builder.sub(builder.add(width, left), column)
    return [code.between(builder.sub(low, INT64(tap)), builder.sub(high, INT64(tap))) for tap in range(side)]


def _groups(builder: Any, rows: Any) -> Any:
    """Return how often ROWS_AT_ONCE rows are taken to cover ``rows``."""
    return builder.sdiv(builder.add(rows, INT64(ROWS_AT_ONCE - 1)), INT64(ROWS_AT_ONCE))


@inlined
def strip(
    _typing: Any,
    side: Any,
    w: Any,
    iw: Any,
    x: Any,
    ix: Any,
    height: Any,
    width: Any,
    top: Any,
    left: Any,
    column: Any,
    zeros: Any,
    shift: Any,
    out: Any,
    io: Any,
    out_height: Any,
    out_width: Any,
    spare: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``out[i, j] = shift + sum_kl w[k, l] x[i + k - top, j + l - left]`` for a vector of columns j from ``column`` on.

    ``side`` is a constant; x (height, width) and out (out_height, out_width) begin at ``ix`` and ``io``; zeros and
    spare hold two vectors each. Reference: ``steepest.operators.convolution2d.reference``.
    """
    chosen = literals(side)
    if chosen is None:
        return None
    n, i = chosen[0], types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, w_, iw_, x_, ix_, height_, width_, top_, left_, column_ = arguments[:10]
        zeros_, shift_, out_, io_, out_height_, out_width_, spare_ = arguments[10:]
        code = VectorCode(context, builder, x)
        w_0, zeros_0, spare_0 = (
            code.start(w, w_, iw_),
            code.start(zeros, zeros_, INT64(0)),
            code.start(spare, spare_, INT64(0)),
        )
        x_0 = code.start(x, x_, builder.add(ix_, builder.sub(column_, left_)))
        out_0 = code.start(out, out_, builder.add(io_, column_))
        weights = [code.broadcast(code.at(w_0, k)) for k in range(n * n)]
        plane, out_plane = builder.mul(height_, width_), builder.mul(out_height_, out_width_)
        masks, written = (
            _windows(code, n, left_, width_, column_),
            code.between(INT64(0), builder.sub(out_width_, column_)),
        )

        def read(i: Any) -> list[Any]:
            """Return row i of x, from the first that a window reads on, as every tap of a row sees it."""
            line = _row(code, x_0, builder.sub(i, top_), height_, width_, zeros_0)
            code.fetch(code.at(line, plane))
            return [code.load_where(masks[tap], code.at(line, tap)) for tap in range(n)]

        def summed(total: Any, k: int, seen: list[Any]) -> Any:
            """Add the products of row k of the weights."""
            for tap in range(n):
                total = code.fused_sum(weights[k * n + tap], seen[tap], total)
            return total

        begun = list(chain.from_iterable(code.accumulators(1, n - 1)))  # sums of n - 1 rows, from the one next done on
        sums: list[Any] = []
        for r in range(n - 1):
            seen = read(INT64(r))
            sums = [*sums, code.splat(shift_)]
            sums = [summed(total, r - q, seen) for q, total in enumerate(sums)]
        for variable, total in zip(begun, sums, strict=True):
            builder.store(total, variable)
        with cgutils.for_range(builder, _groups(builder, out_height_)) as loop:
            first = builder.mul(loop.index, INT64(ROWS_AT_ONCE))
            sums = [builder.load(variable) for variable in begun]
            for r in range(ROWS_AT_ONCE):
                row = builder.add(first, INT64(r))
                seen = read(builder.add(row, INT64(n - 1)))
                done, *sums = [summed(total, n - 1 - q, seen) for q, total in enumerate([*sums, code.splat(shift_)])]
                line = _row(code, out_0, row, out_height_, out_width_, spare_0)
                code.fetch(code.at(line, out_plane), write=True)
                code.store_where(written, done, line)
            for variable, total in zip(begun, sums, strict=True):
                builder.store(total, variable)
        return context.get_dummy_value()

    return types.void(side, w, i, x, i, i, i, i, i, i, zeros, x.dtype, out, i, i, i, spare), generate


@inlined
def strip_products(
    _typing: Any,
    side: Any,
    x: Any,
    ix: Any,
    height: Any,
    width: Any,
    top: Any,
    left: Any,
    column: Any,
    zeros: Any,
    dy: Any,
    iy: Any,
    out_height: Any,
    out_width: Any,
    sums: Any,
    at: Any,
) -> tuple[Any, Callable[..., Any]] | None:
    """``sums[at + (k side + l) lanes + lane] += sum_i dy[i, j] x[i + k - top, j + l - left]``, j = column + lane.

    The arguments are those of `strip`.
    """
    chosen = literals(side)
    if chosen is None:
        return None
    n, i = chosen[0], types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x_, ix_, height_, width_, top_, left_, column_ = arguments[:8]
        zeros_, dy_, iy_, out_height_, out_width_, sums_, at_ = arguments[8:]
        code = VectorCode(context, builder, x)
        x_0 = code.start(x, x_, builder.add(ix_, builder.sub(column_, left_)))
        dy_0, zeros_0 = code.start(dy, dy_, builder.add(iy_, column_)), code.start(zeros, zeros_, INT64(0))
        plane, out_plane = builder.mul(height_, width_), builder.mul(out_height_, out_width_)
        rows_of_x = builder.add(out_height_, INT64(n - 1))
        masks, read = (
            _windows(code, n, left_, width_, column_),
            code.between(INT64(0), builder.sub(out_width_, column_)),
        )
        products = code.accumulators(n, n)
        past = list(chain.from_iterable(code.accumulators(1, n - 1)))  # rows of dy, from the one longest needed on

        def multiply(i: Any, slopes: list[Any]) -> None:
            """Add the products of row i of x, from the first that a window reads on, with the rows of dy it meets."""
            line = _row(code, x_0, builder.sub(i, top_), height_, width_, zeros_0)
            code.fetch(code.at(line, plane))
            for tap in range(n):
                seen = code.load_where(masks[tap], code.at(line, tap))
                for k, slope in enumerate(reversed(slopes)):
                    code.add_product(products[k][tap], slope, seen)

        with cgutils.for_range(builder, _groups(builder, rows_of_x)) as loop:
            first = builder.mul(loop.index, INT64(ROWS_AT_ONCE))
            slopes = [builder.load(variable) for variable in past]
            for r in range(ROWS_AT_ONCE):
                row = builder.add(first, INT64(r))
                line = _row(code, dy_0, row, out_height_, out_width_, zeros_0)
                code.fetch(code.at(line, out_plane))
                slopes.append(code.load_where(read, line))
                multiply(row, slopes)
                del slopes[0]
            for variable, slope in zip(past, slopes, strict=True):
                builder.store(slope, variable)
        sums_0 = code.start(sums, sums_, at_)
        for k in range(n * n):
            total = builder.fadd(code.load(sums_0, k), builder.load(products[k // n][k % n]))
            code.store(total, sums_0, k)
        return context.get_dummy_value()

    return types.void(side, x, i, i, i, i, i, i, zeros, dy, i, i, i, sums, i), generate
