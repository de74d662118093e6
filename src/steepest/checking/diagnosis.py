"""Which mistake was made: the simplest set of them that explains a gradient to rounding at every point."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from steepest.checking.comparison import Comparison
from steepest.checking.explanation import Explanation, interpret
from steepest.checking.fitting import Precision, fit
from steepest.checking.grouping import grouped
from steepest.checking.hypotheses import Candidate, from_evidence, from_steps, from_truth
from steepest.checking.hypotheses.steps import steps_of
from steepest.checking.mistakes import Mistake
from steepest.checking.penalty_kinds import kind_sets
from steepest.checking.report import Diagnosis, GradientReport, Verdict
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["diagnose"]

MOST_SCALING = 1e9
ENOUGH = 2.0  # cost of two mistakes that are named: single steps of the value are not searched then


def diagnose(comparison: Comparison, report: GradientReport) -> tuple[tuple[Diagnosis, ...], tuple[str, ...]]:
    """Diagnoses of the blocks that disagree, equal ones put together, and a sentence for each without one."""
    scene = Scene(comparison)
    steps = steps_of(scene)
    scene.is_traceable = steps is not None
    scene.counts = steps.counts if steps else {}
    found: list[tuple[str, Explanation]] = []
    unexplained = []
    for i, block in enumerate(report.blocks):
        if block.verdict is not Verdict.DISAGREES:
            continue
        explanation = Explainer(scene, i).best()
        if explanation is None:
            unexplained.append(locate(scene, i))
        else:
            found.append((block.name, explanation))
    return tuple(grouped(found)), tuple(unexplained)


@dataclass
class Explainer:
    """Search for the explanation of one block."""

    scene: Scene
    i: int

    def best(self) -> Explanation | None:
        """Cheapest explanation; the search ends at the first that is a single mistake."""
        if all(not claim.any() for claim in self.scene.claims(self.i)):
            return self._zero("zero everywhere")
        if self.i in self.scene.comparison.ratios:
            return self._multiple(self.scene.comparison.ratios[self.i])
        if self._is_cancelled():
            return self._zero("zero up to rounding")
        best = self._cheapest(self._not_summed(), self._explanations())
        if best is not None and best.cost <= ENOUGH and "penalty-unknown" not in best.codes:
            return best
        return self._cheapest(best, self._stepwise())

    @staticmethod
    def _cheapest(best: Explanation | None, more: Iterator[Explanation]) -> Explanation | None:
        """Cheapest of some explanations, looked through until one is a single mistake."""
        for explanation in more:
            if best is None or explanation.cost < best.cost - 1e-9:
                best = explanation
            if best.cost <= 1.0:
                return best
        return best

    def _stepwise(self) -> Iterator[Explanation]:
        for candidate in from_steps(self.scene, self.i):
            yield from self._fit(candidate, ())

    def _is_cancelled(self) -> bool:
        """Whether the claim would be zero but for rounding, such as a sum of terms that cancel."""
        claims, truth = self.scene.claims(self.i), self.scene.truth(self.i)
        rounding = 1e-6 if self.scene.problem.single else 1e-13
        tiny = all(
            float(np.max(np.abs(claim))) <= rounding * float(np.max(np.abs(true)))
            for claim, true in zip(claims, truth, strict=True)
        )
        return tiny and fit(claims, [truth], self._errors(), self._precision()) is None

    def _zero(self, how: str) -> Explanation:
        name = self.scene.names[self.i]
        mistake = Mistake(
            "zero",
            f"it is {how}, the true derivative is not",
            f"Compute d{name}.",
            "this block is zero",
        )
        return Explanation(Candidate("zero", [], "zero"), 0.0, (), (mistake,), 1.0)

    def _multiple(self, ratio: float) -> Explanation:
        """Read the constant that all projections of a large block differ by."""
        scene, whole = self.scene, Candidate("", [], "the true derivative", whole=True)
        tolerance = 1e-3 if scene.problem.single else 1e-6
        return interpret(whole, ratio, {}, (), scene.sizes, False, scene.names[self.i], tolerance)

    def _not_summed(self) -> Explanation | None:
        """Return a claim with an axis too many whose sum over it is the true derivative."""
        claims, truth = self.scene.claims(self.i), self.scene.truth(self.i)
        name = self.scene.names[self.i]
        for axis in range(claims[0].ndim if claims[0].ndim > truth[0].ndim else 0):
            sums = [claim.sum(axis) for claim in claims]
            if fit(sums, [truth], self._errors(), self._precision()) is None:
                continue
            length = claims[0].shape[axis]
            mistake = Mistake(
                "not-summed",
                f"it has an axis of {length} too many: its sum or mean over axis {axis} is the true derivative",
                f"Sum over axis {axis}: d{name} = (...).sum(axis={axis}), averaged if the value averages.",
                "a sum over the batch is missing",
            )
            candidate = Candidate(
                "not-summed", claims, f"terms whose sum over axis {axis} is the true derivative", whole=True
            )
            return Explanation(candidate, 1.0, (), (mistake,), 1.0)
        return None

    def _explanations(self) -> Iterator[Explanation]:
        for candidate in from_truth(self.scene, self.i):
            yield from self._fit(candidate, ())
        for candidate in from_evidence(self.scene, self.i):
            if candidate.whole:
                yield from self._fit(candidate, ())
                continue
            for kinds in self._sets(candidate):
                yield from self._fit(candidate, kinds)
        yield from self._penalty_alone()

    def _sets(self, candidate: Candidate) -> list[tuple[str, ...]]:
        """Return the sets of penalties to fit beside a candidate: none, and all that fit into the claim's shape."""
        if self.scene.claims(self.i)[0].shape != self.scene.parameter(self.i)[0].shape:
            return [()]
        return [(), *kind_sets(masked=not candidate.code and self.scene.parameter(self.i)[0].ndim > 0)]

    def _fit(self, candidate: Candidate, kinds: tuple[str, ...]) -> Iterator[Explanation]:
        scene, i = self.scene, self.i
        columns = [candidate.tensors, *(scene.kind(i, kind) for kind in kinds)]
        solution = fit(scene.claims(i), columns, self._errors(), self._precision())
        if solution is None:
            return
        constant = float(solution[0])
        if candidate.code and not 1.0 / MOST_SCALING <= abs(constant) <= MOST_SCALING:
            return  # rounding noise scaled up, or down to it, explains nothing
        one = 3.0 * self._precision().entry
        explanation = interpret(
            candidate,
            1.0 if abs(constant - 1.0) <= one else constant,
            dict(zip(kinds, map(float, solution[1:]), strict=True)),
            () if candidate.whole else scene.terms(i),
            scene.sizes,
            scene.is_bias(i),
            scene.names[i],
            1e-3 if scene.problem.single else 1e-6,
        )
        if kinds and self._is_any_line(explanation):
            return
        if explanation.mistakes:
            yield explanation

    def _is_any_line(self, explanation: Explanation) -> bool:
        """Whether a penalty and a factor without a name explain one number: these two fit any straight line in it."""
        named = explanation.names or abs(abs(explanation.constant) - 1.0) <= 1e-6
        return self.scene.parameter(self.i)[0].size == 1 and not named

    def _penalty_alone(self) -> Iterator[Explanation]:
        """Try whether the claim holds the penalty's derivative but nothing of the data term."""
        scene, i = self.scene, self.i
        for term in scene.terms(i) or ():
            solution = fit(scene.claims(i), [scene.kind(i, term.kind)], self._errors(), self._precision())
            if solution is not None:
                candidate = Candidate(
                    "data-missing",
                    scene.kind(i, term.kind),
                    "the derivative of the penalty alone",
                    "Add the derivative of the data term.",
                    whole=True,
                    hint="a term of the value has no counterpart",
                )
                mistake = Mistake(candidate.code, candidate.said, candidate.remedy, candidate.hint)
                yield Explanation(candidate, 1.0, (), (mistake,), 1.0)

    def _errors(self) -> list[float]:
        return [float(np.max(error)) for error in self.scene.errors(self.i)]

    def _precision(self) -> Precision:
        if self.scene.problem.single:
            return Precision(1e-4, 3e-5)
        return Precision(1e-8, 1e-10 if self.scene.reference.method == "complex step" else 1e-8)


def locate(scene: Scene, i: int) -> str:
    """How far a fault without a diagnosis can be located: the entries, rows or columns that are off."""
    name = scene.names[i]
    claims, truth = scene.claims(i), scene.truth(i)
    if not all(np.isfinite(claim).all() for claim in claims):
        return f"d{name} is not finite: look for a division by zero or an overflow in it."
    if not any(true.any() for true in truth):
        return f"d{name}: the value does not change with {name} at any point (is it cast to an integer, or not used?)."
    if claims[0].shape != truth[0].shape:
        return f"d{name}: no known mistake explains the shape {claims[0].shape} and the numbers in it."
    off = np.zeros(truth[0].shape, dtype=bool)
    for claim, true in zip(claims, truth, strict=True):
        off |= ~(np.abs(claim - true) <= 1e-6 * max(float(np.max(np.abs(true))), 1e-300))
    ratio = _steady_ratio(claims, truth)
    where = _where(off)
    return f"d{name}: no known mistake explains it to rounding at every point; {where} wrong{ratio}."


def _where(off: Array) -> str:
    if off.all():
        return "every entry is"
    for axis in range(off.ndim if off.ndim > 1 else 0):
        others = tuple(j for j in range(off.ndim) if j != axis)
        bad = off.any(axis=others)
        if not bad.all():
            listed = [int(j) for j in np.flatnonzero(bad)[:6]]
            return (
                f"only {'row' if axis == 0 else 'index'} {listed} of axis {axis} {'is' if len(listed) == 1 else 'are'}"
            )
    entries = [[int(j) for j in index] for index in np.argwhere(off)[:6]]
    return f"{int(off.sum())} of {off.size} entries, among them {entries}, are"


def _steady_ratio(claims: list[Array], truth: list[Array]) -> str:
    """Whether each entry is off by its own constant factor."""
    with np.errstate(all="ignore"):
        ratios = np.stack([claim / true for claim, true in zip(claims, truth, strict=True)])
    if np.isfinite(ratios).all() and np.ptp(ratios, axis=0).max() <= 1e-7 * np.abs(ratios).max() and len(claims) > 1:
        shown = ", ".join(f"{r:.6g}" for r in ratios[0].ravel()[:6])
        return f", each by its own constant factor ({shown}{', ...' if ratios[0].size > 6 else ''})"
    return ""
