"""Lloyd's iteration, the same by gradient descent, mini-batches, starts."""

import numpy as np
import pytest
from scipy import sparse

from steepest.objectives.clustering import ClusteringObjective, squared_distances
from steepest.solvers import kmeans_plus_plus as seeding
from steepest.solvers.centre_descent import centre_descent
from steepest.solvers.kmeans_plus_plus import _DenseRows, kmeans_plus_plus, seeding_rows
from steepest.solvers.lloyd import CentreShift, LabelsSettled, lloyd
from steepest.solvers.loop import run
from steepest.solvers.minibatch_kmeans import CentreCounts, SmoothedPatience, minibatch_update, reassign_rare
from steepest.solvers.row_sampling import RowSampler, row_hashes
from steepest.solvers.stopping import Reason
from steepest.step import Step


def blobs(n=400, d=3, k=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) + 2 * rng.standard_normal((k, d))[rng.integers(0, k, n)]


def rules():
    return [LabelsSettled(), CentreShift(0.0)]


def test_the_value_never_rises_and_the_end_is_a_fixed_point():
    X = blobs()
    objective = ClusteringObjective(X, 5)
    result = run(lloyd(objective, X[:5].ravel()), max_iter=300, stopping=rules())
    assert result.reason is Reason.NO_CHANGE
    values = result.trace["value"]
    assert np.all(np.diff(values) <= 1e-9)
    assert result.trace["labels_changed"][0] == 400
    assert result.trace["labels_changed"][-2] == 0
    assert result.trace["gradient_norm"][-1] < 1e-10
    assert result.value == pytest.approx(objective.value(result.theta), rel=1e-12)


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_several_iterations_at_once_are_the_same_ones(layout):
    X = layout(blobs(3000))
    traces = []
    for at_once in (1, 300):
        objective = ClusteringObjective(X, 5)
        start = blobs(3000)[:5].ravel()
        result = run(lloyd(objective, start, at_once=at_once), max_iter=300, stopping=rules())
        assert result.reason is Reason.NO_CHANGE
        traces.append(result.trace)
    one, other = traces
    assert len(one) == len(other) > 5
    for name in ("labels_changed", "empty_clusters", "step_norm"):
        np.testing.assert_array_equal(one[name], other[name])
    np.testing.assert_allclose(one["value"], other["value"], rtol=1e-12)


def test_it_stops_when_the_centres_slow_down():
    X = blobs(2000)
    result = run(lloyd(ClusteringObjective(X, 5), X[:5].ravel()), max_iter=300, stopping=[CentreShift(0.5)])
    shifts = result.trace["step_norm"] ** 2
    assert result.reason is Reason.STEP_TOLERANCE
    assert shifts[-1] <= 0.5 < shifts[-2]


def test_gradient_descent_with_the_natural_rate_is_lloyd():
    X = blobs()
    objective = ClusteringObjective(X, 5)
    one = run(lloyd(objective, X[:5].ravel()), max_iter=8)
    other = run(centre_descent(objective, X[:5].ravel()), max_iter=8)
    np.testing.assert_allclose(other.theta, one.theta, rtol=1e-12)
    np.testing.assert_allclose(other.trace["value"], one.trace["value"], rtol=1e-12)


@pytest.mark.parametrize("rate", [0.3, 1.5])
def test_damped_and_overshooting_descent_arrive_at_a_fixed_point(rate):
    X = blobs()
    objective = ClusteringObjective(X, 3)
    result = run(
        centre_descent(objective, X[:3].ravel(), learning_rate=rate), max_iter=500, stopping=[CentreShift(1e-22)]
    )
    assert result.reason is Reason.STEP_TOLERANCE
    assert np.linalg.norm(objective.gradient(result.theta)) < 1e-7


def test_a_step_of_the_wrong_sign_would_be_noticed():
    X = blobs()
    objective = ClusteringObjective(X, 3)
    near = run(lloyd(objective, X[:3].ravel()), max_iter=3).theta
    result = run(centre_descent(objective, near, learning_rate=-0.5), max_iter=3)
    assert result.trace["value"][1] > result.trace["value"][0]


def test_a_batch_moves_centres_to_the_running_mean():
    X = np.array([[0.0], [2.0], [10.0]])
    memory = CentreCounts(np.array([2.0, 0.0, 1.0]))
    theta, sse = minibatch_update(ClusteringObjective(X, 3), np.array([1.0, 9.0, 50.0]), memory)
    np.testing.assert_allclose(theta, [(2 * 1.0 + 0 + 2) / 4, 10.0, 50.0])
    np.testing.assert_array_equal(memory.counts, [4.0, 1.0, 1.0])
    assert sse == pytest.approx(1 + 1 + 1)


def test_rare_centres_are_put_on_samples():
    X = np.arange(8.0)[:, None]
    theta, memory = np.array([100.0, 200.0, 300.0]), CentreCounts(np.array([1000.0, 1.0, 500.0]))
    n_moved = reassign_rare(ClusteringObjective(X, 3), theta, memory, 0.01, np.random.default_rng(0))
    assert n_moved == 1
    assert theta[1] in X
    np.testing.assert_array_equal(theta[[0, 2]], [100.0, 300.0])
    np.testing.assert_array_equal(memory.counts, [1000.0, 500.0, 500.0])


def test_smoothed_patience_counts_from_the_second_batch():
    rule = SmoothedPatience(weight=0.5, patience=2)
    values = [np.nan, 0.1, 4.0, 2.0, 5.0, 5.0]
    reasons = [rule(Step(i, np.zeros(1), notes={"mean_batch_sse": v})) for i, v in enumerate(values)]
    assert reasons == [None, None, None, None, None, Reason.PATIENCE]
    assert rule.smoothed == 0.5 * (0.5 * (0.5 * 4 + 0.5 * 2) + 0.5 * 5) + 0.5 * 5


@pytest.mark.parametrize("layout", [np.asarray, sparse.csr_array])
def test_draws_know_points_and_weights_only(layout):
    rng = np.random.default_rng(0)
    X, w = np.round(rng.random((40, 3)), 1), rng.integers(0, 4, 40).astype(float)
    order = rng.permutation(40)
    repeated = X.repeat(w.astype(int), axis=0)
    weighted, plain = layout(X[order]), layout(repeated)
    one, other = RowSampler(weighted, w[order]), RowSampler(plain, np.empty(0))
    assert one.n_points == other.n_points == len(np.unique(repeated, axis=0))
    for seed in range(30):

        def points(rows, A):
            return np.asarray(A[rows].todense() if sparse.issparse(A) else A[rows])

        def drawn(draw, seed=seed):
            return draw(np.random.default_rng(seed))

        for first, second in [
            (drawn(lambda g: one.draw(g, 9)), drawn(lambda g: other.draw(g, 9))),
            (drawn(lambda g: one.draw_different(g, 50)), drawn(lambda g: other.draw_different(g, 50))),
            (
                drawn(lambda g: kmeans_plus_plus(weighted, w[order], 6, g)),
                drawn(lambda g: kmeans_plus_plus(plain, np.empty(0), 6, g)),
            ),
        ]:
            np.testing.assert_array_equal(points(first, weighted), points(second, plain))


def test_hashes_agree_between_layouts_and_precisions():
    X = np.array([[0.0, 1.5, -0.0], [1.5, 0.0, 0.0], [0.0, 1.5, 0.0]])
    hashes = row_hashes(X)
    assert hashes[0] == hashes[2] != hashes[1]
    np.testing.assert_array_equal(row_hashes(X.astype(np.float32)), hashes)
    np.testing.assert_array_equal(row_hashes(sparse.csr_array(X)), hashes)


def test_kmeans_plus_plus_draws_by_weight_and_squared_distance():
    X, w = np.array([[0.0], [1.0], [3.0]]), np.array([1.0, 2.0, 1.0])
    n = 6000
    counts = np.zeros((3, 3))
    for seed in range(n):
        first, second = kmeans_plus_plus(X, w, 2, np.random.default_rng(seed), n_local_trials=1)
        counts[first, second] += 1
    masses = w * (X - X.T) ** 2
    expected = (w / w.sum())[:, None] * masses / masses.sum(axis=1, keepdims=True)
    deviation = np.sqrt(expected * (1 - expected) / n)
    assert np.all(np.abs(counts / n - expected) <= 5 * deviation)


def test_greedy_candidates_lower_the_objective():
    X = blobs(3000, 4, 12)
    none = np.empty(0)

    def start(seed, trials):
        rows = kmeans_plus_plus(X, none, 12, np.random.default_rng(seed), trials)
        return squared_distances(X, X[rows]).min(axis=1).sum()

    assert np.mean([start(s, 6) for s in range(10)]) < np.mean([start(s, 1) for s in range(10)])


def test_more_starting_centres_than_points_repeat_some():
    X = np.array([[1.0], [1.0], [2.0]])
    rows = kmeans_plus_plus(X, np.empty(0), 3, np.random.default_rng(0))
    assert set(X[rows].ravel()) == {1.0, 2.0}


@pytest.mark.parametrize("size", [1.0, 1e-30, 1e60])
def test_starts_tell_points_apart_that_single_precision_does_not(size):
    """Pairs, far from each other, of points that are near: every point becomes a centre, and none twice."""
    X = np.repeat([[0.0, 0.0], [1.0, 3.0], [2.0, 5.0], [4.0, 1.0]], 2, axis=0) * 1e9
    X[1::2] += 1.0
    for seed in range(20):
        rows = kmeans_plus_plus(X * size, np.empty(0), 8, np.random.default_rng(seed))
        assert sorted(rows.tolist()) == list(range(8))


@pytest.mark.parametrize("trials", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["blobs", "pairs", "float32"])
def test_starts_are_the_same_however_they_are_computed(monkeypatch, kind, weighted, trials):
    """In one compiled call, in several, step by step, with hashes computed anew, and as the second of two."""
    X = blobs(900, 3, 9).astype(np.float32 if kind == "float32" else np.float64)
    if kind == "pairs":  # which single precision does not tell apart
        X = np.repeat(X[:12] * 1e9, 2, axis=0)
        X[1::2] += 1.0
    w = np.random.default_rng(0).random(len(X)).astype(X.dtype) if weighted else X[:0, 0]

    def start(rows=None):
        return kmeans_plus_plus(X, w, 16, np.random.default_rng(3), trials, rows).tolist()

    expected, again = start(), seeding_rows(X, w)
    kmeans_plus_plus(X, w, 5, np.random.default_rng(0), trials, again)
    assert start(again) == expected
    monkeypatch.setattr(seeding, "WORK_AT_ONCE", 1)
    assert start() == expected
    monkeypatch.setattr(seeding, "FEW_ROWS", 0)
    assert start() == expected
    monkeypatch.setattr(seeding, "HASHES_KEPT", 0)
    monkeypatch.setattr(seeding, "KEPT_BYTES", 0)
    assert start() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_starts_in_single_precision_are_those_of_exact_distances(dtype):
    X = blobs(2000, 5, 9).astype(dtype)
    rows = _DenseRows(X, np.empty(0, dtype))
    rows.begin()
    assert rows.closest.dtype == np.float32
    chosen = [3, 1414, 77]
    for row in chosen:
        rows.come_closer(row)
    exact = squared_distances(X, X[chosen]).min(axis=1)
    np.testing.assert_allclose(rows.closest, exact, rtol=1e-5, atol=1e-5)
    candidates = np.array([5, 700, 1999])
    potentials = [np.minimum(exact, squared_distances(X, X[[c]])[:, 0]).sum() for c in candidates]
    np.testing.assert_allclose(rows.potentials(candidates), potentials, rtol=1e-5)
    masses = np.bincount(rows._buckets, exact, 1024)
    np.testing.assert_allclose(rows._masses, masses, rtol=1e-5, atol=1e-4)
