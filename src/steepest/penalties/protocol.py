"""What every penalty offers."""

from typing import ClassVar, Protocol, runtime_checkable

from steepest.typing import Array


@runtime_checkable
class Penalty(Protocol):
    """Penalty ``P(w)`` on the coefficients: a sum over their entries of one function ``g``.

    All penalties here are cases of::

        g(w) = l1 |w| + l2 w^2 / 2     and, if ``positive``, infinite for w < 0

    Attributes
    ----------
    l1 : float
        Weight of the absolute values.
    l2 : float or array that broadcasts against ``w``
        Weight of half the squares.
    positive : bool
        Whether negative coefficients are forbidden.
    words : str
        The penalty as a person would name it; empty where there is none.
    """

    words: ClassVar[str]

    @property
    def l1(self) -> float:
        """Return the weight of the absolute values."""

    @property
    def l2(self) -> "float | Array":
        """Return the weight of half the squares."""

    @property
    def positive(self) -> bool:
        """Return whether negative coefficients are forbidden."""

    def value(self, w: Array) -> float:
        """Return ``P(w)``."""

    def gradient(self, w: Array) -> Array:
        """Return ``dP/dw``; at a kink, the subgradient 0 of the absolute value."""

    def prox(self, w: Array, step: float) -> Array:
        """Return the minimiser over v of ``|v - w|^2 / 2 + step P(v)``."""

    def conjugate(self, v: Array) -> float:
        """Return ``P*(v)``, the largest ``<v, w> - P(w)`` over all w; infinity where it grows without bound."""

    def vanishing_alpha(self, gradient_at_zero: Array) -> float:
        """Return the smallest ``alpha`` at which every coefficient is zero, given the loss's gradient there."""
