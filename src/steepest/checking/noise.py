"""Disagreements that are no more than the rounding noise of the value."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from steepest.checking.comparison import Comparison
from steepest.checking.reference import OUTSIDE, width_of
from steepest.checking.report import BlockReport, Verdict
from steepest.foundations.extrapolation import EPSILON
from steepest.typing import Array

__all__ = ["without_noise"]

SPACINGS = (6e-2, 1e-2, 1e-3, 1e-4, 1e-5)  # of 16 points, relative to the width of the entry
TIMES = np.arange(-7.5, 8.0)
MOST_ENTRIES = 8
WHITE = 5.0  # noise is as large on one spacing as on the next, within this factor; a kink is ten times smaller
LEAST = 50.0 * EPSILON  # noise below this is that of any sum


def without_noise(comparison: Comparison, i: int, block: BlockReport) -> BlockReport | None:
    """Return the block's report with another verdict if the value is too noisy to show a fault, else None.

    Notes
    -----
    ``(1 - cos x) / x^2`` at 1e-6 keeps four digits: the numerator is a small multiple of the rounding of 1.
    Between two such multiples every derivative, by complex steps as by differences, is that of ``c / x^2``.
    The value is therefore sampled on wider steps. A polynomial of degree 5 fits a smooth function but for its
    noise, which unlike the trace of a kink is as large on one spacing as on the next. Its slope is known to
    about ``residual / spacing``; a claim within ten times that is not shown to be wrong, if the reference
    is further away from that slope, or jumps about as far as it is away from the claim.
    """
    if block.worst is None or comparison.is_large:
        return None
    first = _allowed(comparison, block.worst.point, i, block.worst.index)
    if first is None:
        return None
    known = False
    for p in comparison.usable[i]:
        off = comparison.wrong_entries(p, i)
        indices = [tuple(int(j) for j in index) for index in np.argwhere(off)]
        if len(indices) > MOST_ENTRIES:
            return None
        for index in indices:
            shares = _allowed(comparison, p, i, index)
            if shares is None:
                return None
        known |= not indices
    verdict = Verdict.AGREES if known and first <= 1e-2 else Verdict.CANNOT_TELL
    return BlockReport(block.name, block.shape, verdict, block.relative_error, kinks=block.kinks)


def _allowed(comparison: Comparison, p: int, i: int, index: tuple[int, ...]) -> float | None:
    """Relative uncertainty of the slope if it explains the claim, None where it does not, or where all is smooth."""
    point = comparison.points[p]
    width = float(width_of(point[i])[index])

    def along(t: float) -> float:
        moved = list(point)
        moved[i] = np.array(point[i], dtype=np.float64)
        moved[i][index] += t
        try:
            return float(np.asarray(comparison.problem.value(moved)).reshape(()))
        except OUTSIDE:
            return float("nan")

    size = abs(along(0.0))
    slopes, residuals = _sampled(along, width)
    noise = max(
        (min(a, b) for a, b in pairwise(residuals) if min(a, b) > LEAST * size and a <= WHITE * b and b <= WHITE * a),
        default=0.0,
    )
    if noise == 0.0:
        return None
    errors = [10.0 * max(r, noise) / (s * width) for r, s in zip(residuals, SPACINGS, strict=True)]
    best = int(np.nanargmin(errors))
    claim = float(comparison.claims[p][i][index])
    true = float(comparison.truth(p, i)[index])
    if not abs(claim - slopes[best]) <= errors[best]:
        return None
    refuted = abs(true - slopes[best]) > 0.1 * errors[best]  # that is the noise over the spacing, once
    if not refuted and abs(claim - true) > 10.0 * _scatter(comparison, p, i, index, width):
        return None
    return errors[best] / max(abs(slopes[best]), abs(claim), 1e-300)


def _scatter(comparison: Comparison, p: int, i: int, index: tuple[int, ...], width: float) -> float:
    """How far the reference itself jumps about on neighbouring points; the smaller of two spacings."""
    point = comparison.points[p]
    flat = np.array([np.ravel_multi_index(index, point[i].shape)]) if index else np.array([0])
    basis: Array = np.vander(TIMES / 8.0, 6)
    found = []
    for spacing in SPACINGS[2:4]:
        slopes = []
        for t in TIMES:
            moved = list(point)
            moved[i] = np.array(point[i], dtype=np.float64)
            moved[i][index] += t * spacing * width
            slopes.append(float(comparison.reference.block(moved, i, entries=flat)[0][0]))
        rest = np.array(slopes)
        if not np.isfinite(rest).all():
            return 0.0
        found.append(float(np.max(np.abs(rest - basis @ np.linalg.lstsq(basis, rest, rcond=None)[0]))))
    return min(found)


def _sampled(along: Callable[[float], float], width: float) -> tuple[list[float], list[float]]:
    """Slope at zero and largest residual of a polynomial of degree 5, for every spacing."""
    basis: Array = np.vander(TIMES / 8.0, 6)
    slopes, residuals = [], []
    for spacing in SPACINGS:
        values = np.array([along(float(t) * spacing * width) for t in TIMES])
        if not np.isfinite(values).all():
            slopes.append(float("nan"))
            residuals.append(float("inf"))
            continue
        found = np.linalg.lstsq(basis, values, rcond=None)[0]
        slopes.append(float(found[-2]) / (8.0 * spacing * width))
        residuals.append(float(np.max(np.abs(basis @ found - values))))
    return slopes, residuals
