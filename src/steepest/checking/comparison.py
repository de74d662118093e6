"""Claimed against true derivative: which differences rounding cannot explain."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from steepest.checking.problem import Problem
from steepest.checking.reference import Reference
from steepest.checking.report import BlockReport, KinkFound, Verdict, Worst
from steepest.kernels.blas import length
from steepest.typing import Array

__all__ = ["Comparison", "Tolerance"]

BoolArray = NDArray[np.bool_]

MOST_KINKS = 300  # entries of the given point that are examined for kinks
MOST_RECOMPUTED = 50  # disputed entries whose reference is computed again at perturbed points
ENTRYWISE = 3000  # with more parameters in all, random projections come first


@dataclass(frozen=True)
class Tolerance:
    """By how much a right gradient may differ, for the precision it was computed in."""

    relative: float
    epsilon: float

    @classmethod
    def of(cls, problem: Problem, relative: float | None) -> "Tolerance":
        """Standards of float32 where the gradient is float32, of float64 otherwise."""
        epsilon = float(np.finfo(np.float32 if problem.single else np.float64).eps)
        usual = 2e-4 if problem.single else 1e-7
        return cls(usual if relative is None else relative, epsilon)


@dataclass
class Comparison:
    """Claims and references at all points, computed when asked for.

    Attributes
    ----------
    points : list of points, each a list of blocks; the first is the given one
    claims : claimed gradient at each point
    usable : for each block the points whose derivative exists there and was computed accurately
    ratios : for large blocks the constant that all projections of claim and truth differ by, if there is one
    """

    problem: Problem
    reference: Reference
    points: list[list[Array]]
    claims: list[list[Array]]
    tolerance: Tolerance
    rng: np.random.Generator
    usable: dict[int, list[int]] = field(default_factory=dict)
    ratios: dict[int, float] = field(default_factory=dict)
    _truth: dict[tuple[int, int], tuple[Array, Array]] = field(default_factory=dict)

    def truth(self, p: int, i: int) -> Array:
        """Return the true derivative with respect to block ``i`` at point ``p``."""
        return self._both(p, i)[0]

    def error(self, p: int, i: int) -> Array:
        """Bound on the error of ``truth``."""
        return self._both(p, i)[1]

    def _both(self, p: int, i: int) -> tuple[Array, Array]:
        if (p, i) not in self._truth:
            self._truth[p, i] = self.reference.block(self.points[p], i)
        return self._truth[p, i]

    @property
    def is_large(self) -> bool:
        """Whether projections come before entries."""
        return sum(block.size for block in self.points[0]) > ENTRYWISE

    def block(self, i: int) -> BlockReport:
        """Compare block ``i`` at every point."""
        name, shape = self.problem.structure.names[i], self.points[0][i].shape
        problem = self._shape_problem(i) or self._missing_numbers(i)
        if problem:
            self.usable[i] = list(range(len(self.points)))
            return BlockReport(name, shape, Verdict.DISAGREES, float("inf"), problem=problem)
        return self._by_projections(i, name, shape) if self.is_large else self._by_entries(i, name, shape)

    def _shape_problem(self, i: int) -> str:
        """Compare shapes; a scalar and an array of one element pass as each other."""
        shape, got = self.points[0][i].shape, self.claims[0][i].shape
        if shape == got or (self.points[0][i].size == 1 == self.claims[0][i].size):
            for claim in self.claims:
                claim[i] = claim[i].reshape(shape)
            return ""
        return f"the gradient has shape {got}, the parameter has shape {shape}"

    def _missing_numbers(self, i: int) -> str:
        for p, claim in enumerate(self.claims):
            bad = ~np.isfinite(claim[i])
            if bad.any():
                index = tuple(int(j) for j in np.argwhere(bad)[0])
                where = "the given point" if p == 0 else f"random point {p}"
                return f"the gradient is {claim[i][index]} in entry {list(index)} at {where}, where the value is finite"
        return ""

    def _by_projections(self, i: int, name: str, shape: tuple[int, ...]) -> BlockReport:
        """Compare along three random sign vectors at every point; go on to entries only where that is not enough.

        Every entry enters a projection with weight 1, so that a fault in any of them changes it. A claim that
        is a constant multiple of the truth along all of them is that multiple: no entries are needed.
        """
        a, t, margin = self._projected(i)
        gap = float(np.max(np.abs(a - t) / np.maximum(np.maximum(np.abs(a), np.abs(t)), 1e-300)))
        if (np.abs(a - t) <= margin).all():
            return BlockReport(name, shape, Verdict.AGREES, gap)
        ratio = float(a @ t / max(float(t @ t), 1e-300))
        if not (np.abs(a - ratio * t) <= margin * max(1.0, abs(ratio))).all():
            return self._by_entries(i, name, shape)
        self.ratios[i] = ratio
        self.usable[i] = list(range(len(self.points)))
        return BlockReport(name, shape, Verdict.DISAGREES, gap, self._largest(i))

    def _projected(self, i: int) -> tuple[Array, Array, Array]:
        """Project claim and truth on random signs; return both and by how much they may differ."""
        claimed, true, allowed = [], [], []
        for point, claim in zip(self.points, self.claims, strict=True):
            for _ in range(3):
                signs = self.rng.choice(np.array([-1.0, 1.0]), size=claim[i].shape)
                slope = self.reference.along(point, i, signs)
                rounding = 16.0 * self.tolerance.epsilon * float(np.abs(claim[i]).sum())
                size = max(length(claim[i]), abs(slope.value))
                claimed.append(float(np.sum(signs * claim[i])))
                true.append(slope.value)
                allowed.append(10.0 * slope.error + rounding + self.tolerance.relative * size)
        return np.array(claimed), np.array(true), np.array(allowed)

    def _largest(self, i: int) -> Worst:
        """Compute the one entry of the given point in which the claim is largest."""
        claim = self.claims[0][i]
        flat = int(np.argmax(np.abs(claim)))
        true, _ = self.reference.block(self.points[0], i, entries=np.array([flat]))
        index = tuple(int(j) for j in np.unravel_index(flat, claim.shape))
        return Worst(index, float(claim.ravel()[flat]), float(true[0]), 0)

    def _by_entries(self, i: int, name: str, shape: tuple[int, ...]) -> BlockReport:
        wrong: list[tuple[int, BoolArray]] = []
        kinks: tuple[KinkFound, ...] = ()
        n_points = 2 if self.is_large else len(self.points)
        self.usable[i] = list(range(n_points))
        for p in range(n_points):
            off = self.wrong_entries(p, i)
            if p == 0 and self.points[0][i].size <= MOST_KINKS:
                kinks, accepted = self._kinks(i)
                if kinks:
                    self.usable[i].remove(0)
                off = off & ~accepted
            if off.any():
                wrong.append((p, off))
        if wrong:
            return self._disagreement(i, name, shape, wrong, kinks)
        verdict = Verdict.AGREES if self._is_accurate(i) else Verdict.CANNOT_TELL
        return BlockReport(name, shape, verdict, self._relative_error(i), kinks=kinks)

    def wrong_anywhere(self, i: int) -> bool:
        """Whether block ``i`` is off at any point, kinks not considered."""
        if self.is_large:
            claimed, true, margin = self._projected(i)
            return bool((np.abs(claimed - true) > margin).any())
        return any(self.wrong_at(p, i) for p in range(len(self.points)))

    def wrong_at(self, p: int, i: int) -> bool:
        """Whether any entry of block ``i`` is off at point ``p``, kinks not considered."""
        return bool(self.wrong_entries(p, i).any())

    def wrong_entries(self, p: int, i: int) -> BoolArray:
        """Entries whose difference is beyond every bound on rounding."""
        true, claim, error = self.truth(p, i), self.claims[p][i], self.error(p, i)
        gap = np.abs(claim - true)
        size = np.maximum(np.abs(claim), np.abs(true))
        floor = 8.0 * self.tolerance.epsilon * float(np.max(size))
        allowed = self.tolerance.relative * size + 10.0 * error + floor
        off: BoolArray = np.asarray(gap > allowed)
        if off.any():
            off = off & (gap > allowed + 100.0 * self._rounding(p, i, off))
        return off

    def _rounding(self, p: int, i: int, disputed: BoolArray) -> Array:
        """How far claim and reference move when the inputs change by one unit in the last place.

        A gradient that is a small difference of large numbers cannot be more accurate than this, however it
        is computed; near an optimum it is all there is.
        """
        size = np.zeros(self.claims[p][i].shape)
        entries = np.flatnonzero(disputed)[:MOST_RECOMPUTED]
        for _ in range(2):
            point = [self._nudge(block) for block in self.points[p]]
            data = {name: self._nudge(part) for name, part in self.problem.data.items()}
            size = np.maximum(
                size, np.abs(self.problem.gradient(point, data)[i].reshape(size.shape) - self.claims[p][i])
            )
            if self.reference.method == "complex step":
                again, _ = self.reference.block(point, i, entries=entries)
                moved = np.zeros(size.size)
                moved[entries] = np.abs(again - self.truth(p, i).ravel()[entries])
                size = np.maximum(size, moved.reshape(size.shape))
        return size

    def _nudge(self, part: Array) -> Array:
        if not (isinstance(part, np.ndarray) and part.dtype.kind == "f"):
            return part
        factor = 1.0 + self.tolerance.epsilon * self.rng.choice([-1.0, 1.0], size=part.shape)
        nudged: Array = (part * factor).astype(part.dtype)
        return nudged

    def _kinks(self, i: int) -> tuple[tuple[KinkFound, ...], BoolArray]:
        """Kinks of block ``i`` at the given point, and the entries whose claim lies between the slopes."""
        claim = self.claims[0][i]
        accepted = np.zeros(claim.shape, dtype=bool)
        found = []
        for index in np.ndindex(claim.shape):
            kink = self.reference.kink(self.points[0], i, index)
            if kink is not None:
                margin = 1e-4 * max(abs(kink.left), abs(kink.right))
                accepted[index] = kink.admits(float(claim[index]), margin)
                found.append(KinkFound(index, kink.left, kink.right, float(claim[index])))
        return tuple(found), accepted

    def _disagreement(
        self,
        i: int,
        name: str,
        shape: tuple[int, ...],
        wrong: Sequence[tuple[int, BoolArray]],
        kinks: tuple[KinkFound, ...],
    ) -> BlockReport:
        worst, share = None, -1.0
        for p, off in wrong:
            true, claim = self.truth(p, i), self.claims[p][i]
            gap = np.where(off, np.abs(claim - true), 0.0)
            relative = gap / max(float(np.max(np.abs(true))), float(np.max(np.abs(claim))), 1e-300)
            index = tuple(int(j) for j in np.unravel_index(int(np.argmax(relative)), shape))
            if relative[index] > share:
                share = float(relative[index])
                worst = Worst(index, float(claim[index]), float(true[index]), p)
        return BlockReport(name, shape, Verdict.DISAGREES, self._relative_error(i), worst, kinks=kinks)

    def _relative_error(self, i: int) -> float:
        """Largest of |claim - truth| / max(|claim|, |truth|) in the 2-norm over the points."""
        largest = 0.0
        for p in self.usable[i]:
            true, claim = self.truth(p, i), self.claims[p][i]
            size = max(length(true), length(claim))
            if size > 0:
                largest = max(largest, length(claim - true) / size)
        return largest

    def _is_accurate(self, i: int) -> bool:
        """Whether the reference is good enough, at one point at least, to have found a fault."""
        if not self.usable[i]:
            return False
        for p in self.usable[i]:
            size = max(float(np.max(np.abs(self.truth(p, i)))), float(np.max(np.abs(self.claims[p][i]))))
            if float(np.max(self.error(p, i))) * 10.0 <= 1e-2 * size or size == 0.0:
                return True
        return False
