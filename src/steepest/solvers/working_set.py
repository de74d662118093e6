"""The columns coordinate descent works on: gathered, with their Gram matrix, growing as needed."""

from typing import Any

import numpy as np

from steepest.kernels.threads import map_blocks
from steepest.solvers.design import Design
from steepest.typing import Array, IntArray

GRAM_LIMIT = 4096  # columns; 128 MiB of Gram matrix


class WorkingSet:
    r"""Some columns ``z_j`` of a design with ``G_jk = z_j.z_k``.

    Notes
    -----
    Coordinate descent needs ``z_j.r``. Two ways to keep it current when coordinate k moves by a:

    * residual: ``r -= a z_k`` and a dot product for each j, O(n) both;
    * covariance (Gram) updates: ``Z^T r -= a G_k``, O(k) for all j at once, and nothing at all for a coordinate that
      stays at zero.

    The Gram matrix costs O(n k^2) once, by a matrix product, and serves every later epoch, penalty and target. It is
    extended by blocks as columns join: ``G = [[G, A], [A^T, B]]`` with ``A = Z_old^T Z_new`` and ``B = Z_new^T Z_new``.
    It is kept while ``k`` is at most ``GRAM_LIMIT``.

    For sparse columns ``z_j = x'_j - m_j root`` with ``x'_j = root x_j``, so ``z_j.z_k = x'_j.x'_k - mass m_j m_k``.

    Source: J. Friedman, T. Hastie, R. Tibshirani, Regularization paths for generalized linear models via coordinate
    descent, Journal of Statistical Software 33 (2010), 2.2 (covariance updates).
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self.columns: IntArray = np.empty(0, dtype=np.intp)
        self.member = np.zeros(design.n_features, dtype=bool)
        self._gram: Array = np.empty((0, 0))
        self._rows: Array = np.empty((0, 0 if design.is_sparse else design.n_samples))
        self.sparse_columns: Any = None

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.columns)

    @property
    def rows(self) -> Array:
        """The columns ``z_j`` as rows (k, n); only for dense data."""
        return self._rows[: len(self)]

    @property
    def gram(self) -> Array | None:
        """The Gram matrix (k, k), or None where it would cost more than it saves."""
        k = len(self)
        if k > GRAM_LIMIT:
            return None
        if len(self._gram) < k:
            self._extend_gram(len(self._gram), k)
        return self._gram

    def add(self, columns: IntArray) -> None:
        """Let columns join; those already there are passed over."""
        columns = columns[~self.member[columns]]
        if not len(columns):
            return
        old, new = len(self), len(self) + len(columns)
        self.member[columns] = True
        self.columns = np.concatenate([self.columns, columns])
        if self.design.is_sparse:
            self.sparse_columns = self.design.gather_sparse(self.columns)
            return
        if new > len(self._rows):
            grown = np.empty((max(new, min(2 * len(self._rows), self.design.n_features)), self.design.n_samples))
            grown[:old] = self._rows[:old]
            self._rows = grown
        self._rows[old:new] = self.design.gather(columns)

    def _extend_gram(self, done: int, k: int) -> None:
        grown = np.empty((k, k))  # of this size: kernels run along rows that lie one after the other
        grown[:done, :done] = self._gram
        self._gram = grown
        if self.design.is_sparse:
            Z, means = self.sparse_columns, self.design.means[self.columns]
            block = (Z[:, done:k].T @ Z).toarray() - self.design.mass * np.outer(means[done:k], means)
        else:
            new, everything = self._rows[done:k], self._rows[:k].T
            parts = map_blocks(lambda start, stop: np.asarray(new[start:stop] @ everything), k - done, 64)
            block = np.concatenate(parts)
        self._gram[done:k, :k] = block
        self._gram[:done, done:k] = block[:, :done].T

    def product(self, w: Array) -> Array:
        """Return ``sum_j w_j z_j``."""
        used = np.flatnonzero(w)
        if self.design.is_sparse:
            offset = float(self.design.means[self.columns[used]] @ w[used])
            sparse_product: Array = self.sparse_columns @ w - offset * self.design.root
            return sparse_product
        few = 2 * len(used) < len(w)
        return np.asarray(w[used] @ self._rows[used] if few else w @ self.rows)

    def correlate(self, residual: Array) -> Array:
        """Return ``z_j.residual`` for a residual orthogonal to ``root``."""
        Z = self.sparse_columns.T if self.design.is_sparse else self.rows
        correlations: Array = np.asarray(Z @ residual)
        return correlations
