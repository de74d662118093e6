"""Logistic regression as an objective, with its fast forms."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax

from steepest.certificate import Certificate
from steepest.losses import LogisticLoss, SoftmaxCrossEntropy
from steepest.objectives.linear import LinearObjective
from steepest.objectives.reduction import Reduction
from steepest.penalties import Penalty
from steepest.typing import Array, IntArray

Product = Callable[[Array], Array]
EMPTY = np.empty(0)


class LogisticObjective(LinearObjective):
    r"""``J(W, b) = C sum_i s_i l(y_i, x_i^T W + b) + P(W)`` with the logistic or the softmax loss.

    Parameters
    ----------
    X : array or CSR array (n_samples, n_features)
        The data.
    y : array of int (n_samples,)
        Class numbers 0 ... K - 1.
    n_classes : int
        K; two classes have one score, more have one each.
    penalty : Penalty
        Penalty on the coefficients.
    C : float
        Weight of the data against the penalty.
    sample_weight : array (n_samples,), optional
        The weights s.
    fit_intercept : bool
        Whether there is a ``b``.
    shift : array (n_features,), optional
        What was subtracted from the columns; kept for whoever maps ``b`` back.

    Notes
    -----
    A :class:`LinearObjective`, whose docstring derives value and gradient; parameters are float64 even if X is float32.
    With z_i = x_i^T W + b and D_i = d2l/dz^2, (1, 1) or (K, K), the chain rule once more gives the Hessian as a
    linear map, which needs one reading of X and no matrix::

        (H v)_W = C sum_i s_i x_i (D_i u_i)^T,    u_i = x_i^T V + v_b = dz_i along v
        D_i u_i = p_i (1 - p_i) u_i                        logistic
        D_i u_i = (diag(p_i) - p_i p_i^T) u_i
                = p_i * (u_i - <p_i, u_i>)                 softmax: centre u under p, then weigh

    Dense data are read by kernels (``steepest.kernels.logistic``, ``softmax``), sparse data by SciPy's products.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        n_classes: int,
        penalty: Penalty,
        *,
        C: float = 1.0,
        sample_weight: Array | None = None,
        fit_intercept: bool = True,
        reduction: Reduction | None = None,
        shift: Array | None = None,
    ) -> None:
        self.shift = shift
        self._zero_gradient: Array | None = None
        self.binary = n_classes == 2
        self.n_classes = n_classes
        super().__init__(
            X,
            y,
            LogisticLoss() if self.binary else SoftmaxCrossEntropy(),
            penalty,
            fit_intercept=fit_intercept,
            reduction=reduction or Reduction.of("sum", X.shape[0], sample_weight, C),
            n_outputs=None if self.binary else n_classes,
        )
        weights = self.reduction.weights
        self._weights = EMPTY if weights is None else np.ascontiguousarray(weights, dtype=np.float64)

    def start(self) -> Array:
        """Return all zeros."""
        return np.zeros(self.n_parameters)

    def pack(self, coefficients: Array, intercept: Any = 0.0) -> Array:
        """Return ``theta`` for given W and b."""
        theta = np.zeros(self.n_parameters)
        self.coefficients(theta)[...] = coefficients
        if self.fit_intercept:
            self.intercept(theta)[...] = intercept
        return theta

    # ------------------------------------------------------------------ value and derivatives

    def smooth_value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the data term and its gradient."""
        if sparse.issparse(self.X):
            return super().smooth_value_and_gradient(theta)
        value, rows = self._fused(theta, EMPTY if self.binary else EMPTY.reshape(0, 0))
        return value, self._flat(rows)

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self.smooth_value_and_gradient(theta)[0] + self.penalty_value(theta)

    def linearize(self, theta: Array) -> tuple[float, Array, Product]:
        """Return the data term with the L2 part of the penalty, its gradient, and its Hessian as a linear map."""
        if sparse.issparse(self.X):
            value, gradient, product = self._linearize_sparse(theta)
        elif self.binary:
            curvature = np.empty(self.n_samples)
            value, rows = self._fused(theta, curvature)
            gradient, product = self._flat(rows), partial(self._dense_product, curvature)
        else:
            shares = np.empty((self.n_classes, self.n_samples))
            value, rows = self._fused(theta, shares)
            gradient, product = self._flat(rows), partial(self._dense_product, shares)
        W, l2 = self.coefficients(theta), float(self.penalty.l2)
        value += 0.5 * l2 * float(np.sum(W * W))
        if not theta.any():
            self._zero_gradient = gradient
        return value, gradient + l2 * self.pack(W), lambda v: product(v) + l2 * self.pack(self.coefficients(v))

    def gradient_at_zero(self) -> Array:
        """Return the gradient of the data term at zero, which a run that starts there leaves behind."""
        if self._zero_gradient is None:
            self._zero_gradient = self.smooth_value_and_gradient(self.start())[1]
        return self._zero_gradient

    def certificate(self, theta: Array, tolerance: float) -> Certificate:
        """Return how far ``theta`` can be from the optimum."""
        if self.penalty.l1 > 0:
            return super().certificate(theta, tolerance)
        norm, whole = (float(np.linalg.norm(g)) for g in (self.gradient(theta), self.gradient_at_zero()))
        return self._certified(theta, norm, whole, tolerance)

    def separates(self, theta: Array) -> bool:
        """Whether ``theta`` provably gives every sample's own class the highest score.

        If the whole loss is below log 2 times the smallest weight, each sample's is below log 2, so that its class
        has a probability above 1/2. Then the loss falls to 0 along ``theta``, and without a penalty has no minimum.
        """
        lightest = 1.0 if self._weights.size == 0 else float(self._weights[self._weights > 0].min())
        return bool(self.smooth_value_and_gradient(theta)[0] < self.reduction.factor * lightest * np.log(2.0))

    def _fused(self, theta: Array, curvature: Array) -> tuple[float, Array]:
        """Return the data term and its gradient as rows (w, b); write what the Hessian needs to ``curvature``."""
        if self.binary:
            from steepest.kernels import logistic as kernel
        else:
            from steepest.kernels import softmax as kernel  # type: ignore[no-redef]
        value, rows = kernel.value_and_gradient(self.X, self.y, self._weights, self._rows(theta), curvature)
        return self.reduction.factor * value, self.reduction.factor * rows

    def _dense_product(self, curvature: Array, v: Array) -> Array:
        if self.binary:
            from steepest.kernels import logistic

            rows = logistic.hessian_product(self.X, curvature, self._rows(v))
        else:
            from steepest.kernels import softmax as kernel

            rows = kernel.hessian_product(self.X, self._weights, curvature, self._rows(v))
        return self._flat(self.reduction.factor * rows)

    def _linearize_sparse(self, theta: Array) -> tuple[float, Array, Product]:
        z = self.scores(theta)
        p = expit(z) if self.binary else softmax(z, axis=1)
        value, gradient = super().smooth_value_and_gradient(theta)

        def product(v: Array) -> Array:
            u = self.scores(v)
            change = p * (1.0 - p) * u if self.binary else p * (u - (p * u).sum(axis=1, keepdims=True))
            return self._pull_back(self.reduction.weigh(change))

        return value, gradient, product

    def _rows(self, theta: Array) -> Array:
        """Return ``theta`` as the kernels want it: (d + 1,) or (K, d + 1), the intercept last, 0 if there is none."""
        W, b = self.coefficients(theta), self.intercept(theta)
        return np.ascontiguousarray(np.concatenate([W.T, np.asarray(b)[..., None]], axis=-1), dtype=np.float64)

    def _flat(self, rows: Array) -> Array:
        """Return rows of the kernels as a flat ``theta``."""
        return self.pack(rows[..., :-1].T, rows[..., -1])

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the data term and the L2 part, (n_parameters, n_parameters)."""
        if sparse.issparse(self.X) or not self.binary:
            return super().hessian(theta)
        curvature = np.empty(self.n_samples)
        self._fused(theta, curvature)
        whole = self._weighted_gram(curvature)
        whole[np.diag_indices(self.n_features)] += float(self.penalty.l2)
        return whole

    def _weighted_gram(self, curvature: Array) -> Array:
        """Return ``r sum_i c_i [x_i; 1] [x_i; 1]^T``, without the last row and column if there is no intercept."""
        from steepest.kernels.gram import moments

        ones = np.ones((self.n_samples, 1), dtype=self.X.dtype)
        part = moments(self.X, ones, self.reduction.factor * curvature, centre=False)
        if not self.fit_intercept:
            return part.gram.copy()
        return np.block([[part.gram, part.cross], [part.cross.T, part.y_square[None]]])

    def restricted_hessian(self, theta: Array, chosen: IntArray) -> Array:
        """Return the rows and columns of :meth:`hessian` at some parameters, reading only the columns needed."""
        if not self.binary:
            return np.ascontiguousarray(self.hessian(theta)[np.ix_(chosen, chosen)])
        columns = chosen[chosen < self.n_features]
        part = LogisticObjective(
            self.X[:, columns],
            self.y,
            2,
            self.penalty,
            fit_intercept=len(columns) < len(chosen),
            reduction=self.reduction,
        )
        if sparse.issparse(self.X):
            slopes = self.reduction.weigh(self.loss.curvature(self.y, self.scores(theta)))
            Z = part._extended()
            whole: Array = (Z.T @ Z.multiply(slopes[:, None])).toarray()
        else:
            curvature = np.empty(self.n_samples)
            self._fused(theta, curvature)
            whole = part._weighted_gram(curvature)
        whole[np.diag_indices(len(columns))] += float(self.penalty.l2)
        return whole

    def l1_weights(self) -> Array:
        """Return the weight of every parameter's absolute value; 0 for an intercept."""
        return self.pack(np.asarray(self.penalty.l1))

    # ------------------------------------------------------------------ parts

    def batch(self, rows: IntArray) -> "LogisticObjective":
        """Return the objective on some rows, scaled to stand for all."""
        reduction = self.reduction.batch(rows, self.n_samples)
        return LogisticObjective(
            self.X[rows],
            self.y[rows],
            self.n_classes,
            self.penalty,
            fit_intercept=self.fit_intercept,
            reduction=reduction,
        )

    def curvature_diagonal(self) -> Array:
        """Return an upper bound on the Hessian's diagonal, at any ``theta``: ``r s_i x_ij^2 / 4`` summed, plus l2."""
        weights = np.full(self.n_samples, self.reduction.factor)
        weights = weights if self.reduction.weights is None else weights * self.reduction.weights
        squares = self.X.multiply(self.X) if sparse.issparse(self.X) else None
        if squares is None:
            column = np.zeros(self.n_features)
            for start in range(0, self.n_samples, 1024):
                rows = slice(start, start + 1024)
                column += weights[rows] @ np.square(self.X[rows], dtype=np.float64)
        else:
            column = np.asarray(squares.T @ weights)
        W = 0.25 * column + float(self.penalty.l2)
        W = np.where(W > 0, W, 1.0)
        return self.pack(W if self.binary else np.repeat(W[:, None], self.n_classes, axis=1), 0.25 * weights.sum())
