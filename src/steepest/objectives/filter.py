"""Least squares over the filter and the bias of a convolution."""

from functools import cached_property
from math import sqrt

import numpy as np

from steepest.operators.toeplitz import FixedSignal, convolution_matrix, convolve
from steepest.typing import Array


class FilterObjective:
    r"""``J(w, b) = 1/2 sum_m ||y_m - w * x_m - b||^2 + ridge/2 ||w||^2`` over one filter w and one bias b.

    Parameters
    ----------
    x : array (d,) or (n_signals, d)
        Inputs of the filter.
    y : array (n,) or (n_signals, n), n = d + filter_length - 1
        What came out of it.
    filter_length : int
        The length k of w.
    fit_bias : bool, default True
        Whether there is a ``b``.
    ridge : float, default 0.0
        Strength of the penalty on w; the bias is not penalised.

    Notes
    -----
    Shapes: theta is w (k,) followed by b, flat. With the residual ``e_j = y_j - sum_i w_i x_{j-i} - b`` (x = 0 outside
    of its samples), ``de_j/dw_i = -x_{j-i}`` and ``de_j/db = -1``, so the chain rule gives::

        dJ/dw_i = -sum_j e_j x_{j-i} + ridge w_i        a correlation of e with x      (i, j from 0;
        dJ/db   = -sum_j e_j                                                             from 1: x_{j-i+1})
        d2J     = [[R + ridge I, s 1], [s 1^T, n]]      R_ij = sum_t x_t x_{t+|i-j|},  s = sum_t x_t

    each summed over the signals m. R is Toeplitz, as every column of the convolution matrix holds the whole signal; for
    the same reason every entry of its border is the same number s.

    Examples
    --------
    >>> import numpy as np
    >>> objective = FilterObjective(np.array([1.0, 2.0]), np.array([1.0, 1.0, -2.0]), 2)
    >>> objective.value_and_gradient(np.array([2.0, -1.0, 0.0]))
    (2.5, array([5., 2., 3.]))
    """

    def __init__(self, x: Array, y: Array, filter_length: int, *, fit_bias: bool = True, ridge: float = 0.0) -> None:
        self.x, self.y = np.atleast_2d(x), np.atleast_2d(y)
        self.filter_length, self.fit_bias, self.ridge = filter_length, fit_bias, ridge
        self._known: tuple[Array, Array, float, Array] | None = None  # the last theta, its residual, value and gradient

    @cached_property
    def _signals(self) -> list[FixedSignal]:
        dtype = np.result_type(self.x, self.y)
        return [FixedSignal(x.astype(dtype, copy=False), self.filter_length) for x in self.x]

    @cached_property
    def target(self) -> Array:
        """``[X, 1]^T y``, minus the gradient at zero."""
        return self.pull_back(self.y)

    @property
    def n_parameters(self) -> int:
        """Length of ``theta``."""
        return self.filter_length + self.fit_bias

    def start(self) -> Array:
        """Return all zeros."""
        return np.zeros(self.n_parameters, dtype=np.result_type(self.x, self.y))

    def filter(self, theta: Array) -> Array:
        """Return the view w of ``theta``."""
        return theta[: self.filter_length]

    def bias(self, theta: Array) -> float:
        """Return b; 0 where there is none."""
        return float(theta[-1]) if self.fit_bias else 0.0

    def product(self, theta: Array) -> Array:
        """Return ``w * x + b`` (n_signals, n)."""
        fitted = np.stack([x.convolve(self.filter(theta)) for x in self._signals])
        if self.fit_bias:
            fitted += theta[-1]
        return fitted

    def pull_back(self, e: Array) -> Array:
        """Return the adjoint of `product`: the correlations of ``e`` (n_signals, n) with x, and its sum."""
        image = np.empty(self.n_parameters, dtype=e.dtype)
        image[: self.filter_length] = sum(x.correlate(e[m]) for m, x in enumerate(self._signals))
        if self.fit_bias:
            image[-1] = e.sum()
        return image

    def matrix(self) -> Array:
        """Return the matrix of `product` (n_signals * n, n_parameters)."""
        X = np.vstack([convolution_matrix(x, self.filter_length) for x in self.x])
        return np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)]) if self.fit_bias else X

    def residual(self, theta: Array) -> Array:
        """Return ``y - w * x - b`` (n_signals, n)."""
        if self._known is not None and np.array_equal(theta, self._known[0]):
            return self._known[1]
        return np.asarray(self.y - self.product(theta)) if theta.any() else self.y

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self._value(self.residual(theta), theta)

    def _value(self, e: Array, theta: Array) -> float:
        held = sqrt(self.ridge) * self.filter(theta).astype(np.float64)  # the squares of w itself may overflow
        return 0.5 * float(np.sum(np.square(e, dtype=np.float64))) + 0.5 * float(held @ held)

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient."""
        if self._known is None or not np.array_equal(theta, self._known[0]):
            e = self.residual(theta)
            gradient = -self.pull_back(e)
            gradient[: self.filter_length] += self.ridge * self.filter(theta)
            self._known = theta.copy(), e, self._value(e, theta), gradient
        return self._known[2], self._known[3].copy()

    def gram(self) -> Array:
        """Return the first column of ``R + ridge I`` (k,)."""
        r: Array = np.sum([x.autocorrelation() for x in self._signals], axis=0)
        r[0] += self.ridge
        return r

    def hessian(self, theta: Array) -> Array:
        """Return the second derivatives, (n_parameters, n_parameters)."""
        index = np.arange(self.filter_length)
        whole = np.empty((self.n_parameters, self.n_parameters), dtype=theta.dtype)
        whole[: len(index), : len(index)] = self.gram()[np.abs(index[:, None] - index)]
        if self.fit_bias:
            whole[-1, :] = whole[:, -1] = self.x.sum()
            whole[-1, -1] = self.y.size
        return whole

    def lipschitz(self) -> float:
        """Return the largest eigenvalue of the Hessian, by power iteration."""
        r, s = self.gram().astype(np.float64), float(self.x.sum())
        reach = np.concatenate([r[:0:-1], r])
        k = self.filter_length
        vector: Array = np.random.default_rng(0).standard_normal(self.n_parameters)
        previous, largest = 0.0, 1.0
        for _ in range(1000):
            vector /= np.linalg.norm(vector) or 1.0
            image = np.zeros_like(vector)
            image[:k] = convolve(vector[:k], reach)[k - 1 : 2 * k - 1]
            if self.fit_bias:
                image[:k] += s * vector[-1]
                image[-1] = s * vector[:k].sum() + self.y.size * vector[-1]
            previous, largest = largest, float(np.linalg.norm(image))
            vector = image
            if abs(largest - previous) <= 1e-5 * largest:
                break
        return largest * 1.001  # the iteration comes from below: stay on the safe side

    @property
    def words(self) -> str:
        """The objective as a sentence."""
        many = f", {len(self.x)} signals" if len(self.x) > 1 else ""
        ridge = f" + {self.ridge:g}/2 ||w||^2" if self.ridge else ""
        return f"1/2 ||y - w * x - b||^2 over {self.y.size} samples{many}, filter of length {self.filter_length}{ridge}"
