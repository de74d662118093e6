"""Parts of the derivative that go through one expression: left out, of the wrong sign, too strong or too weak."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.hypotheses.steps import Compute, Trial, steps_of
from steepest.checking.scene import Scene
from steepest.checking.tape.families import Family, Position, Steps, repetitions, zero
from steepest.typing import Array

__all__ = ["propose"]

MOST_PAIRED = 24  # expressions that are taken for constants two at a time


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Yield derivatives in which an expression is taken for a constant, or its part enters with another factor.

    The derivative is a sum over all paths from the parameter to the value; the part through an expression is
    what vanishes if it is a constant.
    """
    steps = steps_of(scene)
    trial = Trial(scene, i, steps) if steps else None
    if steps is None or trial is None or not trial.is_possible:
        return
    unnamed = []
    for family, of in _families(steps):
        if steps.exhausted:
            return
        found = trial.weight(_cut(scene, steps, family), _right(scene))
        if found is None:
            continue
        candidate = _named(trial, found, of)
        if candidate is not None:
            if candidate.code == "path-factor" and not trial.names(found[1]):
                unnamed.append(candidate)
                continue
            yield candidate
    yield from _pairs(scene, steps, trial)
    yield from unnamed[:1]


def _right(scene: Scene) -> Compute:
    return lambda p: [scene.truth(j)[p] for j in range(len(scene.names))]


def _cut(scene: Scene, steps: Steps, family: Family) -> Compute:
    """Compute the derivative without the part through the family; kept, as other blocks ask for it too."""
    return lambda p: scene.remember(("cut", family.edges, p), lambda: steps.gradient(p, family.edges, zero))


def _families(steps: Steps) -> Iterator[tuple[Family, str]]:
    """Families of arguments, the outermost expressions first, and what they are called."""
    for edges in reversed(list(_grouped(steps, by_origin=False).values())):
        text = steps.quoted(edges[-1][0])
        yield Family(tuple(edges)), f"`{text}`"
    apart = list(_grouped(steps, by_origin=True).values())
    for edges in reversed(apart):
        yield Family(tuple(edges)), _place(steps, edges)
    for edges in reversed(apart):
        kinds = {(steps.nodes[m].operation, k) for m, k in edges}
        for family in repetitions(edges) if len(kinds) == 1 else ():
            yield family, f"{_place(steps, edges)} {family.which}"


def _place(steps: Steps, edges: list[Position]) -> str:
    m, k = edges[-1]
    origin = steps.position[steps.nodes[m].parents[k]]
    return f"`{steps.quoted(origin)}` in `{steps.quoted(m)}`"


def _grouped(steps: Steps, by_origin: bool) -> dict[object, list[Position]]:
    groups: dict[object, list[Position]] = {}
    for to, origin, position in steps.edges_between():
        groups.setdefault((to, origin) if by_origin else to, []).append(position)
    return groups


def _named(trial: Trial, found: tuple[list[Array], float, float], of: str) -> Candidate | None:
    tensors, c, a = found
    if not trial.is_plain(a):
        return None
    if c == 0.0:
        return Candidate(
            "path-missing",
            tensors,
            f"the true derivative as if {of} were constant",
            f"Add what goes through {of}: it depends on the parameter too.",
            whole=True,
            hint="a term of the chain rule is missing: something that depends on the parameter is taken for a constant",
        )
    if sum(t.size for t in tensors) < 4:
        return None
    if c == -1.0:
        return Candidate(
            "path-sign",
            tensors,
            f"the true derivative with the part through {of} subtracted in place of added",
            "Change the sign of this part.",
            whole=True,
            hint="the sign of one of the terms is wrong",
        )
    names = trial.names(c)
    if not names and abs(a - 1.0) > trial.tolerance:
        return None
    name = (names[0] if abs(a - 1.0) <= trial.tolerance else names[0].symbol) if names else f"{abs(c):.8g}"
    times = f"{'-' if c < 0 else ''}{name}"  # what symbols stand for is said once, beside the factor of the whole
    return Candidate(
        "path-factor",
        tensors,
        f"the true derivative with the part through {of} taken {times} times",
        "This part enters once.",
        whole=True,
        hint="the constant factor of one of the terms is wrong",
    )


def _pairs(scene: Scene, steps: Steps, trial: Trial) -> Iterator[Candidate]:
    """Two expressions that both are taken for constants, such as a mean and a variance."""
    groups = [edges for edges in _grouped(steps, by_origin=False).values() if _has_sum(steps, edges)]
    for one, two in combinations(groups[-MOST_PAIRED:], 2):
        if steps.exhausted:
            return
        family = Family((*one, *two))
        found = trial.weight(_cut(scene, steps, family), _right(scene))
        if found is not None and found[1] == 0.0 and trial.is_plain(found[2]):
            texts = " and ".join(f"`{steps.quoted(edges[-1][0])}`" for edges in (one, two))
            yield Candidate(
                "path-missing",
                found[0],
                f"the true derivative as if {texts} were constants",
                f"Add what goes through {texts}: both depend on the parameter too.",
                whole=True,
                hint="terms of the chain rule are missing: something that depends on the parameter is taken "
                "for a constant",
            )


def _has_sum(steps: Steps, edges: list[Position]) -> bool:
    nodes = [steps.nodes[m] for m, _ in edges]
    return any(node.operation in ("sum", "contract") for node in nodes) or any(
        bool(np.ndim(node.value) == 0) for node in nodes
    )
