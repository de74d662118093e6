"""The least-squares problem that an objective poses, and what solves it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ldexp
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from steepest.certificate import Certificate
from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import length
from steepest.solvers.exact.frame import framed, scaled, size_exponent
from steepest.typing import Array


class LeastSquaresObjective(Protocol):
    """What is asked of an objective: squared residuals of a linear score, and at most a squared L2 penalty."""

    X: Any
    y: Array
    loss: Any
    penalty: Any
    reduction: Any
    fit_intercept: bool

    def pack(self, coefficients: Array, intercept: Any = 0.0) -> Array:
        """Return flat parameters for coefficients and intercept."""

    def start(self) -> Array:
        """Return all zeros."""


@dataclass
class Solution:
    """A minimum of ``sum_i s_i |y_i - x_i^T W - b|^2 + ridge |W|^2``, with its evidence.

    In the units and from the origin of the problem (:mod:`~steepest.solvers.exact.frame`), but for the start.

    Attributes
    ----------
    coefficients : array (d, k)
        W, in double precision.
    intercept : array (k,)
        b; zeros where there is none.
    residual_square : array (k,)
        ``sum_i s_i r_i^2``.
    gradient : array (d, k)
        ``sum_i s_i (x_i - m) r_i^T - ridge W``, -1/f times the gradient, as it was last measured. The gradient by the
        intercept is 0 by construction.
    start_square : float
        ``sum_i s_i |y_i|^2``: the objective at zero, times 2 / f.
    start_gradient : float
        Length of the gradient at zero (intercept included), divided by f; both in the user's units.
    first : float
        The same in the frame, like ``gradient``.
    method : str
        Which way was taken, in words.
    rank : int or None
        Rank of the centred, weighted X; None where the method does not learn it.
    gram : array, callable or None
        The smaller Gram matrix, of which the eigenvalues are the squared singular values; kept where it was formed, or
        a function that forms it.
    singular_values : array or None
        The singular values where the method has them.
    iterations : int
        Iterations, for an iterative method.
    rounding : float
        Bound on what ``gradient`` may be off by, where it was computed on the Gram matrix; 0 where on the data.
    exponent : int
        The unit of X, and so of the singular values, is 2 to this power.
    """

    coefficients: Array
    intercept: Array
    residual_square: Array
    gradient: Array
    start_square: float
    start_gradient: float
    first: float
    method: str
    rank: int | None = None
    gram: Array | Callable[[], Array] | None = None
    singular_values: Array | None = None
    iterations: int = 1
    rounding: float = 0.0
    exponent: int = 0


class LeastSquares:
    r"""``J = (f / 2) (sum_i s_i |y_i - x_i^T W - b|^2 + sum_jk ridge_k W_jk^2)``, read off an objective.

    Notes
    -----
    The objective's data term is ``factor sum_i s_i l(r_i)`` with ``l = smoothness r^2 / 2``, its penalty
    ``l2 |W|^2 / 2``. Hence ``f = factor * smoothness`` and ``ridge = l2 / f``.

    The intercept goes first. ``dJ/db = -f sum_i s_i r_i = 0`` gives ``b = y_mean - x_mean^T W`` with the weighted
    means, and with it every residual becomes ``r = (y - y_mean) - (x - x_mean)^T W``: least squares without intercept
    on centred data, Xc and Yc. Setting the gradient by W to zero gives the normal equations::

        (Xc^T S Xc + ridge I) W = Xc^T S Yc

    X, Y and ``ridge`` are in the frame in which they are solved; ``theta``, ``value`` and ``gradient_norm`` give what
    belongs to the user's data.
    """

    def __init__(self, objective: LeastSquaresObjective) -> None:
        self.objective = objective
        self.X = objective.X
        self.Y = objective.y.reshape(len(objective.y), -1)
        self.weights = None
        if objective.reduction.weights is not None:
            self.weights = np.asarray(objective.reduction.weights, dtype=np.float64)
        self.fit_intercept = objective.fit_intercept
        self._drop_weightless()
        self.scale = float(objective.reduction.factor * objective.loss.smoothness)
        l2 = np.asarray(objective.penalty.l2, dtype=np.float64)
        ridge = np.array(np.broadcast_to(l2, (self.Y.shape[1],))) / self.scale
        self.frame = framed(self.X, float(ridge.min(initial=np.inf)), self.fit_intercept)
        self.X = self.frame.X
        self.ridge = self.framed_ridge(ridge)
        self.target_exponent = size_exponent(self.Y)
        self.Y = scaled(self.Y, -self.target_exponent)
        self.squared_units(1.0)  # refuse at once what would overflow later
        self.n, self.d = self.X.shape
        self.total = float(self.n if self.weights is None else self.weights.sum())
        if self.total <= 0:
            raise InvalidInputError("sample_weight sums to 0: at least one sample must have a weight above 0")

    def _drop_weightless(self) -> None:
        """Leave out rows of weight 0: they do not matter, and dividing by their weight would."""
        if self.weights is not None and not self.weights.all():
            kept = np.flatnonzero(self.weights)
            self.X, self.Y, self.weights = self.X[kept], self.Y[kept], self.weights[kept]

    @property
    def sparse(self) -> bool:
        """Whether X is."""
        return bool(sparse.issparse(self.X))

    @property
    def eps(self) -> float:
        """The rounding of the data's dtype."""
        return float(np.finfo(self.X.dtype).eps)

    def centred_target(self) -> tuple[Array, Array]:
        """Return Yc (n, k) in double precision, and the means (k,)."""
        Y = self.Y.astype(np.float64)
        if not self.fit_intercept:
            return Y, np.zeros(Y.shape[1])
        first = Y.mean(axis=0)  # once more on what is left: the mean of large numbers is itself rounded
        Y -= first
        rest = Y.mean(axis=0) if self.weights is None else self.weights @ Y / self.total
        Y -= rest
        return Y, first + rest

    def start(self, cross: Array, x_mean: Array, y_mean: Array, y_square: float) -> tuple[float, float, float]:
        """Return ``start_square``, ``start_gradient`` and ``first`` from ``Xc^T S Yc``, the means and ``sum s |Yc|^2``.

        At zero the residuals are y itself: ``X^T S Y = Xc^T S Yc + W x_mean y_mean^T`` and ``1^T S Y = W y_mean``.
        """
        x, y = self.frame.exponent, self.target_exponent
        by_b = self.total * y_mean if self.fit_intercept else np.zeros(1)
        square = self.squared_units(y_square + self.total * float(y_mean @ y_mean))
        by_w = scaled(cross, x) + self.total * np.outer(scaled(x_mean, x) + self.frame.origin, y_mean)
        first = np.hypot(length(cross + self.total * np.outer(x_mean, y_mean)), length(by_b))
        return square, float(scaled(np.hypot(length(by_w), length(by_b)), y)), float(first)

    def squared_units(self, square: float) -> float:
        """Return a square in units of the target, times the square of the unit."""
        try:
            return ldexp(square, 2 * self.target_exponent)
        except OverflowError:
            raise InvalidInputError(
                f"y holds numbers of about {ldexp(1.0, self.target_exponent - 1):.0e}, whose squares overflow: "
                "divide y by that; coefficients and predictions are then divided by it, too"
            ) from None

    def framed_ridge(self, ridge: Array) -> Array:
        """Return ``ridge / u^2``; past the largest numbers there is nothing but the ridge."""
        return np.asarray(np.minimum(scaled(ridge, -2 * self.frame.exponent), ldexp(1.0, 1000)))

    def unframed(self, W: Array, intercept: Array) -> tuple[Array, Array]:
        """Return coefficients (..., d, k) and intercepts (..., k) as they are on the user's data."""
        W = scaled(W, self.target_exponent - self.frame.exponent)
        if not np.isfinite(W).all():
            x, y = (ldexp(1.0, exponent) for exponent in (self.frame.exponent, self.target_exponent))
            raise InvalidInputError(
                f"X of about {x:.0e} and y of about {y:.0e} need coefficients that overflow: scale X"
            )
        return W, scaled(intercept, self.target_exponent) - self.frame.origin @ W

    def pack(self, W: Array, intercept: Array) -> Array:
        """Return the flat parameters for W (d, k) and b (k,)."""
        k = self.objective.y.shape[1:]
        W, intercept = self.unframed(W, intercept)
        return self.objective.pack(W.reshape(self.d, *k), intercept.reshape(k))

    def theta(self, solution: Solution) -> Array:
        """Return the flat parameters of a solution."""
        return self.pack(solution.coefficients, solution.intercept)

    def value(self, solution: Solution) -> float:
        """Return J at a solution."""
        squares = np.einsum("ij,ij->j", solution.coefficients, solution.coefficients)
        return self.scale * self.squared_units(0.5 * float(np.sum(solution.residual_square + self.ridge * squares)))

    def unframed_gradient(self, size: float) -> float:
        """Return the length of dJ where that of ``Xc^T S R - ridge W`` is ``size``."""
        return self.scale * float(scaled(np.float64(size), self.frame.exponent + self.target_exponent))

    def certificate(self, solution: Solution, tolerance: float) -> Certificate:
        """Return the length of dJ, and its ratio to that at zero in the frame.

        There the intercept's part does not hide what is left of the coefficients' where X is tiny, or far from zero.
        """
        size = length(solution.gradient) + solution.rounding
        relative = size / (solution.first or 1.0)
        return Certificate(
            "gradient norm", self.unframed_gradient(size), relative, tolerance, within=self._kept(solution.rank)
        )

    def _kept(self, rank: int | None) -> str:
        """Say how many directions a solution of less than full rank has kept; nothing of any other."""
        most = min(self.n - self.fit_intercept, self.d)
        if rank is None or rank >= most:
            return ""
        return f"{rank} of {most} directions: the singular values of the others are too small to count"

    def gradient_norm(self, solution: Solution) -> float:
        """Return the length of dJ at a solution, or what it may be at most by the rounding of the Gram matrix."""
        return self.unframed_gradient(length(solution.gradient) + solution.rounding)
