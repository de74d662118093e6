"""A quadratic, and how a squared loss over many rows is summed up in one."""

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from steepest.typing import Array

BLOCK_ROWS = 8192  # rows summed up at a time: few enough to stay in the cache
DENSE_EIGENVALUES = 400  # from this size on, the largest eigenvalue is cheaper by Lanczos' method


class PenaltyOnParameters(Protocol):
    """The penalty of an objective, as a function of the flat parameters."""

    def penalty_value(self, theta: Array) -> float:
        """Return ``P(theta)``."""

    def penalty_gradient(self, theta: Array) -> Array:
        """Return ``dP/dtheta``."""

    def prox(self, theta: Array, step: float) -> Array:
        """Return the prox of ``step P``."""

    def penalty_lipschitz(self) -> float:
        """Return the largest curvature of ``P``."""


class QuadraticObjective:
    r"""``J(theta) = d^T H d / 2 - c^T d + constant + P(theta)`` with ``d = theta - centre``.

    Parameters
    ----------
    H : array (p, p)
        The Hessian; symmetric.
    c : array (p,) or (p, k), default 0
        Minus the gradient at ``centre``; with k columns there are k independent quadratics with the same H.
    constant : float, default 0
        The value at ``centre``.
    centre : array (p,) or (p, k), default 0
        The point the quadratic is written around.
    penalty : optional
        An objective whose penalty P is added.

    Notes
    -----
    Shapes: theta (p k,) is the flat (p, k); H acts on each column. From the symmetry of H::

        dJ = d^T H dd - c^T dd        gradient  H d - c
                                      Hessian   H (once a column)

    A value near the minimum is a small number. Written around 0 it would come out as the difference of large ones and
    lose its digits; written around a centre near the minimum it is ``constant``, which was measured there, plus terms
    that vanish with d.

    Examples
    --------
    >>> import numpy as np
    >>> objective = QuadraticObjective(np.array([[2.0]]), np.array([4.0]))  # x^2 - 4 x
    >>> objective.value_and_gradient(np.array([3.0]))
    (-3.0, array([2.]))
    """

    def __init__(
        self,
        H: Array,
        c: Array | None = None,
        constant: float = 0.0,
        *,
        centre: Array | None = None,
        penalty: PenaltyOnParameters | None = None,
    ) -> None:
        self.H = np.asarray(H, dtype=np.float64)
        self.c = np.zeros(len(self.H)) if c is None else np.asarray(c, dtype=np.float64)
        self.centre = np.zeros_like(self.c) if centre is None else np.asarray(centre, dtype=np.float64)
        self.constant, self.penalty = constant, penalty

    def smooth_value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the quadratic and its gradient."""
        d = theta.reshape(self.c.shape) - self.centre
        slope = self.H @ d - self.c
        value = 0.5 * float(np.vdot(d, slope - self.c)) + self.constant  # d^T (H d - 2 c) / 2
        return value, slope.ravel().astype(theta.dtype, copy=False)

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self.smooth_value_and_gradient(theta)[0] + self.penalty_value(theta)

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        slope = (self.H @ (theta.reshape(self.c.shape) - self.centre) - self.c).ravel().astype(theta.dtype, copy=False)
        return slope if self.penalty is None else slope + self.penalty.penalty_gradient(theta)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient."""
        value, gradient = self.smooth_value_and_gradient(theta)
        if self.penalty is None:
            return value, gradient
        return value + self.penalty.penalty_value(theta), gradient + self.penalty.penalty_gradient(theta)

    def penalty_value(self, theta: Array) -> float:
        """Return ``P(theta)``."""
        return 0.0 if self.penalty is None else self.penalty.penalty_value(theta)

    def prox(self, theta: Array, step: float) -> Array:
        """Return the prox of ``step P``."""
        return theta if self.penalty is None else self.penalty.prox(theta, step)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the quadratic, (n_parameters, n_parameters)."""
        n_columns = self.c.size // len(self.H)
        return np.kron(self.H, np.eye(n_columns))

    @cached_property
    def _largest(self) -> float:
        if len(self.H) < DENSE_EIGENVALUES:
            return float(np.linalg.eigvalsh(self.H)[-1])
        from scipy.sparse.linalg import eigsh  # slow to import, seldom needed

        start = np.random.default_rng(0).standard_normal(len(self.H))
        return float(eigsh(self.H, k=1, v0=start, tol=1e-6, return_eigenvectors=False)[0]) * (1.0 + 1e-5)

    def lipschitz(self) -> float:
        """Return the largest eigenvalue of H."""
        return max(self._largest, 0.0)

    def penalty_lipschitz(self) -> float:
        """Return the largest curvature of the penalty."""
        return 0.0 if self.penalty is None else self.penalty.penalty_lipschitz()


def sum_up(linear: Any, factor: float) -> QuadraticObjective:
    r"""Return a linear objective with the loss ``factor (z - y)^2 / 2`` as a quadratic.

    Parameters
    ----------
    linear : LinearObjective
        The objective; X may be sparse, weights and several outputs are allowed.
    factor : float
        The curvature of the loss.

    Notes
    -----
    With x_i extended by a 1 for the intercept, weights r s_i and z_i = x_i^T theta::

        F(theta) = sum_i r s_i f (x_i^T theta - y_i)^2 / 2
        H        = f sum_i r s_i x_i x_i^T                   one pass over the rows, O(n p^2)

    F is written around its least-squares solution; value and gradient there come from the rows themselves, not from H,
    so that both keep their digits however small the residuals are. A step then costs O(p^2) instead of O(n p).
    """
    H, moments = _moments(linear.X, linear.y, linear.reduction, linear.fit_intercept)
    flat_centre = np.linalg.lstsq(H, moments)[0].ravel().astype(linear.X.dtype)
    constant, gradient = linear.smooth_value_and_gradient(flat_centre)
    shape = moments.shape
    return QuadraticObjective(
        factor * H, -gradient.reshape(shape), constant, centre=flat_centre.reshape(shape), penalty=linear
    )


def _moments(X: Any, y: Array, reduction: Any, fit_intercept: bool) -> tuple[Array, Array]:
    """Return ``Z^T S Z`` and ``Z^T S y`` in double precision, Z = [X, 1], block of rows by block of rows."""
    n, p = X.shape[0], X.shape[1] + fit_intercept
    H, moments = np.zeros((p, p)), np.zeros((p, *y.shape[1:]))
    for start in range(0, n, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        Z = _extended(X[rows], fit_intercept)
        targets = y[rows]
        if reduction.weights is None:
            product, weighted = Z.T @ Z, targets
        else:
            s = reduction.weights[rows]
            product = Z.T @ (Z.multiply(s[:, None]) if sparse.issparse(Z) else Z * s[:, None])
            weighted = targets * s.reshape(-1, *([1] * (targets.ndim - 1)))
        H += product.toarray() if sparse.issparse(product) else product
        moments += Z.T @ weighted
    return reduction.factor * H, reduction.factor * moments


def _extended(block: Any, fit_intercept: bool) -> Any:
    """Return rows of X with a column of ones where there is an intercept."""
    if not fit_intercept:
        return block
    ones = np.ones((block.shape[0], 1), dtype=block.dtype)
    return sparse.hstack([block, ones], format="csr") if sparse.issparse(block) else np.hstack([block, ones])
