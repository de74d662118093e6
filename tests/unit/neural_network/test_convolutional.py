"""Convolutional networks as estimators: what they take, learn, keep and refuse."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from steepest import load, save
from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.neural_network import ConvClassifier, ConvRegressor
from steepest.solvers.updates import Adam, Clipped

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


def test_many_images_take_little_memory():
    """Much less than what lies between the layers, for all images: 38 MB after the convolution alone."""
    X, y = np.zeros((3000, 20, 20), np.float32), np.arange(3000) % 2
    ConvClassifier(**SMALL, max_iter=1).fit(X[:10], y[:10])
    tracemalloc.start()
    try:
        ConvClassifier(**(SMALL | {"filters": 8}), max_iter=1).fit(X, y).predict(X)
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()


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
    as_lists = ConvClassifier(**SMALL, max_iter=5).fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(as_lists.predict(X.tolist()), images.predict(X))
    for other in (flat, without_channel, as_lists):
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
        ({"image_shape": 36}, "image_shape=36: must be"),
        ({"image_shape": (-6, -6)}, r"image_shape=\(-6, -6\): must be"),
        ({"filters": None}, "filters=None: must be positive integers"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes=2.5: must be positive integers"),
        ({"dropout": 1.0}, "dropout=1.0: must be at least 0 and below 1"),
        ({"dropout": "half"}, "dropout='half': must be a finite number not below 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(bars, settings, text):
    with pytest.raises(InvalidInputError, match=text):
        ConvClassifier(**settings).fit(*bars)


# ---------------------------------------------------------------------- part by part


def learned(X, y, n_passes, **settings):
    model = ConvClassifier(**SMALL | settings)
    for _ in range(n_passes):
        model.partial_fit(X, y, classes=["level", "upright"])
    return model


@pytest.mark.parametrize("update", ["adam", "momentum", "plain", Clipped(Adam(amsgrad=True))])
def test_passes_one_by_one_are_the_passes_of_a_fit(bars, update):
    X, y = bars
    settings = {"update": update, "batch_size": 16}
    whole = ConvClassifier(**SMALL | settings, max_iter=4, tol=0.0).fit(X, y)
    parts = learned(X, y, 4, **settings)
    np.testing.assert_array_equal(parts.network_.theta, whole.network_.theta)
    np.testing.assert_array_equal(parts.loss_curve_, whole.loss_curve_)
    assert (len(parts.loss_curve_), parts.n_iter_, parts.loss_) == (4, 1, parts.loss_curve_[-1])


def test_it_goes_on_from_a_fit_and_a_fit_begins_anew(bars):
    X, y = bars
    begun = ConvClassifier(**SMALL, max_iter=2, tol=0.0).fit(X, y)
    np.testing.assert_array_equal(begun.partial_fit(X, y).network_.theta, learned(X, y, 3).network_.theta)
    again = begun.fit(X, y)
    np.testing.assert_array_equal(again.loss_curve_, learned(X, y, 2).loss_curve_)


def test_it_learns_on_after_a_file_as_it_would_have(bars, tmp_path):
    X, y = bars
    model = learned(X, y, 2, dropout=0.3)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model").partial_fit(X, y)
    np.testing.assert_array_equal(again.network_.theta, model.partial_fit(X, y).network_.theta)
    assert again.loss_curve_ == model.loss_curve_
    drawn = [ConvClassifier(**SMALL, dropout=0.3).partial_fit(X, y, classes=model.classes_) for _ in range(2)]
    assert drawn[0]._generator_state == drawn[1]._generator_state != again._generator_state


def test_parts_need_not_hold_every_class_nor_be_of_one_size(bars):
    X, y = bars
    model = ConvClassifier(**SMALL)
    for _ in range(30):
        for rows in (np.flatnonzero(y == "level"), np.flatnonzero(y == "upright")[:7], np.arange(60)):
            model.partial_fit(X[rows], y[rows], sample_weight=np.ones(len(rows)), classes=["level", "upright"])
    assert model.score(X, y) >= 0.9
    assert len(model.loss_curve_) == 90


def test_a_regression_learns_part_by_part():
    X = np.random.default_rng(0).random((50, 2, 5, 5))
    y = X.mean(axis=(1, 2, 3)) * 10
    whole = ConvRegressor(**SMALL, max_iter=5, tol=0.0).fit(X, y)
    parts = ConvRegressor(**SMALL)
    for _ in range(5):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(parts.predict(X), whole.predict(X))
    assert ConvRegressor(**SMALL).partial_fit(X, np.column_stack([y, y])).predict(X).shape == (50, 2)


def test_a_part_with_another_number_of_targets_is_refused():
    X = np.random.default_rng(0).random((20, 1, 5, 5))
    model = ConvRegressor(**SMALL).partial_fit(X, X[:, 0, 0, :2])
    with pytest.raises(InvalidInputError, match="targets a sample: y holds 1, the network has learned 2"):
        model.partial_fit(X, X[:, 0, 0, 0])


def test_another_rule_forgets_what_the_last_one_remembered(bars):
    X, y = bars
    model = learned(X, y, 2).set_params(update="momentum").partial_fit(X, y)
    assert len(model._memory.state) == 1
    assert model._memory.n_updates == 1


@pytest.mark.parametrize(("size", "rate"), [(5e307, 0.03), (1e200, 1e200)])
def test_a_diverged_part_leaves_the_model_as_it_was(bars, size, rate):
    X, y = bars
    model = learned(X, y, 2, update="plain")
    before = model.network_.theta.copy()
    with pytest.raises(DivergenceError):
        model.set_params(learning_rate=rate).partial_fit(size * X, y)
    np.testing.assert_array_equal(model.network_.theta, before)
    model.set_params(learning_rate=0.03).partial_fit(X, y)
    np.testing.assert_array_equal(model.predict(X), learned(X, y, 3, update="plain").predict(X))


@pytest.mark.parametrize(
    ("change", "arguments", "text"),
    [
        ({}, {"classes": ["level", "slanted"]}, "is not the same as on last call to partial_fit"),
        ({"filters": 5}, {}, "has other layers than asked for: go on with the same, or use fit"),
        (
            {"early_stopping": True},
            {},
            "early_stopping=True: partial_fit makes one pass and holds nothing out; use fit",
        ),
        ({}, {"y": ["slanted"] * 60}, r"y holds \['slanted'\]: not in classes \['level', 'upright'\]"),
        (
            {},
            {"X": np.zeros((60, 1, 4, 9))},
            r"X holds images \(1, 4, 9\): the network was fitted to images \(1, 6, 6\)",
        ),
    ],
)
def test_what_does_not_fit_the_last_call_is_refused(bars, change, arguments, text):
    X, y = bars
    model = learned(X, y, 1).set_params(**change)
    with pytest.raises(InvalidInputError, match=text):
        model.partial_fit(**{"X": X, "y": y} | arguments)


def test_the_first_call_names_all_classes(bars):
    with pytest.raises(InvalidInputError, match="classes must be passed on the first call to partial_fit"):
        ConvClassifier(**SMALL).partial_fit(*bars)
    with pytest.raises(InvalidInputError, match=r"y holds \['upright'\]: not in classes \['level', 'slanted'\]"):
        ConvClassifier(**SMALL).partial_fit(*bars, classes=["level", "slanted"])


def test_images_of_another_shape_are_not_predicted(bars):
    model = learned(*bars, 1)
    with pytest.raises(InvalidInputError, match=r"X holds images \(1, 4, 9\): the network was fitted to images"):
        model.predict(np.zeros((2, 4, 9)))
    assert len(model.predict(np.zeros((2, 36)))) == 2


def test_an_interrupted_first_pass_leaves_a_model(bars, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("steepest.solvers.mini_batch.batches", interrupt)
    with pytest.warns(UserWarning, match="interrupted"):
        model = ConvClassifier(**SMALL).fit(*bars)
    assert model.loss_curve_ == []
