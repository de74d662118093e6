"""Candidates tried on one point first, then fitted at all: the common part of the hypotheses about single steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from steepest.checking.constants import Named, name_constant
from steepest.checking.fitting import Precision, fit
from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene
from steepest.checking.tape.families import COUNTED, Steps
from steepest.checking.tape.graph import Graph, trace
from steepest.typing import Array

__all__ = ["Trial", "steps_of"]

Compute = Callable[[int], list[Array]]  # position of a point -> derivative with respect to every block


def steps_of(scene: Scene) -> Steps | None:
    """Return the value's steps at every point, if these are the same and give the true derivative; computed once."""
    return scene.remember("steps", lambda: _traced(scene))  # type: ignore[no-any-return]


def _traced(scene: Scene) -> Steps | None:
    if scene.comparison.is_large:
        return None
    graphs: list[Graph] = []
    for p in scene.points:
        graph = trace(scene.problem, scene.at(p))
        if graph is None or (graphs and [n.operation for n in graph.nodes] != [n.operation for n in graphs[0].nodes]):
            return None
        for i, found in enumerate(graph.gradient()):
            true, error = scene.comparison.truth(p, i), scene.comparison.error(p, i)
            size = max(float(np.max(np.abs(true))), 1e-300)
            if not (np.abs(found - true) <= 1e-7 * size + 10.0 * error).all():
                return None
        graphs.append(graph)
    return Steps(graphs, scene.names) if graphs else None


@dataclass
class Trial:
    """Comparison of one block's claims with what other rules give.

    ``rest`` is the derivative without the part in question, ``other`` that with the part under another rule;
    claims may hold ``other``'s part times a constant.
    """

    scene: Scene
    i: int
    steps: Steps

    def __post_init__(self) -> None:
        """Read what all comparisons share."""
        self.claims = self.scene.claims(self.i)
        self.truth = self.scene.truth(self.i)
        single = self.scene.problem.single
        exact = self.scene.reference.method == "complex step"
        self.precision = Precision(1e-4, 3e-5) if single else Precision(1e-8, 1e-10 if exact else 1e-8)
        self.errors = [float(np.max(error)) for error in self.scene.errors(self.i)]
        self.tolerance = 1e-3 if single else 1e-6

    @property
    def is_possible(self) -> bool:
        """Whether the claim has the parameter's shape, finite numbers, and enough of them to tell rules apart."""
        same = self.claims[0].shape == self.truth[0].shape
        return same and all(np.isfinite(c).all() for c in self.claims) and sum(c.size for c in self.claims) >= 2

    def weight(self, rest: Compute, other: Compute) -> tuple[list[Array], float, float] | None:
        """Constants with which ``claim = a (rest + c part)`` at every point; the tensors, c, and a.

        The first point is tried alone: most rules fail there.
        """
        try:
            return self._weight(rest, other)
        except (ValueError, IndexError):  # a rule made for one repetition of a place need not suit the next one's shape
            return None

    def _weight(self, rest: Compute, other: Compute) -> tuple[list[Array], float, float] | None:
        first = self._parts(rest, other, [0])
        if first is None or self._solve(first, self.claims[:1], self.errors[:1]) is None:
            return None
        parts = self._parts(rest, other, range(len(self.claims)))
        found = self._solve(parts, self.claims, self.errors) if parts else None
        if parts is None or found is None:
            return None
        a, b = found
        if a == 0.0:
            return None
        c = _rounded(b / a)
        return [r + c * q for r, q in parts], c, a

    def fits(self, tensors: list[Array], count: int) -> bool:
        """Whether the claims at the first ``count`` points are a multiple of these tensors."""
        if not all(np.isfinite(t).all() for t in tensors):
            return False
        return fit(self.claims[:count], [tensors], self.errors[:count], self.precision) is not None

    def _parts(self, rest: Compute, other: Compute, points: range | list[int]) -> list[tuple[Array, Array]] | None:
        parts: list[tuple[Array, Array]] = []
        for p in points:
            r, o = rest(p)[self.i], other(p)[self.i]
            if not (np.isfinite(r).all() and np.isfinite(o).all()):
                return None
            parts.append((r, o - r))
        return parts

    def _solve(
        self, parts: list[tuple[Array, Array]], claims: list[Array], errors: list[float]
    ) -> tuple[float, float] | None:
        """Solve for both constants, for that of the part alone (a = 1), and for neither."""
        rests, others = [r for r, _ in parts], [q for _, q in parts]
        size = max(float(np.max(np.abs(c))) for c in claims)
        if max(float(np.max(np.abs(q))) for q in others) <= 1e-9 * size:
            return None
        for c in (0.0, 1.0):
            made = [r + c * q for r, q in parts]
            found = fit(claims, [made], errors, self.precision)
            if found is not None:
                return float(found[0]), c * float(found[0])
        if max(float(np.max(np.abs(r))) for r in rests) <= 1e-9 * size:
            return None  # a constant factor of everything, which is told otherwise
        found = fit(claims, [rests, others], errors, self.precision)
        return None if found is None else (float(found[0]), float(found[1]))

    def candidate(
        self, code: str, found: tuple[list[Array], float, float], said: str, remedy: str, hint: str
    ) -> Candidate | None:
        """Make a candidate if the constants are ones that have names."""
        tensors, c, a = found
        if not self.is_plain(a):
            return None
        if c != 1.0:
            names = self.names(c)
            if not names or (abs(abs(c) - 1.0) > 1e-6 and sum(t.size for t in tensors) < 4):
                return None
            said += f", and that part {'-' if c < 0 else ''}{names[0].symbol} times" if c != -1.0 else ", and its sign"
        return Candidate(code, tensors, said, remedy, whole=True, hint=hint)

    def names(self, c: float) -> tuple[Named, ...]:
        """Names of a constant, counts of what is summed in the value and one less among them."""
        sizes = {**self.scene.sizes, **self.steps.counts}
        less = {f"{s} - 1": (v - 1.0, "") for s, (v, _) in sizes.items() if s in ("n", *COUNTED)}
        return name_constant(c, {**sizes, **less}, self.tolerance)

    def is_plain(self, a: float) -> bool:
        """Whether the constant of the whole is 1, or has a name."""
        return abs(a - 1.0) <= self.tolerance or bool(self.names(a))


def _rounded(c: float) -> float:
    """Nearest integer, or c itself."""
    return float(round(c)) if abs(c - round(c)) <= 1e-6 else c


def only(found: Candidate | None) -> Iterator[Candidate]:
    """Yield a candidate, if there is one."""
    if found is not None:
        yield found
