"""Centred data under weights, dense or sparse, behind one face.

With the weighted means m of the columns (zero without an intercept), ``Xc = X - 1 m^T`` and ``S = diag(s)``. Neither
is ever formed for sparse X, where centring would fill the zeros: the rank-one part is applied beside it. For dense X
the means are taken off block by block, before anything is multiplied, so that no digits are lost to them.
"""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import sparse

from steepest.typing import Array

if TYPE_CHECKING:
    from steepest.kernels.residual import ResidualPasses

_BLOCK_BYTES = 1 << 21


class CentredData(Protocol):
    """What the exact solvers ask of X."""

    shape: tuple[int, int]
    x_mean: Array

    def forward(self, W: Array) -> Array:
        """Return ``Xc W`` (n, k)."""

    def forward_rows(self, rows: slice, W: Array) -> Array:
        """Return these rows of ``Xc W``."""

    def product(self, W: Array) -> Array:
        """Return ``Xc^T S Xc W`` (d, k), reading X once."""

    def adjoint(self, R: Array) -> Array:
        """Return ``Xc^T S R`` (d, k)."""

    def residual_products(self, Y: Array, W: Array) -> tuple[Array, Array, Array]:
        """Return ``R = Y - Xc W`` (n, k), ``Xc^T S R`` (d, k) and ``sum_i s_i r_i^2`` (k,), reading X once."""

    def outer_gram(self) -> Array:
        """Return ``S^1/2 Xc Xc^T S^1/2`` (n, n)."""

    def scaled_copy(self) -> Array:
        """Return ``S^1/2 Xc`` as a new dense array in double precision."""


def centred_data(X: Any, weights: Array | None, centre: bool) -> CentredData:
    """Return X behind that face."""
    return SparseData(X, weights, centre) if sparse.issparse(X) else DenseData(X, weights, centre)


def guessed_means(X: Array) -> Array:
    """Return the means of some rows spread over the data, in double precision; not finite if those are not."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(X[:: max(1, len(X) // 64)][:64].mean(axis=0, dtype=np.float64))


class DenseData:
    """A dense X, read in blocks."""

    def __init__(self, X: Array, weights: Array | None, centre: bool, x_mean: Array | None = None) -> None:
        self.X, self.weights, self.shape = X, weights, (X.shape[0], X.shape[1])
        self.x_mean = np.zeros(X.shape[1]) if x_mean is None else x_mean
        self._passes: ResidualPasses | None = None
        if centre and x_mean is None:
            self.x_mean = self._means()

    def _means(self) -> Array:
        """Return the weighted means: a first guess from some rows, then the mean distance from it."""
        n, d = self.shape
        guess = guessed_means(self.X)
        with np.errstate(invalid="ignore", over="ignore"):  # whether the data are finite is looked at afterwards
            sums = _residual_passes(self.X, self.weights, guess).products(1.0, np.zeros(d))[1]
            return np.asarray(guess + sums / (n if self.weights is None else self.weights.sum()))

    def _products_one(self, y: Any, w: Array) -> tuple[Array, Array, float]:
        if self._passes is None:
            self._passes = _residual_passes(self.X, self.weights, self.x_mean)
        return self._passes.products(y, w)

    def _blocks(self) -> Any:
        """Yield the rows and their centred copy, block by block."""
        rows = max(1, _BLOCK_BYTES // (8 * max(self.shape[1], 1)))
        for start in range(0, self.shape[0], rows):
            block = slice(start, start + rows)
            yield block, self.X[block] - self.x_mean

    def _weigh(self, R: Array, rows: slice = slice(None)) -> Array:
        return R if self.weights is None else R * self.weights[rows, None]

    def forward(self, W: Array) -> Array:
        """Return ``Xc W``."""
        return np.concatenate([Z @ W for _, Z in self._blocks()])

    def forward_rows(self, rows: slice, W: Array) -> Array:
        """Return these rows of ``Xc W``."""
        return np.asarray((self.X[rows] - self.x_mean) @ W)

    def product(self, W: Array) -> Array:
        """Return ``Xc^T S Xc W``."""
        if W.shape[1] == 1:
            return -self._products_one(0.0, W[:, 0])[1][:, None]
        return -self.residual_products(np.zeros((self.shape[0], W.shape[1])), W)[1]

    def adjoint(self, R: Array) -> Array:
        """Return ``Xc^T S R``."""
        zero = np.zeros(self.shape[1])
        if R.shape[1] == 1:
            return self._products_one(R[:, 0], zero)[1][:, None]
        total = np.zeros((self.shape[1], R.shape[1]))
        for rows, Z in self._blocks():
            total += Z.T @ self._weigh(R[rows], rows)
        return total

    def residual_products(self, Y: Array, W: Array) -> tuple[Array, Array, Array]:
        """Return R = Y - Xc W, ``Xc^T S R`` and the weighted sums of squares, in one pass."""
        if W.shape[1] == 1:
            r, g, rss = self._products_one(Y[:, 0], W[:, 0])
            return r[:, None], g[:, None], np.array([rss])
        R, total, squares = np.empty(Y.shape), np.zeros(W.shape), np.zeros(W.shape[1])
        for rows, Z in self._blocks():
            R[rows] = Y[rows] - Z @ W
            weighted = self._weigh(R[rows], rows)
            total += Z.T @ weighted
            squares += np.einsum("ij,ij->j", R[rows], weighted)
        return R, total, squares

    def outer_gram(self) -> Array:
        """Return ``S^1/2 Xc Xc^T S^1/2``."""
        from steepest.kernels.gram import outer_gram

        return outer_gram(self.X, self.x_mean, self.weights)

    def scaled_copy(self) -> Array:
        """Return ``S^1/2 Xc``."""
        Z = self.X - self.x_mean
        if self.weights is not None:
            Z *= np.sqrt(self.weights)[:, None]
        return Z


def _residual_passes(X: Array, weights: Array | None, x_mean: Array, dtype: Any = np.float64) -> "ResidualPasses":
    from steepest.kernels.residual import ResidualPasses  # brings numba: only when needed

    return ResidualPasses(X, weights, x_mean, dtype)


class SinglePrecision:
    """What of dense data multiplies one vector in single precision: ``X - 1 shift^T`` and the weights.

    X itself, if it is float32, or a centred copy.

    Attributes
    ----------
    X : array (n, d)
        The same, float32, less some constant of each column.
    """

    def __init__(self, X: Array, shift: Array, weights: Array | None) -> None:
        self.X = X
        with np.errstate(over="ignore"):  # what does not fit makes products that are not finite: the caller sees them
            self._passes = _residual_passes(X, weights, shift, np.float32)

    def product(self, W: Array) -> Array:
        """Return ``Xc^T S Xc W`` (d, 1); W is scaled, so as not to overflow by itself."""
        size = float(np.max(np.abs(W), initial=0.0)) or 1.0
        g = self._passes.products(0.0, W[:, 0] / size)[1]
        return np.asarray(g[:, None] * np.float64(-size))


class SparseData:
    """A sparse X; its centring is a correction of rank one."""

    def __init__(self, X: Any, weights: Array | None, centre: bool) -> None:
        self.X, self.weights, self.shape = X, weights, (X.shape[0], X.shape[1])
        self.XT = X.T.tocsr() if X.format == "csr" else X.T  # rows of the transpose: twice as fast as columns
        self.x_mean = np.zeros(X.shape[1])
        self.total = float(X.shape[0] if weights is None else weights.sum())
        if centre:
            ones = np.ones(X.shape[0]) if weights is None else weights
            self.x_mean = np.asarray(self.XT @ ones, dtype=np.float64) / self.total

    def forward(self, W: Array) -> Array:
        """Return ``X W - 1 (m^T W)``."""
        return np.asarray(self.X @ W) - self.x_mean @ W

    def forward_rows(self, rows: slice, W: Array) -> Array:
        """Return these rows of ``Xc W``."""
        return np.asarray(self.X[rows] @ W) - self.x_mean @ W

    def product(self, W: Array) -> Array:
        """Return ``Xc^T S Xc W``."""
        return self.adjoint(self.forward(W))

    def adjoint(self, R: Array) -> Array:
        """Return ``X^T S R - m (1^T S R)``."""
        weighted = R if self.weights is None else R * self.weights[:, None]
        product: Array = np.asarray(self.XT @ weighted) - np.outer(self.x_mean, weighted.sum(axis=0))
        return product

    def residual_products(self, Y: Array, W: Array) -> tuple[Array, Array, Array]:
        """Return R = Y - Xc W, ``Xc^T S R`` and the weighted sums of squares."""
        R = Y - self.forward(W)
        squares = R * R if self.weights is None else R * R * self.weights[:, None]
        return R, self.adjoint(R), squares.sum(axis=0)

    def gram(self) -> Array:
        """Return ``Xc^T S Xc = X^T S X - W m m^T``."""
        X = self.X.astype(np.float64)
        weighted = X if self.weights is None else X.multiply(self.weights[:, None]).tocsr()
        product = self.XT.astype(np.float64) @ weighted
        return np.asarray(product.toarray()) - self.total * np.outer(self.x_mean, self.x_mean)

    def outer_gram(self) -> Array:
        """Return ``S^1/2 (X X^T - v 1^T - 1 v^T + (m^T m) 1 1^T) S^1/2`` with v = X m."""
        X = self.X.astype(np.float64)
        v = np.asarray(X @ self.x_mean)
        K = (X @ X.T).toarray() - v[:, None] - v[None, :] + self.x_mean @ self.x_mean
        if self.weights is not None:
            root = np.sqrt(self.weights)
            K *= np.outer(root, root)
        return np.asarray(K)

    def scaled_copy(self) -> Array:
        """Return ``S^1/2 Xc``."""
        return DenseData(self.X.toarray(), self.weights, False, self.x_mean).scaled_copy()
