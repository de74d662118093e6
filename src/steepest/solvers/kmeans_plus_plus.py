"""k-means++: starting centres that are far apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.foundations.origins import short_origin
from steepest.kernels.threads import map_blocks
from steepest.solvers.row_sampling import CHUNK, row_hashes
from steepest.typing import Array, IntArray

BUCKET_BITS = 10
PACKED_BYTES = 1 << 24  # of a copy of the data as the kernels read it
BLOCK_ROWS = 1 << 13  # whose masses are added up by themselves
SAMPLE = 256  # rows that tell the size of the data
SMALLEST_SQUARE, LARGEST_SQUARE = 1e-24, 1e30  # of a typical row: single precision holds the squares, and small ones
ROUNDING = 1e-4  # more than that of phi, relative to it
TINY_SHARE = 1e-4  # of the mean square: a mean of D below is too small for single precision
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
    distances; only the rows of a bucket drawn are sorted. Beyond a fixed buffer, only a distance, a bucket number and
    a place in a bucket are held of each row.

    Source: D. Arthur, S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.
    """
    trials = 2 + int(np.log(n_clusters)) if n_local_trials is None else n_local_trials
    rows = _DenseRows(X, weights) if not sparse.issparse(X) else _SparseRows(X, weights)
    chosen = rows.draw(rng.random(1))
    rows.come_closer(chosen[0])
    for _ in range(1, n_clusters):
        candidates = rows.draw(rng.random(trials))
        best = _first_lowest(rows.potentials(np.array(candidates))) if trials > 1 else 0
        chosen.append(candidates[best])
        rows.come_closer(chosen[-1], best if trials > 1 else None)
    return np.array(chosen)


def _first_lowest(potentials: Array) -> int:
    """Return the first candidate that is as good as the best, but for rounding: whichever order sums were taken in."""
    return int(np.flatnonzero(potentials <= (1 + ROUNDING) * potentials.min())[0])


class _Rows:
    """Rows with their distances to the nearest centre chosen so far."""

    def __init__(self, X: Any, weights: Array) -> None:
        from steepest.kernels.kmeans.seeding import gather_buckets

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
        self._begins = np.concatenate([[0], np.cumsum(np.bincount(self._buckets, minlength=1 << BUCKET_BITS))])
        self._members, self._in_order = np.empty(n, dtype=np.int32), np.zeros(1 << BUCKET_BITS, dtype=bool)
        gather_buckets(self._buckets, self._begins, self._members)

    def draw(self, shares: NDArray[np.float64]) -> list[int]:
        """Return the rows at these shares of the total of ``w_i D_i``; of ``w_i`` while there is no centre."""
        from steepest.kernels.kmeans.seeding import pick

        masses, closest = self._by_weight, self.closest[:0]
        if self._masses is not None and self._masses.sum() > 0:
            masses, closest = self._masses, self.closest
        cumulative = np.cumsum(masses)
        targets = shares * cumulative[-1]
        buckets = np.minimum(np.searchsorted(cumulative, targets, side="right"), np.flatnonzero(masses)[-1])
        before = targets - (cumulative - masses)[buckets]
        return [
            pick(self._members_of(bucket), self.weights, closest, target)
            for bucket, target in zip(buckets.tolist(), before.tolist(), strict=True)
        ]

    def _members_of(self, bucket: int) -> IntArray:
        """Return the rows of a bucket in the order of their hashes."""
        members = self._members[self._begins[bucket] : self._begins[bucket + 1]]
        if not self._in_order[bucket]:
            members[:] = members[np.argsort(row_hashes(self.X[members]), kind="stable")]
            self._in_order[bucket] = True
        return members

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        """Take a row as a centre; it may be one of the last candidates."""
        raise NotImplementedError

    def potentials(self, candidates: IntArray) -> Array:
        """Return phi with each of the candidate rows as a further centre."""
        raise NotImplementedError


class _DenseRows(_Rows):
    """Rows of an array.

    Distances are of single precision, whatever that of the data, as long as that is good enough: rows that are rounded
    to it, measured from a point amid them, make an error of some ``2^-22 |x_i| D_i^(1/2)`` in ``D_i``, a ten-thousandth
    of it at most where ``D_i`` is a ten-thousandth of ``|x_i|^2``. Once the mean of D is less than that of the mean
    ``|x|^2``, differences are taken as they are, in double precision.
    """

    def __init__(self, X: Array, weights: Array) -> None:
        from steepest.kernels.kmeans.blocks import Blocks

        super().__init__(X, weights)
        self._blocks = Blocks(len(X), smallest=BLOCK_ROWS)
        some = X[:: max(1, len(X) // SAMPLE)].astype(np.float64)
        origin = short_origin(some.mean(axis=0), some.var(axis=0))
        typical = float(((some - origin) ** 2).sum(axis=1).mean())
        self._chosen: list[int] = []
        self._least = TINY_SHARE * typical * float(self._by_weight.sum())
        if X.dtype == np.float64 and SMALLEST_SQUARE < typical < LARGEST_SQUARE:
            self._measure(origin, np.float32)
        else:
            self._measure(np.zeros(X.shape[1], X.dtype), X.dtype)

    def _measure(self, origin: Array, dtype: Any) -> None:
        """Compute distances from this origin, in this precision, from now on."""
        from steepest.kernels.kmeans.arrays import pack_rows
        from steepest.kernels.kmeans.tiles import PANEL_BYTES

        X, blocks, self._origin = self.X, self._blocks, origin
        (n, d), points = X.shape, PANEL_BYTES // np.dtype(dtype).itemsize
        self.closest = np.full(n, np.inf, dtype=dtype)
        self._kept: Array = np.empty((0, 0), dtype=dtype)
        fits = n * (d + 1) * self.closest.itemsize <= PACKED_BYTES
        self._packed: Array = np.empty((n // points if fits else 0, d + 1, points), dtype=dtype)
        if fits:
            blocks.run(lambda first, last: pack_rows(X, origin, blocks.rows, first, last, self._packed))
        for row in self._chosen:
            self._lower(row, self.closest[:0])

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        self._chosen.append(row)
        self._lower(row, self._kept[candidate] if candidate is not None and self._kept.size else self.closest[:0])
        assert self._masses is not None
        if self.closest.dtype != self.X.dtype and not self._least < self._masses.sum() < np.inf:
            self._measure(np.zeros(self.X.shape[1]), self.X.dtype)

    def _lower(self, row: int, known: Array) -> None:
        """Lower all distances to those from this row, which may be known."""
        from steepest.kernels.kmeans.seeding import come_closer

        blocks, centre = self._blocks, self.X[[row]]
        masses = np.zeros((blocks.number, 1 << BUCKET_BITS))
        blocks.run(
            lambda first, last: come_closer(
                self.X, self._origin, self._packed, self.weights, self.closest, centre, known, self._buckets,
                blocks.rows, first, last, masses,
            )
        )  # fmt: skip
        self._masses = masses.sum(axis=0)

    def potentials(self, candidates: IntArray) -> Array:
        from steepest.kernels.kmeans.seeding import potentials

        blocks, centres = self._blocks, self.X[candidates]
        totals = np.zeros((blocks.number, len(candidates)))
        keep = len(candidates) * self.closest.nbytes <= KEPT_BYTES
        if self._kept.shape != (len(candidates), len(self.X) if keep else 0):
            self._kept = np.empty((len(candidates), len(self.X) if keep else 0), dtype=self.closest.dtype)
        blocks.run(
            lambda first, last: potentials(
                self.X, self._origin, self._packed, self.weights, self.closest, centres, blocks.rows, first, last,
                totals, self._kept,
            )
        )  # fmt: skip
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
