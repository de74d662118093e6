"""Both products with a strip of rows of X, where X lies column by column.

A strip is as many rows as some vectors hold. Its part of a column is a few lines of the cache, and what belongs to its
rows, their sums or their residuals, stays in registers while one column after the other goes by::

    t_i -= sum_j (x_ij - m_j) w_j        and, with t complete,        g_j += sum_i (x_ij - m_j) t_i

The second sums lie in one vector for each column, whose lanes are added up at the end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import cgutils, types

from steepest.kernels.vectors import INT64, VectorCode, ask_for, inlined, literals

VECTORS = 8  # of a whole strip: longer ones need not be asked for as often, but leave the nearest cache
LINE = 64  # bytes


class _Strip:
    """Writes the code that goes over the columns of a strip; a strip of one vector may be narrower than that."""

    def __init__(self, context: Any, builder: Any, form: Any, values: Any, vectors: int) -> None:
        X, place, pitch, n_columns, means, t, at, width = values[1:9]
        self.builder, self.vectors, self._pitch, self._n_columns = builder, vectors, pitch, n_columns
        self.code = VectorCode(context, builder, form[6])
        self._data = VectorCode(context, builder, form[1], self.code.lanes)
        self._first, self._means = self._data.start(form[1], X, place), self.code.start(form[5], means, INT64(0))
        self._t = self.code.start(form[6], t, at)
        self._mask = None if vectors > 1 else self.code.between(INT64(0), width)

    def _load(self, code: Any, pointer: Any, v: int) -> Any:
        return code.load(pointer, v) if self._mask is None else code.load_where(self._mask, pointer, v)

    def rows(self) -> list[Any]:
        """Return what belongs to the rows."""
        return [self._load(self.code, self._t, v) for v in range(self.vectors)]

    def store_rows(self, values: list[Any]) -> None:
        """Write what belongs to the rows."""
        for v, value in enumerate(values):
            if self._mask is None:
                self.code.store(value, self._t, v)
            else:
                self.code.store_where(self._mask, value, self._t, v)

    @contextmanager
    def columns(self, ahead: Any = None) -> Iterator[tuple[Any, Iterator[Any]]]:
        """Go over the columns: the number of each, and its centred vectors; ask for what lies ``ahead`` in it."""
        with cgutils.for_range(self.builder, self._n_columns) as loop:
            place = self._data.at(self._first, self.builder.mul(loop.index, self._pitch))
            mean = self.code.broadcast(self.code.at(self._means, loop.index))
            loaded = (self.code.widened(self._load(self._data, place, v)) for v in range(self.vectors))
            yield loop.index, (self.builder.fsub(x, mean) for x in loaded)
            if ahead is not None:
                step = LINE // self._data.itemsize
                for number in range(0, self.vectors * self.code.lanes, step):
                    ask_for(self.builder, self._data.at(self._data.at(place, ahead), number), nearest=False)


@inlined
def subtract_scores(
    _typing: Any, vectors: Any, X: Any, place: Any, pitch: Any, n_columns: Any, means: Any, t: Any, at: Any, width: Any,
    w: Any, ahead: Any,
) -> tuple[Any, Callable[..., Any]] | None:  # fmt: skip
    """Subtract ``sum_j (x_ij - m_j) w_j`` from ``t[at + i]`` for the rows i of a strip.

    The strip begins at number ``place`` of X and has ``vectors`` vectors, a constant, or, if that is one, ``width``
    rows. A column begins ``pitch`` numbers after the one before; what is ``ahead`` numbers further will be wanted soon.
    """
    size, i = literals(vectors), types.intp
    if size is None:
        return None
    form = [vectors, X, i, i, i, means, t, i, i, w, i]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        strip = _Strip(context, builder, [vectors, X, i, i, i, means, t], arguments, size[0])
        code, weights = strip.code, strip.code.start(w, arguments[9], INT64(0))
        (sums,) = code.accumulators(1, strip.vectors)
        for variable, row in zip(sums, strip.rows(), strict=True):
            builder.store(row, variable)
        with strip.columns(ahead=arguments[10]) as (j, xs):
            weight = code.splat(builder.fneg(builder.load(code.at(weights, j))))
            for variable, x in zip(sums, xs, strict=True):
                code.add_product(variable, x, weight)
        strip.store_rows([builder.load(variable) for variable in sums])
        return context.get_dummy_value()

    return types.void(*form), generate


@inlined
def add_correlations(
    _typing: Any, vectors: Any, X: Any, place: Any, pitch: Any, n_columns: Any, means: Any, t: Any, at: Any, width: Any,
    sums: Any,
) -> tuple[Any, Callable[..., Any]] | None:  # fmt: skip
    """Add ``sum_i (x_ij - m_j) t[at + i]`` to vector j of ``sums``, lane by lane; the rest is as above."""
    size, i = literals(vectors), types.intp
    if size is None:
        return None
    form = [vectors, X, i, i, i, means, t, i, i, sums]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        strip = _Strip(context, builder, [vectors, X, i, i, i, means, t], arguments, size[0])
        code, first, rows = strip.code, strip.code.start(sums, arguments[9], INT64(0)), strip.rows()
        with strip.columns() as (j, xs):
            place = code.at(first, builder.mul(j, INT64(code.lanes)))
            total = code.load(place)
            for x, row in zip(xs, rows, strict=True):
                total = code.fused_sum(x, row, total)
            code.store(total, place)
        return context.get_dummy_value()

    return types.void(*form), generate
