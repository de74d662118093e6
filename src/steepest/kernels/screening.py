"""Compiled look at all columns of a lasso: which correlations are needed, the duality gap, and what it rules out.

A column's correlation ``z_j.r`` is ``known[j]`` as of the time ``known_at[j]``; the residual has since moved by at most
``moved - known_at[j]``, so that the correlation has by at most ``|z_j|`` times that, its *drift*.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import compiled
from steepest.kernels.room import vector

SLACK = 1e-12  # relative: rounding must not rule a column out


@compiled
def doubtful(known: Any, known_at: Any, moved: Any, norms: Any, candidates: Any, l1: Any, positive: Any) -> Any:
    """Return the candidates whose correlation is not known now and may reach ``l1``.

    Reference: ``candidates[(known_at < moved) & (size + norms (moved - known_at) >= l1)]``, size being ``|known|``, or
    ``known`` with ``positive``.
    """
    found, count = vector(len(candidates), candidates), 0
    for j in candidates:
        drift = moved - known_at[j]
        size = known[j] if positive else abs(known[j])
        if drift > 0.0 and size + norms[j] * drift >= l1 * (1.0 - SLACK):
            found[count] = j
            count += 1
    return found[:count]


@compiled
def bound_and_screen(
    known: Any, known_at: Any, moved: Any, norms: Any, w: Any, candidates: Any, r_r: Any, r_y: Any, l1: Any, l2: Any,
    positive: Any, mass: Any, seen: Any,
) -> Any:  # fmt: skip
    """Write the objective and the duality gap to ``seen``; return the candidates that the gap does not rule out.

    The gap is taken over the columns that are known now: the others are below ``l1``. References:
    ``steepest.solvers.duality.duality_gap`` and ``steepest.solvers.screening.gap_safe``.
    """
    w_w, w_abs, largest, squares, excess = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(len(w)):
        w_w += w[j] * w[j]
        w_abs += abs(w[j])
        if known_at[j] >= moved and norms[j] > 0.0:
            v = known[j] if positive else abs(known[j])
            shifted = known[j] - l2 * w[j]
            squares += v * v
            above = max(v - l1, 0.0)
            excess += above * above
            largest = max(largest, shifted if positive else abs(shifted))
    value = 0.5 * (r_r + l2 * w_w) + l1 * w_abs
    seen[0] = value
    if l1 == 0.0:
        seen[1] = mass * squares if l2 == 0.0 else max(value - max(0.0, r_y - 0.5 * r_r - excess / (2.0 * l2)), 0.0)
        return candidates
    shrink = 1.0 if largest <= l1 else l1 / largest
    safe = max(value - shrink * r_y + 0.5 * shrink * shrink * (r_r + l2 * w_w), 0.0)
    seen[1] = safe
    if l2 > 0.0:
        seen[1] = min(safe, max(value - r_y + 0.5 * r_r + excess / (2.0 * l2), 0.0))
    radius = np.sqrt(2.0 * safe) * (1.0 + 1e-10)
    kept, count = vector(len(candidates), candidates), 0
    for j in candidates:
        shifted = known[j] - l2 * w[j]
        size = shrink * ((shifted if positive else abs(shifted)) + norms[j] * (moved - known_at[j]))
        if size + radius * np.sqrt(norms[j] * norms[j] + l2) >= l1 * (1.0 - SLACK):
            kept[count] = j
            count += 1
    return kept[:count]
