"""What every loss offers."""

from typing import ClassVar, Literal, Protocol, runtime_checkable

from steepest.typing import Array

Target = Literal["real", "binary", "sign", "class", "count"]


@runtime_checkable
class Loss(Protocol):
    """Per-sample loss ``l(y, z)`` of a score ``z`` for a target ``y``; no averaging here.

    Attributes
    ----------
    target : {"real", "binary", "sign", "class", "count"}
        What ``y`` holds: any real number, 0 or 1, -1 or +1, a class number 0 ... K-1, or a number not below 0.
    smoothness : float
        The largest curvature ``l''`` (an upper bound on the largest eigenvalue of the Hessian in ``z`` for a
        vector-valued score); infinity where ``l`` has kinks.
    words : str
        The loss as a person would name it.
    """

    target: ClassVar[Target]
    words: ClassVar[str]

    @property
    def smoothness(self) -> float:
        """Return the largest curvature of the loss."""

    def value(self, y: Array, z: Array) -> Array:
        """Return ``l(y, z)``, one number a sample."""

    def gradient(self, y: Array, z: Array) -> Array:
        """Return ``dl/dz``, in the shape of ``z``; at a kink, a subgradient."""

    def curvature(self, y: Array, z: Array) -> Array:
        """Return ``d^2 l/dz^2`` in the shape of ``z``; zero at a kink.

        Where the score is a vector, see the loss for the form of its Hessian.
        """
