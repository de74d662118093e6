"""Minimise from many starts, and rank the minima found."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.optimize.bounds import check_bounds
from steepest.optimize.descend import UndefinedStartError, minimize
from steepest.solvers.result import Result
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_flag, check_generator, check_positive

UNBOUNDED = ("newton", "lbfgs")
LARGEST_SOBOL = 21201  # dimensions, beyond which scipy knows no Sobol sequence


@dataclass(frozen=True)
class Minimum:
    """A minimum, and how many starts led to it.

    Attributes
    ----------
    x : array
        Where it is.
    fun : float
        The value there.
    n_starts : int
        The starts that ended there.
    result : Result
        The best of their runs.

    Examples
    --------
    >>> from steepest import multi_start
    >>> best = multi_start(lambda x: np.cos(x[0]), (0.0, 6.0), n_starts=4, random_state=0).minima[0]
    >>> best.x.round(4), round(best.fun, 4), best.n_starts
    (array([3.1416]), -1.0, 4)
    """

    x: Array
    fun: float
    n_starts: int
    result: Result = field(repr=False)


@dataclass(frozen=True)
class MultiStartResult:
    """Outcome of many runs.

    Attributes
    ----------
    minima : list of Minimum
        The distinct minima that runs converged to, the best first.
    unfinished : list of Result
        The runs that did not converge, the best first.
    starts : array (n_starts, *shape of x)
        Where runs were to begin; those where the function is not finite led to none. After Ctrl-C, the starts so far.

    Examples
    --------
    >>> from steepest import multi_start
    >>> found = multi_start(lambda x: np.cos(x[0]), (0.0, 6.0), n_starts=4, random_state=0)
    >>> found.message, found.x.round(4), round(found.fun, 4)
    ('4 starts found 1 distinct optimum', array([3.1416]), -1.0)
    """

    minima: list[Minimum]
    unfinished: list[Result] = field(repr=False)
    starts: Array = field(repr=False)

    @property
    def best(self) -> Result:
        """The best converged run; if none converged, the best of the others."""
        return self.minima[0].result if self.minima else self.unfinished[0]

    @property
    def x(self) -> Array:
        """Where the best run ended."""
        return self.best.x

    @property
    def fun(self) -> float:
        """The value there."""
        return self.best.fun

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search before all starts had their turn."""
        return any(result.reason is Reason.INTERRUPTED for result in self.unfinished)

    @property
    def success(self) -> bool:
        """Whether any run converged."""
        return bool(self.minima)

    @property
    def message(self) -> str:
        """The outcome as a sentence."""
        n_starts, n_minima, n_unfinished = len(self.starts), len(self.minima), len(self.unfinished)
        if not self.minima:
            return f"none of {n_starts} starts converged; the best run: {self.best.message}"
        text = f"{n_starts} starts found {n_minima} distinct {'optimum' if n_minima == 1 else 'optima'}"
        undefined = n_starts - n_unfinished - sum(minimum.n_starts for minimum in self.minima)
        parts = [text, f"{n_unfinished} did not converge" * (n_unfinished > 0)]
        parts += [f"at {undefined} the function is not finite" * (undefined > 0), "interrupted" * self.interrupted]
        return "; ".join(filter(None, parts))

    def __str__(self) -> str:
        """Return the ranking as a table."""
        rows = [
            f"{rank:4d}  {m.fun:12.6g}  {m.n_starts:6d}  {np.array2string(m.x, precision=5)}"
            for rank, m in enumerate(self.minima, 1)
        ]
        return "\n".join([self.message, "rank         value  starts  x", *rows])


def multi_start(
    f: Callable[..., Any],
    bounds: Any,
    n_starts: int = 32,
    *,
    gradient: Callable[..., Any] | None = None,
    shape: tuple[int, ...] | None = None,
    sampling: str = "sobol",
    keep_bounds: bool = True,
    same_within: float = 1e-3,
    random_state: Any = None,
    **options: Any,
) -> MultiStartResult:
    """Minimise from many starts spread over a box, and rank the distinct minima.

    Parameters
    ----------
    f : callable
        ``f(x)`` returns a real number.
    bounds : sequence of pairs
        The box: a finite ``(low, high)`` a parameter; one pair alone is a box of one parameter.
    n_starts : int, default 32
        How many starts.
    gradient : callable, optional
        ``gradient(x)`` returns df/dx in the shape of ``x``.
    shape : tuple of int, optional
        The shape of ``x``; with it one pair of bounds serves all parameters. If not given, one dimension.
    sampling : {"sobol", "latin-hypercube", "uniform"}, default "sobol"
        How the starts are spread: by a scrambled Sobol sequence, so that one in every column and row of a grid (Latin
        hypercube), or independently.
    keep_bounds : bool, default True
        Keep the runs within the box. "newton" and "lbfgs" know no bounds: a run that steps out of the box goes on from
        the nearest point of it by projected gradient descent; ``f`` may be asked for values outside before it does. If
        False the box only holds the starts.
    same_within : float, default 1e-3
        Ends closer than this share of the box's width, in every parameter, are the same minimum.
    random_state : int, Generator or None, default None
        Makes the starts repeatable.
    **options
        What :func:`~steepest.optimize.descend.minimize` takes, such as ``method`` or ``maximize=True``; but no
        ``trace``, as each run leaves its own.

    Examples
    --------
    >>> from steepest import multi_start
    >>> print(multi_start(lambda x: (x[0] ** 2 - 1) ** 2 + 0.1 * x[0], [(-2, 2)], n_starts=8, random_state=0))
    8 starts found 2 distinct optima
    rank         value  starts  x
       1     -0.100617       4  [-1.01...]
       2      0.099367       4  [0.98...]
    """
    check_count("n_starts", n_starts)
    check_positive("same_within", same_within)
    if options.get("trace") is not None:
        raise InvalidInputError("trace: each run leaves its own, as minima[0].result.trace; leave it out")
    shape = (_n_pairs(bounds),) if shape is None else shape
    low, high = check_bounds(bounds, shape)
    if not np.all(np.isfinite([low, high])):
        raise InvalidInputError("bounds: must all be finite, as the starts are spread between them")
    generator = check_generator(random_state)
    starts = spread(sampling, n_starts, low.size, np.random.default_rng() if generator is None else generator)
    points = low + starts.reshape(n_starts, *shape) * (high - low)
    options = {**options, "gradient": gradient, "random_state": generator}
    box = (low, high) if check_flag("keep_bounds", keep_bounds) else None
    runs: list[Result] = []
    for begun, x0 in enumerate(points, 1):
        with suppress(UndefinedStartError):
            runs.append(_run(f, x0, box, options))
        if runs and runs[-1].reason is Reason.INTERRUPTED:
            points = points[:begun]
            break
    if not runs:
        raise InvalidInputError(f"f is not finite at any of the {n_starts} starts: choose other bounds")
    sign = -1.0 if options.get("maximize") else 1.0
    runs.sort(key=lambda result: (np.isnan(result.fun), sign * result.fun))
    minima = group([result for result in runs if result.success], same_within * (high - low))
    return MultiStartResult(minima, [result for result in runs if not result.success], points)


def _run(f: Callable[..., Any], x0: Array, box: tuple[Array, Array] | None, options: dict[str, Any]) -> Result:
    """Return the run from one start, within the box if there is one."""
    if box is None:
        return minimize(f, x0, **options)
    bounds = list(zip(box[0].ravel(), box[1].ravel(), strict=True))
    if options.get("method") not in UNBOUNDED:
        return minimize(f, x0, bounds=bounds, **options)

    def outside(step: Step) -> bool:
        return not np.all((box[0].ravel() <= step.theta) & (step.theta <= box[1].ravel()))

    free = minimize(f, x0, **{**options, "observers": [*options.get("observers", ()), outside]})
    if not outside(free.last):
        return free
    return minimize(f, np.clip(free.x, *box), bounds=bounds, **{**options, "method": "gradient-descent"})


def group(ranked: list[Result], radius: Array) -> list[Minimum]:
    """Return the distinct minima among ``ranked`` results, the best of each first."""
    found: list[tuple[Result, int]] = []
    for result in ranked:
        for i, (best, count) in enumerate(found):
            if np.all(np.abs(result.x - best.x) <= radius):
                found[i] = (best, count + 1)
                break
        else:
            found.append((result, 1))
    return [Minimum(best.x, best.fun, count, best) for best, count in found]


def spread(sampling: str, n_points: int, n_dimensions: int, generator: np.random.Generator) -> Array:
    """Return points in the unit cube, (n_points, n_dimensions).

    Examples
    --------
    >>> points = spread("sobol", 4, 1, np.random.default_rng(0))
    >>> sorted((4 * points).astype(int).ravel().tolist())  # one in every quarter
    [0, 1, 2, 3]
    """
    check_choice("sampling", sampling, ("sobol", "latin-hypercube", "uniform"))
    if sampling == "uniform":
        return generator.random((n_points, n_dimensions))
    from scipy.stats import qmc  # slow to import

    points: Array
    if sampling == "sobol" and n_dimensions <= LARGEST_SOBOL:
        # a whole power of two, of which the first are used, keeps the sequence's balance as far as it goes
        points = qmc.Sobol(n_dimensions, rng=generator).random_base2(int(np.ceil(np.log2(n_points))))[:n_points]
    else:
        points = qmc.LatinHypercube(n_dimensions, rng=generator).random(n_points)
    return points


def _n_pairs(bounds: Any) -> int:
    """Return how many parameters the bounds speak of."""
    if hasattr(bounds, "lb"):
        return int(np.size(bounds.lb))
    try:
        rows = list(bounds)
    except TypeError:
        return 1
    return 1 if len(rows) == 2 and all(np.ndim(value) == 0 for value in rows) else len(rows)
