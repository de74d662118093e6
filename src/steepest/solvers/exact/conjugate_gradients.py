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

Two ways to apply A. Fused (dense X): ``Xc^T S (Xc P)`` in one pass over X. By residuals (`least_squares_form`; sparse
or badly conditioned X): ``R = Yc - Xc W`` is carried along and ``<P, A P> = |Xc P|^2 + ridge |P|^2``, ``G = Xc^T S R -
ridge W``, which loses far fewer digits; it is equivalent to LSQR in exact arithmetic (Paige and Saunders, 1982).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array


@dataclass
class Iterate:
    """W (d, k) after ``index`` iterations, and G there; ``start`` is G at zero."""

    index: int
    W: Array
    G: Array
    start: Array

    @property
    def relative(self) -> float:
        """The largest ``|G| / |G at zero|`` of all targets."""
        zero = np.linalg.norm(self.start, axis=0)
        return float(np.max(np.linalg.norm(self.G, axis=0) / np.where(zero > 0, zero, 1.0), initial=0.0))


def conjugate_gradients(
    problem: LeastSquares, data: CentredData, Y: Array, *, least_squares_form: bool = False
) -> Iterator[Iterate]:
    """Yield W after every iteration, without end; the caller decides when it is enough."""
    W = np.zeros((problem.d, Y.shape[1]))
    G = start = data.adjoint(Y)
    R, P, square = Y, G, _squares(G)
    nothing = np.zeros(Y.shape) if not least_squares_form else Y
    index = 0
    while True:
        yield Iterate(index, W, G, start)
        if least_squares_form:
            Q = data.forward(P)
            weighted = Q if problem.weights is None else Q * problem.weights[:, None]
            curvature = np.einsum("ij,ij->j", Q, weighted) + problem.ridge * _squares(P)
        else:
            AP = problem.ridge * P - data.residual_products(nothing, P)[1]
            curvature = np.einsum("ij,ij->j", P, AP)
        alpha = np.where(curvature > 0, square / np.where(curvature > 0, curvature, 1.0), 0.0)
        W = W + alpha * P
        if least_squares_form:
            R = R - alpha * Q
            G = data.adjoint(R) - problem.ridge * W
        else:
            G = G - alpha * AP
        previous, square = square, _squares(G)
        P = G + np.where(previous > 0, square / np.where(previous > 0, previous, 1.0), 0.0) * P
        index += 1


def finished(problem: LeastSquares, data: CentredData, Y: Array, y_mean: Array, iterate: Iterate) -> Solution:
    """Return the solution at an iterate; its residuals and gradient are measured on the data."""
    W = iterate.W
    _, products, squares = data.residual_products(Y, W)
    y_square = float(np.sum(Y * Y if problem.weights is None else Y * Y * problem.weights[:, None]))
    start = problem.start(iterate.start, data.x_mean, y_mean, y_square)
    gradient = products - problem.ridge * W
    intercept = y_mean - data.x_mean @ W
    return Solution(
        W, intercept, squares, gradient, *start, method="conjugate gradients", iterations=max(iterate.index, 1)
    )


def _squares(A: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->j", A, A))
