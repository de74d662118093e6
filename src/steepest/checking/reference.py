"""The true derivative: complex steps where they can be trusted, extrapolated differences elsewhere."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from steepest.checking.problem import Data, Problem
from steepest.foundations.analytic import AnalyticArray, imaginary_part
from steepest.foundations.extrapolation import EPSILON, Kink, Slope, find_kink, relative_noise, slope
from steepest.typing import Array, IntArray

__all__ = ["Reference"]

STEP = 1e-30
STENCIL_FROM = 400  # a block with more entries is differentiated with a fixed stencil
OUTSIDE = (ArithmeticError, ValueError)  # what a value raises outside its domain; LinAlgError is a ValueError
NOT_ANALYTIC = (TypeError, ValueError, AttributeError, np.exceptions.ComplexWarning)


class Reference:
    """Derivatives of a problem's value with respect to its parameters or its data.

    Attributes
    ----------
    method : str
        ``"complex step"`` or ``"differences"``, decided by ``choose``.
    """

    def __init__(self, problem: Problem, method: str = "differences") -> None:
        self.problem = problem
        self.method = method
        self.noise = EPSILON

    def choose(self, points: Sequence[Sequence[Array]], rng: np.random.Generator) -> None:
        """Trust complex steps only if they agree with differences, block by block, in random directions.

        Notes
        -----
        A function that drops the imaginary part anywhere (a cast, an ``abs`` on lists) loses that part of
        its derivative, which the difference quotient still has; one that refuses complex numbers raises.
        """
        self.method = "differences"
        for blocks in points:
            for i, block in enumerate(blocks):
                direction = rng.choice([-1.0, 1.0], size=block.shape) * width_of(block)
                if not self._agrees(blocks, i, direction):
                    return
        self.method = "complex step"

    def measure_noise(self, points: Sequence[Sequence[Array]], rng: np.random.Generator) -> None:
        """Set ``noise`` to the value's own relative rounding error: the least over the points.

        A kink near one of them looks like noise there, but not at all of them.
        """
        found = []
        for blocks in points:
            directions = [rng.choice([-1.0, 1.0], size=block.shape) * width_of(block) for block in blocks]

            def along(t: float, blocks: Any = blocks, directions: Any = directions) -> float:
                moved = [block + t * d for block, d in zip(blocks, directions, strict=True)]
                return _evaluated(self.problem.value, moved)

            found.append(relative_noise(along))
        smallest = min(found)
        self.noise = smallest if smallest > 1e-13 else EPSILON

    def _agrees(self, blocks: Sequence[Array], i: int, direction: Array) -> bool:
        def along(t: Any) -> Any:
            moved = list(blocks)
            moved[i] = blocks[i] + t * direction
            return self.problem.value(moved)

        try:
            exact = _complex_slope(
                lambda z: self.problem.value([*blocks[:i], z, *blocks[i + 1 :]]), blocks[i], direction
            )
            real = _real_part(self.problem.value(_as_analytic(blocks, i)))
        except NOT_ANALYTIC:
            return False
        here = _float(self.problem.value(blocks))
        if not np.isfinite(exact) or abs(real - here) > 1e-10 * max(abs(here), 1e-300):
            return False
        check = slope(lambda t: _evaluated(along, t), noise=self.noise)
        return abs(exact - check.value) <= 50.0 * check.error + 1e-7 * abs(exact)

    def block(
        self, blocks: Sequence[Array], i: int, data: Data | None = None, entries: IntArray | None = None
    ) -> tuple[Array, Array]:
        """Return the derivative with respect to block ``i`` and a bound on the error of each entry.

        With ``entries``, flat positions, only these are computed and returned as a flat array.
        """

        def f(x: Any) -> Any:
            return self.problem.value([*blocks[:i], x, *blocks[i + 1 :]], data)

        if entries is None:
            return self.partial(f, blocks[i])
        whole = np.array(blocks[i], dtype=np.float64)

        def at_entries(x: Any) -> Any:
            changed = (whole + 0.0 * np.sum(x)).view(type(x)).ravel()
            changed[entries] = x
            return f(changed.reshape(whole.shape))

        return self.partial(at_entries, whole.ravel()[entries])

    def data(self, blocks: Sequence[Array], name: str) -> Array:
        """Return the derivative with respect to the data array ``name``."""
        known = self.problem.precise_data
        return self.partial(lambda x: self.problem.value(blocks, {**known, name: x}), known[name])[0]

    def partial(self, f: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
        """Return the derivative of ``f`` at ``x``, entry by entry, with error bounds."""
        x = np.array(x, dtype=np.float64)
        if self.method == "complex step":
            derivative = _complex_gradient(f, x)
            return derivative, 16.0 * EPSILON * np.abs(derivative)
        if x.size > STENCIL_FROM and self.noise == EPSILON:
            return _stencil_gradient(f, x)
        derivative, error = np.empty_like(x), np.empty_like(x)
        width = width_of(x)
        for index in np.ndindex(x.shape):
            found = slope(_along_entry(f, x, index), float(width[index]), self.noise)
            derivative[index], error[index] = found.value, found.error
        return derivative, error

    def along(self, blocks: Sequence[Array], i: int, direction: Array, data: Data | None = None) -> Slope:
        """Directional derivative in block ``i``."""
        base = np.asarray(blocks[i], dtype=np.float64)

        def f(x: Any) -> Any:
            return self.problem.value([*blocks[:i], x, *blocks[i + 1 :]], data)

        if self.method == "complex step":
            exact = _complex_slope(f, base, direction)
            return Slope(exact, 64.0 * EPSILON * abs(exact))
        length = float(np.max(np.abs(direction))) or 1.0
        return slope(lambda t: _evaluated(f, base + t * direction), float(np.mean(width_of(base))) / length, self.noise)

    def kink(self, blocks: Sequence[Array], i: int, index: tuple[int, ...]) -> Kink | None:
        """Kink of the value in one entry, if there is one at this point."""
        base = np.asarray(blocks[i], dtype=np.float64)

        def phi(t: float) -> float:
            return _evaluated(self.problem.value, [*blocks[:i], _moved(base, index, t), *blocks[i + 1 :]])

        return find_kink(phi, float(width_of(base)[index]), self.noise)


def width_of(block: Array) -> Array:
    """Scale on which each entry is varied: its own size, or that of its block, or 1 where all is zero."""
    size = float(np.sqrt(np.mean(np.square(block, dtype=np.float64)))) or 1.0
    return np.maximum(np.abs(block, dtype=np.float64), min(size, 1.0))


def _moved(x: Array, index: tuple[int, ...], t: float) -> Array:
    moved = x.copy()
    moved[index] += t
    return moved


def _along_entry(f: Callable[[Any], Any], x: Array, index: tuple[int, ...]) -> Callable[[float], float]:
    return lambda t: _evaluated(f, _moved(x, index, t))


def _evaluated(f: Callable[[Any], Any], x: Any) -> float:
    """Return ``f(x)``, and NaN where the step has left the domain."""
    try:
        return _float(f(x))
    except OUTSIDE:
        return float("nan")


def _float(result: Any) -> float:
    return float(np.asarray(result).reshape(()))


def _real_part(result: Any) -> float:
    return float(np.real(np.asarray(result)).reshape(()))


def _as_analytic(blocks: Sequence[Array], i: int) -> list[Any]:
    analytic: list[Any] = list(blocks)
    analytic[i] = np.asarray(blocks[i] + 0j).view(AnalyticArray)
    return analytic


def _complex_slope(f: Callable[[Any], Any], x: Array, direction: Array) -> float:
    z = np.asarray(np.asarray(x, dtype=np.float64) + 1j * STEP * direction).view(AnalyticArray)
    return imaginary_part(f(z)) / STEP


def _complex_gradient(f: Callable[[Any], Any], x: Array) -> Array:
    derivative = np.empty(x.shape)
    z = x.astype(np.complex128)
    for index in np.ndindex(x.shape):
        z[index] += 1j * STEP
        derivative[index] = imaginary_part(f(z.copy().view(AnalyticArray))) / STEP
        z[index] = x[index]
    return derivative


def _stencil_gradient(f: Callable[[Any], Any], x: Array) -> tuple[Array, Array]:
    """Fourth-order differences, four evaluations an entry, for blocks too large to extrapolate each.

    Notes
    -----
    ``(8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12h = f' - h^4 f^(5) / 30``; with h = eps^(1/5) times the
    scale, truncation and rounding are both near eps^(4/5) = 3e-13 of the value's own scale. A step across a
    kink shows as a distance between the differences on h and on 2h, which is the error bound.
    """
    derivative, error = np.empty_like(x), np.empty_like(x)
    h = EPSILON**0.2 * width_of(x)
    for index in np.ndindex(x.shape):
        step = float(h[index])
        f1, b1, f2, b2 = (_evaluated(f, _moved(x, index, k * step)) for k in (1.0, -1.0, 2.0, -2.0))
        near, far = (f1 - b1) / (2.0 * step), (f2 - b2) / (4.0 * step)
        derivative[index] = (4.0 * near - far) / 3.0
        rounding = 2.0 * EPSILON * max(abs(f1), abs(b1)) / step
        gap = abs(near - far)
        if not gap <= 1e-4 * max(abs(near), abs(far)):  # curved, or outside the domain
            found = slope(_along_entry(f, x, index), 4.0 * step)
            derivative[index], error[index] = found.value, found.error
        else:
            error[index] = 1e-3 * gap + rounding
    return derivative, error
