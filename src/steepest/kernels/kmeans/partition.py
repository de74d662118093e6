"""The state of an assignment: labels, and the sums over each cluster, kept up to date as centres move."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from steepest.kernels.kmeans import dense, measures, sparse
from steepest.kernels.kmeans.blocks import Blocks
from steepest.kernels.kmeans.nearest import pack_centres, room_for_centres
from steepest.kernels.team import Team
from steepest.typing import Array, IntArray

LEAST_WORK_FOR_GAPS = 100  # multiply-adds a point below which computing it anew is cheaper than asking its bound
GAP_BUFFER_BYTES = 1 << 25
MANY_MOVES = 10  # one row in so many: beyond, summing anew is cheaper
UNDECIDED = -1


class Partition(Protocol):
    """Which cluster each row belongs to.

    Attributes
    ----------
    labels : int32 array (n_samples,)
        The cluster of each row.
    centres : array (n_clusters, n_features) or None
        What the labels were assigned for; None while an assignment is under way, and if it was broken off.
    sums : float64 array (n_clusters, n_features)
        ``S_j = sum_i w_i (x_i - origin)`` over the rows of cluster j.
    """

    labels: IntArray
    centres: Array | None
    sums: NDArray[np.float64]

    @property
    def masses(self) -> NDArray[np.float64]:
        """The weight of each cluster: ``W_j = sum_i w_i`` over its rows."""

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""

    def own_distances(self, centres: Array) -> Array:
        """Return the squared distance of every row from its own centre."""

    def sse(self, centres: Array) -> float:
        """Return the weighted sum of the squared distances from the own centres."""


def score_rounding(X: Any) -> float:
    """Return a bound on the relative rounding error of d products and sums, and of two subtractions of the origin.

    Each rounds by at most half the distance of two numbers, in whatever order they are summed.
    """
    return float((X.shape[1] + 8) * np.finfo(X.dtype).eps / 2)


def score_error(rounding: float, reach: float, typical: float) -> tuple[float, float]:
    r"""Return ``slope, offset`` so that a score's rounding error is at most ``slope |x|^2 / 2 + offset``.

    Notes
    -----
    A score ``|c|^2 / 2 - x.c`` of a centre with ``|c|^2 / 2 <= r`` (``reach``) rounds by at most ``u (|x| |c| + r)``.
    For any a > 0, ``|x| |c| <= a |x|^2 / 2 + |c|^2 / (2 a)``, which is tight for a = |c| / |x|. With the typical
    squared length T of the points, ``a^2 = 2 r / T``::

        slope = u a        offset = u r (1 + 1 / a)
    """
    a = float(np.sqrt(2 * reach / typical)) if reach > 0 and typical > 0 else 1.0
    return rounding * a, rounding * reach * (1 + 1 / a)


class _Sums:
    """Labels, and the sums over each cluster that follow their changes.

    Sums that only add and subtract what moves drift from the true ones by rounding: after as many moves as half the
    rows they are summed anew; and so they are while many rows move, which takes less time. A cluster without members
    is exactly empty.
    """

    def __init__(self, n_rows: int, n_features: int, n_clusters: int) -> None:
        self.labels: IntArray = np.full(n_rows, UNDECIDED, dtype=np.int32)
        self.centres: Array | None = None
        self._kept = n_clusters
        self._blocks = Blocks(n_rows, result_bytes=8 * n_clusters * (n_features + 2))
        self.sums = np.zeros((n_clusters, n_features))
        self._counts = np.zeros((n_clusters, 2))
        self._moves, self._moved = 0, n_rows  # since sums were last taken anew, and in the step before
        n_parts = self._blocks.number if n_clusters else 1
        self._part_sums = np.zeros((n_parts, n_clusters, n_features))
        self._part_counts = np.zeros((n_parts, n_clusters, 2))
        self._part_moves = np.zeros(self._blocks.number, dtype=np.int64)

    @property
    def masses(self) -> NDArray[np.float64]:
        """The weight of each cluster."""
        return self._counts[:, 0]

    @property
    def _follows(self) -> bool:
        """Whether the next step moves rows from sum to sum."""
        return self._kept > 0 and MANY_MOVES * self._moved <= len(self.labels)

    def _add(self) -> int:
        """Take over what the blocks found; return how many rows moved."""
        follows, n_moved = self._follows, int(self._part_moves.sum())
        self._moved = n_moved
        if not self._kept or n_moved == 0:
            return n_moved
        self._moves += n_moved
        if not follows or self._moves > len(self.labels) // 2:
            self.sums[:], self._counts[:], self._moves = 0, 0, 0
            self._sum_anew(self._part_sums, self._part_counts)
        measures.add_parts(self._part_sums, self._part_counts, self.sums, self._counts)
        return n_moved

    def _sum_anew(self, sums: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Write each block's sums and counts, from the labels."""
        raise NotImplementedError


class DensePartition(_Sums):
    """Partition of the rows of a C-contiguous array; see :class:`Partition`.

    Parameters
    ----------
    X : array (n_samples, n_features)
        The data.
    weights : array (n_samples,) or (0,)
        Sample weights; empty for all ones.
    n_clusters : int
        Number of centres.
    origin : array (n_features,)
        Subtracted from rows and centres before scores are computed: the nearer it is to them, the fewer near ties.
    reuse : bool, default True
        Whether there will be several sets of centres: keep sums, and bounds where they pay.
    """

    def __init__(self, X: Array, weights: Array, n_clusters: int, origin: Array, reuse: bool = True) -> None:
        n, d = X.shape
        super().__init__(n, d, n_clusters if reuse else 0)
        self.X, self.weights, self.origin = X, weights, origin
        some = X[:: max(1, n // 256)] - origin
        self._typical = float(np.einsum("if,if->", some, some)) / max(len(some), 1)
        pays = reuse and d * n_clusters >= LEAST_WORK_FOR_GAPS and 4 * n <= max(GAP_BUFFER_BYTES, X.nbytes // 10)
        self._gaps = np.full(n if pays else 0, -np.inf, dtype=np.float32)
        self._spread = 0.0
        self._table, self._half_norms = room_for_centres(n_clusters, d, X.dtype)
        self._centres, self._drift = np.zeros((n_clusters, d), X.dtype), np.zeros(n_clusters, np.float32)
        self._limits = np.array([0.0, 0.0, score_rounding(X), 0.0, 0.0])
        self._team = Team(
            dense.assign_in_team, self._blocks.number, X, weights, origin, self._centres, self._table, self._half_norms,
            self._limits, self._drift, self.labels, self._gaps, self._part_sums, self._part_counts, self._part_moves,
            self._blocks.rows,
        )  # fmt: skip

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""
        shifted = centres - self.origin
        pack_centres(shifted, self._table, self._half_norms)
        reach = float(self._half_norms[: len(centres)].max())
        self._drift[:] = self._shrinkage(centres)
        self._limits[:2] = score_error(self._limits[2], reach, self._typical)
        self._limits[3:] = self._least_gap(reach), self._follows
        self.centres = None
        self._centres[:] = centres
        self._team.run()
        self.centres = centres.copy()
        return self._add()

    def _sum_anew(self, sums: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Write each block's sums and counts, from the labels."""

        def kernel(first: int, last: int) -> None:
            measures.add_members(
                self.X, self.weights, self.origin, self.labels, self._blocks.rows, first, last, sums, counts
            )

        self._run_once(kernel)

    def _run_once(self, kernel: Callable[[int, int], None]) -> None:
        """Run over all blocks what is not an assignment, whose threads are not waited for."""
        self._team.dismiss()
        self._blocks.run(kernel)

    def _shrinkage(self, centres: Array) -> NDArray[np.float32] | float:
        """Return how much a row's gap can have shrunk, by label: its own centre's way and the longest other."""
        if self.centres is None or not len(self._gaps):
            return 0.0
        ways = np.linalg.norm(centres.astype(np.float64) - self.centres, axis=1)
        order = np.argsort(ways)
        others = np.full(len(ways), ways[order[-1]])
        others[order[-1]] = ways[order[-2]] if len(ways) > 1 else 0.0
        shrinkage: NDArray[np.float32] = ((ways + others) * float(dense.ROUND_UP)).astype(np.float32)
        return shrinkage

    def _least_gap(self, reach: float) -> float:
        """Return the gap above which double precision cannot mistake the nearest centre."""
        if not len(self._gaps):
            return 0.0
        if self._spread == 0.0:
            largest = float(max(-self.X.min(), self.X.max())) + float(np.abs(self.origin).max())
            self._spread = largest * float(np.sqrt(self.X.shape[1]))
        rounding = 4 * (self.X.shape[1] + 8) * float(np.finfo(np.float64).eps)
        return float(rounding * (self._spread + np.sqrt(2 * reach)))

    def own_distances(self, centres: Array) -> Array:
        """Return the squared distance of every row from its own centre."""
        distances = np.empty(len(self.X), dtype=self.X.dtype)
        rows = self._blocks.rows

        def kernel(first: int, last: int) -> None:
            stop = min(last * rows, len(self.X))
            measures.own_distances(self.X, centres, self.labels, first * rows, stop, distances)

        self._run_once(kernel)
        return distances

    def sse(self, centres: Array) -> float:
        """Return the weighted sum of the squared distances from the own centres."""
        parts, rows = np.zeros(self._blocks.number), self._blocks.rows

        def kernel(first: int, last: int) -> None:
            measures.sse_blocks(self.X, self.weights, centres, self.labels, rows, first, last, parts)

        self._run_once(kernel)
        return float(parts.sum())


class SparsePartition(_Sums):
    """Partition of the rows of a CSR array; see :class:`Partition`. Its origin is zero, so that zeros stay zeros."""

    def __init__(self, X: Any, weights: Array, n_clusters: int, reuse: bool = True) -> None:
        n, d = X.shape
        super().__init__(n, d, n_clusters if reuse else 0)
        self.X, self.weights = X, weights
        self._typical = float(X.data @ X.data) / n
        self._no_sums = np.zeros((1, 0, d))

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""
        X, blocks = self.X, self._blocks
        half_norms = (np.einsum("jf,jf->j", centres, centres, dtype=np.float64) / 2).astype(centres.dtype)
        slope, offset = score_error(score_rounding(X), float(half_norms.max()), self._typical)
        self.centres = None
        sums = self._part_sums if self._follows else self._no_sums
        transposed = np.ascontiguousarray(centres.T)

        def kernel(first: int, last: int) -> None:
            sparse.assign_sparse(
                X.data, X.indices, X.indptr, self.weights, centres, transposed, half_norms, slope, offset,
                self.labels, sums, self._part_counts, self._part_moves, blocks.rows, first, last,
            )  # fmt: skip

        blocks.run(kernel)
        self.centres = centres.copy()
        return self._add()

    def _sum_anew(self, sums: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        """Write each block's sums and counts, from the labels."""
        X = self.X

        def kernel(first: int, last: int) -> None:
            sparse.add_members_sparse(
                X.data, X.indices, X.indptr, self.weights, self.labels, self._blocks.rows, first, last, sums, counts
            )

        self._blocks.run(kernel)

    def own_distances(self, centres: Array) -> Array:
        """Return the squared distance of every row from its own centre."""
        X, blocks = self.X, self._blocks
        distances = np.empty(X.shape[0], dtype=X.dtype)
        norms = np.einsum("jf,jf->j", centres, centres, dtype=np.float64)

        def kernel(first: int, last: int) -> None:
            start, stop = first * blocks.rows, min(last * blocks.rows, X.shape[0])
            sparse.own_distances_sparse(
                X.data, X.indices, X.indptr, centres, norms, self.labels, start, stop, distances
            )

        blocks.run(kernel)
        return distances

    def sse(self, centres: Array) -> float:
        """Return the weighted sum of the squared distances from the own centres."""
        distances = self.own_distances(centres).astype(np.float64)
        return float(distances @ self.weights) if len(self.weights) else float(distances.sum())
