r"""Symmetric positive definite Toeplitz systems, solved in their own structure.

Notes
-----
T is k x k with ``T_ij = r_|i-j|``. One column of its inverse determines all of it (Gohberg and Semencul, 1972): with
``T z = e_1`` and L(c) the lower triangular Toeplitz matrix with first column c::

    T^-1 = (L(z) L(z)^T - L(s) L(s)^T) / z_1,    s = (0, z_k, z_{k-1}, ..., z_2)

so that after z is known every right-hand side costs six transforms of length 2 k, and the diagonal of the inverse,
``(T^-1)_ii = sum_{j <= i} (z_j^2 - s_j^2) / z_1``, costs k operations: that is what standard errors need.

z comes from the Durbin recursion (Golub and Van Loan, Matrix Computations, section 4.7) in 3 k^2 operations, or, for
large k, from conjugate gradients preconditioned with the circulant matrix nearest to T (T. Chan, 1988) in some
iterations of O(k log k). The error of both grows with the condition number of T; one step of iterative refinement
removes most of it, as long as the condition number is well below 1 / eps.
"""

from collections.abc import Callable

import numpy as np
from scipy import fft

from steepest.typing import Array

LARGEST_DURBIN = 6000  # beyond this many unknowns, conjugate gradients take less time
MAX_ITERATIONS = 400
POWER_ITERATIONS = 60


class SymmetricToeplitz:
    """The matrix ``T_ij = r_|i-j|``, never built.

    Parameters
    ----------
    r : array (k,)
        First column.

    Examples
    --------
    >>> import numpy as np
    >>> T = SymmetricToeplitz(np.array([2.0, -1.0, 0.0]))
    >>> T.product(np.array([1.0, 0.0, 0.0]))
    array([ 2., -1.,  0.])
    """

    def __init__(self, r: Array) -> None:
        self.r = np.asarray(r, dtype=np.float64)
        self.size = len(self.r)
        self.length = fft.next_fast_len(2 * self.size - 1, real=True)
        column = np.zeros(self.length)
        column[: self.size] = self.r
        if self.size > 1:
            column[-(self.size - 1) :] = self.r[:0:-1]
        self.spectrum = fft.rfft(column)

    def product(self, v: Array) -> Array:
        """Return ``T v`` for v (..., k): T is a corner of a circulant matrix, which a transform diagonalises."""
        return np.asarray(fft.irfft(fft.rfft(v, self.length) * self.spectrum, self.length)[..., : self.size])

    def dense(self) -> Array:
        """Return the matrix."""
        index = np.arange(self.size)
        dense: Array = self.r[np.abs(index[:, None] - index)]
        return dense

    def inverse(self) -> "ToeplitzInverse | None":
        """Return the inverse, or None if T is not positive definite in working precision."""
        column = self._durbin() if self.size <= LARGEST_DURBIN else self._conjugate_gradients()
        if column is None or not np.all(np.isfinite(column)) or not column[0] > 0:
            return None
        return ToeplitzInverse(self, column)

    def _durbin(self) -> Array | None:
        from steepest.kernels.convolution.levinson import durbin

        solution = np.empty(self.size)
        error = durbin(self.r, solution, np.empty(self.size))
        return solution / error if error > self.size * np.finfo(float).eps * self.r[0] else None

    def _conjugate_gradients(self) -> Array | None:
        """Solve ``T z = e_1``, preconditioned with the circulant C nearest to T in the Frobenius norm."""
        k = self.size
        j = np.arange(k)
        circulant = ((k - j) * self.r + j * np.concatenate([[0.0], self.r[:0:-1]])) / k
        eigenvalues = fft.rfft(circulant).real
        if not eigenvalues.min() > k * np.finfo(float).eps * eigenvalues.max():
            return None
        unit = np.zeros(k)
        unit[0] = 1.0
        z, residual = np.zeros(k), unit.copy()
        direction, previous = np.zeros(k), 1.0
        for _ in range(MAX_ITERATIONS):
            if np.linalg.norm(residual) <= 1e-14:
                break
            preconditioned = fft.irfft(fft.rfft(residual) / eigenvalues, k)
            alignment = float(residual @ preconditioned)
            direction = preconditioned + (alignment / previous) * direction
            image = self.product(direction)
            curvature = float(direction @ image)
            if not curvature > 0:
                return None
            step = alignment / curvature
            z, residual, previous = z + step * direction, residual - step * image, alignment
        return z if float(np.linalg.norm(unit - self.product(z))) <= 1e-9 else None


class ToeplitzInverse:
    """The inverse of a symmetric Toeplitz matrix, given by its first column.

    Parameters
    ----------
    matrix : SymmetricToeplitz
        The matrix T.
    column : array (k,)
        The solution z of ``T z = (1, 0, ..., 0)``.
    """

    def __init__(self, matrix: SymmetricToeplitz, column: Array) -> None:
        self.matrix, self.column = matrix, column
        self.shifted = np.concatenate([[0.0], column[:0:-1]])
        self.length = matrix.length
        self.spectra = fft.rfft([column, self.shifted], self.length)

    def apply(self, v: Array) -> Array:
        """Return ``T^-1 v`` for v (..., k) by the formula of Gohberg and Semencul."""
        k, n = self.matrix.size, self.length
        correlated = fft.irfft(np.conj(self.spectra) * fft.rfft(v, n)[..., None, :], n)[..., :k]
        convolved = self.spectra * fft.rfft(correlated, n)
        product = fft.irfft(convolved[..., 0, :] - convolved[..., 1, :], n)[..., :k]
        return np.asarray(product / self.column[0])

    def solve(self, v: Array) -> Array:
        """Return ``T^-1 v``, refined once."""
        solution = self.apply(v)
        return np.asarray(solution + self.apply(v - self.matrix.product(solution)))

    def diagonal(self) -> Array:
        """Return the diagonal of the inverse."""
        return np.asarray(np.cumsum(self.column**2 - self.shifted**2) / self.column[0])


def largest_eigenvalue(product: Callable[[Array], Array], size: int) -> float:
    """Return the largest eigenvalue of a symmetric matrix given by its product, within a thousandth or so."""
    vector: Array = np.random.default_rng(0).standard_normal(size)
    value = 0.0
    for _ in range(POWER_ITERATIONS):
        vector = product(vector / np.linalg.norm(vector))
        previous, value = value, float(np.linalg.norm(vector))
        if abs(value - previous) <= 1e-3 * value:
            break
    return value
