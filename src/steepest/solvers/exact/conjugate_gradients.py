r"""Conjugate gradients on the normal equations: no matrix is formed, every iteration reads X once.

With ``A = Xc^T S Xc + ridge I`` and the residual of the normal equations ``G = Xc^T S Yc - A W`` (which is -1/f times
the gradient), started at W = 0, P = G::

    alpha = <G, G> / <P, A P>        the minimum of J along P
    W    <- W + alpha P
    G    <- G - alpha A P
    beta  = <G, G> / <G_old, G_old>  makes the next direction conjugate to all before it: <P_new, A P> = 0
    P    <- G + beta P

After j iterations the error in the norm of A is at most ``2 ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^j`` of the first,
with kappa the condition number of A over the directions that occur (Hestenes and Stiefel, 1952). All directions are
combinations of rows of X, so that without ridge the W of least norm is found. Several targets go side by side, each
with its own numbers.

Three ways to apply A:

* Fused (dense X): ``Xc^T S (Xc P)`` in one pass over X.
* The same in single precision (large dense X of at least as many rows as columns, one target), at half the bytes, once
  G is small. An error in A P is proportional to P: what single precision loses of the last steps is as little as what
  double loses of the first (J. van den Eshof and G. Sleijpen, Inexact Krylov subspace methods for linear systems,
  2004). G drifts from the true
  residual, by some 1e-7 of what it was when they last agreed: whenever it has shrunk by 1e-4, and at the end, it is
  measured on the data in double precision, and the directions go on from there. A measurement that finds no progress
  ends it, and double precision begins anew from the last good point.
* By residuals (sparse or badly conditioned X): ``R = Yc - Xc W`` is carried along and ``<P, A P> = |Xc P|^2 + ridge
  |P|^2``, ``G = Xc^T S R - ridge W``, which loses far fewer digits; it is equivalent to LSQR in exact arithmetic (Paige
  and Saunders, 1982).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Any

import numpy as np

from steepest.solvers.exact.data import CentredData, SinglePrecision
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array

MEASURED_EVERY = 1e-4  # by how much G may shrink in single precision before it is measured
ROUNDING = float(np.finfo(np.float32).eps)
ENOUGH_IF_TALL = 1e-4
"""How small G must have become for single precision. Its rounding puts into W what is outside the span of the rows,
and only a large ridge takes that out again. With more rows than columns there is an outside only if columns depend on
each other; then this leaves 1e-11 there. With fewer, :mod:`~steepest.solvers.exact.iterated_dual` is the way."""


@dataclass
class Iterate:
    """W (d, k) after ``index`` iterations, and G there; ``start`` is G at zero.

    ``sizes`` (k,) are the lengths of G's columns, and ``relative`` the largest ratio to those at zero. ``squares``
    (k,), the sums of squared residuals, is there if they and G were measured on the data.
    """

    index: int
    W: Array
    G: Array
    start: Array
    sizes: Array
    relative: float
    squares: Array | None = None


def conjugate_gradients(
    problem: LeastSquares,
    data: CentredData,
    Y: Array,
    start: Array,
    rough: SinglePrecision | None = None,
    tol: float = 0.0,
) -> Iterator[Iterate]:
    """Yield W after every iteration, without end; the caller decides when it is enough.

    ``start`` is ``Xc^T S Yc``. With ``rough``, an iterate whose G is at most ``tol`` times that has been measured.
    """
    W: Array = np.zeros(start.shape)
    G, P, squares = start, start, None
    square = _squares(G)
    first = np.sqrt(square)
    small = max(min(0.1 * tol / ROUNDING, 0.1), ENOUGH_IF_TALL)
    sound: tuple[Array, Array] | None = None  # where single precision began, or was last measured
    near = 1.0
    for index in count():
        size = _relative(square, first)
        yield Iterate(index, W, G, start, np.sqrt(square), size, squares)
        if rough is not None and sound is None and size <= small:
            sound, near = (W, G), size
        AP = problem.ridge * P + (data if rough is None or sound is None else rough).product(P)
        alpha = _quotient(square, _inner(P, AP))
        W, G, squares = W + alpha * P, G - alpha * AP, None
        previous, square = square, _squares(G)
        if sound is not None:
            size = _relative(square, first)
            if not (alpha > 0 and size > max(tol, MEASURED_EVERY * near)):
                G, squares = measured(problem, data, Y, W)
                square = _squares(G)
                size = _relative(square, first)
                if size <= 0.1 * near:
                    sound, near = (W, G), size
                else:
                    (W, G), squares, sound, rough = sound, None, None, None
                    P, square = G, _squares(G)
                    continue
        P = G + _quotient(square, previous) * P


def conjugate_gradients_by_residuals(
    problem: LeastSquares, data: CentredData, Y: Array, start: Array
) -> Iterator[Iterate]:
    """Do the same by way of the residuals, which loses fewer digits."""
    W, R, G, P = np.zeros(start.shape), Y, start, start
    square = _squares(start)
    first = np.sqrt(square)
    for index in count():
        yield Iterate(index, W, G, start, np.sqrt(square), _relative(square, first))
        Q = data.forward(P)
        weighted = Q if problem.weights is None else Q * problem.weights[:, None]
        alpha = _quotient(square, _inner(Q, weighted) + problem.ridge * _squares(P))
        W, R = W + alpha * P, R - alpha * Q
        G = data.adjoint(R) - problem.ridge * W
        previous, square = square, _squares(G)
        P = G + _quotient(square, previous) * P


def measured(problem: LeastSquares, data: CentredData, Y: Array, W: Array) -> tuple[Array, Array]:
    """Return G and the sums of squared residuals at W, from the data."""
    _, products, squares = data.residual_products(Y, W)
    return products - problem.ridge * W, squares


def finished(problem: LeastSquares, data: CentredData, Y: Array, y_mean: Array, iterate: Iterate) -> Solution:
    """Return the solution at an iterate; its residuals and gradient are measured on the data."""
    W, gradient, squares = iterate.W, iterate.G, iterate.squares
    if squares is None:
        gradient, squares = measured(problem, data, Y, W)
    y_square = float(np.sum(Y * Y if problem.weights is None else Y * Y * problem.weights[:, None]))
    start = problem.start(iterate.start, data.x_mean, y_mean, y_square)
    intercept = y_mean - data.x_mean @ W
    return Solution(
        W, intercept, squares, gradient, *start, method="conjugate gradients", iterations=max(iterate.index, 1)
    )


def _inner(A: Array, B: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->j", A, B))


def _squares(A: Array) -> Array:
    return _inner(A, A)


def _relative(square: Array, first: Array) -> float:
    """Return the largest ratio of a length, given by its square, to the first one."""
    return float(np.max(_quotient(np.sqrt(square), first), initial=0.0))


def _quotient(a: Array, b: Array) -> Any:
    """Return a / b where b is above zero, else 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def too_slow(progress: list[float], tol: float, budget: float) -> bool:
    """Whether more than ``budget`` iterations seem needed.

    From the eighth on, the progress of the last four is taken for what is to come; conjugate gradients tend to become
    faster, not slower.
    """
    done = len(progress) - 1
    if done >= budget:
        return True
    if done < 8 or budget == inf or 0.0 in (progress[-1], progress[-5]):  # tiny lengths underflow
        return False
    rate = (progress[-1] / progress[-5]) ** 0.25
    return bool(rate >= 1.0 or done + np.log(tol / progress[-1]) / np.log(rate) > budget)
