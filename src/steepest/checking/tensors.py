"""Claimed and true tensors compared directly: Jacobians, Hessians and matrices of linear maps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from steepest.checking.explanation import Explanation, interpret
from steepest.checking.fitting import Precision, fit
from steepest.checking.grouping import told
from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.hypotheses.rearranged import rearrange
from steepest.checking.report import BlockReport, Diagnosis, GradientReport, Verdict, Worst
from steepest.kernels.blas import length
from steepest.typing import Array

__all__ = ["compare_tensors"]


def compare_tensors(
    name: str,
    claims: Sequence[Array],
    truths: Sequence[Array],
    errors: Sequence[float],
    *,
    what: str,
    method: str,
    seed: int,
    relative: float = 1e-7,
    sizes: Mapping[str, tuple[float, str]] | None = None,
    more: Sequence[Candidate] = (),
) -> GradientReport:
    """Report on tensors at several points, the first of which is the given one; ``more`` adds hypotheses."""
    shape = truths[0].shape
    diagnoses: tuple[Diagnosis, ...] = ()
    worst = _worst(claims, truths, errors, relative) if claims[0].shape == shape else None
    problem = ""
    if claims[0].shape != shape:
        problem = f"the {what} has shape {claims[0].shape}, must have {shape}"
    wrong = worst is not None or bool(problem)
    if wrong:
        found = _explain(name, list(claims), list(truths), errors, sizes or {}, more)
        diagnoses = (told((name,), found, symbol=name),) if found else ()
    verdict = Verdict.DISAGREES if wrong else Verdict.AGREES
    unexplained = (
        () if diagnoses or not wrong else (f"{name}: no known mistake explains it to rounding at every point.",)
    )
    gap = float("inf") if problem else _relative_gap(claims, truths)
    block = BlockReport(name, shape, verdict, gap, worst, problem)
    return GradientReport(verdict, (block,), diagnoses, unexplained, method, len(claims), seed, what=what)


def _relative_gap(claims: Sequence[Array], truths: Sequence[Array]) -> float:
    gaps = []
    for claim, true in zip(claims, truths, strict=True):
        size = max(length(true), length(claim), 1e-300)
        gaps.append(length(claim - true) / size)
    return max(gaps)


def _worst(claims: Sequence[Array], truths: Sequence[Array], errors: Sequence[float], relative: float) -> Worst | None:
    """Entry that is furthest off at any point, or None where all are right to rounding."""
    worst, share = None, 1.0
    for p, (claim, true, error) in enumerate(zip(claims, truths, errors, strict=True)):
        size = max(float(np.max(np.abs(true))), float(np.max(np.abs(claim))), 1e-300)
        ratio = np.abs(claim - true) / (relative * size + 10.0 * error)
        ratio = np.where(np.isfinite(claim), ratio, np.inf)
        index = tuple(int(j) for j in np.unravel_index(int(np.argmax(ratio)), claim.shape))
        if ratio[index] > share:
            worst, share = Worst(index, float(claim[index]), float(true[index]), p), float(ratio[index])
    return worst


def _explain(
    name: str,
    claims: list[Array],
    truths: list[Array],
    errors: Sequence[float],
    sizes: Mapping[str, tuple[float, str]],
    more: Sequence[Candidate],
) -> Explanation | None:
    best: Explanation | None = None
    for candidate in _candidates(name, truths, more):
        solution = fit(claims, [candidate.tensors], list(errors), Precision(1e-7, 1e-9))
        if solution is None:
            continue
        constant = 1.0 if abs(solution[0] - 1.0) < 1e-6 else float(solution[0])
        found = interpret(candidate, constant, {}, (), sizes, False, name, 1e-6, of_a_value=False)
        if found.mistakes and (best is None or found.cost < best.cost):
            best = found
    return best


def _candidates(name: str, truths: list[Array], more: Sequence[Candidate]) -> Iterator[Candidate]:
    yield Candidate("", truths, "the true one", whole=True)
    yield from more
    for candidate in rearrange(truths, True, name):  # which speaks of the derivative of a parameter
        said = candidate.said.replace("the true derivative", "the true one")
        yield replace(candidate, said=said, remedy=candidate.remedy.replace(f"d{name}", name))
