"""Each k-means kernel equals its reference, in both precisions."""

import numpy as np
import pytest
from scipy import sparse

from steepest.kernels.compile import compiled
from steepest.kernels.kmeans import nearest as kernel
from steepest.kernels.kmeans import partition as partitions
from steepest.kernels.kmeans import rough
from steepest.kernels.kmeans.arrays import Rows, pack_rows
from steepest.kernels.kmeans.blocks import Blocks
from steepest.kernels.kmeans.measures import add_moments, sse_blocks
from steepest.kernels.kmeans.moves import UNSETTLED, add_members
from steepest.kernels.kmeans.partition import DensePartition, SparsePartition
from steepest.kernels.kmeans.rows import fetch_rows
from steepest.kernels.kmeans.seeding import (
    Points,
    come_closer,
    find_places,
    first_lowest,
    gather_buckets,
    pick,
    potentials,
)
from steepest.kernels.kmeans.tiles import PANEL_BYTES, meet_centres, pack_pairs, pack_panel
from steepest.objectives import clustering as reference

SHAPES = [
    (1, 1, 1),
    (7, 2, 3),
    (300, 2, 10),
    (513, 3, 5),
    (257, 4, 4),
    (256, 7, 9),
    (100, 18, 13),
    (40, 130, 6),
    (200, 2, 33),
    (90, 5, 97),
]
LONG_SHAPES = [(70, 300, 6), (33, 256, 5), (600, 400, 1)]  # many features
DTYPES = [np.float32, np.float64]


def problem(n, d, k, dtype, offset=0.0):
    rng = np.random.default_rng([n, d, k])
    X = (rng.standard_normal((n, d)) + offset).astype(dtype)
    return X, (rng.standard_normal((k, d)) + offset).astype(dtype), rng.uniform(0.1, 2.0, n).astype(dtype)


@compiled
def meet(X, rows, shift, table, half_norms, old, slope, least, pairs):
    """Meet one panel; return the results of its points (norm, best, second, label), and the bits of the unsettled."""
    panel, results = kernel.panel_room(X.shape[1], table)
    number = table.dtype.type
    if pairs:
        pack_pairs(X, rows[0], shift, panel)
    else:
        pack_panel(X, rows, shift, panel, 0)
        fetch_rows(X, rows, 0, panel.shape[1])
    bits = meet_centres(panel, table, half_norms, results, old, 0, number(slope), number(least), X, rows, 0)
    return results, bits


def found(X, rows, shift, C, old, limits=(0.0, 0.0), dtype=None, pairs=False):
    """Run the kernel in ``dtype`` on up to a panel of rows; return their results, and which are unsettled."""
    n = len(rows)
    table, half_norms = kernel.room_for_centres(*C.shape, dtype or X.dtype)
    kernel.pack_centres(C, np.zeros_like(shift), table, half_norms)
    places, before = np.full(kernel.ROOM, rows[-1]), np.full(kernel.BATCH, len(C), dtype=np.int32)
    places[:n], before[:n] = rows, old
    results, bits = meet(X, places, shift, table, half_norms, before, *limits, pairs)
    return results[:4, :n], [t for t in range(n) if bits >> t & 1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scored", DTYPES)
@pytest.mark.parametrize("shape", SHAPES + LONG_SHAPES)
@pytest.mark.parametrize("order", ["consecutive", "scattered"])
def test_the_two_smallest_scores_are_found(shape, dtype, scored, order):
    X, C, _ = problem(*shape, dtype)
    consecutive, scored = order == "consecutive", np.dtype(min(scored, dtype, key=lambda t: np.dtype(t).itemsize))
    n = min(len(X), PANEL_BYTES // scored.itemsize)
    rows = np.arange(n) if consecutive else np.random.default_rng(0).permutation(len(X))[:n]
    shift = X[0] / 2
    Z = (X[rows] - shift).astype(np.float64)
    labels = reference.nearest(Z, C)
    old = np.where(np.arange(n) % 3, labels, labels + 1)
    pairs = shape[1] == 2 and consecutive and len(X) >= PANEL_BYTES // scored.itemsize
    (norms, best, second, label), unsettled = found(X, rows, shift, C, old, dtype=scored, pairs=pairs)
    expected = np.sort(reference.scores(Z, C.astype(np.float64)), axis=1)
    tolerance = 200 * np.finfo(scored).eps
    np.testing.assert_allclose(norms, (Z**2).sum(axis=1) / 2, rtol=tolerance)
    np.testing.assert_allclose(best, expected[:, 0], rtol=tolerance, atol=tolerance * shape[1])
    np.testing.assert_array_equal(label, labels)
    np.testing.assert_array_equal(unsettled, np.flatnonzero(old != labels))
    if shape[2] > 1:
        np.testing.assert_allclose(second, expected[:, 1], rtol=tolerance, atol=tolerance * shape[1])
    else:
        assert np.all(np.isinf(second))


@pytest.mark.parametrize("dtype", DTYPES)
def test_near_ties_are_unsettled(dtype):
    X = np.array([[0.0, 1.0], [0.1, 1.0], [0.4, 1.0], [2.0, 0.0]], dtype=dtype)
    C = np.array([[-1.0, 0.0], [1.0, 0.0]], dtype=dtype)  # the scores differ by 2 |x_0|
    none, rows = np.zeros(2, dtype=dtype), np.arange(4)
    assert found(X, rows, none, C, [0, 1, 1, 1], limits=(0.0, 0.25))[1] == [0, 1]
    assert found(X, rows, none, C, [0, 1, 1, 1], limits=(2.0, 0.0))[1] == [0, 1, 2, 3]  # 2 |x|^2 / 2 is more
    assert found(X, rows, none, C, [0, 0, 1, 0])[1] == [0, 1, 3]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES + LONG_SHAPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", ["dense", "sparse"])
def test_labels_sums_and_masses_follow_the_centres_exactly(shape, dtype, weighted, layout):
    X, C, weights = problem(*shape, dtype)
    rng = np.random.default_rng(1)
    if not weighted:
        weights = weights[:0]
    data = sparse.csr_array(X) if layout == "sparse" else X
    n, d, k = shape
    partition = (
        SparsePartition(data, weights, k)
        if layout == "sparse"
        else DensePartition(X, weights, k, np.zeros(d, dtype), np.abs(X).max())
    )
    before = np.full(n, -1)
    for way in (1.0, 0.3, 0.01, 0.001, 0.0, 0.0001, 1.0):
        C = (C + way * rng.standard_normal(C.shape)).astype(dtype)
        moved = partition.assign(C)
        labels = reference.nearest(X, C)
        np.testing.assert_array_equal(partition.labels, labels)
        assert moved == np.sum(labels != before)
        before = labels
        full = np.ones(n) if not weighted else weights.astype(np.float64)
        sums, masses = reference.cluster_sums(X.astype(np.float64), labels, full, k)
        np.testing.assert_allclose(partition.sums, sums, atol=1e-11)
        np.testing.assert_allclose(partition.masses, masses, atol=1e-11)
        own = reference.squared_distances(X, C)[np.arange(n), labels]
        np.testing.assert_allclose(
            partition.own_distances(C), own, rtol=1e-5 if dtype == np.float32 else 1e-11, atol=1e-6
        )
        assert partition.sse(C) == pytest.approx(full @ own, rel=1e-5 if dtype == np.float32 else 1e-12)


def test_a_cluster_that_loses_its_last_member_is_exactly_empty():
    X = np.array([[0.1], [0.7], [0.3]])
    partition = DensePartition(X, np.array([0.1, 0.2, 0.3]), 2, np.zeros(1), 0.7)
    partition.assign(np.array([[0.0], [0.5]]))
    partition.assign(np.array([[0.4], [9.0]]))
    assert partition.masses[1] == 0.0
    assert partition.sums[1, 0] == 0.0


@pytest.mark.parametrize("d", [1, 12, 70])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("far", [slice(1), slice(-1, None), slice(3), slice(12)])
def test_sparse_rows_far_from_the_origin_keep_the_digits_of_their_distances(d, dtype, far):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((300, d)) * (rng.random((300, d)) < 0.1)
    X[:, far] = 1e6 + rng.integers(0, 16, (300, 1))
    X = X.astype(dtype)
    centres = X[:5].copy()
    partition = SparsePartition(sparse.csr_array(X), X[:0, 0], 5)
    partition.assign(centres)
    expected = reference.squared_distances(X, centres).min(axis=1)
    rtol = 1e-7 if dtype == np.float32 else 1e-13  # what the result itself is rounded to
    np.testing.assert_allclose(partition.own_distances(centres), expected, rtol=rtol)


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(
    "dtype, size",
    [(np.float32, 4e-23), (np.float32, 8e18), (np.float64, 4e-23), (np.float64, 8e18), (np.float64, 1e-161)],
)
def test_labels_are_exact_where_scores_underflow_or_overflow(dtype, size, layout):
    X, C, _ = problem(2000, 3, 6, np.float64)
    X, C = (X * size).astype(dtype), (C * size).astype(dtype)
    given, none = sparse.csr_array(X), np.empty(0, dtype)
    dense = layout == "dense"
    partition = (
        DensePartition(X, none, 6, np.zeros(3, dtype), np.abs(X).max()) if dense else SparsePartition(given, none, 6)
    )
    partition.assign(C)
    np.testing.assert_array_equal(partition.labels, reference.nearest(X, C))


def test_bounds_beyond_single_precision_are_not_kept():
    rng = np.random.default_rng(3)
    X, C, way = (rng.standard_normal((n, 30)) * size for n, size in ((400, 2e39), (12, 2e39), (12, 1e37)))
    partition = DensePartition(X, np.empty(0), 12, np.zeros(30), np.abs(X).max())
    for _ in range(60):
        partition.assign(C)
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, C))
        C = C + way


@pytest.mark.parametrize("d, k", [(2, 200), (30, 12)])
def test_bounds_never_change_a_label(monkeypatch, d, k):
    """Pruned and unpruned, along a run in which centres slow down; points of a lattice tie all the time."""
    monkeypatch.setattr(partitions, "LEAST_WORK_FOR_EARLY_GAPS", 0)
    rng = np.random.default_rng(d)
    X = np.round(rng.standard_normal((4000, d)) * 4) / 4
    pruned = DensePartition(X, X[:0, 0], k, np.zeros(d), np.abs(X).max())
    assert len(pruned._gaps) == len(X)
    C, skipped = X[:k].copy(), 0
    for step in range(40):
        pruned.assign(C)
        np.testing.assert_array_equal(pruned.labels, reference.nearest(X, C))
        skipped += int(np.sum(pruned._gaps > 0))
        C += rng.standard_normal(C.shape) * 0.5**step
    assert skipped > 4000  # the bounds did save work


needs_bfloat16 = pytest.mark.skipif(not rough.AVAILABLE, reason="this processor does not multiply bfloat16")


def as_bfloat16(x):
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64)


@compiled
def meet_roughly(X, rows, shift, table, half_norms, old):
    panel, results = kernel.panel_room(X.shape[1], half_norms)
    rough.pack_rough(X, rows, shift, panel, 0)
    none = np.float32(0)
    meet_centres(panel, table, half_norms, results, old, 0, none, none, X, rows[:0], 0)
    return results


@needs_bfloat16
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("d, k", [(1, 1), (2, 7), (16, 50), (33, 12), (64, 9), (131, 6)])
def test_rough_scores_are_those_of_rounded_numbers(dtype, d, k):
    X, C, _ = problem(100, d, k, dtype)
    rows, shift = np.random.default_rng(0).permutation(100), X[0] / 2
    table, half_norms = kernel.room_for_centres(k, d, np.float32)
    kernel.pack_centres(C, np.zeros_like(shift), table, half_norms)
    pairs = rough.rough_table(k, d, True)
    error = rough.round_centres(table, pairs)
    rounded = as_bfloat16(C)
    assert error == pytest.approx(np.linalg.norm(rounded - C.astype(np.float32), axis=1).max(), rel=1e-5)
    norms, best, second, label, _ = meet_roughly(X, rows, shift, pairs, half_norms, np.zeros(kernel.ROOM, np.int32))
    n = len(norms)
    given = (X - shift).astype(np.float32)
    Z = as_bfloat16(given)[rows[:n]]
    expected = (C.astype(np.float64) ** 2).sum(axis=1) / 2 - Z @ rounded.T
    np.testing.assert_allclose(norms, (Z**2).sum(axis=1) / 2, rtol=1e-5)
    np.testing.assert_allclose(best, expected.min(axis=1), rtol=1e-5, atol=1e-5 * d)
    np.testing.assert_array_equal(label, expected.argmin(axis=1))
    if k > 1:
        np.testing.assert_allclose(second, np.sort(expected, axis=1)[:, 1], rtol=1e-5, atol=1e-5 * d)
    largest = np.zeros(2)
    rough.largest_rounding(X, shift, 64, 0, 2, largest)
    lost = np.linalg.norm(as_bfloat16(given) - given, axis=1)[1:] / np.linalg.norm(given, axis=1)[1:]
    assert largest.max() == pytest.approx(lost.max(), rel=1e-5)
    assert largest.max() <= rough.ROUNDING


@needs_bfloat16
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1.0, 2.0**-40, 2.0**-66, 2.0**41])  # powers of two: ties stay ties
@pytest.mark.parametrize("d, k, kind", [(3, 200, "lattice"), (40, 30, "noise"), (64, 40, "near"), (130, 16, "outlier")])
def test_rough_scores_never_change_a_label(monkeypatch, dtype, size, d, k, kind):
    """Along a run in which centres slow down; on lattices and among nearly equal centres most scores are too rough."""
    monkeypatch.setattr(partitions, "MUCH_WORK", 0)
    monkeypatch.setattr(partitions, "LEAST_WORK_FOR_ROUGH", 0)
    monkeypatch.setattr(partitions, "LEAST_CENTRES_FOR_ROUGH", 0)
    monkeypatch.setattr(partitions, "MOST_CLOSE", 2.0)
    rng = np.random.default_rng(d)
    X = np.round(rng.standard_normal((1500, d)) * 2) / 2 if kind == "lattice" else rng.random((1500, d))
    if kind == "outlier":
        X[-3] *= 1e5
    X = (X * size).astype(dtype)
    C = (X[0] * (1 + 1e-3 * rng.standard_normal((k, d)))).astype(dtype) if kind == "near" else X[:k].copy()
    partition = DensePartition(X, X[:0, 0], k, np.zeros(d, dtype), float(np.abs(X).max()))
    assert partition._rough
    settled = 0
    for step in range(12):
        partition.assign(C)
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, C))
        settled += len(X) - int(partition._counted[:, UNSETTLED].sum())
        C = (C + size * 0.5 * 0.4**step * rng.standard_normal(C.shape)).astype(dtype)
    assert settled > 0 or size < 1e-15  # too small to be multiplied
    sums, masses = reference.cluster_sums(X.astype(np.float64), partition.labels, np.ones(len(X)), k)
    np.testing.assert_allclose(partition.sums, sums, rtol=1e-9, atol=1e-9 * np.abs(X).max())
    np.testing.assert_array_equal(partition.masses, masses)


@needs_bfloat16
def test_rough_scores_are_given_up_where_they_settle_too_few_rows(monkeypatch):
    monkeypatch.setattr(partitions, "MUCH_WORK", 0)
    monkeypatch.setattr(partitions, "LEAST_WORK_FOR_ROUGH", 0)
    monkeypatch.setattr(partitions, "LEAST_CENTRES_FOR_ROUGH", 0)
    rng = np.random.default_rng(0)
    X = rng.random((2000, 32))
    C = X[0] * (1 + 1e-4 * rng.standard_normal((20, 32)))
    partition = DensePartition(X, X[:0, 0], 20, np.zeros(32), 1.0)
    for expected in (True, False):
        assert partition._rough == expected
        partition.assign(C)
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, C))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_over_blocks(dtype, weighted):
    X, C, weights = problem(20_000, 3, 4, dtype)
    w = weights if weighted else weights[:0]
    full = weights.astype(np.float64) if weighted else np.ones(len(X))
    labels = reference.nearest(X, C).astype(np.int32)
    blocks = Blocks(len(X))
    assert blocks.number > 1
    parts, sse = np.zeros((blocks.number, 3, 3)), np.zeros(blocks.number)
    sums = np.zeros((blocks.number, 4, 8))
    mean = np.array([0.1, 0.2, 0.3])
    blocks.run(lambda a, b: add_moments(X, w, mean, blocks.rows, a, b, parts))
    blocks.run(lambda a, b: sse_blocks(X, w, C, labels, blocks.rows, a, b, sse))
    data = Rows(X, w, np.zeros(3, dtype), np.zeros((0, 4, 8), dtype))
    blocks.run(lambda a, b: add_members(data, labels, blocks.rows, a, b, sums))
    Z = X.astype(np.float64)
    moments = [full @ (Z - mean), full @ (Z - mean) ** 2]
    np.testing.assert_allclose(parts[:, :2].sum(axis=0), moments, rtol=1e-10)
    np.testing.assert_array_equal(parts[:, 2].max(axis=0), np.abs(Z - mean).max(axis=0))
    own = reference.squared_distances(X, C)[np.arange(len(X)), labels]
    assert sse.sum() == pytest.approx(full @ own, rel=1e-10)
    expected_sums, expected_masses = reference.cluster_sums(Z, labels, full, 4)
    np.testing.assert_allclose(sums.sum(axis=0)[:, :3], expected_sums, rtol=1e-9)
    np.testing.assert_allclose(sums.sum(axis=0)[:, 3], expected_masses, rtol=1e-10)
    np.testing.assert_array_equal(sums.sum(axis=0)[:, 4], np.bincount(labels, minlength=4))
    assert not sums[:, :, 5:].any()


@pytest.mark.parametrize(
    "dtype, measured", [(np.float32, np.float32), (np.float64, np.float32), (np.float64, np.float64)]
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_candidates", [1, 4, 5])
@pytest.mark.parametrize(
    "d, n_packed", [(1, 600), (2, 0), (2, 600), (3, 0), (23, 600), (31, 0), (31, 300), (256, 0), (301, 0), (301, 300)]
)
def test_distances_to_candidates(dtype, measured, weighted, n_candidates, d, n_packed):
    X, C, weights = problem(600, d, n_candidates, dtype)
    w = weights if weighted else weights[:0]
    full = weights.astype(np.float64) if weighted else np.ones(len(X))
    closest = np.random.default_rng(0).uniform(0, 2 * d, len(X)).astype(measured)
    distances = reference.squared_distances(X, C).T
    origin, points = np.full(d, 0.25, dtype), PANEL_BYTES // np.dtype(measured).itemsize
    packed = np.empty((n_packed // points, d + 1, points), measured)
    pack_rows(X, origin, 1024, 0, 1, packed)
    given = Points(X, w, origin, packed)
    totals, kept = np.zeros((1, n_candidates)), np.zeros((n_candidates, len(X)), dtype=measured)
    potentials(given, closest, C, 1024, 0, 1, totals, kept)
    tolerance = 1e-5 if measured == np.float32 else 1e-12
    np.testing.assert_allclose(kept, distances, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(totals[0], np.minimum(closest, distances) @ full, rtol=tolerance)
    buckets = (np.arange(len(X)) % 8).astype(np.uint16)
    for known in (kept[0], kept[0, :0]):
        lowered, masses = closest.copy(), np.zeros((1, 8))
        come_closer(given, lowered, C[:1], known, buckets, 1024, 0, 1, masses)
        np.testing.assert_allclose(lowered, np.minimum(closest, distances[0]), rtol=tolerance, atol=tolerance)
        expected = np.bincount(buckets, full * np.minimum(closest, distances[0]), 8)
        np.testing.assert_allclose(masses[0], expected, rtol=tolerance)


def test_rows_are_gathered_by_bucket():
    buckets = np.random.default_rng(0).integers(0, 5, 200).astype(np.uint16)
    rows, begins = np.zeros(200, np.int32), np.concatenate([[0], np.cumsum(np.bincount(buckets, minlength=5))])
    gather_buckets(buckets, begins, rows)
    np.testing.assert_array_equal(rows, np.argsort(buckets, kind="stable"))


def test_places_are_found_by_their_share():
    by_bucket = np.array([0.0, 2.0, 0.0, 1.0, 5.0, 0.0])
    shares = np.array([0.0, 0.1, 0.25, 0.374, 0.375, 0.99, 1.0])
    buckets, targets = np.zeros(7, np.int64), np.zeros(7)
    find_places(by_bucket, shares, buckets, targets)
    np.testing.assert_array_equal(buckets, [1, 1, 3, 3, 4, 4, 4])
    np.testing.assert_allclose(targets, [0.0, 0.8, 0.0, 0.992, 0.0, 4.92, 5.0], atol=1e-15)


def test_the_first_of_candidates_alike_is_taken():
    assert [first_lowest(np.array(p)) for p in ([3.0, 1.0 + 1e-5, 1.0], [3.0, 1.001, 1.0], [0.0, 0.0])] == [1, 2, 0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_are_picked_by_their_share(dtype):
    rows, weights, closest = np.array([5, 0, 3, 2], np.int32), np.arange(6.0, dtype=dtype), np.full(6, 2, dtype)
    assert [pick(rows, weights, closest, target) for target in (0.0, 9.9, 10.0, 15.9, 16.0, 99.0)] == [5, 5, 3, 3, 2, 2]
    assert [pick(rows, weights[:0], closest[:0], target) for target in (0.5, 1.0, 3.9, 4.0)] == [5, 0, 2, 2]
    closest[2] = 0  # a row without mass is not picked
    assert pick(rows, weights, closest, 99.0) == 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(700, 2, 5), (5000, 3, 20), (900, 9, 40)])
def test_iterations_in_one_call_are_those_of_the_array_code(shape, dtype, weighted):
    X, _, weights = problem(*shape, dtype)
    k = shape[2]
    objective = reference.ClusteringObjective(X, k, sample_weight=weights if weighted else None)
    one, other = objective.partition(), objective.partition()
    theta = X[:k].ravel().copy()
    one.assign(X[:k])
    other.assign(X[:k])
    steps = objective.iterate(one, theta, most=6)
    assert len(steps) == 6
    for step in steps:
        previous, (theta, n_empty) = theta, objective.means(other, theta)
        assert other.assign(objective.centres(theta)) == step.labels_changed
        np.testing.assert_allclose(step.theta, theta, rtol=1e-6 if dtype == np.float32 else 1e-13)
        value, gradient = objective.partition_value_and_gradient(other, theta)
        assert step.value == pytest.approx(value, rel=1e-12)
        assert step.gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5, abs=1e-9)
        assert step.way == pytest.approx(np.linalg.norm(theta.astype(float) - previous), rel=1e-4)
        assert n_empty == step.empty_clusters == 0
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.labels, reference.nearest(X, objective.centres(theta)))


def test_iterations_end_where_no_centre_moves():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0], [10.0, 0.0]])
    objective = reference.ClusteringObjective(X, 2)
    partition = objective.partition()
    partition.assign(X[[0, 2]])
    ways = [step.way for step in objective.iterate(partition, X[[0, 2]].ravel(), most=9)]
    assert ways == [np.sqrt(0.5), 0.0]


def test_an_empty_cluster_is_left_to_the_array_code():
    X = np.array([[0.0], [1.0], [9.0]])
    objective = reference.ClusteringObjective(X, 2)
    partition, far = objective.partition(), np.array([[0.0], [99.0]])
    partition.assign(far)
    assert len(partition.iterate(9, 0.0, 1.0, 1e-9)[0]) == 0
    (step,) = objective.iterate(partition, far.ravel(), most=9)
    assert step.empty_clusters == 1
    assert step.value == pytest.approx(0.5)


def test_tiny_clusters_far_apart_are_scored_in_double_precision():
    """Single precision leaves near ties everywhere: labels are exact before and after it is given up."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (3000, 1)) * 1e6 + rng.standard_normal((3000, 2))
    centres = X[:24].copy()
    partition = DensePartition(X, X[:0, 0], 24, np.zeros(2), np.abs(X).max())
    assert partition._centres.table.dtype == np.float32
    for _ in range(3):
        partition.assign(centres)
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, centres))
        centres += 0.1 * rng.standard_normal(centres.shape)
        partition.iterate(1, 0.0, 1.0, 1e-9)
        assert partition._centres.table.dtype == np.float64
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, partition.centres))
        sums, masses = reference.cluster_sums(X, partition.labels, np.ones(len(X)), 24)
        np.testing.assert_allclose(partition.sums, sums, rtol=1e-10)
        np.testing.assert_array_equal(partition.masses, masses)


def test_bounds_take_over_once_few_rows_move():
    """All rows are looked at as long as many move; labels and sums are exact before and after."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 10)) + rng.standard_normal((20, 10)).repeat(250, axis=0)
    objective = reference.ClusteringObjective(X, 20)
    partition, theta = objective.partition(), X[::250].ravel()
    partition.assign(objective.centres(theta))
    bounded = []
    for _ in range(40):
        theta = objective.iterate(partition, theta)[-1].theta
        bounded.append(len(partition._gaps) == len(X))
        np.testing.assert_array_equal(partition.labels, reference.nearest(X, objective.centres(theta)))
        sums, masses = reference.cluster_sums(X - objective.origin, partition.labels, np.ones(len(X)), 20)
        np.testing.assert_allclose(partition.sums, sums, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(partition.masses, masses)
    assert not bounded[0]
    assert bounded[-1]
