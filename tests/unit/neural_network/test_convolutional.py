"""Convolutional networks as estimators: what they take, learn, keep and refuse."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from steepest.exceptions import InvalidInputError
from steepest.neural_network import ConvClassifier, ConvRegressor

SMALL = {"filters": 4, "hidden_layer_sizes": (), "learning_rate": 0.03, "random_state": 0}


@pytest.fixture(autouse=True)
def _few_passes_are_fine():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@pytest.fixture
def bars():
    """Upright and level bars on noise, and which is which."""
    rng = np.random.default_rng(0)
    X = 0.2 * rng.standard_normal((60, 1, 6, 6))
    places = rng.integers(0, 6, 60)
    for i, place in enumerate(places):
        if i % 2:
            X[i, 0, place] += 1.0
        else:
            X[i, 0, :, place] += 1.0
    return X, np.where(np.arange(60) % 2, "level", "upright")


def test_it_tells_upright_from_level_bars(bars):
    X, y = bars
    model = ConvClassifier(**SMALL, max_iter=60).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) >= 0.9
    assert model.classes_.tolist() == ["level", "upright"]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(model.decision_function(X) > 0, model.predict(X) == "upright")


def test_images_and_rows_of_their_numbers_are_the_same(bars):
    X, y = bars
    images = ConvClassifier(**SMALL, max_iter=5).fit(X, y)
    flat = ConvClassifier(**SMALL, max_iter=5, image_shape=(6, 6)).fit(X.reshape(60, 36), y)
    without_channel = ConvClassifier(**SMALL, max_iter=5).fit(X[:, 0], y)
    for other in (flat, without_channel):
        assert other.image_shape_ == images.image_shape_ == (1, 6, 6)
        np.testing.assert_array_equal(other.loss_curve_, images.loss_curve_)
    np.testing.assert_array_equal(flat.predict(X.reshape(60, 36)), images.predict(X))


def test_the_loss_falls_and_is_the_traces(bars):
    model = ConvClassifier(**SMALL, max_iter=20, tol=0.0).fit(*bars)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    np.testing.assert_array_equal(model.loss_curve_, model.trace_["value"][1:])
    assert model.loss_ == model.loss_curve_[-1]


def test_early_stopping_leaves_its_scores_in_the_trace_and_keeps_the_best(bars):
    X, y = bars
    model = ConvClassifier(**SMALL, early_stopping=True, validation_fraction=0.3, max_iter=40, n_iter_no_change=5)
    model.fit(X, y)
    np.testing.assert_array_equal(model.trace_["validation_score"][1:], model.validation_scores_)
    assert np.isnan(model.trace_["validation_score"][0])
    assert max(model.validation_scores_) > 0.8


def test_several_targets_have_a_column_each():
    X = np.random.default_rng(0).random((50, 2, 5, 5))
    Y = np.column_stack([X.mean(axis=(1, 2, 3)), X[:, 0].mean(axis=(1, 2))]) * 10
    model = ConvRegressor(**SMALL, max_iter=30).fit(X, Y)
    assert model.predict(X).shape == (50, 2)
    assert ConvRegressor(**SMALL, max_iter=3).fit(X, Y[:, 0]).predict(X).shape == (50,)


def test_a_row_of_weight_zero_does_not_count(bars):
    X, y = bars
    weight = np.ones(60)
    weight[40:] = 0.0
    other = y.copy()
    other[40:] = "upright"
    settings = SMALL | {"max_iter": 3, "batch_size": 60}
    first = ConvClassifier(**settings).fit(X, y, sample_weight=weight)
    second = ConvClassifier(**settings).fit(X, other, sample_weight=weight)
    np.testing.assert_array_equal(first.loss_curve_, second.loss_curve_)


def test_single_precision_stays(bars):
    X, y = bars
    model = ConvClassifier(**SMALL, max_iter=2).fit(X.astype(np.float32), y)
    assert model.network_.theta.dtype == np.float32
    assert model.decision_function(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"filters": 0}, "filters=0: must be positive integers, one a layer"),
        ({"filters": (4, 2.5)}, r"filters=\(4, 2.5\): must be positive integers"),
        ({"hidden_layer_sizes": -1}, "hidden_layer_sizes=-1: must be positive integers"),
        ({"kernel_size": 0}, "kernel_size=0: must be"),
        ({"pool_size": 0}, "pool_size=0: must be"),
        ({"learning_rate": 0.0}, "learning_rate=0.0: must be"),
        ({"alpha": -1.0}, "alpha=-1.0: must be"),
        ({"batch_size": 0}, "batch_size=0: must be"),
        ({"image_shape": (5, 5)}, r"image_shape=\(5, 5\): must be \(H, W\) or \(C, H, W\) with 36 numbers"),
        ({"image_shape": (36,)}, r"image_shape=\(36,\): must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(bars, settings, text):
    with pytest.raises(InvalidInputError, match=text):
        ConvClassifier(**settings).fit(*bars)
