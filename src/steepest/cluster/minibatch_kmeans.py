"""Mini-batch k-means."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from steepest.cluster.base import KMeansBase, Starts, generator
from steepest.estimator import fitting
from steepest.exceptions import warn_user
from steepest.objectives.clustering import ClusteringObjective
from steepest.solvers.minibatch_kmeans import (
    CentreCounts,
    SmoothedPatience,
    minibatch_kmeans,
    minibatch_update,
    reassign_rare,
)
from steepest.solvers.row_sampling import RowSampler
from steepest.typing import Array, IntArray
from steepest.validation import check_count, check_positive

LEAST_A_CENTRE = 10  # samples in a batch, however few there are to draw from


class MiniBatchKMeans(KMeansBase):
    r"""Minimise ``sum_i w_i min_j |x_i - c_j|^2`` over the centres c_j, from small random batches.

    Batches, starting centres and the batch they are judged on are drawn in proportion to the weights, so that the
    result does not depend on the order of the samples, and integer weights are the same as repeated samples. Draws are
    not scikit-learn's; ``partial_fit`` from given centres takes its steps.

    Parameters
    ----------
    n_clusters : int, default 8
        Number of centres.
    init : {"k-means++", "random"}, callable or array (n_clusters, n_features), default "k-means++"
        Starting centres, or how to choose them.
    max_iter : int, default 100
        The most passes over the data.
    batch_size : int, default 1024
        Samples in a batch; at most as many as there are different samples, or ten for each centre if these are more: a
        batch that misses a whole cluster makes its centre move elsewhere.
    verbose : int, default 0
        Whether to print every batch.
    compute_labels : bool, default True
        Whether to assign all samples at the end; if not, ``inertia_`` is estimated from the batches.
    random_state : int, RandomState or None
        Source of all draws.
    tol : float, default 0.0
        Stop when the squared way of all centres in a batch is at most ``tol`` times the mean variance; 0: never.
    max_no_improvement : int or None, default 10
        Stop when the smoothed SSE of the batches finds no new minimum for so many batches; None: never.
    init_size : int, optional
        Samples that starting centres are chosen from, and judged on; 3 batches (or 3 per cluster) if not given.
    n_init : "auto" or int, default "auto"
        Number of starting centres to judge; "auto" is 1 for "k-means++" and an array, otherwise 3.
    reassignment_ratio : float, default 0.01
        A centre with less than this share of the largest count is put on a random sample now and then.

    Attributes
    ----------
    cluster_centers_ : array (n_clusters, n_features)
        The centres.
    labels_ : int32 array (n_samples,)
        The nearest centre of each sample, if ``compute_labels``.
    inertia_ : float
        The SSE; the estimate of the batches if not ``compute_labels``.
    n_iter_ : int
        Passes over the data, begun ones included.
    n_steps_ : int
        Batches.
    trace_ : Trace
        One row a batch: the SSE as the batch estimates it, the way of the centres, ``mean_batch_sse`` and
        ``reassigned_centres``.
    stopping_reason_ : Reason
        Why the run stopped.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]])
    >>> model = MiniBatchKMeans(n_clusters=2, random_state=0).fit(X)
    >>> bool(model.labels_[0] == model.labels_[1] != model.labels_[3])
    True
    """

    _default_n_init = 3

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: Any = "auto",
        reassignment_ratio: float = 0.01,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio

    def _check_parameters(self) -> None:
        """Refuse parameters that cannot be used."""
        super()._check_parameters()
        check_count("batch_size", self.batch_size)
        check_positive("reassignment_ratio", self.reassignment_ratio, zero=True)
        if self.max_no_improvement is not None:
            check_count("max_no_improvement", self.max_no_improvement, minimum=0)
        if self.init_size is not None:
            check_count("init_size", self.init_size)

    # ------------------------------------------------------------------ a whole fit

    @fitting
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "MiniBatchKMeans":
        """Find the centres of ``X`` (n_samples, n_features), dense or sparse."""
        self._check_parameters()
        X, weights = self._validate(X, sample_weight, finite=False)
        whole = ClusteringObjective(X, self.n_clusters, sample_weight=weights)
        self._check_data(whole)
        given = self._given_centres(X)
        random_state = check_random_state(self.random_state)
        sampler = RowSampler(X, np.empty(0) if weights is None else weights)
        batch_size = min(self.batch_size, max(sampler.n_points, LEAST_A_CENTRE * self.n_clusters))
        rng = generator(random_state)
        theta = self._judged_start(whole, given, sampler, batch_size, random_state).ravel()

        mass = float(X.shape[0] if weights is None else weights.sum(dtype=np.float64))
        memory = CentreCounts(np.zeros(self.n_clusters))
        steps = minibatch_kmeans(
            lambda: whole.on_rows(sampler.draw(rng, batch_size)),
            theta,
            memory,
            share=batch_size / mass,
            reassignment_ratio=self.reassignment_ratio,
            rng=rng,
        )
        rule = SmoothedPatience(
            min(1.0, 2.0 * batch_size / (sampler.n_points + 1)),
            self.max_no_improvement,
            self.tol * float(whole.variance.mean()) if self.tol else 0.0,
        )
        result = self._drive(
            steps,
            lambda theta: {"cluster_centers_": whole.centres(theta)},
            X=X,
            y=y,
            sample_weight=weights,
            max_iter=max(1, self.max_iter * sampler.n_points // batch_size),
            stopping=[rule],
            about={"objective": whole.words, "solver": "minibatch", "n_clusters": self.n_clusters},
            warn=False,
        )
        self.n_steps_ = result.n_iter
        self.n_iter_ = -(-self.n_steps_ * batch_size // sampler.n_points)
        self._remember(memory, random_state)
        self._label(X, weights, rule.smoothed * mass)
        return self

    def _judged_start(
        self,
        whole: ClusteringObjective,
        given: Array | None,
        sampler: RowSampler,
        batch_size: int,
        random_state: Any,
    ) -> Array:
        """Return the best of ``n_init`` starting centres, each chosen from some samples and judged on others."""
        X, weights = whole.X, whole.sample_weight
        size = min(self._init_rows(batch_size), sampler.n_points)
        rng = generator(random_state)
        n_starts = self._number_of_runs(given is not None)
        judges = whole.on_rows(sampler.draw(rng, size)) if n_starts > 1 else None
        on_all = Starts(self, X, weights, given, n_starts)

        def start() -> Array:
            on_some = size < sampler.n_points
            starts = Starts(self, X[sampler.draw(rng, size)], None, given) if on_some else on_all
            return starts.next(random_state)

        if judges is None:
            return start()
        starts = [start() for _ in range(n_starts)]
        return starts[int(np.argmin([judges.value(start.ravel()) for start in starts]))]

    def _init_rows(self, batch_size: int) -> int:
        """Return how many samples starting centres are chosen from."""
        if self.init_size is None:
            return 3 * batch_size if 3 * batch_size >= self.n_clusters else 3 * self.n_clusters
        if self.init_size < self.n_clusters:
            warn_user(
                f"init_size={self.init_size} is less than n_clusters={self.n_clusters}: using {3 * self.n_clusters}",
                RuntimeWarning,
            )
            return 3 * self.n_clusters
        return self.init_size

    def _remember(self, memory: CentreCounts, random_state: Any) -> None:
        """Keep what a following ``partial_fit`` goes on from."""
        self._memory, self._random_state = memory, random_state

    def _label(self, X: Any, weights: Array | None, estimate: float) -> None:
        """Set ``labels_`` and ``inertia_``."""
        if self.compute_labels:
            labels: IntArray
            labels, sse = self._assigned(X, weights)
            self.labels_, self.inertia_ = labels, sse()
        else:
            self.inertia_ = estimate

    # ------------------------------------------------------------------ a batch at a time

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> "MiniBatchKMeans":
        """Take ``X`` as the next batch; the first one also gives the starting centres."""
        first = not hasattr(self, "cluster_centers_")
        self._check_parameters()
        X, weights = self._validate(X, sample_weight, reset=first)
        batch = ClusteringObjective(X, self.n_clusters, sample_weight=weights)
        if first:
            self._check_data(batch)
            self._begin(X, weights)
        look = self._memory.due(X.shape[0]) and self.reassignment_ratio > 0
        theta = np.ascontiguousarray(self.cluster_centers_, dtype=X.dtype).ravel()
        theta, sse = minibatch_update(batch, theta, self._memory)
        if look:
            reassign_rare(batch, theta, self._memory, self.reassignment_ratio, generator(self._random_state))
        self.cluster_centers_ = batch.centres(theta)
        self.n_steps_ += 1
        self._label(X, weights, sse)
        return self

    def _begin(self, X: Any, weights: Array | None) -> None:
        """Choose starting centres from the first batch."""
        random_state = check_random_state(self.random_state)
        given = self._given_centres(X)
        self._number_of_runs(given is not None)
        self.cluster_centers_ = Starts(self, X, weights, given).next(random_state)
        self._remember(CentreCounts(np.zeros(self.n_clusters)), random_state)
        self.n_steps_ = 0
