"""Mistakes in the sum over samples: left out, cut short, or pulled apart from its partner."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene

__all__ = ["propose"]

MOST_SAMPLES = 500


@dataclass(frozen=True)
class Subset:
    """Some of the samples, and the mistake of using only them."""

    code: str
    index: slice
    said: str
    remedy: str


SUBSETS = (
    Subset("missing-sum", slice(-1, None), "the last sample alone", "Accumulate with += over the samples"),
    Subset("missing-sum", slice(0, 1), "the first sample alone", "Sum over all samples"),
    Subset("off-by-one-rows", slice(0, -1), "all samples but the last", "Let the sum run over all n samples"),
    Subset("off-by-one-rows", slice(1, None), "all samples but the first", "Let the sum start at the first sample"),
)


def propose(scene: Scene, i: int) -> Iterator[Candidate]:
    """Return the derivatives from some of the samples only."""
    n = scene.n_samples
    if n < 3 or not scene.problem.uses_data:
        return
    penalty = scene.terms(i) or ()
    for subset in SUBSETS:
        tensors = scene.truth_with(i, subset.said, scene.rows(subset.index))
        if tensors is None:
            continue
        for term in penalty:
            parts = scene.kind(i, term.kind)
            tensors = [t - term.coefficient * part for t, part in zip(tensors, parts, strict=True)]
        count = len(range(*subset.index.indices(n)))
        yield Candidate(
            subset.code,
            tensors,
            f"the derivative of {subset.said}",
            f"{subset.remedy}: d{scene.names[i]} = sum_i (derivative of sample i), averaged if the value averages.",
            natural=(count / n,),
            hint="a sum over the samples is incomplete",
        )
    yield from _not_summed(scene, i)
    yield from _rolled(scene, i)


def _not_summed(scene: Scene, i: int) -> Iterator[Candidate]:
    """One derivative a sample, in a shape with the batch as its first axis."""
    n, shape = scene.n_samples, scene.claims(i)[0].shape
    if shape != (n, *scene.at(0)[i].shape) or n > MOST_SAMPLES:
        return
    rows = [scene.truth_with(i, f"row {r}", scene.rows(slice(r, r + 1))) for r in range(n)]
    if any(row is None for row in rows):
        return
    tensors = [np.stack([row[p] for row in rows if row is not None]) for p in range(len(scene.points))]
    yield Candidate(
        "not-summed",
        tensors,
        "the derivative of each sample by itself",
        f"Sum it over the batch: d{scene.names[i]} = (...).sum(axis=0), averaged if the value averages.",
        natural=(1 / n, n),
        whole=True,
        hint="a sum over the batch is missing",
    )


def _rolled(scene: Scene, i: int) -> Iterator[Candidate]:
    """Rows rolled against each other: y one sample late."""
    targets = [name for name in scene.row_names if name.lower().startswith(("y", "t", "label"))]
    for name in targets:
        for step in (1, -1):
            data = {**scene.data, name: np.roll(scene.arrays[name], step, axis=scene.sample_axis)}
            tensors = scene.truth_with(i, f"roll {name} {step}", data)
            if tensors is not None:
                yield Candidate(
                    "off-by-one-rows",
                    tensors,
                    f"the true derivative for {name} shifted by one sample against the rest",
                    f"Pair every sample with its own {name}: the rows are off by one.",
                    whole=True,
                    hint="rows are paired wrongly",
                )
