"""Slopes of a function of one number by Richardson extrapolation, each with a bound on its error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Kink", "Slope", "find_kink", "one_sided_slope", "relative_noise", "slope"]

EPSILON = float(np.finfo(np.float64).eps)
LEVELS = 22


@dataclass(frozen=True)
class Slope:
    """A derivative and a bound on its error.

    Examples
    --------
    >>> slope(lambda t: 3 * t).value
    3.0
    """

    value: float
    error: float


@dataclass(frozen=True)
class Kink:
    """A point where the slopes from the left and from the right differ."""

    left: float
    right: float

    def admits(self, claimed: float, tolerance: float) -> bool:
        """Whether ``claimed`` lies between the two slopes, that is, is a generalised derivative."""
        low, high = sorted((self.left, self.right))
        return low - tolerance <= claimed <= high + tolerance


def slope(phi: Callable[[float], float], width: float = 1.0, noise: float = EPSILON) -> Slope:
    r"""Return the derivative of ``phi`` at 0 from central differences on shrinking steps.

    Parameters
    ----------
    phi : callable
        Function of one number.
    width : float
        The first step is ``width / 2``; the later ones halve it.
    noise : float
        Relative rounding error of one evaluation.

    Notes
    -----
    The central difference has only even powers in its error,
    ``D(h) = phi'(0) + a_1 h^2 + a_2 h^4 + ...``, so that with steps halved each time::

        T_k0 = D(h_k)
        T_kj = T_k,j-1 + (T_k,j-1 - T_k-1,j-1) / (4^j - 1)      removes the term in h^(2j)

    The error of T_kj is taken as its larger distance from the two entries it was made of, plus the rounding
    error ``noise * max|phi| / h_k``; the entry with the smallest error is returned. Steps that reach across
    a kink give large distances and are passed over by themselves. Source: C. Ridders, Accurate computation
    of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982); here with ratio 2.

    Examples
    --------
    >>> from steepest.foundations.extrapolation import slope
    >>> import math
    >>> s = slope(math.exp)
    >>> abs(s.value - 1.0) <= s.error < 1e-9
    True
    """

    def difference(h: float) -> tuple[float, float]:
        above, below = phi(h), phi(-h)
        return (above - below) / (2.0 * h), max(abs(above), abs(below))

    return _extrapolate(difference, width / 2.0, 4.0, noise)


def one_sided_slope(phi: Callable[[float], float], side: int, width: float = 1.0, noise: float = EPSILON) -> Slope:
    """Return the derivative of ``phi`` at 0 from the right (``side=1``) or from the left (``side=-1``).

    The one-sided difference has every power of h in its error, so that the ratio of the tableau is 2.
    """
    start = phi(0.0)

    def difference(h: float) -> tuple[float, float]:
        there = phi(side * h)
        return (there - start) / (side * h), max(abs(there), abs(start))

    return _extrapolate(difference, width / 2.0, 2.0, noise)


def find_kink(phi: Callable[[float], float], width: float = 1.0, noise: float = EPSILON) -> Kink | None:
    """Kink of ``phi`` at 0, or None where it is smooth as far as rounding lets one see.

    Notes
    -----
    ``(phi(h) - 2 phi(0) + phi(-h)) / h`` tends to the difference of the two slopes; for a smooth function
    it shrinks with h. Two steps a factor 8 apart tell the two apart before the full slopes are computed.
    """
    coarse = width * 2.0**-14
    jumps, rounding = [], []
    middle = phi(0.0)
    for h in (coarse, coarse / 8.0):
        above, below = phi(h), phi(-h)
        jumps.append((above - 2.0 * middle + below) / h)
        rounding.append(8.0 * noise * max(abs(above), abs(below), abs(middle)) / h)
    if not abs(jumps[1]) > max(0.5 * abs(jumps[0]), 4.0 * rounding[1]):
        return None
    left = one_sided_slope(phi, -1, 2.0 * coarse, noise)
    right = one_sided_slope(phi, 1, 2.0 * coarse, noise)
    if abs(right.value - left.value) <= 10.0 * (left.error + right.error):
        return None
    return Kink(left.value, right.value)


def relative_noise(phi: Callable[[float], float], width: float = 1.0) -> float:
    """Return the rounding error of ``phi`` near 0 relative to its size, at least that of float64.

    Notes
    -----
    On 16 points 2.9e-7 of the width apart (no power of two, on which float32 may be exact) a smooth
    function is a cubic to 1e-16; what a cubic leaves over is
    noise. A function that computes in float32 inside leaves 1e-7.
    """
    t = np.arange(-8.0, 8.0) * 2.9e-7 * width
    values = np.array([phi(float(step)) for step in t])
    size = float(np.max(np.abs(values)))
    if not np.isfinite(size) or size == 0.0:
        return EPSILON
    basis = np.vander(np.arange(-8.0, 8.0) / 8.0, 4)
    left = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return max(EPSILON, float(np.max(np.abs(left))) / size)


def _extrapolate(
    difference: Callable[[float], tuple[float, float]], h: float, ratio: float, noise: float, again: bool = True
) -> Slope:
    """Fill the tableau row by row, keep the entry with the smallest error bound, and confirm it.

    A kink or a jump nearer than the steps can leave a tableau that converges to something else. The
    difference on a 64 times smaller step than the last one sees that: where it contradicts the entry by more
    than rounding and its own truncation error, ``ratio^6`` times smaller than that of the last step, the
    contradiction is the error, unless a tableau of smaller steps has a smaller one.
    """
    best = Slope(float("nan"), float("inf"))
    previous: list[float] = []
    for _ in range(LEVELS):
        estimate, size = difference(h)
        rounding = 2.0 * noise * size / h
        if rounding > best.error:
            break
        row = [estimate]
        if np.isfinite(estimate):
            for j, coarser in enumerate(previous, start=1):
                row.append(row[-1] + (row[-1] - coarser) / (ratio**j - 1.0))
                error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + rounding
                if error < best.error:
                    best = Slope(row[-1], error)
        previous = row[:8] if np.isfinite(estimate) else []
        h /= 2.0
    near, size = difference(h / 64.0)
    gap = abs(near - best.value)
    if gap > 128.0 * noise * size / h + abs(near - estimate) / (ratio**6 - 1.0) + best.error:
        nearer = _extrapolate(difference, h / 8.0, ratio, noise, again=False) if again else best
        return nearer if again and nearer.error < gap else Slope(best.value, gap)
    return best
