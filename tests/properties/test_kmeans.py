"""k-means on any data: exact labels, whatever the origin, the order of rows, the number of threads."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from steepest.cluster import KMeans
from steepest.objectives.clustering import ClusteringObjective, nearest

QUIET = settings(max_examples=60, deadline=None)
coarse = st.integers(-8, 8).map(lambda i: i / 4)  # many ties, sums without rounding
wide = st.floats(-1e6, 1e6, width=32)
points = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40), elements=coarse | wide)

exact = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40), elements=coarse)


@QUIET
@given(points, st.integers(1, 8), st.sampled_from([np.float32, np.float64]), st.floats(-1e7, 1e7))
def test_labels_are_the_first_nearest_centre(X, k, dtype, origin):
    X = X.astype(dtype)
    k = min(k, len(X))  # more clusters than samples are refused
    C = np.resize(X[::-1], (k, X.shape[1])).copy()
    objective = ClusteringObjective(X, k, origin=np.full(X.shape[1], origin, dtype=dtype))
    partition = objective.partition()
    for _ in range(3):
        partition.assign(C)
        np.testing.assert_array_equal(partition.labels, nearest(X, C))
        C = objective.means(partition, C.ravel())[0].reshape(C.shape)


@QUIET
@given(exact, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(X, k, random):
    """Where sums do not round; elsewhere rounding may turn a tie between two candidates for a start."""
    k = min(k, len(np.unique(X, axis=0)))
    order = random.sample(range(len(X)), len(X))
    one = KMeans(k, random_state=0, max_iter=1).fit(X)
    other = KMeans(k, random_state=0, max_iter=1).fit(X[order])
    np.testing.assert_allclose(other.cluster_centers_, one.cluster_centers_, rtol=1e-12, atol=1e-12)
