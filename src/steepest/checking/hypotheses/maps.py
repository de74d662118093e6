"""Activations, softmax, norms and the like, recognised by their numbers, pulled back in a wrong way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from steepest.checking.activations import ACTIVATIONS, Activation
from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.hypotheses.steps import Compute, Trial, steps_of
from steepest.checking.scene import Scene
from steepest.checking.tape.families import Position, Steps
from steepest.checking.tape.graph import Redirect
from steepest.checking.tape.maps import ROW_MAPS, RowMap
from steepest.checking.tape.node import Node
from steepest.typing import Array

__all__ = ["propose"]

FARTHEST = 9  # steps between the input of a map and its value
Rule = Callable[[Node, Node], Redirect]


@dataclass(frozen=True)
class Met:
    """A map met in the computation: from which step to which, and the wrong rules for it.

    ``ways`` holds code, rule, words and remedy of each.
    """

    early: int
    late: int
    right: Rule
    ways: Sequence[tuple[str, Rule, str, str]]
    name: str


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Yield derivatives with a wrong rule for one of the maps that the value is made of."""
    steps = steps_of(scene)
    trial = Trial(scene, i, steps) if steps else None
    if steps is None or trial is None or not trial.is_possible:
        return
    for group in scene.remember("maps", lambda: list(_groups(steps))):
        for places, text in _selections(steps, group):
            yield from _tried(scene, steps, trial, group[0], places, text)


def _tried(
    scene: Scene, steps: Steps, trial: Trial, met: Met, places: list[Position], text: str
) -> Iterator[Candidate]:
    rest = _kept(scene, steps, ("zero", tuple(places)), places, lambda u, v: lambda g: np.zeros(u.value.shape))
    for number, (code, rule, said, remedy) in enumerate(met.ways):
        if steps.exhausted:
            return
        key = (met.name, number, tuple(places))
        found = trial.weight(rest, _kept(scene, steps, key, places, rule))
        if found is None or found[1] == 0.0:
            continue
        candidate = trial.candidate(
            code,
            found,
            f"what follows {said} in {text}",
            remedy.rstrip(".") + ".",
            f"look at the derivative of the {met.name} in {text}",
        )
        if candidate is not None:
            yield candidate


def _kept(scene: Scene, steps: Steps, key: object, places: list[Position], rule: Rule) -> Compute:
    return lambda p: scene.remember(("map", key, p), lambda: steps.detoured(p, places, rule))


def _selections(steps: Steps, group: list[Met]) -> Iterator[tuple[list[Position], str]]:
    """All occurrences of a map together, and single ones; with each what the code calls them."""
    places = [(met.early, met.late) for met in group]
    stacks = {steps.nodes[late].place for _, late in places}
    whole = str(steps.quoted(places[-1][1], inner=len(stacks) > 1))
    yield places, f"`{whole}`"
    if len(places) == 1:
        return
    for place in places if 1 < len(stacks) == len(places) else ():
        yield [place], f"`{steps.quoted(place[1])}`"
    if len(stacks) < len(places):
        yield places[-1:], f"`{whole}` in its last repetition"
        yield places[:1], f"`{whole}` in its first repetition"
        yield places[:-1], f"`{whole}` in all repetitions but the last"


def _groups(steps: Steps) -> Iterator[list[Met]]:
    """Yield maps met, those of the same code and name together."""
    groups: dict[object, list[Met]] = {}
    for late, node in enumerate(steps.nodes):
        for met in _met_at(steps, late, node):
            key = (node.place[:1] or late, met.name)
            groups.setdefault(key, []).append(met)
    yield from groups.values()


def _met_at(steps: Steps, late: int, node: Node) -> Iterator[Met]:
    """Yield maps that end at this step and whose right rule gives the true derivative, each from its farthest input.

    A softmax of ``z - max(z)`` is one of ``z`` too.
    """
    found: dict[str, Met] = {}
    for early_node in _ancestors(node):
        early = steps.position[early_node]
        for met in (*_activations(early, late, early_node, node), *_row_maps(early, late, early_node, node)):
            if _is_true(steps, met):
                found[met.name] = met
    yield from found.values()


def _ancestors(node: Node) -> list[Node]:
    """Earlier steps, the nearest first."""
    found: dict[Node, None] = {}
    layer = [node]
    for _ in range(FARTHEST):
        layer = list(dict.fromkeys(parent for step in layer for parent in step.parents.values()))
        found |= dict.fromkeys(layer)
        if len(found) > 3 * FARTHEST:
            break
    return list(found)


def _is_true(steps: Steps, met: Met) -> bool:
    """Whether the map's own rule leaves the derivative as it is."""
    true = steps.gradient(0, (), lambda node, k, g: g)
    found = steps.detoured(0, [(met.early, met.late)], met.right)
    return all(
        bool(np.max(np.abs(a - b)) <= 1e-9 * max(float(np.max(np.abs(a))), 1e-300))
        for a, b in zip(true, found, strict=True)
        if a.size
    )


def _activations(early: int, late: int, u: Node, v: Node) -> Iterator[Met]:
    """Activations of ``u``, or of ``-u`` as in ``1 / (1 + exp(-X @ w))``."""
    if u.value.shape != v.value.shape or u.value.size < 2:
        return
    for activation in ACTIVATIONS[1:]:
        for sign in (1.0, -1.0):
            with np.errstate(all="ignore"):
                value = activation.value(sign * u.value)
            if _same(value, v.value):
                ways = [
                    (code, partial(_times, slope, sign), said, remedy)
                    for code, slope, said, remedy in _slopes(activation)
                ]
                yield Met(early, late, partial(_times, activation.derivative, sign), ways, activation.name)
                return


def _same(a: Array, b: Array) -> bool:
    """Whether both hold the same numbers to rounding; a single one is looked at first."""
    a, b = a.reshape(-1), b.reshape(-1)
    if not abs(a[-1] - b[-1]) <= 1e-11 * abs(b[-1]) + 1e-13:
        return False
    return bool((np.abs(a - b) <= 1e-11 * np.abs(b) + 1e-13).all())


def _times(slope: Callable[[Array], Array], sign: float, u: Node, v: Node) -> Redirect:
    return lambda g: sign * g * slope(sign * u.value)


def _slopes(activation: Activation) -> Iterator[tuple[str, Callable[[Array], Array], str, str]]:
    from steepest.checking.hypotheses.network import activation_slopes

    yield from activation_slopes(activation)
    yield (
        "activation-inverse",
        lambda z: 1.0 / activation.derivative(z),
        f"divided by the derivative of {activation.name}",
        f"Multiply by the derivative of {activation.name}",
    )


def _row_maps(early: int, late: int, u: Node, v: Node) -> Iterator[Met]:
    for axes in _sets_of_axes(u.value.shape):
        flat = _flattened(u.value, axes)
        for kind in ROW_MAPS:
            value = _value(kind, flat, v.value, axes, u.value.shape)
            if value is not None and _same(value, v.value):
                ways = [(w.code, partial(_along, kind, w.pull, axes), w.said, w.remedy) for w in kind.ways]
                yield Met(early, late, partial(_along, kind, kind.pull, axes), ways, kind.name)


def _sets_of_axes(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Single axes, the last first, then pairs of them."""
    large = [axis for axis in range(len(shape) - 1, -1, -1) if shape[axis] > 1]
    yield from ((axis,) for axis in large)
    yield from ((b, a) for a, b in combinations(large, 2))


def _flattened(u: Array, axes: tuple[int, ...]) -> Array:
    """Array with these axes made into one, at the end; a single axis stays where it is."""
    if len(axes) == 1:
        return u
    moved = np.moveaxis(u, axes, range(-len(axes), 0))
    return moved.reshape(*moved.shape[: -len(axes)], -1)


def _restored(flat: Array, axes: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    if len(axes) == 1:
        return flat
    rest = [size for axis, size in enumerate(shape) if axis not in axes]
    return np.moveaxis(flat.reshape(*rest, *(shape[axis] for axis in axes)), range(-len(axes), 0), axes)


def _value(kind: RowMap, flat: Array, v: Array, axes: tuple[int, ...], shape: tuple[int, ...]) -> Array | None:
    """Return what the map makes of an input if it has as many entries as ``v``."""
    axis = axes[0] if len(axes) == 1 else flat.ndim - 1
    with np.errstate(all="ignore"):
        seen = _flattened(v.reshape(shape), axes) if v.size == flat.size else v
        value = kind.value(flat, seen, axis)
    if value.size != v.size:
        return None
    return _restored(value, axes, shape) if value.size == flat.size else value


def _along(kind: RowMap, pull: Callable[..., Array], axes: tuple[int, ...], u: Node, v: Node) -> Redirect:
    flat, shape = _flattened(u.value, axes), u.value.shape
    axis = axes[0] if len(axes) == 1 else flat.ndim - 1
    seen = _flattened(v.value.reshape(shape), axes) if v.value.size == flat.size else v.value
    value = kind.value(flat, seen, axis)

    def redirect(g: Array) -> Array:
        behind = _flattened(g.reshape(shape), axes) if g.size == flat.size else g.reshape(value.shape)
        return _restored(np.broadcast_to(pull(flat, value, behind, axis), flat.shape), axes, shape)

    return redirect
