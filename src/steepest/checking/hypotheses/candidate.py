"""One thing that a gradient may equal in place of the true derivative."""

from dataclasses import dataclass

from steepest.checking.scene import Scene
from steepest.typing import Array

__all__ = ["Candidate", "counts_of"]


@dataclass(frozen=True)
class Candidate:
    """Tensors to compare a claimed gradient with, and what it means if they fit.

    Attributes
    ----------
    code : str
        Name of the mistake; empty for the true derivative itself.
    tensors : list of arrays
        One for each point, without the penalty's part.
    said : str
        Continues "dJ/dw equals ...".
    remedy : str
        What to do, as a sentence.
    natural : tuple of float
        Constants that come with the mistake and are none of their own.
    whole : bool
        Whether the tensors contain the penalty's part already.
    hint : str
        What may be said without giving the answer away.
    """

    code: str
    tensors: list[Array]
    said: str
    remedy: str = ""
    natural: tuple[float, ...] = ()
    whole: bool = False
    hint: str = ""


def counts_of(scene: Scene) -> tuple[float, ...]:
    """Return the number of samples and its inverse: constants of a mean in place of a sum, or the reverse."""
    n = float(scene.n_samples or 1)
    return (n, 1.0 / n)
