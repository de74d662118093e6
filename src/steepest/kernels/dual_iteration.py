r"""Conjugate gradients on the dual system of least squares, compiled as a whole: nothing but passes over the data.

For X (n, d) with n < d, the root t of the weights (ones without) and Z = diag(t) Xc, the system is ``(Z Z^T + ridge I)
a = b`` with b, and so a, orthogonal to t. The means of the columns then drop out on one side of the matrix, and are
taken out by a projection on the other::

    Z^T p   = X^T (t p)                                   as sum_i t_i p_i = 0
    Z Z^T p = q - t (t.q) / (t.t)   with q = t (X Z^T p)  as the means add a multiple of t

Between two passes lie a few operations on vectors of n numbers, done by the leader of the team; the other threads wait
in compiled code.
"""

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.residual import ResidualPasses, pass_in_team
from steepest.kernels.room import vector
from steepest.kernels.team import Team
from steepest.typing import Array, IntArray

AT_A_TIME = 4  # iterations, before somebody looks at their progress


def reference_dual_product(X: Array, root: Array, p: Array, *, centre: bool) -> Array:
    """Return ``Z Z^T p``: the formula as it is read."""
    Z = root[:, None] * (X - (root**2 @ X) / (root @ root) * centre)
    return np.asarray(Z @ (Z.T @ p))


class DualIteration:
    """Conjugate gradients on ``(Z Z^T + ridge I) a = b``, with products in the precision of X, all else in double.

    Parameters
    ----------
    X : array (n, d)
        The data; any constant may have been taken from a column.
    root : array (n,)
        Square roots of the weights.
    ridge : float
        Not negative.
    centre : bool
        Whether the means are to be taken out; then every b must be orthogonal to ``root``.

    Attributes
    ----------
    solution, residual : arrays (n,)
        a and ``b - (Z Z^T + ridge I) a``, as iterated so far.
    """

    def __init__(self, X: Array, root: Array, ridge: float, *, centre: bool) -> None:
        n = len(root)
        self._passes = passes = ResidualPasses(X.T, None, np.zeros(n), X.dtype)
        self.solution, self.residual, self._direction = np.zeros((3, n))
        self._numbers = np.array([ridge, np.inf if not centre else root @ root, 0.0, 0.0])
        self._squares = np.zeros(AT_A_TIME)
        self._root = root
        own = root, self.solution, self.residual, self._direction, self._numbers, self._squares
        self._team = Team(_iterate_in_team, passes.n_chunks, *passes.arguments, *own)

    def begin(self, b: Array) -> None:
        """Start at zero with a right side."""
        self.solution[:] = 0.0
        self.residual[:] = self._direction[:] = b
        self._numbers[2] = b @ b

    def advance(self, goal: float) -> list[float]:
        """Do some iterations, until the residual is at most ``goal`` long; return its length after each.

        None are done where there is nothing to gain, or a direction has no curvature.
        """
        self._squares[:] = -1.0
        self._numbers[3] = goal**2
        self._team.run()
        lengths: list[float] = np.sqrt(self._squares[self._squares >= 0.0]).tolist()
        return lengths

    def adjoint(self) -> Array:
        """Return ``Z^T a`` (d,) of the solution: products in the precision of X, scaled so as not to overflow."""
        size = float(np.max(np.abs(self.solution), initial=0.0)) or 1.0
        residuals = self._passes.products(0.0, self._root * self.solution / size)[0]
        return residuals * np.float64(-size)


@compiled
def _iterate_in_team(
    counters: IntArray, leads: bool, n_chunks: int, X: Array, y: Array, s: Array, x_mean: Array,
    w: Array, chunk: int, r: Array, g: Array, rss: Array, root: Array, solution: Array, residual: Array,
    direction: Array, numbers: Array, squares: Array,
) -> None:  # fmt: skip
    """Lead iterations, or take part in their passes; reference: the formulas above, and Hestenes and Stiefel's."""
    ridge, mass, square, goal = numbers
    image, size = vector(len(root), root), 0.0
    for done in range(len(squares)):
        if leads:
            size = _scaled(direction, root, w) if square > goal else 0.0
            if size == 0.0:
                break
        pass_in_team(counters, leads, n_chunks, X, y, s, x_mean, w, chunk, r, g, rss)
        if not leads:
            return
        curvature = _image(g, root, direction, ridge, mass, size, image)
        if not curvature > 0.0:
            break
        square = _move(solution, residual, direction, image, square / curvature, square)
        squares[done] = square
    numbers[2] = square


@borrowing
def _scaled(direction: Array, root: Array, w: Array) -> float:
    """Write the direction times the roots to ``w``, scaled, lest single precision overflow; return the scale."""
    size = 0.0
    for i in range(len(root)):
        size = max(size, abs(direction[i] * root[i]))
    for i in range(len(root)):
        w[i] = direction[i] * root[i] / size
    return size


@borrowing
def _image(g: Array, root: Array, direction: Array, ridge: float, mass: float, size: float, image: Array) -> float:
    """Write the matrix times the direction, from the sums of a pass; return their inner product."""
    for i in range(len(root)):
        image[i] = 0.0
    for c in range(len(g)):
        for i in range(len(root)):
            image[i] -= g[c, i]  # the residuals of the pass, 0 - X^T w, have the other sign
    shift, curvature = 0.0, 0.0
    for i in range(len(root)):
        image[i] *= size * root[i]
        shift += image[i] * root[i] / mass
    for i in range(len(root)):
        image[i] += ridge * direction[i] - shift * root[i]
        curvature += image[i] * direction[i]
    return curvature


@borrowing
def _move(
    solution: Array, residual: Array, direction: Array, image: Array, step: float, previous: float
) -> float:  # fmt: skip
    """Go a step along the direction, and turn to the next; return the residual's square, which was ``previous``."""
    square = 0.0
    for i in range(len(solution)):
        solution[i] += step * direction[i]
        residual[i] -= step * image[i]
        square += residual[i] * residual[i]
    for i in range(len(solution)):
        direction[i] = residual[i] + square / previous * direction[i]
    return square
