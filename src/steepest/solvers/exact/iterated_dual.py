r"""The dual system by conjugate gradients in single precision, corrected in double: for data far from tall.

The system ``(Z Z^T + ridge I) A = B`` of :mod:`~steepest.solvers.exact.dual` is solved roughly, by passes over X at
half the bytes. At ``A``, ``W = Z^T A`` and the residuals are taken from the data in double precision, and what is left,
``B - Z W - ridge A``, is solved for in turn (iterative refinement, as in :mod:`~steepest.solvers.exact.primal`).

Of W, whatever single precision does to A, nothing lies outside the span of the rows, from where only a large ridge
would bring it back. That is why wide data do not go by conjugate gradients on W.
"""

from collections.abc import Iterator

import numpy as np

from steepest.solvers.exact.conjugate_gradients import Iterate, too_slow
from steepest.solvers.exact.data import CentredData, SinglePrecision
from steepest.solvers.exact.problem import LeastSquares
from steepest.typing import Array

SINGLE = 1.5e-7  # by how much a residual can be lowered in single precision


def iterated_dual(
    problem: LeastSquares,
    data: CentredData,
    Y: Array,
    start: Array,
    rough: SinglePrecision,
    tol: float,
    budget: float,
) -> Iterator[Iterate]:
    """Yield W after every correction, for one target, until ``|G| <= tol |start|``; fewer, if that is not in reach.

    ``start`` is ``Xc^T S Yc``; more than ``budget`` iterations are too many.
    """
    from steepest.kernels.dual_iteration import DualIteration  # brings numba: only when needed

    root = np.ones(problem.n) if problem.weights is None else np.sqrt(problem.weights)
    ridge = float(problem.ridge[0])
    iteration = DualIteration(rough.X, root, ridge, centre=problem.fit_intercept)
    first = float(np.linalg.norm(start))
    A, rest = np.zeros(problem.n), root * Y[:, 0]
    yield Iterate(0, np.zeros(start.shape), start, start, np.array([first]), float(start.any()))
    if first == 0.0:  # nothing to do, or squares underflow: the caller looks at ``relative``, and knows a way
        return
    progress, relative, whole = [1.0], 1.0, float(np.linalg.norm(rest))
    W: Array = np.zeros(start.shape)
    while relative > tol:
        size = float(np.linalg.norm(rest))
        goal = size * max(SINGLE, min(0.3 * tol / relative, 0.3))
        iteration.begin(rest)
        lengths = [size]
        while not lengths[-1] <= goal:
            more = iteration.advance(goal)
            progress += [length / whole for length in more]
            lengths += more
            if not more or not np.isfinite(lengths[-1]) or too_slow(progress, tol, budget):
                return
        A += iteration.solution
        # what is added later is small: single precision is enough for it
        W = data.adjoint((A / root)[:, None]) if relative == 1.0 else W + iteration.adjoint()[:, None]
        R, products, squares = data.residual_products(Y, W)
        G = products - ridge * W
        length = float(np.linalg.norm(G))
        previous, relative = relative, length / first
        if not relative <= max(0.1 * previous, tol):
            return
        yield Iterate(len(progress) - 1, W, G, start, np.array([length]), relative, squares)
        rest = root * R[:, 0] - ridge * A
