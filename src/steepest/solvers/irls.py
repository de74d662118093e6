"""Newton's method without a Hessian: iteratively reweighted least squares, solved by conjugate gradients."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from steepest.solvers.lbfgs import Pair, remember, two_loop
from steepest.solvers.line_search import Point, decreases
from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array, IntArray

Map = Callable[[Array], Array]
SAMPLE_SHARE = 16  # one row in so many goes into the sample that the first step is found with
SAMPLE_ROWS_PER_PARAMETER = 40  # at least; the sample's curvature is then right to about a sixth
LARGEST_FACTORISED = 500  # parameters
MEMORY = 10  # steps that correct the sample's curvature


class Curved(Protocol):
    """A smooth convex objective that knows its Hessian as a linear map."""

    n_samples: int

    @property
    def n_parameters(self) -> int:
        """Return how many parameters there are."""

    def linearize(self, theta: Array) -> tuple[float, Array, Map]:
        """Return value, gradient, and the map v -> H v, all at ``theta``."""

    def hessian(self, theta: Array) -> Array:
        """Return H at ``theta``."""

    def curvature_diagonal(self) -> Array:
        """Return a positive bound on the diagonal of H, whatever ``theta``."""

    def batch(self, rows: IntArray) -> "Curved":
        """Return the objective on some rows, scaled to stand for all."""


@dataclass(slots=True)
class CurvedPoint(Point):
    """A point with the Hessian there, as a map."""

    product: Map

    @classmethod
    def at(cls, objective: Any, theta: Array) -> "CurvedPoint":
        """Look at the objective there."""
        return cls(theta, *objective.linearize(theta))


def irls(objective: Curved, theta: Array, *, tol: float = 0.0, unit: Array | None = None) -> Steps:
    r"""Minimise a smooth convex objective by truncated Newton steps.

    Parameters
    ----------
    objective : Curved
        What to minimise.
    theta : array (n_parameters,)
        The start.
    tol : float, default 0.0
        The gradient is to be brought down to this part of ``unit``, both in length and when each entry is measured in
        its own scale, the root of its curvature: a feature in small units counts as much as one in large units.
    unit : array (n_parameters,), optional
        A gradient; that of the start if not given.

    Notes
    -----
    Newton's step p minimises the quadratic model ``J(theta) + <g, p> + <p, H p> / 2``, hence ``H p = -g``. For a
    generalised linear model with slopes l'_i and curvatures c_i = l''_i at the scores z = X theta::

        g = X^T l',   H = X^T C X,   C = diag(c)
        H (theta + p) = X^T C X theta - X^T l' = X^T C (z - l' / c)

    the normal equations of a least-squares problem with weights c and targets z - l' / c. Both change with theta:
    iteratively reweighted least squares. For the logistic loss c = p (1 - p) and the target is z + (y - p) / c.

    **Conjugate gradients** solve ``H p = -g`` by products with H only, each of which reads X once. The residual is
    brought down to eta = min(1/4, sqrt(|g| / |g_0|)) times |g|: coarse far away, superlinear convergence at the end,
    and never finer than ``tol`` asks.

    They are preconditioned by a bound on the diagonal of H.

    **A sample first.** With many rows, the Hessian M on a sample of m of them, scaled up, differs from H by a share of
    O(sqrt(d / m)). Its own minimiser, found by plain Newton steps at a fraction of the cost, is taken as the first step
    if it lowers the whole objective. From there on ``M^-1 g``, which needs no product with H, is a step that shrinks
    the gradient by that share, and the L-BFGS recursion that starts at M^-1 instead of a multiple of the identity
    learns what M lacks. Each step then reads X once.

    Every other step is halved until ``J(theta + t p) <= J(theta) + t <g, p> / 10000`` (Armijo), allowing for rounding.

    Sources: P. McCullagh and J. A. Nelder, Generalized Linear Models (1989), section 2.5; J. Nocedal and S. J. Wright,
    Numerical Optimization (2006), algorithm 7.1 and section 7.1 for eta, algorithm 7.4 for the recursion; R. H. Byrd et
    al., On the use of stochastic Hessian information in optimization methods for machine learning, SIAM J. Optim. 21
    (2011), for curvature from a sample.
    """
    here = first = CurvedPoint.at(objective, theta)
    yield Step(0, here.theta, here.value, here.norm)
    index, pairs = 0, deque[Pair](maxlen=MEMORY)
    unit = here.gradient if unit is None else unit
    aim = tol * float(np.linalg.norm(unit))
    rows = _sample(objective) if here.norm > aim else None
    solve: Map | None = None
    if rows is not None:
        candidate, solve, diagonal = _sampled(objective, rows, here)
        there = CurvedPoint.at(objective, candidate)
        if there.value < here.value:
            index = 1
            yield _step(index, here, there, 1.0)
            here = there
    find: Callable[[CurvedPoint], Array]
    if solve is not None:
        find = partial(_corrected_direction, pairs, solve)
    else:
        diagonal = objective.curvature_diagonal()
        find = partial(_newton_direction, first.norm, lambda r: r / diagonal, aim)
    scaled_aim = tol * float(np.linalg.norm(unit / np.sqrt(diagonal)))
    while here.norm > aim or float(np.linalg.norm(here.gradient / np.sqrt(diagonal))) > scaled_aim:
        direction = find(here)
        found = _search(objective, here, direction)
        if found is None:
            if not pairs:
                return Reason.ROUNDING
            pairs.clear()
            continue
        there, size = found
        index += 1
        yield _step(index, here, there, size)
        if there.value >= here.value and there.norm >= 0.5 * here.norm:
            return Reason.ROUNDING
        remember(pairs, here, there)
        here = there
    return Reason.GRADIENT_TOLERANCE


def _step(index: int, here: CurvedPoint, there: CurvedPoint, size: float) -> Step:
    return Step(
        index,
        there.theta,
        there.value,
        gradient_norm=there.norm,
        step_size=size,
        step_norm=float(np.linalg.norm(there.theta - here.theta)),
    )


def _corrected_direction(pairs: "deque[Pair]", solve: Map, here: CurvedPoint) -> Array:
    """Return the sample's Newton direction, corrected by the steps made so far."""
    return two_loop(pairs, here.gradient, solve)


def _newton_direction(first_norm: float, solve: Map, aim: float, here: CurvedPoint) -> Array:
    """Return p with ``H p`` near enough to ``-g``."""
    near = max(min(0.25, np.sqrt(here.norm / first_norm)), 0.3 * aim / here.norm) if first_norm > 0 else 0.25
    return conjugate_gradients(here.product, -here.gradient, solve, near * here.norm)


def conjugate_gradients(product: Map, b: Array, solve: Map, tolerance: float) -> Array:
    r"""Return x with ``|b - H x| <= tolerance``, for a positive semidefinite H and a preconditioner M^-1 (``solve``).

    Notes
    -----
    The k-th iterate minimises ``<x, H x> / 2 - <b, x>`` over the span of M^-1 b, (M^-1 H) M^-1 b, ...; its search
    directions are conjugate, <p_i, H p_j> = 0, which a short recursion keeps up. Stops, too, at a direction without
    curvature and after as many iterations as there are unknowns.

    Source: J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithm 5.3.

    Examples
    --------
    >>> A = np.diag([1.0, 4.0])
    >>> conjugate_gradients(lambda v: A @ v, np.array([1.0, 8.0]), lambda r: r, 1e-12)
    array([1., 2.])
    """
    x, residual = np.zeros_like(b), b.copy()
    z = solve(residual)
    direction, rho = z.copy(), float(residual @ z)
    for _ in range(max(10, len(b))):
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 1e-16 * float(direction @ direction):
            return x if x.any() else direction
        size = rho / curvature
        x += size * direction
        residual -= size * image
        if float(np.linalg.norm(residual)) <= tolerance:
            return x
        z = solve(residual)
        previous, rho = rho, float(residual @ z)
        if not rho > 0.0:
            return x
        direction = z + (rho / previous) * direction
    return x


def _search(objective: Curved, here: CurvedPoint, direction: Array) -> tuple[CurvedPoint, float] | None:
    """Return the first point on halved steps that is low enough, and the share of the step; None if there is none."""
    slope = float(here.gradient @ direction)
    if not slope < 0.0:
        return None
    size = 1.0
    while size > 1e-10:
        there = CurvedPoint.at(objective, here.theta + size * direction)
        if decreases(here, there, -size * slope):
            return there, size
        size *= 0.5
    return None


# ---------------------------------------------------------------------- the sample and the preconditioner


def _sample(objective: Curved) -> IntArray | None:
    """Return the rows of the sample, evenly spread; None where the whole is small or no sample would do."""
    d, n = objective.n_parameters, objective.n_samples
    size = max(n // SAMPLE_SHARE, SAMPLE_ROWS_PER_PARAMETER * d)
    if d > LARGEST_FACTORISED or size > n // 4 or n * d < 200_000:
        return None
    return np.arange(0, n, n // size)


def _sampled(objective: Curved, rows: IntArray, here: CurvedPoint) -> tuple[Array, Map | None, Array]:
    """Return the sample's minimiser (or where ten Newton steps lead), its inverse Hessian as a map, its diagonal."""
    part = objective.batch(rows)
    point = CurvedPoint.at(part, here.theta)
    start, solve = point.norm, None
    for _ in range(10):
        matrix = part.hessian(point.theta)
        diagonal = np.maximum(np.diagonal(matrix), np.finfo(float).tiny)
        factored = _factorise(matrix)
        if factored is None:
            break
        solve = factored
        if point.norm <= 3e-3 * start:
            break
        found = _search(part, point, -solve(point.gradient))
        if found is None:
            break
        point = found[0]
    return point.theta, solve, diagonal


def _factorise(matrix: Array) -> Map | None:
    """Return b -> matrix^-1 b; None if the matrix is not safely positive definite."""
    scale = np.sqrt(np.maximum(np.diagonal(matrix), np.finfo(float).tiny))  # columns of unit length
    try:
        factor = cho_factor(matrix / np.outer(scale, scale), lower=True)
    except np.linalg.LinAlgError:
        return None
    if np.diagonal(factor[0]).min() < 1e-7:
        return None
    return lambda b: cho_solve(factor, b / scale) / scale
