"""A flat vector of parameters read as the arrays that the value cuts out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steepest.checking.problem import Problem
from steepest.checking.structure import Structure
from steepest.checking.tape.families import Steps
from steepest.checking.tape.graph import trace
from steepest.checking.tape.node import Node

__all__ = ["divided"]


@dataclass(frozen=True)
class Slice:
    """Entries ``start`` to ``stop`` of the vector, which the value uses in this shape."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


def divided(problem: Problem) -> tuple[Problem, str] | None:
    """Return the same problem with an array for every slice of its one flat vector, and how it was read.

    None where the parameter is no flat vector, or where the slices do not make up all of it.
    """
    blocks = problem.structure.blocks
    if len(blocks) != 1 or blocks[0].ndim != 1:
        return None
    slices = _slices(problem)
    if len(slices) < 2:
        return None

    def joined(parts: dict[str, Any]) -> Any:
        return np.concatenate([np.reshape(part, -1) for part in parts.values()])

    def value(parts: dict[str, Any], **data: Any) -> Any:
        return problem.value([joined(parts)], data or None)

    def gradient(parts: dict[str, Any], **data: Any) -> dict[str, Any]:
        whole = problem.gradient([joined(parts)], data or None)[0]
        return {s.name: np.reshape(whole[s.start : s.stop], s.shape) for s in slices}

    point = {s.name: blocks[0][s.start : s.stop].reshape(s.shape) for s in slices}
    structure = Structure.read([point], [problem.structure.names[0]])
    new = Problem(value, gradient, structure, problem.data, problem.what)
    new.single = problem.single
    name = problem.structure.names[0]
    read = ", ".join(f"{s.name} = {name}[{s.start}:{s.stop}] of shape {s.shape}" for s in slices)
    return new, f"{name} was read as the arrays that the value takes from it: {read}"


def _slices(problem: Problem) -> list[Slice]:
    graph = trace(problem, [np.asarray(block, dtype=np.float64) for block in problem.structure.blocks])
    if graph is None:
        return []
    steps = Steps([graph], problem.structure.names)
    vector = graph.inputs[0]
    found: dict[int, Slice] = {}
    for node in graph.nodes:
        if vector not in node.parents.values():
            continue
        start = _start(node)
        if start is None:
            return []
        shown = _shown(graph.nodes, node)
        name = steps.quoted(steps.position[shown]).name or f"{steps.names[0]}[{start}:{start + node.value.size}]"
        found.setdefault(start, Slice(name, start, start + node.value.size, shown.value.shape))
    ordered = [found[start] for start in sorted(found)]
    ends = [0, *(s.stop for s in ordered)]
    complete = ends[-1] == vector.value.size and [s.start for s in ordered] == ends[:-1]
    return ordered if complete and len({s.name for s in ordered}) == len(ordered) else []


def _start(node: Node) -> int | None:
    """First entry of a contiguous slice."""
    if node.operation != "gather" or len(node.arguments) != 1 or node.value.size == 0:
        return None
    index = node.details["index"].ravel()
    return int(index[0]) - 1 if np.array_equal(index, np.arange(index[0], index[0] + index.size)) else None


def _shown(nodes: list[Node], node: Node) -> Node:
    """Return the slice itself, or what it is reshaped to."""
    users = [other for other in nodes if node in other.parents.values()]
    if len(users) == 1 and users[0].operation == "gather" and users[0].value.size == node.value.size:
        return users[0] if _start(users[0]) == 0 else node
    return node
