"""Random rows, drawn so that only the points and their weights matter.

A row of weight 3 and three equal rows of weight 1 are the same data, and so is any order of the rows. Draws that are to
come out the same cannot count rows: here the points are put in the order of a hash of their values, equal points side
by side, and a uniform number picks the point at that share of the total weight.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.typing import Array, IntArray

CHUNK = 1 << 14


def row_hashes(X: Any, start: int = 0, stop: int | None = None) -> NDArray[np.uint64]:
    """Return a 64-bit hash of the values of each row, the same for dense and sparse, float32 and float64 rows.

    Two different points get the same hash with probability 2^-64.
    """
    from steepest.kernels.kmeans.seeding import hash_rows, hash_sparse_rows

    stop = X.shape[0] if stop is None else stop
    hashes = np.empty(stop - start, dtype=np.uint64)
    for a in range(start, stop, CHUNK):
        b = min(a + CHUNK, stop)
        part = X[a:b]
        if sparse.issparse(part):
            bits = part.data.astype(np.float64, copy=False).view(np.uint64)
            hash_sparse_rows(bits, part.indices, part.indptr, 0, b - a, hashes[a - start : b - start])
        else:
            bits = np.ascontiguousarray(part, dtype=np.float64).view(np.uint64)
            hash_rows(bits, 0, b - a, hashes[a - start : b - start])
    return hashes


class RowSampler:
    """Draws rows with probabilities proportional to their weights.

    Parameters
    ----------
    X : array or CSR array (n_samples, n_features)
        The rows.
    weights : array (n_samples,) or (0,)
        Their weights; empty for all ones.

    Attributes
    ----------
    n_points : int
        Number of different points of positive weight.
    """

    def __init__(self, X: Any, weights: Array) -> None:
        self._weighted = len(weights) > 0
        rows = np.flatnonzero(weights) if self._weighted else np.arange(X.shape[0])
        hashes = row_hashes(X)[rows]
        order = np.argsort(hashes, kind="stable")
        self._order: IntArray = rows[order]
        masses = weights[self._order].astype(np.float64) if len(weights) else np.ones(len(rows))
        self._cumulative = np.cumsum(masses)
        sorted_hashes = hashes[order]
        self._begins = np.flatnonzero(np.r_[True, sorted_hashes[1:] != sorted_hashes[:-1]])
        self._point_masses = np.add.reduceat(masses, self._begins)
        self.n_points = len(self._begins)

    def draw(self, rng: np.random.Generator, size: int) -> IntArray:
        """Return ``size`` rows, drawn with replacement."""
        targets = rng.random(size) * self._cumulative[-1]
        places = np.searchsorted(self._cumulative, targets, side="right") if self._weighted else targets.astype(np.intp)
        rows: IntArray = self._order[np.minimum(places, len(self._order) - 1)]
        return rows

    def draw_different(self, rng: np.random.Generator, size: int) -> IntArray:
        """Return rows of ``size`` different points, drawn without replacement; beyond ``n_points`` they repeat.

        Notes
        -----
        With E_p exponential of rate W_p, the points in the order of their E_p are successive draws without replacement
        in proportion to W: the first to arrive is p with probability W_p / sum W, and arrivals have no memory.
        """
        arrivals = rng.exponential(size=self.n_points) / self._point_masses
        points = np.argsort(arrivals, kind="stable")[:size]
        rows = self._order[self._begins[points]]
        return np.concatenate([rows, self.draw(rng, size - len(rows))])
