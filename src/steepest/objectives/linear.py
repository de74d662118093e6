"""A loss of a linear score, plus a penalty on the coefficients."""

from math import isclose
from typing import Any

import numpy as np
from scipy import sparse

from steepest.certificate import Certificate
from steepest.losses import HalfSquaredError, Loss, SquaredError
from steepest.objectives.quadratic import QuadraticObjective, sum_up
from steepest.objectives.reduction import Kind, Reduction
from steepest.penalties import NoPenalty, Penalty
from steepest.typing import Array, IntArray


class LinearObjective:
    r"""``J(W, b) = r sum_i s_i l(y_i, x_i^T W + b) + P(W)``.

    Parameters
    ----------
    X : array or sparse array (n_samples, n_features)
        The data; float32 stays float32.
    y : array (n_samples,) or (n_samples, n_outputs)
        The targets, in the form the loss asks for.
    loss : Loss, default HalfSquaredError()
        Per-sample loss.
    penalty : Penalty, default NoPenalty()
        Penalty on the coefficients; the intercept is never penalised.
    sample_weight : array (n_samples,), optional
        The weights s.
    fit_intercept : bool, default True
        Whether there is a ``b``.
    reduction : {"mean", "sum"}, default "mean"
        ``r = scale / sum_i s_i`` or ``r = scale``.
    scale : float, default 1.0
        Multiplies the data term.
    n_outputs : int, optional
        Columns of ``W``; needed for a loss of classes, otherwise read from ``y``.

    Notes
    -----
    Shapes: W (d,) or (d, k), b () or (k,); ``theta`` is W in C order followed by b, flat. Data term F, scores
    z_i = x_i^T W + b, per-sample slopes g_i = r s_i dl/dz(y_i, z_i). As dz_i/dW = x_i and dz_i/db = 1, the chain rule
    gives::

        dF/dW = sum_i x_i g_i^T = X^T G
        dF/db = sum_i g_i       = 1^T G
        d2F   = sum_i r s_i l''(y_i, z_i) [x_i; 1] [x_i; 1]^T        (one output)

    The curvature of F is therefore at most ``smoothness * lambda_max(sum_i r s_i [x_i; 1] [x_i; 1]^T)``.

    Duality (Fenchel): with l*, P* the conjugates and any u with 1^T u = 0 where there is an intercept::

        J(W, b) >= D(u) = - sum_i r s_i l*(y_i, u_i / (r s_i)) - P*(-X^T u)

    with equality at the optimum for u = G. The gap J - D at a G scaled into the domain of P* bounds ``J - min J``.
    1^T G = 0 is reached by giving the scores their best intercept first (Newton's method in b alone).

    Examples
    --------
    >>> import numpy as np
    >>> objective = LinearObjective(np.array([[1.0], [2.0]]), np.array([1.0, 3.0]))
    >>> objective.value_and_gradient(np.array([2.0, -1.0]))  # w = 2, b = -1 fits both points
    (0.0, array([0., 0.]))
    """

    def __init__(
        self,
        X: Any,
        y: Array,
        loss: Loss | None = None,
        penalty: Penalty | None = None,
        *,
        sample_weight: Array | None = None,
        fit_intercept: bool = True,
        reduction: Kind | Reduction = "mean",
        scale: float = 1.0,
        n_outputs: int | None = None,
    ) -> None:
        self.X, self.y = X, y
        self.loss: Loss = HalfSquaredError() if loss is None else loss
        self.penalty: Penalty = NoPenalty() if penalty is None else penalty
        self.fit_intercept = fit_intercept
        self.n_samples: int = X.shape[0]
        self.n_features: int = X.shape[1]
        if n_outputs is None and y.ndim == 2:
            n_outputs = y.shape[1]
        self.output_shape: tuple[int, ...] = () if n_outputs is None else (n_outputs,)
        self.n_outputs = n_outputs or 1
        if not isinstance(reduction, Reduction):
            reduction = Reduction.of(reduction, self.n_samples, sample_weight, scale)
        self.reduction = reduction

    # ------------------------------------------------------------------ parameters

    @property
    def n_parameters(self) -> int:
        """Length of ``theta``."""
        return (self.n_features + self.fit_intercept) * self.n_outputs

    def start(self) -> Array:
        """Return all zeros."""
        return np.zeros(self.n_parameters, dtype=self.X.dtype)

    def coefficients(self, theta: Array) -> Array:
        """Return the view W of ``theta``: (n_features,) or (n_features, n_outputs)."""
        return theta[: self.n_features * self.n_outputs].reshape(self.n_features, *self.output_shape)

    def intercept(self, theta: Array) -> Array:
        """Return the view b of ``theta``, () or (n_outputs,); zeros where there is none."""
        if not self.fit_intercept:
            return np.zeros(self.output_shape, dtype=theta.dtype)
        return theta[self.n_features * self.n_outputs :].reshape(self.output_shape)

    def pack(self, coefficients: Array, intercept: Any = 0.0) -> Array:
        """Return ``theta`` for given W and b."""
        parts = [np.ravel(coefficients)]
        if self.fit_intercept:
            parts.append(np.full(self.output_shape, intercept).ravel())
        return np.concatenate(parts).astype(self.X.dtype, copy=False)

    # ------------------------------------------------------------------ value and derivatives

    def scores(self, theta: Array) -> Array:
        """Return ``z = X W + b``: (n_samples,) or (n_samples, n_outputs)."""
        return np.asarray(self.X @ self.coefficients(theta)) + self.intercept(theta)

    def smooth_value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return the data term F and its gradient."""
        z = self.scores(theta)
        slopes = self.reduction.weigh(self.loss.gradient(self.y, z))
        return self.reduction.total(self.loss.value(self.y, z)), self._pull_back(slopes)

    def _pull_back(self, slopes: Array) -> Array:
        """Return ``(X^T G, 1^T G)``, flat."""
        return self.pack(np.asarray(self.X.T @ slopes), slopes.sum(axis=0))

    def penalty_value(self, theta: Array) -> float:
        """Return ``P(W)``."""
        return self.penalty.value(self.coefficients(theta))

    def penalty_gradient(self, theta: Array) -> Array:
        """Return ``dP/dtheta``: zero for the intercept."""
        return self.pack(self.penalty.gradient(self.coefficients(theta)))

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        data_term = self.reduction.total(self.loss.value(self.y, self.scores(theta)))
        return data_term + self.penalty_value(theta)

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient."""
        value, gradient = self.smooth_value_and_gradient(theta)
        return value + self.penalty_value(theta), gradient + self.penalty_gradient(theta)

    def prox(self, theta: Array, step: float) -> Array:
        """Return the prox of ``step P``: the penalty's on W, the identity on b."""
        return self.pack(self.penalty.prox(self.coefficients(theta), step), self.intercept(theta))

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of ``F + l2 |W|^2 / 2``, (n_parameters, n_parameters)."""
        curvature = self.reduction.weigh(self.loss.curvature(self.y, self.scores(theta)))
        Z, k = self._extended(), self.n_outputs
        if curvature.ndim < 3:  # each output has its own curvature: no coupling between them
            blocks = curvature.reshape(self.n_samples, k)
            curvature = blocks[:, :, None] * np.eye(k, dtype=blocks.dtype)
        hessian = np.empty((Z.shape[1], k, Z.shape[1], k), dtype=self.X.dtype)
        for i in range(k):
            for j in range(k):
                weighted = Z.multiply(curvature[:, i, j, None]) if sparse.issparse(Z) else Z * curvature[:, i, j, None]
                product = Z.T @ weighted
                hessian[:, i, :, j] = product.toarray() if sparse.issparse(product) else product
        whole = hessian.reshape(self.n_parameters, self.n_parameters)
        l2 = np.broadcast_to(self.penalty.l2, (self.n_features, *self.output_shape))
        whole[np.diag_indices(self.n_features * k)] += l2.ravel()
        return whole

    def _extended(self) -> Any:
        """Return X with a column of ones where there is an intercept."""
        if not self.fit_intercept:
            return self.X
        ones = np.ones((self.n_samples, 1), dtype=self.X.dtype)
        return sparse.hstack([self.X, ones], format="csr") if sparse.issparse(self.X) else np.hstack([self.X, ones])

    def lipschitz(self) -> float:
        """Return the largest curvature of the data term, by power iteration; infinity for a loss with kinks."""
        if not np.isfinite(self.loss.smoothness):
            return float("inf")
        vector: Array = np.random.default_rng(0).standard_normal(self.n_features + self.fit_intercept)
        previous, largest = 0.0, 1.0
        for _ in range(1000):
            vector /= np.linalg.norm(vector) or 1.0
            image = self._weighted_gram_product(vector)
            previous, largest = largest, float(np.linalg.norm(image))
            vector = image
            if abs(largest - previous) <= 1e-5 * largest:
                break
        return self.loss.smoothness * largest * 1.001  # the iteration comes from below: stay on the safe side

    def penalty_lipschitz(self) -> float:
        """Return the largest curvature of the penalty; infinity if it has kinks."""
        return float("inf") if self.penalty.l1 > 0 or self.penalty.positive else float(np.max(self.penalty.l2))

    def quadratic(self) -> QuadraticObjective | None:
        """Return the same objective with its rows summed up in a matrix; None where the loss is not quadratic."""
        return sum_up(self, self.loss.smoothness) if isinstance(self.loss, (HalfSquaredError, SquaredError)) else None

    def _weighted_gram_product(self, vector: Array) -> Array:
        """Return ``sum_i r s_i [x_i; 1] [x_i; 1]^T v``."""
        b = vector[-1] if self.fit_intercept else 0.0
        image = self.reduction.weigh(np.asarray(self.X @ vector[: self.n_features] + b, dtype=np.float64))
        flat = np.asarray(self.X.T @ image)
        return np.append(flat, image.sum()) if self.fit_intercept else flat

    def batch(self, rows: IntArray) -> "LinearObjective":
        """Return the objective on some rows, scaled to stand for all."""
        return LinearObjective(
            self.X[rows],
            self.y[rows],
            self.loss,
            self.penalty,
            fit_intercept=self.fit_intercept,
            reduction=self.reduction.batch(rows, self.n_samples),
            n_outputs=self.output_shape[0] if self.output_shape else None,
        )

    # ------------------------------------------------------------------ proof of optimality

    def duality_gap(self, theta: Array) -> float:
        """Return an upper bound on ``J(theta) - min J``; infinity where no bound is known."""
        conjugate = getattr(self.loss, "conjugate", None)
        if conjugate is None:
            return float("inf")
        slopes = self._balanced_slopes(self.scores(theta))
        image = -np.asarray(self.X.T @ self.reduction.weigh(slopes))
        shrink = self._into_domain(image)
        dual = -self.reduction.total(conjugate(self.y, shrink * slopes)) - self.penalty.conjugate(shrink * image)
        return max(self.value(theta) - dual, 0.0)

    def _balanced_slopes(self, z: Array) -> Array:
        """Return ``dl/dz`` at the intercept that is best for these scores, so that their weighted sum is zero."""
        slopes = self.loss.gradient(self.y, z)
        if not self.fit_intercept:
            return slopes
        for _ in range(50):
            weighed = self.reduction.weigh(slopes)
            excess = weighed.sum(axis=0)
            if np.all(np.abs(excess) <= 4 * np.finfo(z.dtype).eps * np.abs(weighed).sum(axis=0)):
                break
            curvature = self.reduction.weigh(self.loss.curvature(self.y, z)).sum(axis=0)
            whole = curvature if curvature.ndim == 2 else np.diag(np.atleast_1d(curvature))
            z = z - np.linalg.lstsq(whole, np.atleast_1d(excess))[0].reshape(self.output_shape)
            slopes = self.loss.gradient(self.y, z)
        return slopes

    def _into_domain(self, image: Array) -> float:
        """Return the factor that brings ``image`` into the domain of P*, which is bounded where l2 = 0."""
        if np.all(np.asarray(self.penalty.l2) > 0) or image.size == 0:
            return 1.0
        largest = float(np.max(image if self.penalty.positive else np.abs(image)))
        return 1.0 if largest <= self.penalty.l1 else self.penalty.l1 / largest

    def certificate(self, theta: Array, tolerance: float) -> Certificate:
        """Return how far ``theta`` can be from the optimum: a duality gap, or a gradient norm where there is none."""
        zero = self.start()
        gap = self.duality_gap(theta)
        if np.isfinite(gap) and self.penalty.l1 > 0:
            whole = abs(self.value(zero)) or 1.0
            return Certificate("duality gap", gap, gap / whole, tolerance)
        return self._certified(theta, self._stationarity(theta), self._stationarity(zero), tolerance)

    def _certified(self, theta: Array, norm: float, whole: float, tolerance: float) -> Certificate:
        """Return the certificate of a gradient norm; what is only the rounding of its own sums counts as zero."""
        relative = norm / (whole or 1.0)
        if relative > tolerance and norm <= self._rounding(theta):
            relative = 0.0
        return Certificate("gradient norm", norm, relative, tolerance)

    def _rounding(self, theta: Array) -> float:
        """Return the length of what rounding leaves of a gradient whose terms cancel."""
        slopes = np.abs(self.reduction.weigh(self.loss.gradient(self.y, self.scores(theta))))
        image = np.append(np.asarray(abs(self.X).T @ slopes), slopes.sum(axis=0))
        return float(np.finfo(self.X.dtype).eps * np.linalg.norm(image))

    def _stationarity(self, theta: Array) -> float:
        """Return the length of the gradient, or of the prox-gradient map where the penalty is not smooth."""
        gradient = self.smooth_value_and_gradient(theta)[1]
        if self.penalty.l1 == 0 and not self.penalty.positive:
            return float(np.linalg.norm(gradient + self.penalty_gradient(theta)))
        return float(np.linalg.norm(theta - self.prox(theta - gradient, 1.0)))

    @property
    def words(self) -> str:
        """The objective as a sentence."""
        kind = "sum" if self.reduction.factor == 1.0 and self.n_samples != 1 else "weighted sum"
        if isclose(self.reduction.factor * self.n_samples, 1.0, rel_tol=1e-5):
            kind = "mean"
        data = f"{kind} over {self.n_samples} samples of {self.loss.words}"
        return f"{data} + {self.penalty.words}" if self.penalty.words else data
