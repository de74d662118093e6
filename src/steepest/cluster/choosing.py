"""How many clusters: the SSE over k, and how well samples fit their clusters."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from steepest.cluster.kmeans import KMeans
from steepest.exceptions import InvalidInputError
from steepest.typing import ArrayLike
from steepest.validation import check_parameters

CHUNK_ENTRIES = 1 << 21


def inertia_curve(X: Any, n_clusters: Iterable[int], **parameters: Any) -> NDArray[np.float64]:
    """Return the SSE of a KMeans fit for each number of clusters, to be drawn by ``plotting.elbow``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> [round(float(sse), 2) for sse in inertia_curve(X, [1, 2, 4], random_state=0)]
    [25.01, 0.01, 0.0]
    """
    return np.array([KMeans(k, **parameters).fit(X).inertia_ for k in n_clusters])


def silhouette_values(X: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Return how much better each sample fits its own cluster than the next one, from -1 to 1.

    Notes
    -----
    With a_i the mean distance to the other samples of its cluster and b_i the smallest mean distance to the samples of
    another, ``s_i = (b_i - a_i) / max(a_i, b_i)``; 0 for a sample alone in its cluster. All pairs of samples are
    looked at, some rows at a time: O(n^2 d) time, O(n) memory.

    Source: P. J. Rousseeuw, Silhouettes, J. Comput. Appl. Math. 20 (1987).

    Examples
    --------
    >>> silhouette_values([[0.0], [1.0], [10.0]], [0, 0, 1])
    array([0.9       , 0.88888889, 0.        ])
    """
    points, (names, codes) = check_parameters("X", X), np.unique(np.asarray(labels), return_inverse=True)
    n, k = len(points), len(names)
    if points.ndim != 2 or codes.shape != (n,):
        raise InvalidInputError(f"X has shape {points.shape}, labels {codes.shape}: must be (n, d) and (n,)")
    if k < 2:
        raise InvalidInputError("labels name 1 cluster: a silhouette needs at least 2")
    members = np.zeros((n, k))
    members[np.arange(n), codes] = 1.0
    sizes = members.sum(axis=0)
    values = np.zeros(n)
    rows = max(1, CHUNK_ENTRIES // n)
    for start in range(0, n, rows):
        part = slice(start, start + rows)
        sums, own = cdist(points[part], points) @ members, codes[part]
        here = np.arange(len(own))
        inner = sums[here, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[here, own] = np.inf
        outer = means.min(axis=1)
        largest = np.maximum(inner, outer)
        fits = (outer - inner) / np.where(largest > 0, largest, 1.0)
        values[part] = np.where(sizes[own] > 1, fits, 0.0)
    return values
