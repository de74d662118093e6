"""A parameter or an array of data left out of the computation."""

from collections.abc import Iterator

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose"]


def unweighted(scene: Scene, i: int) -> Iterator[Candidate]:
    """Return the true derivatives with a number for each sample, such as its weight, at one."""
    for name in scene.row_names:
        part = scene.arrays[name]
        ones = scene.truth_with(i, f"one {name}", {**scene.data, name: np.ones_like(part)}) if part.ndim == 1 else None
        if ones is not None:
            yield Candidate(
                "ignored",
                ones,
                f"the true derivative with every {name} taken as one",
                f"Multiply each sample's part by its {name}.",
                whole=True,
                hint="some of the data is not used",
            )


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Return the true derivatives with another block, or a data array, at zero, or with a number at zero or one."""
    for j, name in enumerate(scene.names):
        if j == i and not scene.is_bias(i):
            continue

        def at_zero(j: int = j) -> list[Array] | None:
            found = []
            for p in scene.points:
                blocks = list(scene.at(p))
                blocks[j] = np.zeros_like(blocks[j])
                found.append(scene.reference.block(blocks, i)[0])
            return found if all(np.isfinite(part).all() for part in found) else None

        tensors = scene.remember(("ignored", i, j), at_zero)
        if tensors is not None:
            yield Candidate(
                "ignored",
                tensors,
                f"the true derivative with {name} taken as zero",
                f"Include {name} where the gradient computes the model's output.",
                whole=True,
                hint="a parameter is left out of the model's output",
            )
    yield from _without_numbers(scene, i)
    for name, part in scene.arrays.items():
        tensors = scene.truth_with(i, f"no {name}", {**scene.data, name: np.zeros_like(part)})
        if tensors is not None:
            yield Candidate(
                "ignored",
                tensors,
                f"the true derivative with the data {name} taken as zero",
                f"Include {name} in the gradient.",
                whole=True,
                hint="some of the data is not used",
            )


def _without_numbers(scene: Scene, i: int) -> Iterator[Candidate]:
    """Return the true derivatives with one of the numbers among the data at zero or one."""
    for name in scene.scalars:
        for number, word in ((0.0, "zero"), (1.0, "one")):
            tensors = scene.truth_with(i, f"{word} for {name}", {**scene.data, name: number})
            if tensors is not None and not _lacks_the_penalty(scene, i, tensors):
                yield Candidate(
                    "ignored",
                    tensors,
                    f"the true derivative with {name} taken as {word}",
                    f"Include {name} in the gradient.",
                    whole=True,
                    hint="some of the data is not used",
                )


def _lacks_the_penalty(scene: Scene, i: int, tensors: list[Array]) -> bool:
    """Whether these are the true derivatives but for the penalty: it is told by its name, not by its strength's."""
    rest = zip(tensors, scene.data_truth(i), scene.truth(i), strict=True)
    return bool(scene.terms(i)) and all(np.allclose(t, d, rtol=1e-7, atol=1e-9 * np.abs(w).max()) for t, d, w in rest)
