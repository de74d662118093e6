"""The columns of a design as coordinate descent sees them: weighted and centred, but never formed as a whole."""

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from steepest.kernels.columns import (
    correlate_columns,
    correlate_rows,
    correlate_sparse,
    gather_columns,
    scan_columns,
    scan_rows,
    scan_sparse,
)
from steepest.kernels.threads import map_blocks
from steepest.typing import Array, IntArray

BLOCK_ENTRIES = 2**19  # entries of X a thread takes at a time: some milliseconds of work


class Reduction(Protocol):
    """How samples are weighted: ``factor * sum_i weights_i l_i``."""

    @property
    def factor(self) -> float:
        """Return what multiplies the sum."""

    @property
    def weights(self) -> Array | None:
        """Return the sample weights, or None for all ones."""


def scan(X: Array, weights: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return ``sum_i s_i x_ij``, ``sum_i s_i x_ij^2`` and ``sum_i s_i x_ij y_i`` of every column: the reference."""
    return weights @ X, weights @ X**2, (weights * y) @ X


class Design:
    r"""Columns ``z_j = root (x_j - m_j)`` with ``root_i = sqrt(factor s_i)``.

    Parameters
    ----------
    X : array or CSC array (n_samples, n_features)
        The data, in either order; not copied.
    reduction : Reduction
        Factor and sample weights.
    centre : bool
        Whether there is an intercept.

    Attributes
    ----------
    means : array (n_features,)
        ``m_j``, the weighted means of the columns; zeros without an intercept.
    squared_norms : array (n_features,)
        ``|z_j|^2``.
    mass : float
        ``root.root``, the sum of all weights.

    Notes
    -----
    Shapes: X (n, d), y (n,), w (d,), root (n,), residuals and targets (n,).

    The intercept costs one scalar equation. For given w the best b makes the weighted residuals sum to zero,
    ``sum_i s_i (y_i - x_i.w - b) = 0``, hence ``b = mean(y) - m.w``, and with it::

        factor sum_i s_i (y_i - x_i.w - b)^2 / 2 = |root (y - mean(y)) - sum_j w_j z_j|^2 / 2

    a lasso without intercept, weights or n. Its residual r has ``root.r = 0``: root is orthogonal to the target and to
    every z_j. Therefore::

        z_j.r = sum_i root_i (x_ij - m_j) r_i = x_j.(root r) - m_j root.r = x_j.(root r)

    so a pass over the raw columns gives the correlations of the centred ones, and a sparse X stays sparse
    (*implicit centring*). Only the few columns of a working set are ever centred in memory.

    Squared norms follow from raw sums, ``|z_j|^2 = sum s x^2 - (sum s x)^2 / mass``; the difference cancels where the
    mean is large against the spread, so dense columns are first shifted by their first entry.
    """

    def __init__(self, X: Any, reduction: Reduction, centre: bool) -> None:
        self.X, self.centre = X, centre
        self.n_samples, self.n_features = X.shape
        weights = np.ones(self.n_samples) if reduction.weights is None else reduction.weights.astype(np.float64)
        self._weights: Array = weights * reduction.factor
        self.root: Array = np.sqrt(self._weights)
        self.mass = float(self._weights.sum())
        self.is_sparse = bool(sparse.issparse(X))
        self._by_columns = self.is_sparse or bool(X.flags.f_contiguous)
        if not self.is_sparse and not self._by_columns and not X.flags.c_contiguous:
            self.X = np.ascontiguousarray(X)
        self.means: Array = np.zeros(self.n_features)
        self.squared_norms: Array = np.zeros(self.n_features)
        self._scanned = False

    # ------------------------------------------------------------------ passes over X

    def target(self, y: Array) -> tuple[Array, float]:
        """Return ``root (y - mean(y))`` and the weighted mean (0 without an intercept)."""
        y = y.astype(np.float64)
        mean = float(self._weights @ y) / self.mass if self.centre else 0.0
        return self.root * (y - mean), mean

    def first_correlations(self, target: Array) -> Array:
        """Return ``Z^T target``; the first call also finds means and norms, in the same pass."""
        if self._scanned:
            return self.correlate(target)
        y = np.divide(target, self.root, out=np.zeros_like(target), where=self.root > 0)
        with np.errstate(invalid="ignore", over="ignore"):  # the caller looks whether the sums are finite
            return self._keep(*self._scan(y))

    def _keep(self, sums: Array, squares: Array, products: Array) -> Array:
        """Keep means and norms; return the products."""
        shift = np.zeros(self.n_features)
        if self.centre:
            offsets = sums / self.mass
            if not self.is_sparse:
                shift = np.asarray(self.X[0], dtype=np.float64)
            self.means = offsets + shift
            squares = squares - sums * offsets
            tiny = 16 * np.finfo(np.float64).eps * self.n_samples**0.5
            squares[squares <= tiny * np.maximum(sums * offsets, 0)] = 0.0  # constant columns, up to rounding
        self.squared_norms = squares
        self._scanned = True
        return products

    def _scan(self, y: Array) -> tuple[Array, Array, Array]:
        sums, squares, products = np.empty((3, self.n_features))
        X, weights = self.X, self._weights
        if self.is_sparse:
            scan_sparse(X.data, X.indices, X.indptr, weights, y, sums, squares, products)
        elif self._by_columns:

            def columns(start: int, stop: int) -> None:
                scan_columns(X, weights, y, self.centre, start, stop, sums, squares, products)

            map_blocks(columns, self.n_features, self._block(self.n_samples))
        else:
            parts = map_blocks(
                lambda start, stop: scan_rows(X, weights, y, self.centre, start, stop),
                self.n_samples,
                self._block(self.n_features),
            )
            sums, squares, products = sum(parts)
        return sums, squares, products

    @staticmethod
    def _block(length: int) -> int:
        return max(1, BLOCK_ENTRIES // max(length, 1))

    def correlate(self, residual: Array, columns: IntArray | None = None) -> Array:
        """Return ``z_j.residual`` for all or some columns, for a residual orthogonal to ``root``."""
        v = self.root * residual
        if columns is None:
            columns = np.arange(self.n_features)
        X = self.X
        if self.is_sparse:
            out = np.empty(len(columns))
            correlate_sparse(X.data, X.indices, X.indptr, v, columns, out)
            return out
        if self._by_columns:
            out = np.empty(len(columns))
            map_blocks(
                lambda start, stop: correlate_columns(X, v, columns, start, stop, out),
                len(columns),
                self._block(self.n_samples),
            )
            return out
        return self._correlate_c_ordered(v, columns)

    def _correlate_c_ordered(self, v: Array, columns: IntArray) -> Array:
        """Read whole rows, or single entries where those touch fewer cache lines."""
        if 8 * len(columns) <= self.n_features:
            return np.asarray(v @ self.X[:, columns])
        parts = map_blocks(
            lambda start, stop: correlate_rows(self.X, v, start, stop), self.n_samples, self._block(self.n_features)
        )
        return np.asarray(sum(parts))[columns]

    # ------------------------------------------------------------------ single columns

    def gather(self, columns: IntArray) -> Array:
        """Return the columns ``z_j`` as rows of a new array (n_columns, n_samples)."""
        out = np.empty((len(columns), self.n_samples))
        if self.is_sparse:
            out[:] = self.X[:, columns].toarray().T
        elif self._by_columns:
            gather_columns(self.X, columns, self.means, self.root, 0, len(columns), out)
            return out
        else:
            out[:] = self.X[:, columns].T
        out -= self.means[columns, None]
        out *= self.root
        return out

    def gather_sparse(self, columns: IntArray) -> Any:
        """Return ``root x_j``, not centred, as a CSC array (n_samples, n_columns) in double precision."""
        part = self.X[:, columns].tocsc().astype(np.float64)
        part.data *= self.root[part.indices]
        return part
