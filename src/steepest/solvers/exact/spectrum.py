r"""All ridge fits from one factorisation.

The eigenvectors of a Gram matrix do not depend on the strength of the penalty. With ``Z = S^1/2 Xc`` and
``B = S^1/2 Yc``, for more samples than features, and for fewer::

    Z^T Z = V diag(lambda) V^T     W(alpha) = V diag(1 / (lambda + alpha)) V^T Z^T B
    Z Z^T = U diag(lambda) U^T     W(alpha) = Z^T U diag(1 / (lambda + alpha)) U^T B

and from the singular values ``Z = U diag(sigma) V^T`` both with ``lambda = sigma^2``. A further alpha costs products
with small matrices only.

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

import numpy as np
import scipy.linalg

from steepest.kernels.threads import map_blocks
from steepest.solvers.exact.data import CentredData
from steepest.solvers.exact.primal import NormalEquations
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.typing import Array

MODES = ("auto", "eigen", "svd")


class Spectrum:
    """One factorisation of a least-squares problem, and the ridge fits that follow from it.

    Parameters
    ----------
    problem : LeastSquares
        Its own ridge is not looked at.
    equations, data
        The normal equations, where there are at least as many samples as features; the data, elsewhere.
    mode : {"eigen", "svd"}
        Eigenvalues of the smaller Gram matrix, or singular values of the data, which is slower and keeps twice as many
        digits of the small ones.
    """

    def __init__(
        self, problem: LeastSquares, equations: NormalEquations | None, data: CentredData, mode: str = "eigen"
    ) -> None:
        self.problem, self.data = problem, data
        self.Y, self.y_mean = problem.centred_target()
        self.root = np.ones((problem.n, 1)) if problem.weights is None else np.sqrt(problem.weights)[:, None]
        self.by_rows = problem.n <= problem.d
        self.gap = 0.0
        if mode == "svd":
            self._from_singular_values()
        elif self.by_rows:
            self._from_outer_gram()
        else:
            assert equations is not None
            self._from_gram(equations)

    def _from_gram(self, equations: NormalEquations) -> None:
        values, self.vectors = scipy.linalg.eigh(equations.gram, overwrite_a=True, driver="evd", check_finite=False)
        self.values = np.maximum(values, 0.0)
        self.targets = self.vectors.T @ equations.cross

    def _from_outer_gram(self) -> None:
        K = self.data.outer_gram()
        if self.problem.fit_intercept:  # u, along which K is zero, gets an eigenvalue of its own: it stays apart
            self.gap = 2.0 * float(np.trace(K)) or 1.0
            K += self.gap / self.problem.total * (self.root @ self.root.T)
        values, self.vectors = scipy.linalg.eigh(K, overwrite_a=True, driver="evd", check_finite=False)
        self.values = np.maximum(values, 0.0)
        self.targets = self.vectors.T @ (self.root * self.Y)

    def _from_singular_values(self) -> None:
        Z, B = self.data.scaled_copy(), self.root * self.Y
        if not self.by_rows:
            U, sigma, Vt = scipy.linalg.svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
            self.vectors, self.values, self.targets = Vt.T, sigma**2, sigma[:, None] * (U.T @ B)
            return
        if self.problem.fit_intercept:  # a further column along u does to Z Z^T what is done to K above
            self.gap = 2.0 * float(np.sum(Z * Z)) or 1.0
            Z = np.hstack([Z, np.sqrt(self.gap / self.problem.total) * self.root])
        self.vectors, sigma, _ = scipy.linalg.svd(Z, full_matrices=False, overwrite_a=True, check_finite=False)
        self.values, self.targets = sigma**2, self.vectors.T @ B

    def coefficients(self, alpha: Array) -> Array:
        """Return W (d, k) for one alpha, or one a target."""
        inner = self.vectors @ (self.targets / (self.values[:, None] + alpha))
        return self.data.adjoint(inner / self.root) if self.by_rows else np.asarray(inner)

    def solution(self, alpha: Array) -> Solution:
        """Return the solution for one alpha a target, with its gradient measured on the data."""
        problem, data = self.problem, self.data
        W = self.coefficients(alpha)
        _, products, squares = data.residual_products(self.Y, W)
        y_square = float(np.sum((self.root * self.Y) ** 2))
        cross = data.adjoint(self.Y)
        start = problem.start(cross, data.x_mean, self.y_mean, y_square)
        intercept = self.y_mean - data.x_mean @ W
        method = "one factorisation for all alphas"
        return Solution(W, intercept, squares, products - alpha * W, *start, method=method)

    def path(self, alphas: Array) -> Array:
        """Return W for every alpha, (n_alphas, d, k)."""
        filtered = self.targets[None] / (self.values[None, :, None] + alphas[:, None, None])
        inner = self.vectors @ filtered.transpose(1, 0, 2).reshape(len(self.values), -1)
        if self.by_rows:
            inner = self.data.adjoint(inner / self.root)
        return np.ascontiguousarray(inner.reshape(self.problem.d, len(alphas), -1).transpose(1, 0, 2))

    def left_out(self, alphas: Array) -> Array:
        """Return the errors ``y_i - prediction_i`` with sample i left out, (n, k, n_alphas), weighted by sqrt(s_i)."""
        return self._left_out_by_rows(alphas) if self.by_rows else self._left_out_by_columns(alphas)

    def _left_out_by_rows(self, alphas: Array) -> Array:
        filters = 1.0 / (self.values[:, None] + alphas)  # (n, n_alphas)
        k = self.Y.shape[1]
        A = self.vectors @ (self.targets[:, :, None] * filters[:, None, :]).reshape(self.problem.n, -1)
        diagonal = (self.vectors * self.vectors) @ filters
        if self.problem.fit_intercept:
            diagonal -= self.root**2 / self.problem.total / (self.gap + alphas)
        errors = A.reshape(self.problem.n, k, len(alphas)) / diagonal[:, None, :]
        return np.asarray(errors)

    def _left_out_by_columns(self, alphas: Array) -> Array:
        filters = 1.0 / (self.values[:, None] + alphas)  # (d, n_alphas)
        k = self.Y.shape[1]
        weights_of_targets = (self.targets[:, :, None] * filters[:, None, :]).reshape(len(self.values), -1)
        errors = np.empty((self.problem.n, k, len(alphas)))
        own = self.root**2 / self.problem.total if self.problem.fit_intercept else np.zeros((1, 1))
        own = np.broadcast_to(own, (self.problem.n, 1))

        def block(start: int, stop: int) -> None:
            rows = slice(start, stop)
            Q = self.root[rows] * self.data.forward_rows(rows, self.vectors)  # these rows of Z V
            fitted = (Q @ weights_of_targets).reshape(-1, k, len(alphas))
            residuals = (self.root[rows] * self.Y[rows])[:, :, None] - fitted
            leverage = (Q * Q) @ filters + own[rows]
            errors[rows] = residuals / (1.0 - leverage)[:, None, :]

        from steepest.kernels.blas import one_blas_thread

        with one_blas_thread():
            map_blocks(block, self.problem.n, 1024)
        return errors
