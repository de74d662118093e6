"""k-means: the within-cluster sum of squared distances."""

from functools import cached_property
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from steepest.foundations.origins import short_origin
from steepest.typing import Array, IntArray

if TYPE_CHECKING:
    from steepest.kernels.kmeans.partition import Partition

TINY_SHARE = 1e-9  # of the square sum: a value below cancels
CLOSE = 0.1  # squared distance of a guess from the mean, in mean squares: what it costs in digits is a tenth
LARGE_SHARE = 1e-3  # of the square sum: a value above keeps all but three digits
SIDE_BY_SIDE = 64  # numbers in a row of which sums are taken: short rows without weights are put side by side

# ---------------------------------------------------------------------- the formulas as array code


def squared_distances(X: Array, centres: Array) -> NDArray[np.float64]:
    """Return ``|x_i - c_j|^2`` (n, k) in double precision, differences squared as they are: no cancellation."""
    difference = X[:, None, :].astype(np.float64) - centres[None, :, :]
    distances: NDArray[np.float64] = np.einsum("ijf,ijf->ij", difference, difference)
    return distances


def scores(X: Array, centres: Array) -> Array:
    """Return ``|c_j|^2 / 2 - x_i . c_j`` (n, k): half the squared distances, less what all centres share."""
    half_norms: Array = 0.5 * np.einsum("jf,jf->j", centres, centres)
    return half_norms - X @ centres.T


def nearest(X: Array, centres: Array) -> IntArray:
    """Return the first nearest centre of every row (n,)."""
    labels: IntArray = squared_distances(X, centres).argmin(axis=1)
    return labels


def cluster_sums(X: Array, labels: IntArray, weights: Array, n_clusters: int) -> tuple[Array, Array]:
    """Return ``S_j = sum_i w_i x_i`` (k, d) and ``W_j = sum_i w_i`` (k,) over the rows with label j."""
    members = weights[:, None] * (labels[:, None] == np.arange(n_clusters))
    return members.T @ X, members.sum(axis=0)


# ---------------------------------------------------------------------- the objective


class Iteration(NamedTuple):
    """Where an iteration led: the centres, flat; J and the norm of its gradient there; the centres' way to there."""

    theta: Array
    value: float
    gradient_norm: float
    way: float
    labels_changed: int
    empty_clusters: int = 0


class _Moments(NamedTuple):
    """Of every feature the mean, as the sum of two numbers, lest it be rounded, and the variance; the weights' sum.

    No number of the data exceeds ``largest``, which is hardly more than their largest; it is not finite if one is not.
    """

    near: NDArray[np.float64]
    offset: NDArray[np.float64]
    variance: NDArray[np.float64]
    mass: float
    largest: float


class ClusteringObjective:
    r"""``J(C) = sum_i w_i min_j |x_i - c_j|^2``, the within-cluster sum of squared distances (SSE, inertia).

    Parameters
    ----------
    X : array or CSR array (n_samples, n_features)
        The data, float32 or float64; rows contiguous.
    n_clusters : int
        Number of centres k.
    sample_weight : array (n_samples,), optional
        The weights w.
    origin : array (n_features,), optional
        What rows and centres are measured from; chosen from the data if not given.

    Notes
    -----
    Shapes: C (k, d), ``theta`` is C in C order, flat. With labels l_i the objective is the smallest value over l of::

        J(C, l) = sum_i w_i |x_i - c_{l_i}|^2

    *Labels.* For fixed C the terms of the sum are independent, so the minimum over l is taken by the nearest centre,
    ``l_i = argmin_j |x_i - c_j|^2`` (the first one of several). J(C, l) cannot rise.

    *Centres.* For fixed l, with ``W_j = sum_{l_i = j} w_i`` and ``S_j = sum_{l_i = j} w_i x_i``::

        dJ/dc_j   = sum_{l_i = j} 2 w_i (c_j - x_i) = 2 (W_j c_j - S_j)
        d2J/dc_j2 = 2 W_j I                          constant and positive: one minimum, where the gradient vanishes
        c_j       = S_j / W_j                        the mean. J(C, l) cannot rise here either

    Both half-steps descend on one function that is bounded below, and there are finitely many labellings: Lloyd's
    iteration (1957, 1982) ends. A step of gradient descent with its own step size 1 / (2 W_j) for each centre is the
    same update, since its curvature is 2 W_j in every direction (a Newton step)::

        c_j - (2 W_j c_j - S_j 2) / (2 W_j) = S_j / W_j

    J(C) itself is the minimum of finitely many smooth functions: differentiable with the gradient above wherever no
    point is equally near to two centres; there the gradient belongs to the first of them.

    *Value from sums.* Multiplying out, with x and c measured from any common origin::

        J(C, l) = sum_i w_i |x_i|^2 - sum_j (2 c_j . S_j - W_j |c_j|^2)

    so that a step needs no pass over the data for its value. It cancels where clusters are tiny compared with their
    distances: below a billionth of the first sum, the squared distances are summed instead.

    *Numerics.* The origin is the mean rounded to few bits, so that subtracting it is exact for most data. Sums are
    double precision for float32 data too; centres are rounded to the data's precision, and labels are exact for these
    rounded centres.

    Examples
    --------
    >>> import numpy as np
    >>> objective = ClusteringObjective(np.array([[0.0], [1.0], [5.0]]), n_clusters=2)
    >>> objective.value_and_gradient(np.array([0.0, 5.0]))  # 1 is 1 away from its centre 0
    (1.0, array([-2.,  0.]))
    """

    def __init__(
        self, X: Any, n_clusters: int, *, sample_weight: Array | None = None, origin: Array | None = None
    ) -> None:
        self.X, self.n_clusters = X, n_clusters
        self.n_samples: int = X.shape[0]
        self.n_features: int = X.shape[1]
        self.sample_weight = sample_weight
        self.weights: Array = np.empty(0, dtype=X.dtype) if sample_weight is None else sample_weight
        if origin is not None:
            self.origin = origin

    def on_rows(self, rows: IntArray) -> "ClusteringObjective":
        """Return the objective on some of the rows, without weights; what is known of all of them holds of these."""
        part = ClusteringObjective(self.X[rows], self.n_clusters, origin=self.origin)
        part.largest = self.largest
        return part

    # ------------------------------------------------------------------ parameters

    @property
    def n_parameters(self) -> int:
        """Length of ``theta``."""
        return self.n_clusters * self.n_features

    def centres(self, theta: Array) -> Array:
        """Return the view C (n_clusters, n_features) of ``theta``."""
        return theta.reshape(self.n_clusters, self.n_features)

    # ------------------------------------------------------------------ the data in numbers

    @cached_property
    def _moments(self) -> "_Moments":
        """Mean and variance of every feature, and the sum of the weights."""
        if sparse.issparse(self.X):
            return self._sparse_moments()
        mass = float(self.weights.sum(dtype=np.float64)) if len(self.weights) else float(self.n_samples)
        with np.errstate(invalid="ignore", over="ignore"):  # values that are not finite are found by this
            mean = self.X[:: max(1, self.n_samples // 256)].mean(axis=0, dtype=np.float64)
            for _ in range(2):  # a second time from the mean itself, should the difference below cancel
                near, (totals, squares, far) = mean, self._sums_from(mean)
                offset, squares = totals / mass, squares / mass
                mean, variance = near + offset, squares - offset**2
                if np.all(offset**2 <= CLOSE * squares):
                    break
            largest = float((np.abs(near) + far).max()) if np.isfinite(totals).all() else nan
        return _Moments(near, offset, variance, mass, largest)

    def _sums_from(self, near: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``sum_i w_i (x_i - near)``, ``sum_i w_i (x_i - near)^2``, ``max_i |x_i - near|``, by feature."""
        from steepest.kernels.kmeans.blocks import LIGHT_BYTES, Blocks
        from steepest.kernels.kmeans.measures import add_moments

        n_side = 1 if len(self.weights) else max(1, SIDE_BY_SIDE // self.n_features)
        n_wide = self.n_samples // n_side
        wide = self.X[: n_wide * n_side].reshape(n_wide, n_side * self.n_features)
        rest = self.X[n_wide * n_side :] - near
        blocks = Blocks(n_wide, 24 * wide.shape[1], light=wide.nbytes <= LIGHT_BYTES)
        parts, nears = np.zeros((blocks.number, 3, wide.shape[1])), np.tile(near, n_side)
        blocks.run(lambda first, last: add_moments(wide, self.weights, nears, blocks.rows, first, last, parts))
        parts = parts.reshape(blocks.number, 3, n_side, -1)
        sums = parts[:, :2].sum(axis=(0, 2)) + np.stack([rest.sum(axis=0), (rest**2).sum(axis=0)])
        largest = np.concatenate([parts[:, 2].reshape(blocks.number * n_side, -1), np.abs(rest)]).max(axis=0)
        return np.concatenate([sums, largest[None]])

    def _sparse_moments(self) -> "_Moments":
        weights = self.weights.astype(np.float64) if len(self.weights) else np.ones(self.n_samples)
        mass = float(weights.sum())
        mean = np.asarray(weights @ self.X).ravel() / mass
        per_entry = np.repeat(weights, np.diff(self.X.indptr))
        squares = np.bincount(self.X.indices, per_entry * (self.X.data - mean[self.X.indices]) ** 2, self.n_features)
        absent = mass - np.bincount(self.X.indices, per_entry, self.n_features)
        absent[np.bincount(self.X.indices, minlength=self.n_features) == self.n_samples] = 0  # not what rounding left
        largest = float(np.abs(self.X.data).max(initial=0.0))
        return _Moments(mean, np.zeros_like(mean), (squares + absent * mean**2) / mass, mass, largest)

    @cached_property
    def variance(self) -> NDArray[np.float64]:
        """The (weighted) variance of every feature."""
        return self._moments.variance

    @cached_property
    def largest(self) -> float:
        """What no number of the data exceeds, and hardly more than their largest; not finite if one of them is not."""
        return self._moments.largest

    @cached_property
    def origin(self) -> Array:
        """What rows and centres are measured from; see :func:`.origins.short_origin`."""
        if sparse.issparse(self.X):
            return np.zeros(self.n_features, dtype=self.X.dtype)
        near, offset, variance, *_ = self._moments
        return short_origin(near + offset, variance).astype(self.X.dtype)

    @cached_property
    def _square_sum(self) -> float:
        """``sum_i w_i |x_i - origin|^2``, as variance plus squared mean from the origin."""
        near, offset, variance, mass, _ = self._moments
        return float(mass * (variance + (near - self.origin + offset) ** 2).sum())

    @property
    def _least_value(self) -> float:
        """Up to where the value, a difference of sums, cancels."""
        return TINY_SHARE * self._square_sum

    # ------------------------------------------------------------------ value and gradient

    def sse(self, partition: "Partition", centres: Array, value: float = nan) -> float:
        """Return ``J(C, l)``; ``value`` may be what the sums made it: as exact, unless it is a small difference."""
        return value if value > LARGE_SHARE * self._square_sum else partition.sse(centres)

    def partition(self, *, reuse: bool = True) -> "Partition":
        """Return an empty assignment of the rows; ``reuse`` if it is to follow several sets of centres."""
        from steepest.kernels.kmeans.partition import DensePartition, SparsePartition

        if sparse.issparse(self.X):
            return SparsePartition(self.X, self.weights, self.n_clusters, reuse)
        return DensePartition(self.X, self.weights, self.n_clusters, self.origin, self.largest if reuse else None)

    def partition_value_and_gradient(self, partition: "Partition", theta: Array) -> tuple[float, NDArray[np.float64]]:
        """Return ``J(C, l)`` for the labels of ``partition`` and its gradient, flat, from the sums alone.

        With the gradient ``G_j = 2 (W_j c_j - S_j)`` the explained part is ``sum_j c_j . (W_j c_j - G_j)``.
        """
        C = self.centres(theta).astype(np.float64) - self.origin
        weighted = partition.masses[:, None] * C
        gradient = 2 * (weighted - partition.sums)
        value = self._square_sum - float(np.vdot(C, weighted - gradient))
        if value <= self._least_value:
            value = partition.sse(self.centres(theta))
        return value, gradient.ravel()

    def value(self, theta: Array) -> float:
        """Return ``J``."""
        partition = self.partition(reuse=False)
        partition.assign(self.centres(theta))
        return partition.sse(self.centres(theta))

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dC``, flat."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient."""
        partition = self.partition()
        partition.assign(self.centres(theta))
        gradient = self.partition_value_and_gradient(partition, theta)[1].astype(theta.dtype)
        return partition.sse(self.centres(theta)), gradient

    # ------------------------------------------------------------------ iterations

    def iterate(self, partition: Any, theta: Array, most: int = 1, tol: float = 0.0) -> list[Iteration]:
        """Return up to ``most`` iterations, means and then nearest centres, from ``theta`` and its labels on.

        There may be fewer; none follows one whose squared way is at most ``tol``. Where the partition takes several
        in one compiled call, it computes what the array code here does.
        """
        steps: list[Iteration] = []
        if not sparse.issparse(self.X):
            path, records = partition.iterate(most, tol, self._square_sum, self._least_value)
            for centres, (value, norm, way, changed, _) in zip(path, records.tolist(), strict=True):
                steps.append(Iteration(centres.ravel().copy(), value, norm, way, int(changed)))
        if not steps:
            means, n_empty = self.means(partition, theta)
            way = float(np.linalg.norm(means.astype(np.float64) - theta))
            changed = partition.assign(self.centres(means)) if way > 0 else 0
            steps = [Iteration(means, nan, nan, way, changed, n_empty)]
        if not steps[-1].value > self._least_value:
            value, gradient = self.partition_value_and_gradient(partition, steps[-1].theta)
            steps[-1] = steps[-1]._replace(value=value, gradient_norm=float(np.sqrt(gradient @ gradient)))
        return steps

    # ------------------------------------------------------------------ the minimum over the centres

    def means(self, partition: "Partition", theta: Array) -> tuple[Array, int]:
        """Return the centres that minimise ``J(C, l)``, flat, and how many clusters were empty.

        Notes
        -----
        J does not depend on the centre of an empty cluster. As in scikit-learn it goes to where it helps most: of the
        rows, taken by falling distance from their centres, one each leaves its cluster and becomes an empty one's only
        member; if all distances are zero, empty centres join the heaviest cluster's.
        """
        sums, masses = partition.sums, partition.masses
        empty = np.flatnonzero(masses == 0)
        if len(empty):
            sums, masses = sums.copy(), masses.copy()
            distances = partition.own_distances(self.centres(theta))
            if distances.max() > 0:
                far = np.argpartition(distances, -len(empty))[: -len(empty) - 1 : -1]
                self._relocate(empty, far, partition.labels, sums, masses)
            still = masses <= 0
            heaviest = int(np.argmax(masses))
            sums[still], masses[still] = sums[heaviest], masses[heaviest]
        centres = sums / masses[:, None] + self.origin
        return centres.astype(theta.dtype).ravel(), len(empty)

    def _relocate(self, empty: IntArray, far: IntArray, labels: IntArray, sums: Array, masses: Array) -> None:
        """Move the rows ``far`` out of their clusters into the empty ones, in the sums."""
        rows = self.X[far].toarray() if sparse.issparse(self.X) else self.X[far]
        for j, i, x in zip(empty, far, rows.astype(np.float64) - self.origin, strict=True):
            weight = float(self.weights[i]) if len(self.weights) else 1.0
            sums[labels[i]] -= weight * x
            masses[labels[i]] -= weight
            sums[j], masses[j] = weight * x, weight

    @property
    def words(self) -> str:
        """The objective as a sentence."""
        return f"squared distances of {self.n_samples} samples to the nearest of {self.n_clusters} centres, summed"
