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
HASHES_KEPT = 1 << 20  # rows whose hashes are kept, else they are computed again when they are needed
PACKED_BYTES = 1 << 24  # of a copy of the data as the kernels read it
BLOCK_ROWS = 1 << 11  # whose masses are added up by themselves
FEW_ROWS = 1 << 13  # that one thread looks at
SAMPLE = 256  # rows that tell the size of the data
SMALLEST_SQUARE, LARGEST_SQUARE = 1e-24, 1e30  # of a typical row: single precision holds the squares, and small ones
TINY_SHARE = 1e-4  # of the mean square: a mean of D below is too small for single precision
KEPT_BYTES = 1 << 25  # candidates' distances are kept if they need no more, else those of the winner computed again
WORK_AT_ONCE = 1 << 28  # differences squared in one compiled call


def kmeans_plus_plus(
    X: Any,
    weights: Array,
    n_clusters: int,
    rng: np.random.Generator,
    n_local_trials: int | None = None,
    rows: "SeedingRows | None" = None,
) -> IntArray:
    r"""Return the rows of ``n_clusters`` starting centres.

    ``rows`` is what :func:`seeding_rows` returned for the same data, if several starts are wanted.

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
    rows = seeding_rows(X, weights) if rows is None else rows
    rows.begin()
    shares = np.empty((n_clusters, trials))
    shares[0] = rng.random(1)
    shares[1:] = rng.random((n_clusters - 1, trials))
    return rows.choose(shares)


def seeding_rows(X: Any, weights: Array) -> "SeedingRows":
    """Return the rows as k-means++ looks at them."""
    if sparse.issparse(X):
        return _SparseRows(X, weights)
    return (_DenseRows if len(X) > FEW_ROWS else _FewRows)(X, weights)


class SeedingRows:
    """Rows with their distances to the nearest centre chosen so far."""

    def __init__(self, X: Any, weights: Array) -> None:
        from steepest.kernels.kmeans.seeding import Order, gather_buckets

        n = X.shape[0]
        self.X, self.weights = X, weights
        self.closest: Array = np.empty(0, dtype=X.dtype)
        self._hashes = np.empty(n if n <= HASHES_KEPT else 0, dtype=np.uint64)
        self._buckets = np.empty(n, dtype=np.uint16)

        def find_buckets(start: int, stop: int) -> None:
            hashes = row_hashes(X, start, stop)
            self._hashes[start:stop] = hashes if len(self._hashes) else 0
            self._buckets[start:stop] = hashes >> np.uint64(64 - BUCKET_BITS)

        map_blocks(find_buckets, n, CHUNK)
        by_weight = weights.astype(np.float64) if len(weights) else None
        self._by_weight: NDArray[np.float64] = np.bincount(self._buckets, by_weight, 1 << BUCKET_BITS).astype(float)
        self._masses: NDArray[np.float64] | None = None
        begins = np.concatenate([[0], np.cumsum(np.bincount(self._buckets, minlength=1 << BUCKET_BITS))])
        members, self._in_order = np.empty(n, dtype=np.int32), np.zeros(1 << BUCKET_BITS, dtype=bool)
        if n <= FEW_ROWS:
            members[:], self._in_order[:] = np.argsort(self._hashes, kind="stable"), True
        else:
            gather_buckets(self._buckets, begins, members)
        self._order = Order(self._buckets, begins, members, self._by_weight)

    def begin(self) -> None:
        """Begin without centres."""
        self._masses = None

    def choose(self, shares: NDArray[np.float64]) -> IntArray:
        """Return the rows of the centres; ``shares[step]`` tell the candidates, those of the first step the first."""
        from steepest.kernels.kmeans.seeding import first_lowest

        chosen = self.draw(shares[0, :1])
        self.come_closer(chosen[0])
        for step in range(1, len(shares)):
            candidates = self.draw(shares[step])
            best = first_lowest(self.potentials(np.array(candidates))) if len(candidates) > 1 else None
            chosen.append(candidates[best or 0])
            self.come_closer(chosen[-1], best)
        return np.array(chosen)

    def draw(self, shares: NDArray[np.float64]) -> list[int]:
        """Return the rows at these shares of the total of ``w_i D_i``; of ``w_i`` while there is no centre."""
        from steepest.kernels.kmeans.seeding import find_places, pick

        by_bucket, closest = self._by_weight, self.closest[:0]
        if self._masses is not None and self._masses.sum() > 0:
            by_bucket, closest = self._masses, self.closest
        buckets, targets = np.empty(len(shares), np.int64), np.empty(len(shares))
        find_places(by_bucket, shares, buckets, targets)
        return [
            pick(self._members_of(bucket), self.weights, closest, target)
            for bucket, target in zip(buckets.tolist(), targets.tolist(), strict=True)
        ]

    def _members_of(self, bucket: int) -> IntArray:
        """Return the rows of a bucket in the order of their hashes."""
        order = self._order
        members = order.members[order.begins[bucket] : order.begins[bucket + 1]]
        if not self._in_order[bucket]:
            hashes = self._hashes[members] if len(self._hashes) else row_hashes(self.X[members])
            members[:] = members[np.argsort(hashes, kind="stable")]
            self._in_order[bucket] = True
        return members

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        """Take a row as a centre; it may be one of the last candidates."""
        raise NotImplementedError

    def potentials(self, candidates: IntArray) -> Array:
        """Return phi with each of the candidate rows as a further centre."""
        raise NotImplementedError


class _DenseRows(SeedingRows):
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
        mean = np.add.reduce(some, axis=0) / len(some)
        squares = (some - mean) ** 2
        self._amid = short_origin(mean, np.add.reduce(squares, axis=0) / len(some))
        typical = float(((some - self._amid) ** 2).sum() / len(some))
        self._least = TINY_SHARE * typical * float(self._by_weight.sum())
        self._rounds = X.dtype == np.float64 and SMALLEST_SQUARE < typical < LARGEST_SQUARE
        self._chosen: list[int] = []
        self._kept: Array = np.empty((0, 0), dtype=X.dtype)

    def begin(self) -> None:
        super().begin()
        self._chosen = []
        if self._rounds:
            self._measure(self._amid, np.float32)
        else:
            self._measure(np.zeros(self.X.shape[1], self.X.dtype), self.X.dtype)

    def _measure(self, origin: Array, dtype: Any) -> None:
        """Compute distances from this origin, in this precision, from now on."""
        if self.closest.dtype != dtype or not len(self.closest):
            self._pack(origin, dtype)
        self.closest[:] = np.inf
        for row in self._chosen:
            self._lower(row, self.closest[:0])

    def _pack(self, origin: Array, dtype: Any) -> None:
        """Turn rows as the kernels read them, as many as there is room for."""
        from steepest.kernels.kmeans.arrays import pack_rows
        from steepest.kernels.kmeans.seeding import Points
        from steepest.kernels.kmeans.tiles import PANEL_BYTES

        X, blocks = self.X, self._blocks
        (n, d), points = X.shape, PANEL_BYTES // np.dtype(dtype).itemsize
        self.closest = np.empty(n, dtype=dtype)
        self._kept = np.empty((0, 0), dtype=dtype)
        room = PACKED_BYTES + X.nbytes // 10
        fit = room // ((d + 1) * self.closest.itemsize)
        packed: Array = np.empty((min(n, fit) // points, d + 1, points), dtype=dtype)
        blocks.run(lambda first, last: pack_rows(X, origin, blocks.rows, first, last, packed))
        self._points = Points(X, self.weights, origin, packed)

    def come_closer(self, row: int, candidate: int | None = None) -> None:
        self._chosen.append(row)
        self._lower(row, self._kept[candidate] if candidate is not None and self._kept.size else self.closest[:0])
        self._look()

    def _look(self) -> None:
        """Change to the data's own precision if distances have become too small for a lower one."""
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
                self._points, self.closest, centre, known, self._buckets, blocks.rows, first, last, masses
            )
        )
        self._masses = masses.sum(axis=0)

    def potentials(self, candidates: IntArray) -> Array:
        from steepest.kernels.kmeans.seeding import potentials

        blocks, centres, kept = self._blocks, self.X[candidates], self._room_for(len(candidates))
        totals = np.zeros((blocks.number, len(candidates)))
        blocks.run(
            lambda first, last: potentials(self._points, self.closest, centres, blocks.rows, first, last, totals, kept)
        )
        summed: Array = totals.sum(axis=0)
        return summed

    def _room_for(self, n_candidates: int) -> Array:
        """Return room for the candidates' distances, if it may be had."""
        keep = n_candidates * self.closest.nbytes <= KEPT_BYTES
        if self._kept.shape != (n_candidates, len(self.X) if keep else 0):
            self._kept = np.empty((n_candidates, len(self.X) if keep else 0), dtype=self.closest.dtype)
        return self._kept


class _FewRows(_DenseRows):
    """So few rows that one thread does: several steps are taken in one compiled call."""

    def choose(self, shares: NDArray[np.float64]) -> IntArray:
        from steepest.kernels.kmeans.seeding import choose

        chosen, masses = np.empty(len(shares), dtype=np.int64), np.zeros((1, 1 << BUCKET_BITS))
        at_once, done = max(1, WORK_AT_ONCE // (self.X.size * shares.shape[1])), 0
        while done < len(shares):
            rounds = self.closest.dtype != self.X.dtype
            least, kept = self._least if rounds else -np.inf, self._room_for(shares.shape[1])
            done = choose(
                self._points, self._order, self.closest, kept, shares, least, done, chosen[: done + at_once], masses
            )
            self._chosen, self._masses = chosen[:done].tolist(), masses[0]
            self._look()
            masses[0] = self._masses
        return chosen


class _SparseRows(SeedingRows):
    def begin(self) -> None:
        super().begin()
        self.closest = np.full(self.X.shape[0], np.inf, dtype=self.X.dtype)

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
