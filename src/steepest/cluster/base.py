"""What KMeans and MiniBatchKMeans share: checks, starting centres, prediction, distances."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

from steepest.estimator import Estimator
from steepest.exceptions import InvalidInputError, warn_user
from steepest.foundations.origins import short_origin
from steepest.objectives.clustering import ClusteringObjective
from steepest.solvers.kmeans_plus_plus import kmeans_plus_plus, seeding_rows
from steepest.solvers.row_sampling import RowSampler
from steepest.typing import Array, IntArray
from steepest.validation import check_choice, check_count, check_features, check_positive, is_plain, record_features

INITS = ("k-means++", "random")


class KMeansBase(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Estimator):  # type: ignore[misc]
    """Centres, and the samples that are nearest to each."""

    cluster_centers_: Array
    _default_n_init: int

    # ------------------------------------------------------------------ checks

    def _check_parameters(self) -> None:
        """Refuse parameters that cannot be used."""
        check_count("n_clusters", self.n_clusters)
        check_count("max_iter", self.max_iter)
        check_positive("tol", self.tol, zero=True)
        if self.n_init != "auto":
            if isinstance(self.n_init, str):
                raise InvalidInputError(f"n_init={self.n_init!r}: must be 'auto' or an integer of at least 1")
            check_count("n_init", self.n_init)
        if isinstance(self.init, str):
            check_choice("init", self.init, INITS)
        elif not callable(self.init) and np.ndim(self.init) == 0 and not sparse.issparse(self.init):
            raise InvalidInputError(
                f"init={self.init!r}: must be 'k-means++', 'random', a function or the centres (n_clusters, n_features)"
            )

    def _validate(
        self, X: Any, sample_weight: Any, *, reset: bool = True, finite: bool = True
    ) -> tuple[Any, Array | None]:
        """Check data and weights; C-contiguous or canonical CSR, float32 or float64.

        With ``finite=False`` NaN and infinity in dense data are left to :meth:`_check_data`.
        """
        kinds, sought = [np.float64, np.float32], finite or hasattr(X, "tocsr")
        if not reset:
            X = check_features(self, X)
            X = X if sparse.issparse(X) else np.ascontiguousarray(X)
        elif not finite and is_plain(X, "C", finite=False):
            record_features(self, X)
        else:
            X = validate_data(self, X, accept_sparse="csr", dtype=kinds, order="C", ensure_all_finite=sought)
        if sparse.issparse(X) and not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        if sample_weight is None:
            return X, None
        weights: Array = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        return X, np.ascontiguousarray(weights)

    def _check_data(self, objective: ClusteringObjective) -> None:
        """Refuse more clusters than samples, NaN and infinity, and values whose squared distances overflow."""
        X = objective.X
        if X.shape[0] < self.n_clusters:
            raise InvalidInputError(
                f"n_clusters={self.n_clusters}: must be at most the number of samples, n_samples={X.shape[0]}"
            )
        limit = (float(np.finfo(X.dtype).max) / X.shape[1]) ** 0.5 / 4
        if objective.largest <= limit:
            return
        assert_all_finite(X, estimator_name=type(self).__name__, input_name="X")
        values = X.data if sparse.issparse(X) else X
        largest = max(-float(values.min()), float(values.max()))
        if largest > limit:
            raise InvalidInputError(f"X holds values up to {largest:.1e}: their squares overflow {X.dtype}; scale them")

    def _given_centres(self, X: Any) -> Array | None:
        """Return the centres given as ``init``, or None if it is a method."""
        if isinstance(self.init, str) or callable(self.init):
            return None
        return self._checked_centres(X, self.init)

    def _checked_centres(self, X: Any, centres: Any) -> Array:
        if sparse.issparse(centres):
            centres = centres.toarray()
        if is_plain(centres, finite=True) and centres.dtype == X.dtype:
            centres = np.array(centres, order="C")
        else:
            centres = check_array(centres, dtype=X.dtype, order="C", copy=True, input_name="init")
        expected = (self.n_clusters, X.shape[1])
        if centres.shape != expected:
            raise InvalidInputError(f"init has shape {centres.shape}: must be (n_clusters, n_features) = {expected}")
        checked: Array = centres
        return checked

    def _number_of_runs(self, given: bool) -> int:
        """Return how many starts to try."""
        if self.n_init == "auto":
            return 1 if given or (isinstance(self.init, str) and self.init == "k-means++") else self._default_n_init
        if given and self.n_init != 1:
            warn_user(
                f"init holds the starting centres: one run only, instead of n_init={self.n_init}",
                RuntimeWarning,
            )
            return 1
        return int(self.n_init)

    # ------------------------------------------------------------------ use

    @property
    def _n_features_out(self) -> int:
        """Number of columns of ``transform``."""
        return len(self.cluster_centers_)

    def _assigned(self, X: Any, weights: Array | None = None) -> tuple[IntArray, Callable[[], float]]:
        """Return the nearest centre of each row, and what computes the SSE."""
        centres = np.ascontiguousarray(self.cluster_centers_, dtype=X.dtype)
        wide = centres.astype(np.float64)
        origin = short_origin(wide.mean(axis=0), wide.var(axis=0)).astype(X.dtype)
        objective = ClusteringObjective(X, len(centres), sample_weight=weights, origin=origin)
        partition = objective.partition(reuse=False)
        partition.assign(centres)
        return partition.labels, lambda: partition.sse(centres)

    def predict(self, X: Any) -> IntArray:
        """Return the index of the nearest centre (n_samples,), the first of equally near ones."""
        check_is_fitted(self)
        return self._assigned(self._validate(X, None, reset=False)[0])[0]

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> IntArray:
        """Fit, and return ``labels_``."""
        labels: IntArray = self.fit(X, sample_weight=sample_weight).labels_
        return labels

    def transform(self, X: Any) -> Array:
        """Return the distances to all centres (n_samples, n_clusters)."""
        check_is_fitted(self)
        X, _ = self._validate(X, None, reset=False)
        if sparse.issparse(X):
            distances: Array = euclidean_distances(X, self.cluster_centers_)
        else:
            distances = cdist(X, self.cluster_centers_)  # squares differences: right at any offset
        return distances.astype(X.dtype, copy=False)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """Fit, and return the distances to all centres."""
        distances: Array = self.fit(X, sample_weight=sample_weight).transform(X)
        return distances

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the SSE of ``X``."""
        check_is_fitted(self)
        X, weights = self._validate(X, sample_weight, reset=False)
        return -self._assigned(X, weights)[1]()

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Starts:
    """Starting centres (n_clusters, n_features) for a model, once or several times.

    Parameters
    ----------
    model : KMeansBase
        Says how they are chosen.
    X, weights : array
        The data.
    given : array or None
        The centres given as ``init``.
    number : int
        How many starts there will be: what is known of the data is kept until the last.
    """

    def __init__(self, model: KMeansBase, X: Any, weights: Array | None, given: Array | None, number: int = 1) -> None:
        self._model, self._X, self._given, self._left = model, X, given, number
        self._weights = np.empty(0, dtype=X.dtype) if weights is None else weights
        self._known: Any = None  # of the rows, by whichever method it is

    def next(self, random_state: Any) -> Array:
        """Return the centres of the next start."""
        X, init, n_clusters = self._X, self._model.init, self._model.n_clusters
        if self._given is not None:
            return self._given
        if callable(init):
            return self._model._checked_centres(X, init(X, n_clusters, random_state=random_state))
        rng = generator(random_state)
        if init == "random":
            self._known = self._known or RowSampler(X, self._weights)
            rows = self._known.draw_different(rng, n_clusters)
        else:
            self._known = self._known or seeding_rows(X, self._weights)
            rows = kmeans_plus_plus(X, self._weights, n_clusters, rng, rows=self._known)
        self._left -= 1
        if self._left < 1:
            self._known = None
        centres: Array = X[rows].toarray() if sparse.issparse(X) else X[rows]
        return centres


def generator(random_state: Any) -> np.random.Generator:
    """Return a generator seeded from a ``RandomState``."""
    return np.random.default_rng(random_state.randint(2**31 - 1, size=4))
