r"""The normal equations of a filter and its bias: a bordered Toeplitz system.

Notes
-----
Setting both gradients of `steepest.objectives.filter.FilterObjective` to zero gives::

    [ G     s 1 ] [w]   [c]        G = R + ridge I,  R_ij = r_|i-j|  (Toeplitz),  c = X^T y
    [ s 1^T n   ] [b] = [t]        s = sum x,  t = sum y,  n = number of samples of y

Elimination of w (Schur complement) keeps the structure: with ``v = G^-1 1`` and ``u = G^-1 c`` the first row reads
``w = u - s b v``, and inserted in the second::

    b (n - s^2 1^T v) = t - s 1^T u

``n - s^2 1^T v`` is, for ridge = 0, the squared distance of the vector of ones from the space of the shifted signals:
positive, unless a constant is itself a filtered x. The inverse of the bordered matrix, of which standard errors need
the diagonal, has there ``(G^-1)_ii + (s v_i)^2 / (n - s^2 1^T v)``, and ``1 / (n - s^2 1^T v)`` for the bias.
"""

from dataclasses import dataclass

import numpy as np

from steepest.solvers.filter_problem import FilterProblem
from steepest.solvers.toeplitz import SymmetricToeplitz, ToeplitzInverse, largest_eigenvalue
from steepest.typing import Array

ROUNDING = 1e-15  # of the gradient at zero: what summing the data leaves
WORST_CONDITION = 1e11  # of the normal equations: beyond, fewer than five digits would be left


@dataclass
class NormalEquations:
    """The matrix of the normal equations and its inverse.

    Attributes
    ----------
    problem : FilterProblem
        Where they come from.
    matrix : SymmetricToeplitz
        G.
    inverse : ToeplitzInverse
        Its inverse.
    """

    problem: FilterProblem
    matrix: SymmetricToeplitz
    inverse: ToeplitzInverse
    words = "normal equations (Toeplitz, bordered by the bias)"

    @classmethod
    def of(cls, problem: FilterProblem) -> "NormalEquations | None":
        """Return the normal equations, or None where they are too ill-conditioned to be relied on."""
        matrix = SymmetricToeplitz(problem.gram())
        inverse = matrix.inverse()
        if inverse is None:
            return None
        equations = cls(problem, matrix, inverse)
        return equations if equations._sound else None

    def __post_init__(self) -> None:
        """Solve for the border."""
        self.bias = self.problem.fit_bias
        self.border, self.corner = float(self.problem.x.sum()), float(self.problem.y.size)
        if self.bias:
            self.ones = self.inverse.solve(np.ones(self.matrix.size))
            self.schur = self.corner - self.border**2 * float(self.ones.sum())

    def solution(self, target: Array) -> Array:
        """Return theta for ``target = [X, 1]^T y``, refined unless the gradient, from the data, is rounding alone."""
        theta = self.solve(target, refine=False)
        gradient = self.problem.gradient(theta)
        if np.linalg.norm(gradient) <= ROUNDING * np.linalg.norm(target):
            return theta
        return theta - self.solve(gradient)

    def product(self, theta: Array) -> Array:
        """Return the bordered matrix times ``theta``."""
        if not self.bias:
            return self.matrix.product(theta)
        w, b = theta[:-1], theta[-1]
        return np.append(self.matrix.product(w) + self.border * b, self.border * w.sum() + self.corner * b)

    def solve(self, target: Array, *, refine: bool = True) -> Array:
        """Return the inverse of the bordered matrix times ``target``."""
        inverse = self.inverse.solve if refine else self.inverse.apply
        if not self.bias:
            return inverse(target)
        u = inverse(target[:-1])
        b = (target[-1] - self.border * u.sum()) / self.schur
        return np.append(u - self.border * b * self.ones, b)

    def condition_number(self) -> float:
        """Return an estimate of the condition number of the data: the root of that of this matrix."""
        size = self.matrix.size + self.bias
        return float(np.sqrt(largest_eigenvalue(self.product, size) * largest_eigenvalue(self.solve, size)))

    def variances(self) -> tuple[Array, float]:
        """Return the variances of theta for noise of variance 1, and the effective number of parameters.

        With H the bordered matrix and D = ridge (0 for the bias) on its diagonal, ``theta = H^-1 X^T y`` has the
        covariance ``H^-1 X^T X H^-1 = H^-1 - H^-1 D H^-1``, and the fit ``X H^-1 X^T y`` has the trace
        ``p - tr(H^-1 D)``.
        """
        diagonal, k, ridge = self._inverse_diagonal(), self.matrix.size, self.problem.ridge
        parameters = len(diagonal) - ridge * float(diagonal[:k].sum())
        if ridge == 0:
            return diagonal, parameters
        variances = np.empty_like(diagonal)
        for i in range(len(diagonal)):
            unit = np.zeros(len(diagonal))
            unit[i] = 1.0
            column = self.solve(unit)
            variances[i] = column[i] - ridge * float(column[:k] @ column[:k])
        return variances, parameters

    def _inverse_diagonal(self) -> Array:
        diagonal = self.inverse.diagonal()
        if not self.bias:
            return diagonal
        return np.append(diagonal + (self.border * self.ones) ** 2 / self.schur, 1.0 / self.schur)

    @property
    def _sound(self) -> bool:
        """Whether the solution can be relied on: the matrix is positive definite by far more than rounding."""
        if self.bias and not self.schur > np.finfo(float).eps ** 0.75 * self.corner:
            return False
        diagonal = self._inverse_diagonal()
        lower_bound = float(diagonal[: self.matrix.size].max()) * self.matrix.r[0]  # on the condition number
        return bool(np.all(diagonal > 0) and lower_bound < WORST_CONDITION)
