"""Pictures of clusterings: regions are exact, paths and animations come from the trace."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from steepest import plotting
from steepest.cluster import KMeans
from steepest.exceptions import InvalidInputError
from steepest.plotting.clustering import centre_frames, region
from steepest.trace import Trace


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 2)) + np.repeat([[0, 0], [6, 0], [3, 5]], 30, axis=0)
    return X, KMeans(3, init=X[:3]).set_callbacks(Trace(parameters=True)).fit(X)


def area(corners):
    x, y = corners.T
    return 0.5 * abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_regions_are_what_is_nearest_and_fill_the_box(k):
    rng = np.random.default_rng(k)
    C, low, high = rng.random((k, 2)), np.array([-0.5, 0.0]), np.array([1.5, 1.0])
    regions = [region(C, j, low, high) for j in range(k)]
    assert sum(area(corners) for corners in regions if len(corners)) == pytest.approx(2.0)
    for j, corners in enumerate(regions):
        if len(corners):
            inner = corners.mean(axis=0)
            assert np.argmin(((inner - C) ** 2).sum(axis=1)) == j


def test_equal_centres_share_a_region():
    C = np.array([[0.0, 0.0], [0.0, 0.0]])
    assert area(region(C, 0, np.zeros(2), np.ones(2))) == 1.0


def test_elbow_marks_the_bend():
    ax = plotting.elbow([1, 2, 3, 4, 5], [100.0, 50.0, 10.0, 8.0, 7.0])
    assert ax.texts[0].get_text() == "k = 3"
    assert len(plotting.elbow([2], [1.0]).texts) == 0
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [100, 50, 10, 8, 7])


def test_silhouette_draws_each_cluster():
    ax = plotting.silhouette([0.5, -0.1, 0.9, 0.7], ["b", "a", "b", "a"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a (2)", "b (2)"]
    assert ax.get_title() == "mean silhouette 0.500"


def test_voronoi_and_paths(fitted):
    X, model = fitted
    ax = plotting.voronoi(model.cluster_centers_, X, model.labels_, names=("u", "v"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "v")
    assert len(ax.collections[0].get_offsets()) == 90
    ax = plotting.centre_paths(model.trace_, X)
    assert ax.get_title() == f"{model.n_iter_} iterations"
    np.testing.assert_array_equal(ax.lines[0].get_xydata()[-1], model.cluster_centers_[0])


def test_the_animation_is_a_gif_and_a_page(fitted, tmp_path):
    X, model = fitted
    animation = plotting.animate_kmeans(model.trace_, X)
    animation.save(tmp_path / "run.gif", writer="pillow")
    with Image.open(tmp_path / "run.gif") as picture:
        assert 2 <= picture.n_frames <= len(model.trace_)  # equal frames may be joined
    assert "<img" in plotting.animate_kmeans(model.trace_, X).to_jshtml()


@pytest.mark.parametrize(
    "draw, message",
    [
        (lambda: plotting.elbow([1, 2], [1.0]), r"inertias \(1,\): both must be \(n,\)"),
        (lambda: plotting.silhouette([1.0], [0, 1]), r"labels \(2,\): both must be \(n_samples,\)"),
        (lambda: plotting.voronoi([[1.0, 2.0, 3.0]]), r"centres has shape \(1, 3\): must be \(n, 2\)"),
        (lambda: centre_frames(Trace()), "the trace holds no centres"),
    ],
)
def test_bad_input(draw, message):
    with pytest.raises(InvalidInputError, match=message):
        draw()


def test_runs_in_three_dimensions_cannot_be_animated():
    X = np.random.default_rng(0).random((20, 3))
    model = KMeans(2, init=X[:2]).set_callbacks(Trace(parameters=True)).fit(X)
    with pytest.raises(InvalidInputError, match="the run has 3 features"):
        plotting.animate_kmeans(model.trace_, X[:, :2])
    assert plotting.centre_paths(model.trace_, X, columns=(0, 2)).get_title()


@pytest.mark.parametrize("n_clusters", [3, 150])
def test_labels_of_silhouettes_do_not_overlap(n_clusters):
    labels = np.repeat(np.arange(n_clusters), 2)
    ax = plotting.silhouette(np.linspace(0, 1, len(labels)), labels)
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert 3 <= len(boxes) <= 26
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))
