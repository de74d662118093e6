"""The graph of a value at one point, and its derivative when steps of it are pulled back in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import RLock, get_ident
from typing import Any

import numpy as np

from steepest.checking.problem import Data, Problem
from steepest.checking.tape.functions import stack
from steepest.checking.tape.node import Node
from steepest.checking.tape.traced import Traced, steps_left
from steepest.typing import Array

__all__ = ["Change", "Edge", "Graph", "trace"]

Edge = tuple[Node, int]
Change = Callable[[Node, int, Array], Array]  # step, argument, derivative behind it -> derivative of the argument
Redirect = Callable[[Array], Array]  # derivative at a step -> derivative at an earlier one
MOST_NODES = 3000
_tracing = RLock()  # one audit at a time puts functions of its own in NumPy's place, and takes them away again


@dataclass
class Graph:
    """Steps from the parameters to the value, in the order of their computation."""

    nodes: list[Node]
    inputs: list[Node]
    output: Node

    def gradient(
        self,
        changed: Mapping[Edge, Change] | None = None,
        detours: Mapping[Node, tuple[Node, Redirect]] | None = None,
    ) -> list[Array]:
        """Return the derivative with respect to every input.

        Parameters
        ----------
        changed : dict
            Rules in place of the right ones, for single arguments of single steps.
        detours : dict
            Step -> an earlier step, and how its derivative is computed from that of the later one, past
            everything in between.
        """
        changed, detours = changed or {}, detours or {}
        behind: dict[Node, Array] = {self.output: np.ones(self.output.value.shape)}
        for node in reversed(self.nodes):
            g = behind.get(node)
            if g is None or node.operation == "input":
                continue
            if node in detours:
                earlier, rule = detours[node]
                self._add(behind, earlier, rule(g))
                continue
            for k, parent in node.parents.items():
                rule_here = changed.get((node, k))
                self._add(behind, parent, node.pull(k, g) if rule_here is None else rule_here(node, k, g))
        return [behind.get(node, np.zeros(node.value.shape)) for node in self.inputs]

    @staticmethod
    def _add(behind: dict[Node, Array], node: Node, part: Array) -> None:
        part = np.broadcast_to(part, node.value.shape)
        behind[node] = behind[node] + part if node in behind else part

    def replayed(self, constants: Mapping[Edge, Array]) -> Graph:
        """Return the graph of the value with other constants in some steps."""
        new: dict[Node, Node] = {node: node for node in self.inputs}
        for node in self.nodes:
            if node in new:
                continue
            arguments = list(node.arguments)
            for k, parent in node.parents.items():
                arguments[k] = new[parent].value
            for k in range(len(arguments)):
                arguments[k] = constants.get((node, k), arguments[k])
            parents = {k: new[parent] for k, parent in node.parents.items()}
            value = np.array(node.compute(*arguments), dtype=np.float64)
            new[node] = replace(node, value=value, arguments=arguments, parents=parents)
        return Graph([new[node] for node in self.nodes], self.inputs, new[self.output])


def trace(problem: Problem, blocks: Sequence[Array], data: Data | None = None) -> Graph | None:
    """Evaluate the value and note its steps; None where these cannot be followed."""
    inputs = []
    given = []
    for block in blocks:
        array = np.array(block, dtype=np.float64)
        node = Node("input", array.copy())
        traced = array.view(Traced)
        traced.node = node
        inputs.append(node)
        given.append(traced)
    steps_left.set(MOST_NODES)
    try:
        with _tracing, _tracing_constructors():
            result = problem.value(given, data)
    except Exception:  # the user's function, called with arrays that it may not expect
        return None
    output = getattr(result, "node", None)
    if output is None or output.value.size != 1:
        return None
    return Graph(_ordered(output), inputs, output)


def _ordered(output: Node) -> list[Node]:
    """Return the steps that the output depends on, each after those that it was computed from."""
    done: dict[Node, None] = {}
    waiting: list[tuple[Node, bool]] = [(output, False)]
    while waiting:
        node, expanded = waiting.pop()
        if node in done:
            continue
        if expanded:
            done[node] = None
            continue
        waiting.append((node, True))
        waiting.extend((parent, False) for parent in node.parents.values() if parent not in done)
    return list(done)


@contextmanager
def _tracing_constructors() -> Iterator[None]:
    """Let arrays that this thread makes be filled with traced numbers: ``np.zeros`` and the like, ``np.array``."""
    thread = get_ident()

    def traceable(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            array = make(*args, **kwargs)
            return array.view(Traced) if get_ident() == thread and array.dtype == np.float64 else array

        return made

    def gathered(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(part: Any, *args: Any, **kwargs: Any) -> Any:
            if get_ident() == thread and isinstance(part, Traced):
                return part.copy()
            if get_ident() == thread and isinstance(part, list | tuple) and _holds_traced(part):
                return stack(part)
            return make(part, *args, **kwargs)

        return made

    makers = {name: traceable(getattr(np, name)) for name in ("zeros", "empty", "ones", "full")}
    takers = {name: gathered(getattr(np, name)) for name in ("array", "asarray")}
    kept = {name: getattr(np, name) for name in (*makers, *takers)}
    try:
        for name, function in (makers | takers).items():
            setattr(np, name, function)
        yield
    finally:
        for name, function in kept.items():
            setattr(np, name, function)


def _holds_traced(part: Any) -> bool:
    if isinstance(part, list | tuple):
        return any(_holds_traced(p) for p in part)
    return isinstance(part, Traced)
