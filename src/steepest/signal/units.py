r"""The units in which a filter is solved for.

With ``x = u x'`` and ``y = t y'``::

    |y - w * x - b|^2 + ridge |w|^2 = t^2 (|y' - w' * x' - b'|^2 + (ridge / u^2) |w'|^2)
    w = (t / u) w',    b = t b'

u and t are powers of two, so that nothing is rounded. In the units of the data themselves squares may overflow or
vanish, and, beside the bias, whose column is of ones, a tiny x may count as nothing at all.
"""

from dataclasses import dataclass
from math import frexp

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.objectives.filter import FilterObjective
from steepest.solvers.exact.frame import beside_ridge
from steepest.typing import Array

NEAR_ONE = 20  # data between 2^-20 and 2^20 are solved as they are
LARGEST = 1020  # exponent of a double, and some to spare


@dataclass(frozen=True)
class Units:
    """u and t, as exponents of two."""

    x: int
    y: int

    @classmethod
    def of(cls, objective: FilterObjective) -> "Units":
        """Return the units of an objective's data; where x is small beside the ridge, those of its root."""
        x, y = exponent(objective.x), exponent(objective.y)
        if 2 * max(y, 0) + frexp(objective.y.size)[1] > LARGEST or x + y > LARGEST:
            size = float(np.max(np.abs(objective.y)))
            raise InvalidInputError(f"y holds numbers up to {size:.0e}, whose products overflow: divide y by that")
        return cls(beside_ridge(x, objective.ridge), y)

    def framed(self, objective: FilterObjective) -> FilterObjective:
        """Return the objective in these units."""
        if not (self.x or self.y):
            return objective
        x, y = np.ldexp(objective.x, -self.x), np.ldexp(objective.y, -self.y)
        ridge = float(np.ldexp(objective.ridge, -2 * self.x))
        return FilterObjective(x, y, objective.filter_length, fit_bias=objective.fit_bias, ridge=ridge)

    def _exponents(self, objective: FilterObjective) -> Array:
        filter_exponents = np.full(objective.filter_length, self.y - self.x)
        return np.append(filter_exponents, self.y) if objective.fit_bias else filter_exponents

    def outside(self, objective: FilterObjective, theta: Array) -> Array:
        """Return parameters, or their standard errors, in the user's units."""
        with np.errstate(over="ignore"):
            return np.asarray(np.ldexp(theta, self._exponents(objective)))

    def inside(self, objective: FilterObjective, theta: Array) -> Array:
        """Return the user's parameters in these units."""
        return np.asarray(np.ldexp(theta, -self._exponents(objective)))


def exponent(A: Array) -> int:
    """Return e for which the largest number is about 2^e; 0 where that is near one."""
    found = frexp(float(np.max(np.abs(A), initial=0.0)))[1]
    return found if abs(found) > NEAR_ONE else 0
