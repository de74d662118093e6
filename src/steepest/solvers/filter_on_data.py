r"""Least squares over a filter on the data itself, where the normal equations are too ill-conditioned.

The normal equations have the square of the condition number of the data. Both ways here avoid them, and give the
solution of least norm where several exist.
"""

from math import inf

import numpy as np

from steepest.solvers.filter_problem import FilterProblem
from steepest.typing import Array

MAX_ITERATIONS = 20_000


class SingularValues:
    """The problem as a dense matrix [X, 1] (with the root of the ridge below), decomposed.

    Notes
    -----
    With ``[X, 1] = U S V^T`` the solution of least norm is ``theta = V S^-1 U^T y``, where singular values below
    rounding count as infinite; its covariance for noise of variance 1 is ``V S^-1 U_1^T U_1 S^-1 V^T``, U_1 being the
    rows of U that belong to data, and the fit ``U_1 U_1^T y`` has the trace ``|U_1|^2``.
    """

    words = "singular values of the data"

    def __init__(self, problem: FilterProblem) -> None:
        X, k = problem.matrix().astype(np.float64), problem.filter_length
        self.data = problem.y.ravel()
        if problem.ridge:
            X = np.vstack([X, np.sqrt(problem.ridge) * np.eye(k, X.shape[1])])
        left, self.values, right = np.linalg.svd(X, full_matrices=False)
        self.kept = self.values > max(X.shape) * np.finfo(float).eps * max(self.values[0], np.finfo(float).tiny)
        self.left = left[: self.data.size, self.kept]
        self.scaled = right[self.kept].T / self.values[self.kept]
        self.determined = self.kept.all() and len(self.values) == X.shape[1]
        self.free = np.sum(right[self.kept] ** 2, axis=0) < 1 - 1e-8

    def solution(self, target: Array) -> Array:
        """Return theta; the target ``[X, 1]^T y`` is not needed."""
        return np.asarray(self.scaled @ (self.left.T @ self.data))

    def condition_number(self) -> float:
        """Return the condition number of the data; infinity if the solution is not unique."""
        return float(self.values[0] / self.values[-1]) if self.determined else inf

    def variances(self) -> tuple[Array, float]:
        """Return the variances of theta for noise of variance 1, infinite for what the data leave free."""
        variances = np.sum((self.scaled @ self.left.T) ** 2, axis=1)
        variances[self.free] = inf
        return variances, float(np.sum(self.left**2))


class ConjugateGradients:
    """Conjugate gradients on least squares (Hestenes and Stiefel, 1952), each product by transforms.

    Notes
    -----
    The residual e of the data is kept beside theta, so that the gradient ``X^T e`` is computed without the normal
    equations. The Rayleigh quotients met on the way lie between the extreme eigenvalues of the normal equations: they
    bound the condition number from below.
    """

    words = "conjugate gradients on the data"

    def __init__(self, problem: FilterProblem) -> None:
        self.problem = problem
        self.smallest, self.largest = inf, 0.0

    def solution(self, target: Array) -> Array:
        """Return theta for ``target = [X, 1]^T y``."""
        problem, k = self.problem, self.problem.filter_length
        theta, e = problem.start().astype(np.float64), problem.y.astype(np.float64)
        g = target
        direction, squared = g, float(g @ g)
        first = squared
        for _ in range(MAX_ITERATIONS):
            if squared <= 1e-28 * first:
                break
            image = problem.product(direction)
            curvature = float(np.sum(image**2)) + problem.ridge * float(direction[:k] @ direction[:k])
            rayleigh = curvature / float(direction @ direction)
            self.smallest, self.largest = min(self.smallest, rayleigh), max(self.largest, rayleigh)
            step = squared / curvature
            theta, e = theta + step * direction, e - step * image
            g = problem.pull_back(e)
            g[:k] -= problem.ridge * theta[:k]
            previous, squared = squared, float(g @ g)
            direction = g + (squared / previous) * direction
        return theta

    def condition_number(self) -> float:
        """Return a lower bound on the condition number of the data."""
        return float(np.sqrt(self.largest / self.smallest)) if self.largest > 0 else inf

    def variances(self) -> tuple[Array, float]:
        """Return NaN: no inverse is at hand."""
        size = self.problem.filter_length + self.problem.fit_bias
        return np.full(size, np.nan), float(size)
