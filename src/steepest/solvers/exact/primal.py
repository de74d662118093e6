r"""The normal equations, ``(Xc^T S Xc + ridge I) W = Xc^T S Yc``, by Cholesky's factorisation.

Cost: one pass over X to form the d x d matrix, then O(d^3) whatever the number of samples.

Forming the Gram matrix squares the condition number: with kappa that of the matrix, scaled to a unit diagonal, the
solution comes out with a relative error of about ``eps kappa``. Two things are done about it.

Refinement. At the computed W the residuals are taken from the data themselves, and the same factor solves for the
correction::

    R = Yc - Xc W,    G delta = Xc^T S R - ridge W,    W <- W + delta

The error shrinks by a factor of about ``eps kappa`` a pass, down to what an orthogonal factorisation would give, as the
residuals no longer pass through the squared matrix (A. Bjorck, Numerical Methods for Least Squares Problems, 1996,
section 2.9). It is done only where ``eps kappa`` is not negligible; well-conditioned data are read once.

Refusal. Where kappa is so large that the correction could not be trusted, or where the rank is in doubt, None is
returned, and singular values have to decide.
"""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.linalg.lapack

from steepest.kernels.blas import length, one_blas_thread
from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array, IntArray

MOST = 1e11  # condition number of a Gram matrix in double precision beyond which Cholesky is not relied on
ONE_THREAD_UP_TO = 600
FEW = 64  # order of a matrix up to which BLAS takes one thread by itself
NEGLIGIBLE = 1e-12  # relative error not worth another pass over the data


@dataclass
class NormalEquations:
    """``gram`` (d, d), ``cross`` (d, k), ``y_square`` (k,), the means, and the rounding they were formed with."""

    gram: Array
    cross: Array
    y_square: Array
    x_mean: Array
    y_mean: Array
    eps: float


class Factor:
    """Cholesky's factor of ``D^-1 (gram + ridge I) D^-1`` with ``D^2`` the diagonal, and its condition number.

    Scaling to a unit diagonal comes within a factor d of the least condition number that any scaling gives
    (van der Sluis, 1969), so that columns in different units do no harm.
    """

    def __init__(self, gram: Array, ridge: float) -> None:
        diagonal = np.diagonal(gram) + ridge
        self.scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        scaled = gram / self.scale
        scaled /= self.scale[:, None]
        scaled[np.diag_indices_from(scaled)] = np.where(diagonal > 0, 1.0, 0.0)
        norm = float(np.abs(scaled).sum(axis=0).max(initial=0.0))
        # below this order, two BLAS threads wait for each other longer than one would need
        with one_blas_thread() if FEW < len(gram) <= ONE_THREAD_UP_TO else nullcontext():
            self.factor, failed = scipy.linalg.lapack.dpotrf(scaled, lower=1, overwrite_a=1)
            self.condition = np.inf if failed else self._condition(norm)

    def _condition(self, norm: float) -> float:
        """Return an estimate of the condition number in the 1-norm."""
        if not len(self.scale):
            return 1.0
        reciprocal = scipy.linalg.lapack.dpocon(self.factor, norm, uplo="L")[0]
        return 1.0 / float(reciprocal) if reciprocal > 0 else float("inf")

    def solve(self, B: Array) -> Array:
        """Return ``(gram + ridge I)^-1 B``."""
        if not len(self.scale):
            return np.zeros(B.shape)
        scaled = B / self.scale[:, None]
        half = scipy.linalg.lapack.dpotrs(self.factor, scaled, lower=1, overwrite_b=1)[0]
        return np.asarray(half / self.scale[:, None])


def without_constant_columns(problem: LeastSquares, equations: NormalEquations) -> None:
    """Set to exactly zero what rounding leaves of a column that does not vary."""
    constant = problem.frame.constant
    if constant.any():
        equations.gram[constant] = equations.gram[:, constant] = equations.cross[constant] = 0.0


def solve_primal(problem: LeastSquares, equations: NormalEquations, data: CentredData, rcond: float) -> Solution | None:
    """Return the solution of the normal equations, or None where singular values must decide.

    ``rcond`` is the ratio of singular values of X below which, without ridge, they count as zero.
    """
    without_constant_columns(problem, equations)
    W: Array = np.empty(equations.cross.shape)
    factors: list[tuple[IntArray, Factor]] = []
    for ridge in np.unique(problem.ridge):
        factor = Factor(equations.gram, float(ridge))
        limit = min(MOST, 1e-2 / equations.eps)
        if not factor.condition < limit or (ridge == 0 and rank_in_doubt(equations, factor, rcond)):
            return None
        targets = np.flatnonzero(problem.ridge == ridge)
        W[:, targets] = factor.solve(equations.cross[:, targets])
        factors.append((targets, factor))
    worst = max((factor.condition for _, factor in factors), default=1.0)
    squares = _residual_squares(equations, W)
    gradient: Array = equations.cross - equations.gram @ W - problem.ridge * W
    method = "Cholesky factorisation of the Gram matrix"
    left: Array = np.zeros(W.shape[1])
    rounding = _rounding(equations, W)
    wanted = max(NEGLIGIBLE, 0.1 * problem.eps)
    if equations.eps * worst > 100 * wanted or np.any(squares < 1e-6 * equations.y_square):
        W, squares, gradient, left, rounding = _refined(problem, equations, data, factors, W, wanted)
        method += ", refined"
    start = problem.start(equations.cross, equations.x_mean, equations.y_mean, float(equations.y_square.sum()))
    rank = None if problem.ridge.any() else problem.d
    intercept = equations.y_mean - equations.x_mean @ W + left
    return Solution(
        W, intercept, squares, gradient, *start, method=method, rank=rank, gram=equations.gram, rounding=rounding
    )


def rank_in_doubt(equations: NormalEquations, factor: Factor, rcond: float) -> bool:
    """Whether the ratio of the extreme singular values may be below ``rcond``.

    The condition number of the matrix as given is at most the scaled one times the ratio of the squared scales, and
    the estimate may be low by a factor of about 10.
    """
    spread = float(np.max(factor.scale, initial=1.0) / np.min(factor.scale, initial=np.max(factor.scale, initial=1.0)))
    limit = 1.0 / max(rcond, np.finfo(np.float64).eps) ** 2
    if 10.0 * factor.condition * spread**2 < limit:
        return False
    if len(equations.gram) > 400:
        return True
    values = scipy.linalg.eigvalsh(equations.gram)
    return not bool(values[0] > max(2.0 / limit, 10.0 * equations.eps) * values[-1])


def _residual_squares(equations: NormalEquations, W: Array) -> Array:
    """Return ``|Yc - Xc W|^2 = |Yc|^2 - 2 <W, cross> + <W, gram W>``, a column each."""
    inner = 2.0 * equations.cross - equations.gram @ W
    return np.asarray(np.maximum(equations.y_square - np.einsum("ij,ij->j", W, inner), 0.0))


def _refined(
    problem: LeastSquares,
    equations: NormalEquations,
    data: CentredData,
    factors: list[tuple[IntArray, Factor]],
    W: Array,
    wanted: float,
) -> tuple[Array, Array, Array, Array, float]:
    """Return the refined W, its residual sums of squares, its gradient, the means of its residuals, and the rounding.

    The means are zero but for the rounding of the columns' means, which the intercept makes up for: an error e in them
    moves the coefficients by the order of e^2 only. Squares and gradient are measured on the data before the last
    correction and carried over it with the Gram matrix::

        |R - Xc delta|^2 = |R|^2 - 2 <delta, Xc^T S R> + <delta, gram delta>
        Xc^T S (R - Xc delta) = Xc^T S R - gram delta

    The last is off by as much as the matrix is, times the length of delta: the rounding.
    """
    Y = problem.centred_target()[0]
    previous, rounding = np.inf, 0.0
    for _ in range(6):
        residuals, products, squares = data.residual_products(Y, W)
        left = means(problem, residuals)
        gradient = products - problem.ridge * W
        delta = np.empty_like(W)
        for targets, factor in factors:
            delta[:, targets] = factor.solve(gradient[:, targets])
        size = _relative(delta, W, factors)
        if not size < 0.5 * previous:  # rounding is reached: a further correction would be noise
            return W, squares, gradient, left, 0.0
        image = equations.gram @ delta
        squares = squares - np.einsum("ij,ij->j", delta, 2.0 * products - image)
        gradient = gradient - image - problem.ridge * delta
        W, previous, rounding = W + delta, size, _rounding(equations, delta)
        if size <= wanted or (np.isfinite(previous) and size * _rate(equations, factors) <= wanted):
            break
    return W, np.maximum(squares, 0.0), gradient, left, rounding


def _rounding(equations: NormalEquations, W: Array) -> float:
    """Return how far ``gram W`` may be off by the rounding of the matrix."""
    return float(equations.eps * length(equations.gram) * length(W))


def means(problem: LeastSquares, residuals: Array) -> Array:
    """Return the weighted means of residuals that an intercept would take, (k,)."""
    if not problem.fit_intercept:
        return np.zeros(residuals.shape[1])
    return np.asarray(
        residuals.mean(axis=0) if problem.weights is None else problem.weights @ residuals / problem.total
    )


def _rate(equations: NormalEquations, factors: list[tuple[IntArray, Factor]]) -> float:
    """Return by what factor a correction is expected to shrink the error, on the safe side."""
    return min(0.5, 10.0 * equations.eps * max(factor.condition for _, factor in factors))


def _relative(delta: Array, W: Array, factors: list[tuple[IntArray, Factor]]) -> float:
    """Return the size of ``delta`` relative to W, both in units of the columns' spread."""
    ratios = [0.0]
    for targets, factor in factors:
        length = np.linalg.norm(factor.scale[:, None] * W[:, targets])
        ratios.append(float(np.linalg.norm(factor.scale[:, None] * delta[:, targets]) / length) if length > 0 else 0.0)
    return max(ratios)
