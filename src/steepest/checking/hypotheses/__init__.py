"""Families of mistakes, one a file; each proposes what a wrong gradient may equal."""

from collections.abc import Callable, Iterator

from steepest.checking.hypotheses import (
    clusters,
    ignored,
    left_out,
    local_rules,
    maps,
    network,
    paths,
    rearranged,
    samples,
    signal,
)
from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene

__all__ = ["Candidate", "from_evidence", "from_steps", "from_truth"]

FAMILIES: tuple[Callable[[Scene, int], Iterator[Candidate]], ...] = (
    clusters.propose,
    samples.propose,
    ignored.unweighted,
    network.propose,
    signal.propose,
    ignored.propose,
)
STEPWISE: tuple[Callable[[Scene, int], Iterator[Candidate]], ...] = (
    left_out.propose,
    maps.propose,
    paths.propose,
    local_rules.propose,
)


def from_truth(scene: Scene, i: int) -> Iterator[Candidate]:
    """Candidates made of the true derivative as it stands; these cost nothing."""
    truth = scene.truth(i)
    yield Candidate("", truth, "the true derivative", whole=True)
    yield from rearranged.propose(scene, i, truth, whole=True)


def from_evidence(scene: Scene, i: int) -> Iterator[Candidate]:
    """Candidates that need the value at other data, or the penalty taken out."""
    data_truth = scene.data_truth(i)
    yield Candidate("", data_truth, "the true derivative")
    if scene.terms(i):
        yield from rearranged.propose(scene, i, data_truth, whole=False)
    for family in FAMILIES:
        yield from family(scene, i)


def from_steps(scene: Scene, i: int) -> Iterator[Candidate]:
    """Candidates that follow from a mistake in a single step of the value, whatever kind of model it is."""
    for family in STEPWISE:
        yield from family(scene, i)
