"""The k-means objective: value, gradient, the minimum over the centres, empty clusters."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import approx_fprime

from steepest.foundations.origins import short_origin
from steepest.objectives.clustering import ClusteringObjective, nearest, squared_distances


@pytest.fixture(params=["dense", "sparse"])
def layout(request):
    return sparse.csr_array if request.param == "sparse" else np.asarray


@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradient(layout, weighted):
    rng = np.random.default_rng(0)
    X, C = rng.standard_normal((200, 3)), rng.standard_normal((4, 3))
    w = rng.random(200) if weighted else None
    objective = ClusteringObjective(layout(X), 4, sample_weight=w)
    theta = C.ravel()
    value, gradient = objective.value_and_gradient(theta)
    distances = squared_distances(X, C).min(axis=1)
    assert value == pytest.approx((w if weighted else np.ones(200)) @ distances, rel=1e-13)
    assert objective.value(theta) == value
    np.testing.assert_allclose(gradient, approx_fprime(theta, objective.value, 1e-7), rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(objective.gradient(theta), gradient)


def test_means_are_where_the_gradient_vanishes(layout):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((300, 5))
    objective = ClusteringObjective(layout(X), 6)
    partition = objective.partition()
    partition.assign(X[:6])
    means, n_empty = objective.means(partition, X[:6].ravel())
    assert n_empty == 0
    np.testing.assert_allclose(objective.partition_value_and_gradient(partition, means)[1], 0, atol=1e-12)
    labels = nearest(X, X[:6])
    np.testing.assert_allclose(means.reshape(6, 5), [X[labels == j].mean(axis=0) for j in range(6)], rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_the_value_from_sums_is_the_sum_of_distances(offset):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((500, 3)) + offset
    objective = ClusteringObjective(X, 4)
    partition = objective.partition()
    partition.assign(X[:4])
    exact = squared_distances(X, X[:4]).min(axis=1).sum()
    assert objective.partition_value_and_gradient(partition, X[:4].ravel())[0] == pytest.approx(exact, rel=1e-8)


def test_the_value_from_sums_does_not_depend_on_the_last_digit_of_a_far_mean():
    X = 1e9 + 1e-3 * np.random.default_rng(0).standard_normal((300, 2))
    objective = ClusteringObjective(X, 2)
    partition = objective.partition()
    partition.assign(X[:2])
    exact = squared_distances(X, X[:2]).min(axis=1).sum()
    assert objective.partition_value_and_gradient(partition, X[:2].ravel())[0] == pytest.approx(exact, rel=1e-9)


def test_the_value_of_tiny_clusters_far_apart_does_not_cancel():
    rng = np.random.default_rng(3)
    X = np.repeat([[0.0, 0.0], [1e6, -1e6]], 50, axis=0) + 1e-3 * rng.standard_normal((100, 2))
    C = np.array([[0.0, 0.0], [1e6, -1e6]])
    objective = ClusteringObjective(X, 2)
    partition = objective.partition()
    partition.assign(C)
    exact = squared_distances(X, C).min(axis=1).sum()
    assert objective.partition_value_and_gradient(partition, C.ravel())[0] == pytest.approx(exact, rel=1e-12)


def test_empty_clusters_take_the_samples_that_are_furthest_off():
    X = np.array([[0.0], [1.0], [2.0], [9.0]])
    theta = np.array([0.0, 100.0, 200.0])
    objective = ClusteringObjective(X, 3)
    partition = objective.partition()
    partition.assign(objective.centres(theta))
    means, n_empty = objective.means(partition, theta)
    assert n_empty == 2
    np.testing.assert_array_equal(means, [0.5, 9.0, 2.0])


def test_empty_clusters_join_the_heaviest_where_all_distances_are_zero():
    objective = ClusteringObjective(np.array([[1.0], [1.0], [5.0]]), 3)
    partition = objective.partition()
    theta = np.array([1.0, 5.0, 1.0])
    partition.assign(objective.centres(theta))
    means, n_empty = objective.means(partition, theta)
    assert n_empty == 1
    np.testing.assert_array_equal(means, [1.0, 5.0, 1.0])


def test_moments_of_sparse_and_dense_data_agree():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((100, 4)) * (rng.random((100, 4)) < 0.4)
    w = rng.random(100)
    for weights in (None, w):
        dense = ClusteringObjective(X, 2, sample_weight=weights)
        thin = ClusteringObjective(sparse.csr_array(X), 2, sample_weight=weights)
        np.testing.assert_allclose(thin.variance, dense.variance, rtol=1e-12)
    np.testing.assert_allclose(ClusteringObjective(X, 2).variance, X.var(axis=0), rtol=1e-12)


def test_the_origin_is_a_short_number_near_the_mean():
    mean, variance = np.array([0.5, 1_000_000.3, 1e6]), np.array([1.0, 1.0, 0.0])
    origin = short_origin(mean, variance)
    assert origin[0] == 0.5
    assert abs(origin[1] - 1_000_000.3) < 1
    x = 1_000_000.3 + np.linspace(-1, 1, 11)
    np.testing.assert_array_equal((x - origin[1]) + origin[1], x)
    assert origin[2] == 1e6


def test_words():
    assert ClusteringObjective(np.ones((3, 1)), 2).words == (
        "squared distances of 3 samples to the nearest of 2 centres, summed"
    )


@pytest.mark.parametrize("n_features", [1, 3, 40])
def test_sums_that_are_not_kept_are_not_taken_either(layout, n_features, monkeypatch):
    X = np.random.default_rng(5).standard_normal((700, n_features))
    partition = ClusteringObjective(layout(X), 9).partition(reuse=False)
    monkeypatch.setattr(type(partition), "_sum_members", lambda *_: pytest.fail("there is no room for them"))
    for turn in range(5):  # nearly all rows move each time: kept sums would be taken anew
        centres = X[:9] if turn % 2 else X[8::-1]
        moved = partition.assign(centres)
        assert moved > len(X) / 2
        np.testing.assert_array_equal(partition.labels, nearest(X, centres))
        assert partition.sse(centres) == pytest.approx(squared_distances(X, centres).min(axis=1).sum(), rel=1e-12)
    assert partition.sums.size == partition.masses.size == 0
