"""k-means++: starting centres that are far apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.kernels.threads import map_blocks
from steepest.solvers.row_sampling import CHUNK, row_hashes
from steepest.typing import Array, IntArray

BUCKET_BITS = 10
KEPT_BYTES = 1 << 25  # candidates' distances are kept if they need no more, else those of the winner computed again


def kmeans_plus_plus(
    X: Any, weights: Array, n_clusters: int, rng: np.random.Generator, n_local_trials: int | None = None
) -> IntArray:
    r"""Return the rows of ``n_clusters`` starting centres.

    Notes
    -----
    With ``D_i`` the squared distance of row i from the nearest centre chosen so far and ``phi = sum_i w_i D_i``, which
    is the objective at these centres: the first centre is row i with probability proportional to w_i, each further one
    with probability ``w_i D_i / phi``. The expected objective is within ``8 (ln k + 2)`` of the best possible.
    Of ``n_local_trials`` candidates drawn so, the one that lowers phi most is taken (greedy k-means++; 2 + log k
    candidates if not given). All distances are sums of squared differences: no cancellation.

    The result depends on the points and weights only, not on the rows' order (see :mod:`.row_sampling`). To draw
    without sorting all rows, they are kept in 1024 buckets by the first bits of their hash, whose masses come with the
    distances; only the rows of the bucket drawn are sorted. Beyond a fixed buffer, only a distance and a bucket
    number a row are held.

    Source: D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.
    """
    trials = 2 + int(np.log(n_clusters)) if n_local_trials is None else n_local_trials
    rows = _DenseRows(X, weights) if not sparse.issparse(X) else _SparseRows(X, weights)
    chosen = [rows.draw(rng.random())]
    rows.come_closer(chosen[0])
    for _ in range(1, n_clusters):
        candidates = np.array([rows.draw(u) for u in rng.random(trials)])
        best = 0 if trials == 1 else int(np.argmin(rows.potentials(candidates)))
        chosen.append(int(candidates[best]))
        rows.come_closer(chosen[-1], best)
    return np.array(chosen)


class _Rows:
    """Rows with their distances to the nearest centre chosen so far."""

    def __init__(self, X: Any, weights: Array) -> None:
        n = X.shape[0]
        self.X, self.weights = X, weights
        self.closest: Array = np.full(n, np.inf, dtype=X.dtype)
        self._buckets = np.empty(n, dtype=np.uint16)

        def find_buckets(start: int, stop: int) -> None:
            self._buckets[start:stop] = row_hashes(X, start, stop) >> np.uint64(64 - BUCKET_BITS)

        map_blocks(find_buckets, n, CHUNK)
        by_weight = weights.astype(np.float64) if len(weights) else None
        self._by_weight: NDArray[np.float64] = np.bincount(self._buckets, by_weight, 1 << BUCKET_BITS).astype(float)
        self._masses: NDArray[np.float64] | None = None

    def draw(self, u: float) -> int:
        """Return the row at the share ``u`` of the total of ``w_i D_i``; of ``w_i`` while there is no centre."""
        by_distance = self._masses is not None and self._masses.sum() > 0
        masses = self._masses if by_distance and self._masses is not None else self._by_weight
        cumulative = np.cumsum(masses)
        target = u * cumulative[-1]
        bucket = int(np.searchsorted(cumulative, target, side="right"))
        members = np.flatnonzero(self._buckets == bucket)
        members = members[np.argsort(row_hashes(self.X[members]), kind="stable")]
        own = self.weights[members].astype(np.float64) if len(self.weights) else np.ones(len(members))
        if by_distance:
            own *= self.closest[members]
        place = np.searchsorted(np.cumsum(own), target - (cumulative[bucket] - masses[bucket]), side="right")
        return int(members[min(int(place), int(np.flatnonzero(own)[-1]))])

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        """Take a row as a centre; it may be one of the last candidates."""
        raise NotImplementedError

    def potentials(self, candidates: IntArray) -> Array:
        """Return phi with each of the candidate rows as a further centre."""
        raise NotImplementedError


class _DenseRows(_Rows):
    def __init__(self, X: Array, weights: Array) -> None:
        from steepest.kernels.kmeans.blocks import Blocks

        super().__init__(X, weights)
        self._blocks = Blocks(len(X))
        self._kept: Array = np.empty((0, 0), dtype=X.dtype)

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        from steepest.kernels.kmeans.seeding import come_closer

        blocks, centre = self._blocks, self.X[[row]]
        known = self._kept[candidate] if candidate is not None and self._kept.size else self.closest[:0]
        masses = np.zeros((blocks.number, 1 << BUCKET_BITS))
        blocks.run(
            lambda first, last: come_closer(
                self.X, self.weights, self.closest, centre, known, self._buckets, blocks.rows, first, last, masses
            )
        )
        self._masses = masses.sum(axis=0)

    def potentials(self, candidates: IntArray) -> Array:
        from steepest.kernels.kmeans.seeding import potentials

        blocks, centres = self._blocks, self.X[candidates]
        totals = np.zeros((blocks.number, len(candidates)))
        keep = len(candidates) * self.closest.nbytes <= KEPT_BYTES
        if self._kept.shape != (len(candidates), len(self.X) if keep else 0):
            self._kept = np.empty((len(candidates), len(self.X) if keep else 0), dtype=self.X.dtype)
        blocks.run(
            lambda first, last: potentials(
                self.X, self.weights, self.closest, centres, blocks.rows, first, last, totals, self._kept
            )
        )
        summed: Array = totals.sum(axis=0)
        return summed


class _SparseRows(_Rows):
    def _distances(self, start: int, stop: int, centres: Array) -> Array:
        """Return ``|x|^2 - 2 x.c + |c|^2`` (n_candidates, n_rows); never negative, exactly 0 where x is c."""
        rows = self.X[start:stop]
        norms = np.bincount(np.repeat(np.arange(stop - start), np.diff(rows.indptr)), rows.data**2, stop - start)
        squares = np.einsum("jf,jf->j", centres, centres)
        distances = squares[:, None] + norms - 2 * (rows @ centres.T).T
        scale = (self.X.shape[1] + 8) * np.finfo(self.X.dtype).eps * (squares[:, None] + norms)
        return np.where(distances > scale, distances, 0.0)

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        centre = self.X[[row]].toarray()
        n = self.X.shape[0]
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            part = self.closest[start:stop]
            np.minimum(part, self._distances(start, stop, centre)[0], out=part)
        masses = self.closest.astype(np.float64) * (self.weights if len(self.weights) else 1.0)
        self._masses = np.bincount(self._buckets, masses, 1 << BUCKET_BITS).astype(np.float64)

    def potentials(self, candidates: IntArray) -> Array:
        centres, n = self.X[candidates].toarray(), self.X.shape[0]
        totals = np.zeros(len(candidates))
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            closer = np.minimum(self.closest[start:stop], self._distances(start, stop, centres)).astype(np.float64)
            totals += closer @ self.weights[start:stop] if len(self.weights) else closer.sum(axis=1)
        return totals
