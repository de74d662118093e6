"""Families of mistakes, one a file; each proposes what a wrong gradient may equal."""

from collections.abc import Callable, Iterator

from steepest.checking.hypotheses import clusters, ignored, network, rearranged, samples, signal
from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.scene import Scene

__all__ = ["Candidate", "from_evidence", "from_truth"]

FAMILIES: tuple[Callable[[Scene, int], Iterator[Candidate]], ...] = (
    clusters.propose,
    samples.propose,
    network.propose,
    signal.propose,
    ignored.propose,
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
