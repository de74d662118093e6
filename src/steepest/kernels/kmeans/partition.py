"""The state of an assignment: labels, and the sums over each cluster, kept up to date as centres move."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from steepest.kernels.kmeans import dense, lloyd, measures, moves, rough, sparse
from steepest.kernels.kmeans.arrays import Centres, Rows, State, pack_rows
from steepest.kernels.kmeans.blocks import LIGHT_BYTES, SMALLEST_BLOCK, Blocks
from steepest.kernels.kmeans.nearest import room_for_centres, score_error, score_rounding
from steepest.kernels.kmeans.tiles import PANEL_BYTES
from steepest.kernels.team import Team
from steepest.kernels.threads import LINE
from steepest.kernels.vectors import VECTOR_BYTES
from steepest.typing import Array, IntArray

LEAST_WORK_FOR_GAPS = 100  # multiply-adds a point below which computing it anew is cheaper than asking its bound
LEAST_WORK_FOR_EARLY_GAPS, FEW_MOVES = 2048, 0.04  # from the first step on; the others wait for so few rows to move
MOST_WORK_PACKED = 256  # and up to which turning rows for the tiles in each step is felt, of other than two features
PACKED_BYTES = 1 << 24  # of all rows turned for once
GAP_BUFFER_BYTES = 1 << 25
LARGEST_SPREAD = 1e30  # of a feature: bounds, in single precision, stay finite
FEW_PRODUCTS = 64  # a row: blocks are larger, lest what each costs is noticed
MOST_STEPS, PATH_NUMBERS = 64, 1 << 19  # that are taken in one call, and of their centres
UNDECIDED = -1
LEAST_WORK_FOR_ROUGH, MUCH_WORK = 4096, 1 << 26  # multiply-adds a row and a pass from which rough scores pay
LEAST_CENTRES_FOR_ROUGH = 32  # with fewer, to read and pack the rows takes most of a pass
MOST_CLOSE = 0.5  # of the rows may be left to scores of full length
LIGHT_WORK, PAIR_WORK = 1 << 21, 4  # multiply-adds of a pass that one thread does; what a pair costs besides, in such


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
    masses : float64 array (n_clusters,)
        The weight of each cluster: ``W_j = sum_i w_i`` over its rows.
    """

    labels: IntArray
    centres: Array | None
    sums: NDArray[np.float64]
    masses: NDArray[np.float64]

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""

    def own_distances(self, centres: Array) -> Array:
        """Return the squared distance of every row from its own centre."""

    def sse(self, centres: Array) -> float:
        """Return the weighted sum of the squared distances from the own centres."""


class _Sums:
    """Labels, and the sums over each cluster that follow their changes.

    Sums that only add and subtract what moves drift from the true ones by rounding: after as many moves as there are
    rows they are taken anew. A cluster without members is exactly empty.
    """

    def __init__(
        self, n_rows: int, n_features: int, n_clusters: int, width: int, block_rows: int = 0, light: bool = False
    ) -> None:
        self.labels: IntArray = np.full(n_rows, UNDECIDED, dtype=np.int32)
        self.centres: Array | None = None
        self._blocks = Blocks(n_rows, 8 * n_clusters * width, block_rows or SMALLEST_BLOCK, light)
        self._totals = np.zeros((n_clusters, width))
        self._parts = np.zeros((self._blocks.number, n_clusters, width))
        self._counted = np.zeros((self._blocks.number, LINE), dtype=np.int64)
        self.sums, self.masses = self._totals[:, :n_features], self._totals[:, n_features]

    def _sum_anew(self) -> None:
        """Take the sums from the labels, if there are any."""
        if len(self._totals) == 0:
            return
        self._totals[:] = 0
        self._sum_members(self._parts)
        measures.add_parts(self._parts, self.sums.shape[1], self._totals)

    def _sum_members(self, sums: NDArray[np.float64]) -> None:
        """Write each block's sums, from the labels."""
        raise NotImplementedError


def _pays_roughly(n_rows: int, n_features: int, n_clusters: int) -> bool:
    """Whether rough scores come first."""
    work = n_features * n_clusters
    many = n_clusters >= LEAST_CENTRES_FOR_ROUGH and work >= LEAST_WORK_FOR_ROUGH and n_rows * work >= MUCH_WORK
    return rough.AVAILABLE and many


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
    largest : float or None
        What no number of X exceeds, if there will be several sets of centres: sums are kept then, and bounds where
        they pay.

    Notes
    -----
    Scores are of single precision, whatever that of the data: labels are exact all the same. Where that leaves many
    near ties, as with clusters that are tiny compared with their distances, double precision takes over.
    """

    def __init__(self, X: Array, weights: Array, n_clusters: int, origin: Array, largest: float | None) -> None:
        (n, d), reuse = X.shape, largest is not None
        lanes = VECTOR_BYTES // 8
        block_rows = SMALLEST_BLOCK if d * n_clusters > FEW_PRODUCTS else 4 * SMALLEST_BLOCK
        width = -(-(d + 2) // lanes) * lanes
        super().__init__(n, d, n_clusters if reuse else 0, width, block_rows, X.nbytes <= LIGHT_BYTES)
        self.X, self.weights, self.origin = X, weights, origin
        spread = (largest or 0.0) + float(np.abs(origin).max())
        bounds = reuse and spread < LARGEST_SPREAD and 4 * n <= max(GAP_BUFFER_BYTES, X.nbytes // 10)
        work = d * n_clusters if bounds else 0
        few_products = d != 2 and d * n_clusters <= MOST_WORK_PACKED
        self._packs = reuse and few_products and 4 * n * (d + 1) <= PACKED_BYTES
        self._gaps = self._no_bounds(n if work >= LEAST_WORK_FOR_EARLY_GAPS else 0)
        self._points, self._drift = np.zeros((n_clusters, d), X.dtype), np.zeros(n_clusters, np.float32)
        self._rough = _pays_roughly(n, d, n_clusters)
        few = int(FEW_MOVES * n) if LEAST_WORK_FOR_GAPS <= work < LEAST_WORK_FOR_EARLY_GAPS else 0
        self._limits, self._plan = np.zeros(12), np.array([0, 0, 0, -n, few])  # the first n moves are from nowhere
        some = X[:: max(1, n // 256)] - origin
        self._limits[lloyd.TYPICAL] = float(np.einsum("if,if->", some, some)) / max(len(some), 1)
        self._limits[lloyd.SPREAD] = spread
        most = max(1, min(MOST_STEPS, PATH_NUMBERS // (n_clusters * d))) if reuse else 1
        self._path, self._records = np.zeros((most, n_clusters, d), X.dtype), np.zeros((most, 6))
        if self._rough:
            self._limits[dense.ROUGH_ROUNDING] = self._rounding_of_rows() if reuse else rough.ROUNDING
            self._limits[dense.ROUGH_ROUNDING] += 2 * score_rounding(d, np.float32)
        self._score_in(np.float32)

    def _rounding_of_rows(self) -> float:
        """Return what rounding to bfloat16 changes a row by at most, relative to its length."""
        largest, rows = np.zeros(self._blocks.number), self._blocks.rows
        self._blocks.run(lambda first, last: rough.largest_rounding(self.X, self.origin, rows, first, last, largest))
        return min(float(largest.max()), rough.ROUNDING)

    @staticmethod
    def _no_bounds(n_rows: int) -> NDArray[np.float32]:
        """Return bounds that spare no row."""
        return np.full(n_rows, -np.inf, dtype=np.float32)

    def _score_in(self, dtype: Any) -> None:
        """Compute scores in this precision from now on."""
        self._limits[dense.ROUNDING] = score_rounding(self.X.shape[1], dtype)
        self._data = Rows(self.X, self.weights, self.origin, self._packed(dtype))
        table, half_norms = room_for_centres(*self._points.shape, dtype)
        short = rough.rough_table(*self._points.shape, self._rough and dtype == np.float32)
        self._centres = Centres(self._points, table, short, half_norms, self._limits, self._drift)
        state = State(self.labels, self._gaps, self._parts, self._counted, self._blocks.rows)
        run = lloyd.Run(self._totals, self._plan, self._path, self._records)
        (n, d), k = self.X.shape, len(self._points)
        alone = n * k * (d + PAIR_WORK) <= LIGHT_WORK
        arrays = self._data, self._centres, state, run
        self._team = Team(lloyd.iterate_in_team, self._blocks.number, *arrays, alone=alone)

    def _packed(self, dtype: Any) -> Array:
        """Return the rows as the tiles read them, where that pays."""
        (n, d), points = self.X.shape, PANEL_BYTES // np.dtype(dtype).itemsize
        wanted = self._packs and len(self._gaps) == 0
        packed = np.empty((n // points if wanted else 0, d + 1, points), dtype)
        if wanted:
            rows = self._blocks.rows
            self._blocks.run(lambda first, last: pack_rows(self.X, self.origin, rows, first, last, packed))
        return packed

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""
        self._path[0] = centres
        return int(self._run(1, True)[1][0, lloyd.CHANGED])

    def iterate(
        self, n_steps: int, tol: float, square_sum: float, least_value: float
    ) -> tuple[Array, NDArray[np.float64]]:
        """Take up to ``n_steps`` iterations; return the centres of each, and :mod:`.lloyd`'s records.

        There may be fewer, even none: see :func:`.lloyd.iterate_in_team`. Values up to ``least_value`` cancel.
        """
        self._limits[lloyd.TOLERANCE : lloyd.TYPICAL] = tol, square_sum, least_value
        return self._run(n_steps, False)

    def _run(self, n_steps: int, given: bool) -> tuple[Array, NDArray[np.float64]]:
        self._plan[: lloyd.DONE] = min(n_steps, len(self._path)), given
        self.centres = None
        self._team.run()
        self.centres = self._points.copy()
        records = self._records[: self._plan[lloyd.DONE]]
        if self._plan[lloyd.MOVES] > len(self.labels):
            self._sum_anew()
            self._plan[lloyd.MOVES] = 0
        self._adapt(records[-1:])
        return self._path[: len(records)], records[:, : lloyd.CLOSE]

    def _adapt(self, last: NDArray[np.float64]) -> None:
        """Change how scores are computed if the last iteration, should there have been one, says so."""
        scored, given = self._centres.table.dtype, self.X.dtype
        ties = last[:, lloyd.TIES].sum() * lloyd.FEW_TIES > len(self.labels) and scored != given
        close = self._rough and last[:, lloyd.CLOSE].sum() > MOST_CLOSE * len(self.labels)
        bounds = len(last) > 0 and last[0, lloyd.CHANGED] < self._plan[lloyd.FEW]
        if bounds:
            self._gaps, self._plan[lloyd.FEW] = self._no_bounds(len(self.labels)), 0
        if ties or bounds or close:
            self._team.dismiss()
            self._rough = self._rough and not close
            self._score_in(given if ties else scored)

    def _sum_members(self, sums: NDArray[np.float64]) -> None:
        """Write each block's sums, from the labels."""
        rows = self._blocks.rows
        self._run_once(lambda first, last: moves.add_members(self._data, self.labels, rows, first, last, sums))

    def _run_once(self, kernel: Callable[[int, int], None]) -> None:
        """Run over all blocks what is not an assignment, whose threads are not waited for."""
        self._team.dismiss()
        self._blocks.run(kernel)

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
        super().__init__(n, d, n_clusters if reuse else 0, d + 2)
        self.X, self.weights = X, weights
        self._typical = float(np.einsum("e,e->", X.data, X.data, dtype=np.float64)) / n
        self._moves = -n  # the first n are from nowhere

    def assign(self, centres: Array) -> int:
        """Give every row to its nearest centre; return how many rows changed."""
        X, blocks = self.X, self._blocks
        half_norms = (np.einsum("jf,jf->j", centres, centres, dtype=np.float64) / 2).astype(centres.dtype)
        reach, rounding = float(half_norms.max()), score_rounding(X.shape[1], X.dtype)
        slope, offset = score_error(half_norms, rounding, reach, self._typical)
        self.centres = None
        transposed = np.ascontiguousarray(centres.T)

        def kernel(first: int, last: int) -> None:
            sparse.assign_sparse(
                X.data, X.indices, X.indptr, self.weights, centres, transposed, half_norms, slope, offset,
                self.labels, self._parts, self._counted, blocks.rows, first, last,
            )  # fmt: skip

        blocks.run(kernel)
        self.centres = centres.copy()
        n_moved = int(self._counted[:, moves.MOVED].sum())
        measures.add_parts(self._parts, X.shape[1], self._totals)
        self._moves += n_moved
        if self._moves > len(self.labels):
            self._sum_anew()
            self._moves = 0
        return n_moved

    def _sum_members(self, sums: NDArray[np.float64]) -> None:
        """Write each block's sums, from the labels."""
        X = self.X

        def kernel(first: int, last: int) -> None:
            sparse.add_members_sparse(
                X.data, X.indices, X.indptr, self.weights, self.labels, self._blocks.rows, first, last, sums
            )

        self._blocks.run(kernel)

    def own_distances(self, centres: Array) -> Array:
        """Return the squared distance of every row from its own centre."""
        X, blocks = self.X, self._blocks
        distances = np.empty(X.shape[0], dtype=X.dtype)
        trees = np.empty((len(centres), 2 << (X.shape[1] - 1).bit_length()))
        sparse.square_trees(centres, trees)

        def kernel(first: int, last: int) -> None:
            start, stop = first * blocks.rows, min(last * blocks.rows, X.shape[0])
            sparse.own_distances_sparse(
                X.data, X.indices, X.indptr, centres, trees, self.labels, start, stop, distances
            )

        blocks.run(kernel)
        return distances

    def sse(self, centres: Array) -> float:
        """Return the weighted sum of the squared distances from the own centres."""
        distances = self.own_distances(centres).astype(np.float64)
        return float(distances @ self.weights) if len(self.weights) else float(distances.sum())
