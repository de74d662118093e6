"""k-means: whole fits from given centres, k-means++ starts, fits of small data; scikit-learn, its Intel form and faiss.

All take 25 iterations from the same centres with ``tol=0`` (those who notice that no label changes any more may stop
before). "off optimum" is the share of labels that differ from those of a double-precision run: in uniform noise single
precision drifts off, so up to a fifth may differ.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compare import Contender, Contest, Regime, run_regimes

ITERATIONS = 25
SIZES = [
    # n, d, k, goal of the fit
    (100_000, 2, 8, 7.0),
    (1_000_000, 2, 10, 7.0),
    (100_000, 10, 20, 4.0),
    (1_000_000, 16, 50, 4.0),
    (200_000, 64, 100, 1.6),
    (100_000, 128, 256, 1.4),
    (60_000, 784, 10, 1.2),
    (50_000, 32, 1000, 1.2),
]
ELKAN_ENTRIES = 20_000_000  # scikit-learn's Elkan keeps n k bounds: beyond this it is not asked


def noise(n: int, d: int, k: int) -> np.ndarray:
    """Uniform noise: no clusters at all."""
    return np.random.default_rng(0).random((n, d))


def blobs(n: int, d: int, k: int) -> np.ndarray:
    """Overlapping blobs: k centres about as far from each other as their points are from them."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((k, d))[rng.integers(0, k, n)] * 1.5 + rng.standard_normal((n, d))


def fits(X: np.ndarray, k: int) -> list[Contender]:
    """Return who can fit ``X`` from its first k rows."""
    from sklearn.cluster import KMeans as SklearnKMeans

    from steepest.cluster import KMeans

    start = X[:k].copy()

    def with_class(cls: Any, **options: Any) -> Callable[[], Any]:
        model = cls(k, init=start, n_init=1, max_iter=ITERATIONS, tol=0, **options)
        return lambda: model.fit(X).cluster_centers_

    contenders = [
        Contender("steepest", with_class(KMeans)),
        Contender("scikit-learn lloyd", with_class(SklearnKMeans)),
    ]
    if len(X) * k <= ELKAN_ENTRIES:
        contenders.append(Contender("scikit-learn elkan", with_class(SklearnKMeans, algorithm="elkan")))
    try:
        from sklearnex.cluster import KMeans as IntelKMeans

        contenders.append(Contender("scikit-learn-intelex", with_class(IntelKMeans)))
    except ImportError:
        pass
    if X.dtype == np.float32:
        contenders += faiss_fit(X, start)
    return contenders


def faiss_fit(X: np.ndarray, start: np.ndarray) -> list[Contender]:
    """Return faiss, which knows single precision only, if it is installed."""
    try:
        import faiss
    except ImportError:
        return []

    def run() -> np.ndarray:
        options = {"max_points_per_centroid": len(X), "min_points_per_centroid": 1}
        model = faiss.Kmeans(X.shape[1], len(start), niter=ITERATIONS, **options)
        model.train(X, init_centroids=start)
        return model.centroids

    return [Contender("faiss", run)]


def fit_regime(make: Callable[..., np.ndarray], n: int, d: int, k: int, dtype: type, goal: float) -> Regime:
    """Return the contest of whole fits on one kind of data."""

    def prepare() -> Contest:
        from steepest.cluster import KMeans

        X = make(n, d, k).astype(dtype)
        reference = KMeans(k, init=X[:k].astype(float), max_iter=ITERATIONS, tol=0).fit(X.astype(float)).labels_
        judge = KMeans(k, init=X[:k], max_iter=1).fit(X)

        def share_of_other_labels(centres: np.ndarray) -> float:
            judge.cluster_centers_ = np.ascontiguousarray(centres)
            return float(np.mean(judge.predict(X) != reference))

        return Contest(fits(X, k), share_of_other_labels, allowed=0.2)

    return Regime(
        f"fit {make.__name__} ({n}, {d}, {k}) {dtype.__name__}", prepare, goal, repeats=5 if n * d * k < 1e8 else 3
    )


def start_regime(n: int, d: int, k: int, dtype: type) -> Regime:
    """Return the contest of k-means++; a start is as good as the SSE it begins with."""

    def prepare() -> Contest:
        from sklearn.cluster import kmeans_plusplus

        from steepest.cluster import KMeans
        from steepest.solvers.kmeans_plus_plus import kmeans_plus_plus

        X = blobs(n, d, k).astype(dtype)
        judge = KMeans(k, init=X[:k], max_iter=1).fit(X)

        def sse(centres: np.ndarray) -> float:
            judge.cluster_centers_ = np.ascontiguousarray(centres)
            return -judge.score(X)

        typical = np.median([sse(kmeans_plusplus(X, k, random_state=seed)[0]) for seed in range(3)])
        none = np.empty(0, dtype=dtype)
        return Contest(
            [
                Contender("steepest", lambda: X[kmeans_plus_plus(X, none, k, np.random.default_rng(0))]),
                Contender("scikit-learn", lambda: kmeans_plusplus(X, k, random_state=0)[0]),
            ],
            lambda centres: sse(centres) / typical - 1,
            allowed=0.5,
        )

    return Regime(f"k-means++ ({n}, {d}, {k}) {dtype.__name__}", prepare, goal=2.0, repeats=3)


def small_data(name: str) -> np.ndarray:
    """Return one of the small data sets, standardised, or 1000 rows of blobs."""
    from sklearn import datasets
    from sklearn.preprocessing import StandardScaler

    if name == "blobs":
        return blobs(1000, 20, 10)
    loaded = {"iris": datasets.load_iris, "wine": datasets.load_wine, "digits": datasets.load_digits}[name]()
    return StandardScaler().fit_transform(loaded.data)


def small_regime(model: str, name: str, k: int, n_init: int) -> Regime:
    """Return the contest of a fit of small data, starts included; a local minimum may be twice as high as another."""

    def prepare() -> Contest:
        import sklearn.cluster as peer

        import steepest.cluster as ours

        X = small_data(name)
        best = ours.KMeans(k, n_init=20, random_state=0).fit(X).inertia_
        fitted = {library: getattr(library, model)(k, n_init=n_init, random_state=0) for library in (ours, peer)}
        return Contest(
            [
                Contender("steepest", lambda: fitted[ours].fit(X)),
                Contender("scikit-learn", lambda: fitted[peer].fit(X)),
            ],
            lambda fit: fit.inertia_ / best - 1,
            allowed=1.0,
        )

    return Regime(f"{model}({k}, n_init={n_init}) {name}", prepare, goal=1.0)


SMALL = [("iris", 3), ("wine", 3), ("digits", 10), ("blobs", 10)]


def regimes(quick: bool) -> list[Regime]:
    """Return all contests; ``quick`` on a hundredth of the rows."""
    models = [("KMeans", 1), ("KMeans", 10), ("MiniBatchKMeans", 3)]
    found = [small_regime(model, name, k, n_init) for name, k in SMALL for model, n_init in models]
    for full, d, k, goal in SIZES:
        n = max(full // 100, 2 * k) if quick else full
        for dtype in (np.float32, np.float64):
            found += [fit_regime(make, n, d, k, dtype, goal) for make in (blobs, noise)]
            found.append(start_regime(n, d, k, dtype))
    return found


def main(argv: list[str]) -> int:
    """Run the contests."""
    return run_regimes(argv, regimes)
