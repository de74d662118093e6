"""KMeans takes scikit-learn's steps from the same centres."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn import cluster as peer
from sklearn.metrics import silhouette_samples

from steepest.cluster import KMeans, MiniBatchKMeans, silhouette_values


def data(n, d, kind, seed=0):
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.random((n, d))
    return rng.standard_normal((n, d)) + 2 * rng.standard_normal((6, d))[rng.integers(0, 6, n)]


@pytest.mark.parametrize("kind", ["noise", "blobs"])
@pytest.mark.parametrize("n, d, k", [(600, 1, 4), (3000, 2, 8), (1500, 10, 20), (500, 64, 30), (300, 20, 60)])
@pytest.mark.parametrize("layout", ["dense", "sparse", "offset"])
def test_float64(n, d, k, kind, layout):
    X = data(n, d, kind)
    if layout == "sparse":
        X[X < 0.6] = 0
    if layout == "offset":
        X = X + 1e4
    A = sparse.csr_array(X) if layout == "sparse" else X
    options = {"init": X[:k], "n_init": 1, "max_iter": 100}
    ours, theirs = KMeans(k, **options).fit(A), peer.KMeans(k, **options).fit(A)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9, atol=1e-11)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    # scikit-learn's own transform cancels: far from zero, a sample's distance from itself comes out as 7e-4
    np.testing.assert_allclose(ours.transform(A), cdist(X, theirs.cluster_centers_), rtol=1e-7, atol=1e-6)
    np.testing.assert_array_equal(ours.predict(A), theirs.predict(A))
    assert ours.score(A) == pytest.approx(theirs.score(A), rel=1e-9)


@pytest.mark.parametrize("k", [5, 12])
def test_float32_agrees_to_single_precision(k):
    X = data(2000, 5, "blobs").astype(np.float32)
    options = {"init": X[:k], "n_init": 1, "tol": 0, "max_iter": 12}
    ours, theirs = KMeans(k, **options).fit(X), peer.KMeans(k, **options).fit(X)
    assert ours.cluster_centers_.dtype == np.float32
    assert np.mean(ours.labels_ != theirs.labels_) <= 0.002
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-3)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-5)


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_weights(layout):
    X, w = data(800, 4, "blobs"), np.random.default_rng(1).random(800)
    options = {"init": X[:7], "n_init": 1, "tol": 0}  # tol is relative to the weighted variance here, unweighted there
    ours = KMeans(7, **options).fit(layout(X), sample_weight=w)
    theirs = peer.KMeans(7, **options).fit(layout(X), sample_weight=w)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9, atol=1e-11)
    assert ours.score(X, sample_weight=w) == pytest.approx(theirs.score(X, sample_weight=w), rel=1e-9)


@pytest.mark.parametrize("n_empty", [1, 3])
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_empty_clusters_are_relocated_alike(n_empty, layout):
    X = data(200, 3, "blobs", seed=n_empty)
    start = np.vstack([X[:4], 1e3 + np.arange(3 * n_empty).reshape(n_empty, 3)])
    options = {"init": start, "n_init": 1}
    ours = KMeans(4 + n_empty, **options).fit(layout(X))
    theirs = peer.KMeans(4 + n_empty, **options).fit(layout(X))
    assert ours.trace_["empty_clusters"][1] == n_empty
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)


def test_ties_go_to_the_first_centre():
    X = np.array([[-1.0], [0.0], [1.0]])
    options = {"init": [[-1.0], [1.0]], "n_init": 1, "max_iter": 1}
    ours, theirs = KMeans(2, **options).fit(X), peer.KMeans(2, **options).fit(X)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.cluster_centers_, theirs.cluster_centers_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_partial_fit(layout, weighted):
    X = data(2000, 4, "blobs")
    w = np.random.default_rng(2).random(2000) if weighted else np.ones(2000)
    options = {"init": X[:5], "n_init": 1, "reassignment_ratio": 0}
    ours, theirs = MiniBatchKMeans(5, **options), peer.MiniBatchKMeans(5, **options)
    for start in range(0, 2000, 200):
        rows = slice(start, start + 200)
        for model in (ours, theirs):
            model.partial_fit(layout(X[rows]), sample_weight=w[rows])
        np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-9)
        np.testing.assert_array_equal(ours.labels_, theirs.labels_)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)


@pytest.mark.parametrize("model", ["KMeans", "MiniBatchKMeans"])
def test_same_parameters_and_defaults(model):
    ours = {"KMeans": KMeans, "MiniBatchKMeans": MiniBatchKMeans}[model]().get_params()
    theirs = getattr(peer, model)().get_params()
    assert theirs.items() <= ours.items()


@pytest.mark.parametrize("model", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_starts_of_its_own_are_as_good(model, init):
    X = data(1500, 3, "blobs")
    theirs = {KMeans: peer.KMeans, MiniBatchKMeans: peer.MiniBatchKMeans}[model]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours_mean = np.mean([model(6, init=init, random_state=s).fit(X).inertia_ for s in range(12)])
    theirs_mean = np.mean([theirs(6, init=init, random_state=s).fit(X).inertia_ for s in range(12)])
    assert ours_mean < 1.15 * theirs_mean


def test_silhouettes():
    X = data(300, 3, "blobs")
    labels = KMeans(4, random_state=0).fit(X).labels_
    labels[0] = 9
    np.testing.assert_allclose(silhouette_values(X, labels), silhouette_samples(X, labels), rtol=1e-9, atol=1e-12)
