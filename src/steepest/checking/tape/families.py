"""Steps of a computation grouped by the place in the code that made them: one mistake strikes them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from steepest.checking.tape.graph import Change, Edge, Graph, Redirect
from steepest.checking.tape.node import Node
from steepest.checking.tape.places import Place, Quoted, text_of
from steepest.typing import Array

__all__ = ["COUNTED", "Family", "Steps", "repetitions", "zero"]

Position = tuple[int, int]  # position of a step in the graph, and of its argument
MOST_PULLS = 400_000  # steps that are pulled back in the search through one block
COUNTED = ("m", "m2", "m3")  # symbols for counts of what is summed
MOST_SINGLE = 4  # so many repetitions of a place are looked at one by one


def zero(node: Node, k: int, g: Array) -> Array:
    """Change of an argument's rule that leaves its part out."""
    return np.zeros(node.arguments[k].shape)


@dataclass(frozen=True)
class Family:
    """Arguments of steps that one place in the code makes, or some of its repetitions.

    Attributes
    ----------
    edges : tuple of (int, int)
        Steps by their position in the graph, and positions of the arguments.
    which : str
        Which repetitions, if not all.
    """

    edges: tuple[Position, ...]
    which: str = ""


class Steps:
    """The graphs of a value at several points, all with the same steps."""

    def __init__(self, graphs: Sequence[Graph], names: Sequence[str]) -> None:
        self.graphs = list(graphs)
        self.names = names
        self.nodes = graphs[0].nodes
        self.position = {node: m for m, node in enumerate(self.nodes)}
        self._left = MOST_PULLS

    @property
    def exhausted(self) -> bool:
        """Whether the search has taken as long as it may."""
        return self._left <= 0

    def key_of(self, node: Node) -> Place | int:
        """Place of a step; for a parameter its position among the steps."""
        return node.place or self.position[node]

    def quoted(self, m: int, inner: bool = False) -> Quoted:
        """Return the code that made step ``m``, or the name of a parameter.

        Of what a function inside the value computes, the call is quoted too, unless ``inner``.
        """
        node = self.nodes[m]
        if node.operation == "input":
            return Quoted(self.names[self.graphs[0].inputs.index(node)], "")
        if not node.place and len(node.parents) == 1:  # a parameter as it is handed over
            return self.quoted(self.position[next(iter(node.parents.values()))])
        text = text_of(node.place, node.operation)
        if len(node.place) > 1 and not inner:
            return replace(text, call=text_of(node.place[1:], "").expression)
        return text

    @cached_property
    def counts(self) -> dict[str, tuple[float, str]]:
        """Numbers of entries that are summed somewhere: symbol -> (number, meaning), as constants are named."""
        found: dict[str, tuple[float, str]] = {}
        sizes: list[int] = []
        for node in self.nodes:
            if node.operation == "sum" and node.value.size:
                sizes.append(node.arguments[0].size // node.value.size)
        for node in self.nodes:
            sizes += [node.value.size // part.size for part in node.arguments if "slopes" in node.details and part.size]
        for size in dict.fromkeys(sizes):
            if size > 2 and len(found) < len(COUNTED):
                found[COUNTED[len(found)]] = (float(size), "entries summed")
        return found

    def operand(self, m: int, k: int) -> str:
        """Argument ``k`` of step ``m`` as the code puts it."""
        text = self.quoted(m)
        return text.operand(k) or f"other factor of `{text}`"

    def replayed(self, p: int, constants: dict[Position, Array]) -> list[Array]:
        """Return the derivative at the p-th point of the value with other constants in some steps."""
        self._left -= 2 * len(self.nodes)
        graph = self.graphs[p]
        return graph.replayed({(graph.nodes[m], k): part for (m, k), part in constants.items()}).gradient()

    def gradient(self, p: int, edges: Sequence[Position], change: Change) -> list[Array]:
        """Return the derivative at the p-th point with another rule for some arguments."""
        self._left -= len(self.nodes)
        graph = self.graphs[p]
        changed: dict[Edge, Change] = {(graph.nodes[m], k): change for m, k in edges}
        return graph.gradient(changed)

    def detoured(self, p: int, ways: Sequence[tuple[int, int]], rule: Callable[[Node, Node], Redirect]) -> list[Array]:
        """Return the derivative at the p-th point with a rule that leads from each later step to an earlier one."""
        self._left -= len(self.nodes)
        nodes = self.graphs[p].nodes
        return self.graphs[p].gradient(
            detours={nodes[late]: (nodes[early], rule(nodes[early], nodes[late])) for early, late in ways}
        )

    def edges_between(self) -> Iterator[tuple[Place | int, Place | int, Position]]:
        """All arguments whose step and origin stand in different places: where, from where, which."""
        for m, node in enumerate(self.nodes):
            for k, parent in node.parents.items():
                to, origin = self.key_of(node), self.key_of(parent)
                if to != origin:
                    yield to, origin, (m, k)


def repetitions(edges: Sequence[Position]) -> Iterator[Family]:
    """Yield some of the repetitions of a place that a loop comes by several times."""
    edges = tuple(edges)
    if len(edges) < 2:
        return
    for which, part in (
        ("in its last repetition", edges[-1:]),
        ("in its first repetition", edges[:1]),
        ("in all repetitions but the last", edges[:-1]),
        ("in all repetitions but the first", edges[1:]),
    ):
        yield Family(part, which)
    if len(edges) <= MOST_SINGLE:
        for r in range(1, len(edges) - 1):
            yield Family(edges[r : r + 1], f"in its repetition {r + 1}")
