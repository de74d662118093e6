"""A wrong rule for one product, quotient, sum or function in the value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.hypotheses.steps import Compute, Trial, steps_of
from steepest.checking.scene import Scene
from steepest.checking.tape.families import Family, Position, Steps, repetitions, zero
from steepest.checking.tape.node import Node
from steepest.checking.tape.variant import Variant
from steepest.checking.tape.variants import variants_of
from steepest.typing import Array

__all__ = ["propose"]

MOST_ALIKE = 12  # arrays of the same shape that are tried in place of a factor
Source = tuple[int, int | None]  # a step, by its position, or a constant argument of one


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Yield derivatives with another rule for one argument of the steps that one expression makes."""
    steps = steps_of(scene)
    trial = Trial(scene, i, steps) if steps else None
    if steps is None or trial is None or not trial.is_possible:
        return
    groups = _groups(steps)
    for edges in reversed(groups):
        yield from _tried(scene, steps, trial, Family(tuple(edges)))
    yield from _with_other_operands(scene, steps, trial)
    for edges in reversed(groups):
        for family in repetitions(edges):
            yield from _tried(scene, steps, trial, family)


def _with_other_operands(scene: Scene, steps: Steps, trial: Trial) -> Iterator[Candidate]:
    """Yield products differentiated with another array of the same shape in place of the other factor."""
    for m in range(len(steps.nodes) - 1, -1, -1):
        node = steps.nodes[m]
        if node.operation not in ("multiply", "contract") or len(node.arguments) != 2:
            continue
        for k in node.parents:
            family = Family(((m, k),))
            for source, text in _alike(steps, node, k):
                if steps.exhausted:
                    return
                found = trial.weight(_cut(scene, steps, family), _taking(scene, steps, (m, k), source))
                if found is None or found[1] == 0.0:
                    continue
                right = steps.operand(m, 1 - k)
                candidate = trial.candidate(
                    "operand-other",
                    found,
                    f"what follows with `{text}` in place of `{right}` in `{steps.quoted(m)}`",
                    f"The other factor is `{right}`.",
                    "one of the factors of the chain rule is another than it should be",
                )
                if candidate is not None:
                    yield candidate


def _alike(steps: Steps, node: Node, k: int) -> list[tuple[Source, str]]:
    """Return what has the shape of the other factor, and its text: steps, the last ones first, then constants."""
    other = node.arguments[1 - k]

    def fits(part: Array) -> bool:
        return part.shape == other.shape and part.size > 1 and not np.array_equal(part, other)

    found: list[tuple[Source, str]] = [
        ((q, None), str(steps.quoted(q))) for q, step in enumerate(steps.nodes) if fits(step.value)
    ]
    constants = {
        text: (q, j)
        for q, step in enumerate(steps.nodes)
        for j, part in enumerate(step.arguments)
        if j not in step.parents and fits(part) and (text := steps.quoted(q).operand(j))
    }
    return [*found[::-1][:MOST_ALIKE], *((source, text) for text, source in constants.items())][:MOST_ALIKE]


def _taking(scene: Scene, steps: Steps, edge: Position, source: Source) -> Compute:
    (m, k), (q, j) = edge, source

    def at(p: int) -> list[Array]:
        nodes = steps.graphs[p].nodes
        arguments = list(nodes[m].arguments)
        arguments[1 - k] = nodes[q].value if j is None else nodes[q].arguments[j]
        changed = replace(nodes[m], arguments=arguments)
        return steps.gradient(p, (edge,), lambda node, k, g: changed.pull(k, g))

    return lambda p: scene.remember(("operand", edge, source, p), lambda: at(p))


def _groups(steps: Steps) -> list[list[Position]]:
    """Group the arguments of the same operation at the same place, inner steps of one call included."""
    groups: dict[object, list[Position]] = {}
    for m, node in enumerate(steps.nodes):
        for k in node.parents:
            groups.setdefault((steps.key_of(node), node.operation, k, node.arguments[k].shape), []).append((m, k))
    return list(groups.values())


def _tried(scene: Scene, steps: Steps, trial: Trial, family: Family) -> Iterator[Candidate]:
    m, k = family.edges[-1]
    text = f"`{steps.quoted(m)}`{' ' + family.which if family.which else ''}"
    for number, variant in enumerate(variants_of(steps.nodes[m], k)):
        if steps.exhausted:
            return
        found = trial.weight(_cut(scene, steps, family), _other(scene, steps, family, number, variant))
        if found is None or found[1] == 0.0:
            continue
        other = steps.operand(m, 1 - k) if k < 2 else ""
        said, remedy = (words.format(text, other=other) for words in (variant.said, variant.remedy))
        candidate = trial.candidate(variant.code, found, f"what follows {said}", remedy, variant.hint)
        if candidate is not None:
            yield candidate


def _cut(scene: Scene, steps: Steps, family: Family) -> Compute:
    return lambda p: scene.remember(("cut", family.edges, p), lambda: steps.gradient(p, family.edges, zero))


def _other(scene: Scene, steps: Steps, family: Family, number: int, variant: Variant) -> Compute:
    key = ("variant", family.edges, number)
    return lambda p: scene.remember((*key, p), lambda: steps.gradient(p, family.edges, variant.change))
