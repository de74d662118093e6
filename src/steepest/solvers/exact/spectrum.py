r"""All ridge fits from one factorisation.

The eigenvectors of a Gram matrix do not depend on the strength of the penalty. With ``Z = S^1/2 Xc`` and
``B = S^1/2 Yc``, for more samples than features, and for fewer::

    Z^T Z = V diag(lambda) V^T     W(alpha) = V diag(1 / (lambda + alpha)) V^T Z^T B
    Z Z^T = U diag(lambda) U^T     W(alpha) = Z^T U diag(1 / (lambda + alpha)) U^T B

and from the singular values ``Z = U diag(sigma) V^T`` both with ``lambda = sigma^2``. A further alpha costs products
with small matrices only. For fewer samples than features less will do: ``Z Z^T = Q T Q^T`` with T tridiagonal, which
is half of the way to the eigenvalues. Solving with ``T + alpha I`` takes O(n) operations, and what is asked of the
inverse is its diagonal alone (:mod:`steepest.kernels.tridiagonal`).

Leaving one sample out. Let ``H = Z (Z^T Z + alpha I)^-1 Z^T + S^1/2 1 1^T S^1/2 / sum(s)`` be the matrix that takes B
(before centring) to its fit, and e_i the residual of the fit with all samples. The fit without sample i predicts::

    y_i - prediction_i = e_i / (1 - H_ii)

Proof: give sample i the target that the fit without it predicts; then that fit is optimal for all samples too, for
it leaves sample i without residual. Being linear in the targets with coefficient H_ii, the fit at i moves by
``H_ii (y_i - prediction_i)`` when the true target is put back, so that
``y_i - e_i = prediction_i + H_ii (y_i - prediction_i)``; solve for the difference.
(R. Rifkin and R. Lippert, Notes on Regularized Least Squares, 2007, section 4.)

With fewer samples, ``e = alpha A`` and ``I - Z (Z^T Z + alpha I)^-1 Z^T = alpha (Z Z^T + alpha I)^-1``, so that
alpha cancels: ``e_i / (1 - H_ii) = A_i / D_ii`` with D the inverse less its part along ``u = S^1/2 1``, which the means
take.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.linalg.lapack

from steepest.kernels.threads import map_blocks
from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.frame import scaled
from steepest.solvers.exact.gather import gather_data, gather_equations, gather_products
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array

MODES = ("auto", "eigen", "svd")
PIVOT_ROUNDING = 4 * float(np.finfo(np.float64).eps)  # of the largest eigenvalue: a pivot's rounding is below


@dataclass
class Eigenvalues:
    """``M = V diag(values) V^T`` and ``targets = V^T B``."""

    vectors: Array
    values: Array
    targets: Array

    @classmethod
    def of(cls, M: Array, B: Array) -> "Eigenvalues":
        """Decompose M, which is overwritten."""
        values, vectors = scipy.linalg.eigh(M, overwrite_a=True, driver="evd", check_finite=False)
        return cls(vectors, np.maximum(values, 0.0), vectors.T @ B)

    def solve(self, alpha: Array) -> Array:
        """Return ``(M + alpha I)^-1 B`` for one alpha a column of B."""
        return np.asarray(self.vectors @ (self.targets / (self.values[:, None] + alpha)))

    def solve_all(self, alphas: Array) -> Array:
        """Return the same (size, k, n_alphas) for every alpha."""
        filtered = self.targets[:, :, None] / (self.values[:, None, None] + alphas)
        return np.asarray(self.vectors @ filtered.reshape(len(self.values), -1)).reshape(-1, *filtered.shape[1:])

    def diagonal(self, alphas: Array) -> Array:
        """Return the diagonal of ``(M + alpha I)^-1``, (size, n_alphas)."""
        return np.asarray((self.vectors * self.vectors) @ (1.0 / (self.values[:, None] + alphas)))


def _extreme_eigenvalue(main: Array, beside: Array, place: int) -> float:
    """Return the eigenvalue of that place, from the lowest on, of a tridiagonal matrix."""
    if len(main) == 1:
        return float(main[0])
    return float(scipy.linalg.eigvalsh_tridiagonal(main, beside, select="i", select_range=(place, place))[0])


@dataclass
class Tridiagonal:
    """``M = Q T Q^T`` with T of a diagonal and what is beside it, and ``targets = Q^T B``."""

    Q: Array
    main: Array
    beside: Array
    targets: Array

    @classmethod
    def of(cls, M: Array, B: Array) -> "Tridiagonal":
        """Reduce M, which is positive semidefinite and is overwritten, by LAPACK's Householder reflections.

        Rounding may leave T with eigenvalues below zero, which no small alpha makes up for: then T is raised so that
        the lowest is zero, and a little more, lest a pivot of ``T + alpha I`` vanish.
        """
        n = len(M)
        work = int(scipy.linalg.lapack.dsytrd_lwork(n, lower=1)[0])
        reflections, main, beside, factors, _ = scipy.linalg.lapack.dsytrd(M.T, lower=1, lwork=work, overwrite_a=1)
        Q = np.zeros((n, n))
        Q[0, 0] = 1.0
        if n > 1:  # the reflections leave the first coordinate alone
            vectors = np.asfortranarray(reflections[1:, :-1])
            work = int(scipy.linalg.lapack.dorgqr(vectors, factors, lwork=-1)[1][0])
            Q[1:, 1:] = scipy.linalg.lapack.dorgqr(vectors, factors, lwork=work, overwrite_a=1)[0]
        lowest, highest = (_extreme_eigenvalue(main, beside, place) for place in (0, n - 1))
        least = PIVOT_ROUNDING * max(highest, 0.0)
        return cls(Q, main + max(least - lowest, 0.0), beside, Q.T @ B)

    def solve(self, alpha: Array) -> Array:
        """Return ``(M + alpha I)^-1 B`` for one alpha a column of B."""
        columns = [self._solved(self.targets[:, [j]], a) for j, a in enumerate(alpha)]
        return np.asarray(self.Q @ np.hstack(columns))

    def solve_all(self, alphas: Array) -> Array:
        """Return the same (size, k, n_alphas) for every alpha."""
        solved = np.stack([self._solved(self.targets, alpha) for alpha in alphas], axis=2)
        return np.asarray(self.Q @ solved.reshape(len(self.Q), -1)).reshape(solved.shape)

    def _solved(self, targets: Array, alpha: float) -> Array:
        return np.asarray(scipy.linalg.lapack.dptsv(self.main + alpha, self.beside, targets)[2])

    def diagonal(self, alphas: Array) -> Array:
        """Return the diagonal of ``(M + alpha I)^-1``, (size, n_alphas)."""
        from steepest.kernels.tridiagonal import inverse_forms

        return inverse_forms(self.Q, self.main, self.beside, alphas)


class Spectrum:
    """One factorisation of a least-squares problem, and the ridge fits that follow from it.

    What is called alpha here is in the problem's frame.

    Parameters
    ----------
    problem : LeastSquares
        Its own ridge is not looked at.
    mode : {"eigen", "svd"}
        By the smaller Gram matrix, or by singular values of the data, which is slower and keeps twice as many digits
        of the small ones.
    """

    factors: Eigenvalues | Tridiagonal

    def __init__(self, problem: LeastSquares, mode: str = "eigen") -> None:
        self.problem = problem
        self.Y, self.y_mean = problem.centred_target()
        self.root = np.ones((problem.n, 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
        self.by_rows = problem.n <= problem.d
        self.gap = 0.0
        self.data: CentredData
        if mode == "svd":
            self.data = gather_data(problem)
            self.cross = self.data.adjoint(self.Y)
            self._from_singular_values()
        elif self.by_rows:
            self.data, self.cross = gather_products(problem, self.Y)
            self._from_outer_gram()
        else:
            equations, self.data = gather_equations(problem, precise=True)
            self.cross = equations.cross
            self.factors = Eigenvalues.of(equations.gram, equations.cross)

    def _from_outer_gram(self) -> None:
        K = self.data.outer_gram()
        if self.problem.fit_intercept:  # along u, where K is zero, it gets a number of its own
            self.gap = float(np.trace(K)) / self.problem.n or 1.0
            K += self.gap / self.problem.total * (self.root @ self.root.T)
        self.factors = Tridiagonal.of(K, self.root * self.Y)

    def _from_singular_values(self) -> None:
        Z, B = self.data.scaled_copy(), self.root * self.Y
        if not self.by_rows:
            U, sigma, Vt = scipy.linalg.svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
            self.factors = Eigenvalues(Vt.T, sigma**2, sigma[:, None] * (U.T @ B))
            return
        if self.problem.fit_intercept:  # a further column along u does to Z Z^T what is done to K above
            self.gap = 2.0 * float(np.sum(Z * Z)) or 1.0
            Z = np.hstack([Z, np.sqrt(self.gap / self.problem.total) * self.root])
        U, sigma, _ = scipy.linalg.svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
        self.factors = Eigenvalues(U, sigma**2, U.T @ B)

    def coefficients(self, alpha: Array) -> Array:
        """Return W (d, k) for one alpha a target."""
        inner = self.factors.solve(alpha)
        return self.data.adjoint(inner / self.root) if self.by_rows else inner

    def solution(self, alpha: Array) -> Solution:
        """Return the solution for one alpha a target, with its gradient measured on the data."""
        problem, data = self.problem, self.data
        W = self.coefficients(alpha)
        _, products, squares = data.residual_products(self.Y, W)
        y_square = float(np.sum((self.root * self.Y) ** 2))
        start = problem.start(self.cross, data.x_mean, self.y_mean, y_square)
        intercept = self.y_mean - data.x_mean @ W
        method = "one factorisation for all alphas"
        return Solution(W, intercept, squares, products - alpha * W, *start, method=method)

    def path(self, alphas: Array) -> tuple[Array, Array]:
        """Return W (n_alphas, d, k) and the intercepts (n_alphas, k) on the user's data, for every alpha."""
        inner = self.factors.solve_all(alphas)
        W = inner.reshape(len(inner), -1)
        if self.by_rows:
            W = self.data.adjoint(W / self.root)
        W = np.ascontiguousarray(W.reshape(self.problem.d, -1, len(alphas)).transpose(2, 0, 1))
        return self.problem.unframed(W, self.y_mean - self.data.x_mean @ W)

    def left_out(self, alphas: Array) -> Array:
        """Return the errors ``y_i - prediction_i`` with sample i left out, (n, k, n_alphas), weighted by sqrt(s_i).

        In the units of the user's target.
        """
        errors = self._left_out_by_rows(alphas) if self.by_rows else self._left_out_by_columns(alphas)
        return np.asarray(scaled(errors, self.problem.target_exponent))

    def _left_out_by_rows(self, alphas: Array) -> Array:
        diagonal = self.factors.diagonal(alphas)
        if self.problem.fit_intercept:
            diagonal = diagonal - self.root**2 / self.problem.total / (self.gap + alphas)
        return np.asarray(self.factors.solve_all(alphas) / diagonal[:, None, :])

    def _left_out_by_columns(self, alphas: Array) -> Array:
        factors, k = self.factors, self.Y.shape[1]
        assert isinstance(factors, Eigenvalues)
        filters = 1.0 / (factors.values[:, None] + alphas)  # (d, n_alphas)
        weights_of_targets = (factors.targets[:, :, None] * filters[:, None, :]).reshape(len(filters), -1)
        errors = np.empty((self.problem.n, k, len(alphas)))
        own = self.root**2 / self.problem.total if self.problem.fit_intercept else np.zeros((1, 1))
        own = np.broadcast_to(own, (self.problem.n, 1))

        def block(start: int, stop: int) -> None:
            rows = slice(start, stop)
            Q = self.root[rows] * self.data.forward_rows(rows, factors.vectors)  # these rows of Z V
            fitted = (Q @ weights_of_targets).reshape(-1, k, len(alphas))
            residuals = (self.root[rows] * self.Y[rows])[:, :, None] - fitted
            leverage = (Q * Q) @ filters + own[rows]
            errors[rows] = residuals / (1.0 - leverage)[:, None, :]

        from steepest.kernels.blas import one_blas_thread

        with one_blas_thread():
            map_blocks(block, self.problem.n, 1024)
        return errors
