"""Constants of the value that the gradient was computed without: an epsilon, a target, a weight."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.hypotheses.steps import Trial, steps_of
from steepest.checking.scene import Scene
from steepest.checking.tape.families import Position, Steps
from steepest.typing import Array

__all__ = ["propose"]

NEUTRAL = {"add": 0.0, "subtract": 0.0, "multiply": 1.0, "divide": 1.0}


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Yield true derivatives of the value without one of its constants."""
    steps = steps_of(scene)
    trial = Trial(scene, i, steps) if steps else None
    if steps is None or trial is None or not trial.is_possible:
        return
    for places in _constants(steps).values():
        if steps.exhausted:
            return
        m, k = places[-1]
        if not steps.quoted(m).operand(k):
            continue  # inside of a function such as a mean, where nobody leaves a constant out
        tensors = _without(scene, steps, places, i, 1)
        if trial.fits(tensors, 1):
            kind = steps.nodes[m].operation
            how = "taken as zero" if NEUTRAL[kind] == 0.0 else "taken as one"
            yield Candidate(
                "ignored",
                _without(scene, steps, places, i, len(scene.points)),
                f"the true derivative with `{steps.operand(m, k)}` in `{steps.quoted(m)}` {how}",
                f"Include `{steps.operand(m, k)}` in the gradient.",
                whole=True,
                hint="something in the value is left out of the gradient",
            )


def _constants(steps: Steps) -> dict[object, list[Position]]:
    """Constant arguments of sums and products, grouped by place."""
    groups: dict[object, list[Position]] = {}
    for m, node in enumerate(steps.nodes):
        if node.operation not in NEUTRAL or (node.operation == "divide" and 0 not in node.parents):
            continue
        for k in range(2):
            if k not in node.parents and bool(np.any(node.arguments[k] != NEUTRAL[node.operation])):
                groups.setdefault((steps.key_of(node), node.operation, k), []).append((m, k))
    return groups


def _without(scene: Scene, steps: Steps, places: list[Position], i: int, count: int) -> list[Array]:
    def at(p: int) -> list[Array]:
        neutral = {
            (m, k): np.full(steps.nodes[m].arguments[k].shape, NEUTRAL[steps.nodes[m].operation]) for m, k in places
        }
        return steps.replayed(p, neutral)

    return [scene.remember(("without", tuple(places), p), lambda p=p: at(p))[i] for p in range(count)]
