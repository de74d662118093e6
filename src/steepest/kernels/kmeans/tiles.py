"""The register tiles of k-means: a panel of points, turned so that SIMD lanes are points, meets two centres.

A panel holds POINTS points: half their squared lengths, ``panel[0, t]``, then feature by feature, ``panel[1 + f, t]``.
Centres come as ``table[q, f, i] = -c_(2 q + i), f``.
Their sums stay in registers over all features, and meet the two smallest scores, which stay there over all centres.
Panel and table may be of single precision where the data are of double: differences are taken before rounding.
Reference of the whole file: :func:`steepest.objectives.clustering.scores`.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types

from steepest.kernels.kmeans.rows import LINE_BYTES, VECTORS, RowFetch
from steepest.kernels.tiles import BFLOAT16
from steepest.kernels.vectors import INT32, INT64, VECTOR_BYTES, VectorCode, ask_for, cgutils, inlined

CENTRES = 2  # that a tile of sums belongs to
PANEL_BYTES = VECTORS * VECTOR_BYTES  # of one feature of a panel's points


@inlined
def pack_panel(_typing: Any, X: Any, rows: Any, shift: Any, panel: Any, first: Any) -> tuple[Any, Callable[..., Any]]:
    """``panel[1 + f, t] = X[rows[first + t], f] - shift[f]``, and half the squared lengths in ``panel[0, t]``.

    The panel has room for as many features as make whole vectors: zeros are written there.
    """
    i = types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, rows_, shift_, panel_, first_ = arguments
        code = VectorCode(context, builder, panel)
        data = VectorCode(context, builder, X, code.lanes)
        zero, wide = INT64(0), INT64(code.lanes)
        x_0, shift_0, panel_0 = (
            code.start(X, X_, zero),
            code.start(shift, shift_, zero),
            code.start(panel, panel_, INT64(VECTORS * code.lanes)),
        )
        rows_0, norms_0 = code.start(rows, rows_, first_), code.start(panel, panel_, zero)
        width = cgutils.unpack_tuple(builder, context.make_array(X)(context, builder, X_).shape, 2)[1]
        blocks = builder.sdiv(builder.add(width, INT64(code.lanes - 1)), wide)
        ((squares,),) = code.accumulators(1, 1)
        with cgutils.for_range(builder, INT64(VECTORS)) as group:
            t = builder.mul(group.index, wide)
            numbers = [builder.load(code.at(rows_0, builder.add(t, INT64(m)))) for m in range(code.lanes)]
            starts = [code.at(x_0, builder.mul(number, width)) for number in numbers]
            builder.store(code.constant(0.0), squares)
            with cgutils.for_range(builder, blocks) as block:
                f = builder.mul(block.index, wide)
                inside = code.between(zero, builder.sub(width, f))
                shifts = data.load_where(inside, code.at(shift_0, f))
                given = [builder.fsub(data.load_where(inside, code.at(start, f)), shifts) for start in starts]
                given = [code.rounded(difference) for difference in given]
                for m, feature in enumerate(code.transposed(given)):
                    place = builder.mul(builder.add(f, INT64(m)), INT64(VECTORS * code.lanes))
                    code.store(feature, code.at(panel_0, builder.add(place, t)))
                    code.add_product(squares, feature, feature)
            half = builder.fmul(builder.load(squares), code.constant(0.5))
            code.store(half, code.at(norms_0, t))
        return context.get_dummy_value()

    return types.void(X, rows, shift, panel, i), generate


@inlined
def pack_pairs(_typing: Any, X: Any, row: Any, shift: Any, panel: Any) -> tuple[Any, Callable[..., Any]]:
    """Do the same for consecutive rows, from ``row`` on, of two features: reads go along the memory."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        X_, row_, shift_, panel_ = arguments
        code = VectorCode(context, builder, panel)
        data = VectorCode(context, builder, X, code.lanes)
        x_0, shift_0 = code.start(X, X_, builder.mul(row_, INT64(2))), code.start(shift, shift_, INT64(0))
        panel_0 = code.start(panel, panel_, INT64(0))
        both = [data.broadcast(data.at(shift_0, f)) for f in range(2)]
        shifts = data.shuffle(both[0], both[1], [p + p % 2 * (code.lanes - 1) for p in range(code.lanes)])
        for v in range(VECTORS):
            pair = [code.rounded(builder.fsub(data.load(x_0, 2 * v + half), shifts)) for half in range(2)]
            features = [code.shuffle(pair[0], pair[1], [2 * p + f for p in range(code.lanes)]) for f in range(2)]
            for f, feature in enumerate(features):
                code.store(feature, panel_0, (1 + f) * VECTORS + v)
            squares = builder.fmul(features[1], features[1])
            squares = code.fused_sum(features[0], features[0], squares)
            code.store(builder.fmul(squares, code.constant(0.5)), panel_0, v)
        return context.get_dummy_value()

    return types.void(X, types.intp, shift, panel), generate


@inlined
def meet_centres(
    _typing: Any,
    panel: Any,
    table: Any,
    half_norms: Any,
    results: Any,
    old: Any,
    first: Any,
    slope: Any,
    least: Any,
    X: Any,
    rows: Any,
    ahead: Any,
) -> tuple[Any, Callable[..., Any]]:
    """Find the two smallest scores of a panel's points, and whose the smallest is; the earlier centre wins a tie.

    The rows of ``results`` are |x|^2 / 2, the smallest, the second smallest and the label. A point is unsettled if its
    label is not the old one, ``old[first + t]``, or if the two scores differ by at most ``slope |x|^2 / 2 + least``:
    then its bit is set in the number that is returned.

    Meanwhile the rows of X listed from ``rows[ahead]`` on are asked for, up to as many as the panel has points: a few
    with each two centres, as more at once would be waited for.
    """
    number, i = panel.dtype, types.intp

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        panel_, table_, half_, results_, old_, first_, slope_, least_, X_, rows_, ahead_ = arguments
        code, zero = VectorCode(context, builder, panel), INT64(0)
        points = INT64(VECTORS * code.lanes)
        fetching = RowFetch(context, builder, X, X_, rows, rows_, ahead_, points)
        norms, table_0, half_0, places = (
            code.start(form, array, at)
            for form, array, at in (
                (panel, panel_, zero), (table, table_, zero), (half_norms, half_, zero), (results, results_, zero)
            )
        )  # fmt: skip
        panel_0 = code.at(norms, VECTORS * code.lanes)
        n_groups, width, _ = cgutils.unpack_tuple(builder, context.make_array(table)(context, builder, table_).shape, 3)
        found = code.accumulators(3, VECTORS)
        for v in range(VECTORS):
            builder.store(code.constant(float("inf")), found[0][v])
            builder.store(code.constant(float("inf")), found[1][v])
        sums = code.accumulators(CENTRES, VECTORS)
        fetches = builder.icmp_signed(">", fetching.number, zero)
        share = builder.sdiv(builder.add(builder.sub(points, INT64(1)), n_groups), n_groups)
        with cgutils.for_range(builder, n_groups) as group:
            with builder.if_then(fetches):
                fetching.fetch(builder.mul(group.index, share), share)
            j = builder.mul(group.index, INT64(CENTRES))
            table_j, short = code.at(table_0, builder.mul(j, width)), isinstance(table.dtype, types.Integer)
            _score(code, panel_0, table_j, code.at(half_0, j), width, sums, short)
            for c in range(CENTRES):
                name = code.splat(builder.sitofp(builder.add(j, INT64(c)), code.scalar))
                for v in range(VECTORS):
                    _meet(code, sums[c][v], name, [variables[v] for variables in found])
        before = code.start(old, old_, first_)
        unsettled = INT64(0)
        for v in range(VECTORS):
            low, following, mine = (builder.load(variables[v]) for variables in found)
            norm = code.load(norms, v)
            limit = code.fused_sum(code.splat(slope_), norm, code.splat(least_))
            near = builder.fcmp_unordered("<=", builder.fsub(following, low), limit)
            changed = builder.fcmp_unordered("!=", mine, code.load_integers(before, v))
            bits = builder.zext(code.bits(builder.or_(near, changed)), INT64)
            unsettled = builder.or_(unsettled, builder.shl(bits, INT64(v * code.lanes)))
            for r, value in enumerate((norm, low, following, mine)):
                code.store(value, places, r * VECTORS + v)
        return unsettled

    return types.uint64(panel, table, half_norms, results, old, i, number, number, X, rows, i), generate


@inlined
def squared_distances(
    _typing: Any, panel: Any, at: Any, table: Any, distances: Any, first: Any, X: Any, row: Any
) -> tuple[Any, Callable[..., Any]]:
    """``distances[j, first + t] = |x_t - c_j|^2``: differences squared as they are, no cancellation.

    The panel begins with number ``at`` of an array. Meanwhile the rows from ``X[row]`` on are asked for, as many as the
    panel has points, if X has any: a few lines with each feature, as more at once would be waited for.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        panel_, at_, table_, distances_, first_, X_, row_ = arguments
        code, zero = VectorCode(context, builder, panel), INT64(0)
        panel_0, table_0 = (
            code.at(code.start(panel, panel_, at_), VECTORS * code.lanes),
            code.start(table, table_, zero),
        )
        n_groups, width, _ = cgutils.unpack_tuple(builder, context.make_array(table)(context, builder, table_).shape, 3)
        out = context.make_array(distances)(context, builder, distances_)
        pitch = cgutils.unpack_tuple(builder, out.shape, 2)[1]
        data = VectorCode(context, builder, X)
        ahead = data.start(X, X_, builder.mul(row_, width))
        n_lines = INT64(VECTORS * code.lanes * data.itemsize // LINE_BYTES)  # of all points, a feature
        n_lines = builder.sdiv(builder.add(n_lines, builder.sub(n_groups, INT64(1))), n_groups)
        n_rows = cgutils.unpack_tuple(builder, context.make_array(X)(context, builder, X_).shape, 2)[0]
        n_lines = builder.select(builder.icmp_signed("==", n_rows, zero), zero, n_lines)
        sums = code.accumulators(CENTRES, VECTORS)
        with cgutils.for_range(builder, n_groups) as group:
            j = builder.mul(group.index, INT64(CENTRES))
            for variable in chain.from_iterable(sums):
                builder.store(code.constant(0.0), variable)
            with cgutils.for_range(builder, width) as loop:
                place = builder.add(builder.mul(group.index, width), loop.index)
                with cgutils.for_range(builder, n_lines) as lines:
                    line = builder.add(builder.mul(place, n_lines), lines.index)
                    place_ahead = data.at(ahead, builder.mul(line, INT64(LINE_BYTES // data.itemsize)))
                    ask_for(builder, builder.bitcast(place_ahead, data.vector.as_pointer()), nearest=False)
                x = code.at(panel_0, builder.mul(loop.index, INT64(VECTORS * code.lanes)))
                points = [code.load(x, v) for v in range(VECTORS)]
                centre = code.at(table_0, builder.mul(place, INT64(CENTRES)))
                for c in range(CENTRES):
                    negative = code.broadcast(code.at(centre, c))
                    for v in range(VECTORS):
                        difference = builder.fadd(points[v], negative)
                        code.add_product(sums[c][v], difference, difference)
            for c in range(CENTRES):
                begin = builder.add(builder.mul(builder.add(j, INT64(c)), pitch), first_)
                for v in range(VECTORS):
                    code.store(builder.load(sums[c][v]), code.at(out.data, begin), v)
        return context.get_dummy_value()

    return types.void(panel, types.intp, table, distances, types.intp, X, types.intp), generate


def _score(
    code: VectorCode, panel: Any, table: Any, half_norms: Any, width: Any, sums: list[list[Any]], short: bool
) -> None:
    """Write ``sums[c][v] = |c|^2 / 2 - x.c``; of a panel and a table of :mod:`.rough` numbers if they are ``short``."""
    for c in range(CENTRES):
        half = code.broadcast(code.at(half_norms, c))
        for variable in sums[c]:
            code.builder.store(half, variable)
    with cgutils.for_range(code.builder, width) as loop:
        x = code.at(panel, code.builder.mul(loop.index, INT64(VECTORS * code.lanes)))
        points = [code.load(x, v) for v in range(VECTORS)]
        centre = code.at(table, code.builder.mul(loop.index, INT64(CENTRES)))
        for c in range(CENTRES):
            number = code.splat(code.builder.load(code.at(centre, c)), INT32 if short else None)
            for variable, point in zip(sums[c], points, strict=True):
                if short:
                    add_short_products(code, variable, number, point)
                else:
                    code.add_product(variable, number, point)


def add_short_products(code: VectorCode, variable: Any, left: Any, right: Any) -> None:
    """Add the products of pairs of bfloat16, which the lanes of both vectors hold."""
    pairs = ir.VectorType(BFLOAT16, 2 * code.lanes)
    form = ir.FunctionType(code.vector, [code.vector, pairs, pairs])
    name = f"llvm.x86.avx512bf16.dpbf16ps.{8 * VECTOR_BYTES}"
    function = cgutils.get_or_insert_function(code.builder.module, form, name)
    given = [code.builder.load(variable), *(code.builder.bitcast(vector, pairs) for vector in (left, right))]
    code.builder.store(code.builder.call(function, given), variable)


def _meet(code: VectorCode, score_at: Any, name: Any, found: list[Any]) -> None:
    """Let a score meet the smallest and the second smallest so far."""
    builder = code.builder
    score = builder.load(score_at)
    low, following, mine = (builder.load(variable) for variable in found)
    nearer = builder.fcmp_ordered("<", score, low)
    loser = builder.select(nearer, low, score)
    closer = builder.fcmp_ordered("<", loser, following)
    builder.store(builder.select(nearer, score, low), found[0])
    builder.store(builder.select(closer, loser, following), found[1])
    builder.store(builder.select(nearer, name, mine), found[2])
