"""A parameter or an array of data left out of the computation."""

from collections.abc import Iterator

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["propose"]


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Return the true derivatives with another block, or a data array, at zero."""
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
