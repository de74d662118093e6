"""What the hypotheses may know: true derivatives, also of parts of the value and of parts of the data."""

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np

from steepest.checking.comparison import Comparison
from steepest.checking.penalty_kinds import KINDS, MASKS, Term, kind_sets, penalty_derivative
from steepest.checking.problem import Data
from steepest.checking.tape.graph import trace
from steepest.typing import Array, IntArray

__all__ = ["Scene"]

MOST_ENTRIES = 60  # entries on which the penalty is identified in a large block


def _is_numbers(part: Array) -> bool:
    return part.ndim > 0 and part.dtype.kind != "O"


class Scene:
    """Evidence about one audit, computed on demand and kept.

    Attributes
    ----------
    comparison : Comparison
    points : list of int
        The points at which claims are explained: those where the derivative exists.
    is_traceable : bool
        Whether the steps of the value can be followed and give its true derivative.
    counts : dict
        Numbers of entries that the value sums, which stand in for that of samples where there are no data.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.problem = comparison.problem
        self.reference = comparison.reference
        self.names = self.problem.structure.names
        usable = [set(points) for points in comparison.usable.values()]
        common = sorted(set.intersection(*usable)) if usable else []
        self.points = common or list(range(len(comparison.points)))
        if comparison.is_large:
            self.points = self.points[:2]
        self.is_traceable = False
        self.counts: dict[str, tuple[float, str]] = {}
        self._memory: dict[Any, Any] = {}

    def remember(self, key: Any, compute: Any) -> Any:
        """Value of ``compute()``, computed once for ``key``."""
        if key not in self._memory:
            self._memory[key] = compute()
        return self._memory[key]

    def at(self, p: int) -> list[Array]:
        """Parameters at point ``p``."""
        return self.comparison.points[p]

    def truth(self, i: int) -> list[Array]:
        """Return the true derivative of block ``i`` at every point."""
        return [self.comparison.truth(p, i) for p in self.points]

    def claims(self, i: int) -> list[Array]:
        """Claimed derivative of block ``i`` at every point."""
        return [self.comparison.claims[p][i] for p in self.points]

    def parameter(self, i: int) -> list[Array]:
        """Block ``i`` itself at every point."""
        return [self.at(p)[i] for p in self.points]

    def errors(self, i: int) -> list[Array]:
        """Bounds on the error of ``truth``."""
        return [self.comparison.error(p, i) for p in self.points]

    # Data

    @property
    def data(self) -> dict[str, Any]:
        """The data in float64."""
        return self.problem.precise_data

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """Arrays among the data, and the numbers of data frames and their columns."""
        parts = {
            name: np.asarray(part) if hasattr(part, "to_numpy") else part  # of pandas, polars, ...
            for name, part in self.data.items()
        }
        return {name: part for name, part in parts.items() if isinstance(part, np.ndarray) and _is_numbers(part)}

    @cached_property
    def scalars(self) -> dict[str, float]:
        """Real numbers among the data, such as the strength of a penalty."""
        return {
            name: float(part)
            for name, part in self.data.items()
            if np.ndim(part) == 0 and isinstance(part, int | float | np.number) and not isinstance(part, bool)
        }

    @cached_property
    def sample_axis(self) -> int:
        """Axis of the data that counts samples: the first, or the last where columns are samples.

        The last one is it if more arrays agree on its length than on that of the first, and if no parameter
        has an axis of this length: then it counts features.
        """
        first, last = self._commonest(0), self._commonest(-1)
        lengths = {length for block in self.problem.structure.blocks for length in block.shape}
        return -1 if last[1] > first[1] and last[0] not in lengths else 0

    def _commonest(self, axis: int) -> tuple[int, int]:
        """Length along ``axis`` that most data arrays share, and how many share it."""
        lengths = Counter(part.shape[axis] for part in self.arrays.values())
        return lengths.most_common(1)[0] if lengths else (0, 0)

    @property
    def n_samples(self) -> int:
        """Length of the axis of samples; 0 where there are no data arrays."""
        return self._commonest(self.sample_axis)[0]

    @cached_property
    def row_names(self) -> tuple[str, ...]:
        """Data arrays that hold one row a sample, or one column."""
        return tuple(name for name, part in self.arrays.items() if part.shape[self.sample_axis] == self.n_samples)

    def by_sample(self, name: str) -> Array:
        """Return a data array with its samples along the first axis."""
        return np.moveaxis(self.arrays[name], self.sample_axis, 0)

    def rows(self, index: slice) -> dict[str, Any]:
        """Return the data with only the samples in ``index``."""
        chosen: tuple[Any, ...] = (index,) if self.sample_axis == 0 else (..., index)
        return {**self.data, **{name: self.arrays[name][chosen] for name in self.row_names}}

    def truth_with(self, i: int, key: str, data: Data) -> list[Array] | None:
        """Return the true derivative of block ``i`` for other data, or None where the value is not defined for it."""

        def compute() -> list[Array] | None:
            try:
                found = [self._derivative(p, i, data) for p in self.points]
            except Exception:  # the user's function, called with data that it may well refuse
                return None
            return found if all(np.isfinite(part).all() for part in found) else None

        if not self.problem.uses_data:
            return None
        found: list[Array] | None = self.remember(("with", i, key), compute)
        return found

    def _derivative(self, p: int, i: int, data: Data, entries: IntArray | None = None) -> Array:
        """Return the derivative for other data, flat for some entries: by the trace where it is known to be right."""
        graph = trace(self.problem, self.at(p), data) if self.is_traceable else None
        if graph is None:
            return self.reference.block(self.at(p), i, data, entries)[0]
        found = graph.gradient()[i]
        return found if entries is None else found.ravel()[entries]

    @cached_property
    def sizes(self) -> dict[str, tuple[float, str]]:
        """Numbers that a forgotten factor may consist of: symbol -> (number, meaning)."""
        sizes: dict[str, tuple[float, str]] = {"n": (self.n_samples, "samples")} if self.n_samples else {}
        for name, number in self.scalars.items():
            sizes[name] = (number, "")
            if name in ("batch_size", "batch") and number > 0 and self.n_samples % number == 0:
                sizes["n_batches"] = (self.n_samples // number, "mini-batches")
        sizes |= self.counts if not self.n_samples else {}
        sizes |= self._outputs()
        blocks = list(zip(self.names, self.problem.structure.blocks, strict=True))
        axes = [(f"{name}.shape[{k}]", size) for name, part in self.arrays.items() for k, size in enumerate(part.shape)]
        axes += [(f"{name}.shape[{k}]", size) for name, block in blocks for k, size in enumerate(block.shape)]
        for symbol, size in [*axes, *((f"{name}.size", block.size) for name, block in blocks)]:
            if size not in [number for number, _ in sizes.values()]:
                sizes[symbol] = (size, "")
        return sizes

    def _outputs(self) -> dict[str, tuple[float, str]]:
        """Find the number of outputs: columns of a target, or the last axis of the last parameter."""
        for name, part in self.arrays.items():
            if part.ndim == 2 and name.lower().startswith(("y", "t")):
                return {"k": (part.shape[1 + self.sample_axis], "outputs")}
        last = self.problem.structure.blocks[-1]
        return {"k": (last.shape[-1], f"last axis of {self.names[-1]}")} if last.ndim else {}

    # Penalties

    def kind(self, i: int, kind: str) -> list[Array]:
        """Return the derivative of the penalty ``kind`` with coefficient 1 at every point."""
        return [penalty_derivative(kind, w) for w in self.parameter(i)]

    def is_bias(self, i: int) -> bool:
        """Whether block ``i`` looks like a bias: by its name, or as the small companion of a larger block."""
        name = self.names[i].lower().split(".")[-1].split("[")[0]
        return name.startswith(("b", "intercept", "c0", "w0")) and name[:4] != "beta"

    def terms(self, i: int) -> tuple[Term, ...] | None:
        """Penalties in the value on block ``i``: ``()`` if there are none, None if it cannot be found out."""
        return self.remember(("terms", i), lambda: self._find_terms(i))  # type: ignore[no-any-return]

    def _find_terms(self, i: int) -> tuple[Term, ...] | None:
        """Switch the data term off, or the penalty; what remains or what vanishes is the penalty.

        With the inputs X at zero, a term in ``X w`` has no derivative left; what remains must be the same
        for other targets, or it is a part of the loss. With the scalars at zero, or one of them, a term
        ``alpha * ...`` is gone. Either is believed only if it is a combination of the known kinds at every
        point.
        """
        if not self.problem.uses_data:
            return None
        entries = self._entries(i)
        for name in self.arrays:
            found = self._terms_without(i, name, entries)
            if found is not None:
                return found
        return self._terms_by_scalars(i, entries)

    def _terms_without(self, i: int, name: str, entries: IntArray) -> tuple[Term, ...] | None:
        """Penalties that remain when the array ``name`` is zero, whatever the other arrays are."""
        silent = {**self.data, name: np.zeros_like(self.arrays[name])}
        others = {k: 1.5 * v + 0.5 for k, v in self.arrays.items() if k != name and v.dtype.kind == "f"}
        first = self._partial_truth(i, silent, entries)
        found = self._decompose(i, first, entries) if first is not None else None
        if found is None:
            return None
        second = self._partial_truth(i, {**silent, **others}, entries)
        again = self._decompose(i, second, entries) if second is not None else found
        if again is None or [t.kind for t in again] != [t.kind for t in found]:
            return None
        same = all(
            abs(a.coefficient - b.coefficient) <= 1e-6 * abs(b.coefficient) for a, b in zip(again, found, strict=True)
        )
        return found if same else None

    def _terms_by_scalars(self, i: int, entries: IntArray) -> tuple[Term, ...] | None:
        whole = self._partial_truth(i, self.data, entries)
        if not self.scalars or whole is None:
            return None
        best: tuple[Term, ...] | None = None
        for names in [tuple(self.scalars), *((name,) for name in self.scalars)]:
            without = self._partial_truth(i, {**self.data, **dict.fromkeys(names, 0.0)}, entries)
            if without is None:
                continue
            found = self._decompose(i, [a - b for a, b in zip(whole, without, strict=True)], entries)
            if found:
                return found
            best = found if found is not None else best
        return best

    def _entries(self, i: int) -> IntArray:
        size = self.at(0)[i].size
        return np.arange(size) if size <= MOST_ENTRIES else np.linspace(0, size - 1, MOST_ENTRIES).astype(np.int64)

    def _partial_truth(self, i: int, data: Data, entries: IntArray) -> list[Array] | None:
        try:
            found = [self._derivative(p, i, data, entries) for p in self.points]
        except Exception:  # the user's function, called with data that it may well refuse
            return None
        return found if all(np.isfinite(part).all() for part in found) else None

    def _decompose(self, i: int, tensors: list[Array], entries: IntArray) -> tuple[Term, ...] | None:
        """Coefficients of the kinds that make up ``tensors`` exactly, or None."""
        target = np.concatenate([part.ravel() for part in tensors])
        size = max(float(np.max(np.abs(np.concatenate([t.ravel()[entries] for t in self.truth(i)])))), 1e-300)
        if float(np.max(np.abs(target))) <= 1e-9 * size:
            return ()
        columns = {
            kind: np.concatenate([t.ravel()[entries] for t in self.kind(i, kind)])
            for kind in (*KINDS, *(k + m for k in KINDS for m in MASKS))
        }
        for kinds in kind_sets(masked=len(entries) == self.at(0)[i].size > 1):
            matrix = np.stack([columns[kind] for kind in kinds], axis=1)
            solution = np.linalg.lstsq(matrix, target, rcond=None)[0]
            if np.max(np.abs(matrix @ solution - target)) <= 1e-7 * np.max(np.abs(target)):
                return tuple(Term(k, float(c)) for k, c in zip(kinds, solution, strict=True))
        return None

    def data_truth(self, i: int) -> list[Array]:
        """Return the true derivative of block ``i`` without that of its penalty."""
        tensors = self.truth(i)
        for term in self.terms(i) or ():
            parts = self.kind(i, term.kind)
            tensors = [t - term.coefficient * part for t, part in zip(tensors, parts, strict=True)]
        return tensors
