"""The right numbers in the wrong places: transposed, reversed, shifted, summed away, in another block."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose", "rearrange"]


def propose(scene: Scene, i: int, tensors: list[Array], whole: bool) -> Iterator[Candidate]:
    """Rearrangements of the true derivative ``tensors`` of block ``i``."""
    yield from rearrange(tensors, whole, scene.names[i])
    yield from _swaps(scene, i, whole)


def rearrange(tensors: list[Array], whole: bool, name: str) -> Iterator[Candidate]:
    """Rearrangements within one block."""
    yield from _transpositions(tensors, whole, name)
    yield from _reversals(tensors, whole, name)
    yield from _shifts(tensors, whole, name)
    yield from _sums(tensors, whole, name)


def _transpositions(tensors: list[Array], whole: bool, name: str) -> Iterator[Candidate]:
    ndim = tensors[0].ndim
    choices = [(0, 1, "transposed")] if ndim == 2 else []
    if ndim == 2 and 1 < tensors[0].shape[0] != tensors[0].shape[1] > 1:
        yield _made(
            tensors,
            _unfolded,
            whole,
            "transposed",
            "the true derivative transposed before it was flattened",
            f"Flatten d{name} itself, not its transpose.",
            "look at the order of the axes",
        )
    if ndim >= 3:
        choices = [(-1, -2, "with its last two axes exchanged"), (0, 1, "with its first two axes exchanged")]
    for a, b, how in choices:
        yield _made(
            tensors,
            partial(np.swapaxes, axis1=a, axis2=b),
            whole,
            "transposed",
            f"the true derivative {how}",
            f"Transpose d{name}." if ndim == 2 else f"Exchange these axes of d{name}.",
            "look at the order of the axes",
        )


def _unfolded(t: Array) -> Array:
    return t.T.reshape(t.shape)


def _reversals(tensors: list[Array], whole: bool, name: str) -> Iterator[Candidate]:
    shape = tensors[0].shape
    ndim = len(shape)
    choices: list[tuple[int, ...]] = [(-1,)] if ndim == 1 else [(-1, -2), (-1,), (-2,)] if ndim else []
    for axes in choices:
        if all(shape[axis] == 1 for axis in axes):
            continue
        place = "time" if ndim == 1 else "both axes" if len(axes) == 2 else f"axis {ndim + axes[0]}"
        yield _made(
            tensors,
            partial(np.flip, axis=axes),
            whole,
            "reversed",
            f"the true derivative reversed in {place}" if ndim == 1 else f"the true derivative reversed along {place}",
            f"You convolved where a correlation belongs (or the reverse): reverse d{name} along {place}.",
            "look at the direction in which the index runs: convolution or correlation",
        )


def _shifts(tensors: list[Array], whole: bool, name: str) -> Iterator[Candidate]:
    shape = tensors[0].shape
    for axis in range(len(shape)):
        for step in (1, -1):
            if shape[axis] < 3:
                continue
            yield _made(
                tensors,
                partial(np.roll, shift=step, axis=axis),
                whole,
                "shifted",
                f"the true derivative shifted by {step:+d} along axis {axis}",
                f"The index along axis {axis} of d{name} is off by one: shift it back by {-step:+d}.",
                "an index is off by one",
            )
            yield _made(
                tensors,
                partial(_pushed, step=step, axis=axis),
                whole,
                "shifted",
                f"the true derivative shifted by {step:+d} along axis {axis}, with zeros moved in",
                f"The index along axis {axis} of d{name} is off by one: shift it back by {-step:+d}.",
                "an index is off by one",
            )


def _pushed(t: Array, step: int, axis: int) -> Array:
    moved = np.roll(t, step, axis)
    edge = [slice(None)] * t.ndim
    edge[axis] = slice(0, 1) if step > 0 else slice(-1, None)
    moved[tuple(edge)] = 0.0
    return moved


def _sums(tensors: list[Array], whole: bool, name: str) -> Iterator[Candidate]:
    """Shapes that have lost an axis, and the sum over everything in every place."""
    if tensors[0].ndim == 0 or tensors[0].size == 1:
        return
    total = "the sum over all its entries"
    for keep in (False, True):
        yield _made(
            tensors,
            _filled if keep else np.sum,
            whole,
            "summed",
            f"{total} of the true derivative" + (" in every entry" if keep else ""),
            f"Do not sum over the entries of {name}.",
            "one sum too many",
        )
    for axis in range(tensors[0].ndim if tensors[0].ndim > 1 else 0):
        yield _made(
            tensors,
            partial(np.sum, axis=axis),
            whole,
            "summed",
            f"the true derivative summed over axis {axis}",
            f"Do not sum over axis {axis} of {name}.",
            "one sum too many",
        )


def _filled(t: Array) -> Array:
    return np.full(t.shape, t.sum())


def _swaps(scene: Scene, i: int, whole: bool) -> Iterator[Candidate]:
    shape = scene.at(0)[i].shape
    for j, other in enumerate(scene.names):
        if j == i or scene.at(0)[j].shape not in (shape, scene.claims(i)[0].shape):
            continue
        yield Candidate(
            "swapped",
            scene.truth(j) if whole else scene.data_truth(j),
            f"the true derivative with respect to {other}",
            f"The gradients are returned in the wrong order: {scene.names[i]} got the one that belongs to {other}.",
            whole=whole,
            hint="look at the order in which the gradients are returned",
        )


def _made(
    tensors: list[Array],
    change: Callable[[Array], Any],
    whole: bool,
    code: str,
    said: str,
    remedy: str,
    hint: str,
) -> Candidate:
    return Candidate(code, [np.asarray(change(t)) for t in tensors], said, remedy, whole=whole, hint=hint)
