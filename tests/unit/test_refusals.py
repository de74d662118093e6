"""Settings that cannot be meant are refused in one line, also where they would not be used."""

import re

import numpy as np
import pytest

from steepest.cluster import KMeans, MiniBatchKMeans
from steepest.exceptions import InvalidInputError
from steepest.layers import ELU, Dense, LeakyReLU, ReLU
from steepest.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    lasso_path,
)
from steepest.neural_network import MLPRegressor, Network
from steepest.solvers.schedules import Cosine
from steepest.trace import Trace
from steepest.validation import check_number, check_seed


@pytest.mark.parametrize("value", [np.nan, np.inf, "a", None, True])
def test_numbers(value):
    assert check_number("slope", -0.5) == -0.5
    with pytest.raises(InvalidInputError, match=r"slope=.*: must be a finite number"):
        check_number("slope", value)
    for layer in (LeakyReLU, ELU):
        with pytest.raises(InvalidInputError, match="must be a finite number"):
            layer(value)


@pytest.mark.parametrize("value", ["foo", -1, 2**32, 1.5, True, object(), np.random.default_rng(0)])
def test_a_seed_that_is_none_is_refused_also_where_nothing_is_drawn(value):
    X, y = np.arange(6.0)[:, None], np.arange(6.0)
    for model in (LinearRegression(), Ridge(), Lasso(), LassoCV(cv=2), KMeans(2), SGDRegressor()):
        with pytest.raises(InvalidInputError, match=r"random_state=.*: must be an integer from 0 to"):
            model.set_params(random_state=value).fit(X, y)
    for seed in (None, 0, np.int64(3), 2**32 - 1, np.random.RandomState(0), np.random):
        check_seed(seed)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("n_jobs", 2.5, "n_jobs=2.5: must be an integer or None"),
        ("n_jobs", "2", "n_jobs='2': must be an integer or None"),
        ("verbose", "yes", "verbose='yes': must be True, False or an integer not below 0"),
        ("verbose", -1, "verbose=-1: must be True, False or an integer not below 0"),
        ("verbose", None, "verbose=None: must be True, False or an integer not below 0"),
        ("intercept_scaling", "x", "intercept_scaling='x': must be a finite number above 0"),
        ("gcv_mode", 0, "gcv_mode=0: must be one of"),
    ],
)
def test_what_is_there_for_compatibility_alone(name, value, text):
    X, y = np.arange(6.0)[:, None], np.arange(6) // 3
    models = (LinearRegression(), LassoCV(cv=2), SGDClassifier(), LogisticRegression(), KMeans(2), MLPRegressor())
    asked = [model for model in (*models, RidgeCV()) if name in model.get_params()]
    assert asked
    for model in asked:
        with pytest.raises(InvalidInputError, match=text):
            model.set_params(**{name: value}).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.1), ("learning_rate", Cosine(0.1, n_steps=9)), ("batch_size", 2), ("update", "adam")],
)
def test_options_that_the_solver_would_pass_over(name, value):
    X, y = np.arange(6.0)[:, None], np.arange(6) // 3
    for model in (
        LinearRegression(),
        LinearRegression(solver="cholesky"),
        Ridge(),
        Ridge(solver="saga"),
        Lasso(),
        ElasticNet(solver="coordinate-descent"),
        LogisticRegression(),
        LogisticRegression(solver="sag"),
    ):
        text = re.escape(f"{name}={value!r}: solver={model.solver!r} has no use for it; ")
        with pytest.raises(InvalidInputError, match=text):
            model.set_params(**{name: value}).fit(X, y)
    with pytest.raises(InvalidInputError, match=r"learning_rate=0.5: solver='lloyd' goes all the way to the means"):
        KMeans(2, learning_rate=0.5).fit(X)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.nan, "precompute=nan: must be True, False, 'auto' or a matrix"),
        (None, "precompute=None: must be True, False, 'auto' or a matrix"),
        ([[1.0], [1.0, 2.0]], "must be True, False, 'auto' or a matrix"),
        (np.eye(3), r"precompute has shape \(3, 3\): must be \(1, 1\) for X with 1 features"),
        ([[np.nan]], "precompute holds NaN or infinity: must be finite"),
        ("foo", "precompute='foo': must be one of 'auto'"),
    ],
)
def test_gram_matrices_that_are_none(value, text):
    X, y = np.arange(6.0)[:, None], np.arange(6.0)
    for model in (Lasso(), ElasticNet(), LassoCV(cv=2), ElasticNetCV(cv=2)):
        with pytest.raises(InvalidInputError, match=text):
            model.set_params(precompute=value).fit(X, y)
    with pytest.raises(InvalidInputError, match=text):
        lasso_path(X, y, precompute=value)


@pytest.mark.parametrize("value", [None, 3, object()])
def test_starting_centres_that_are_none(value):
    X = np.arange(6.0)[:, None]
    for model in (KMeans(2, init=value), MiniBatchKMeans(2, init=value)):
        with pytest.raises(InvalidInputError, match=r"init=.*: must be 'k-means\+\+', 'random', a function"):
            model.fit(X)


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([3], r"layers\[0\]=3: must be a layer, such as Dense\(8\) or ReLU\(\)"),
        ([Dense(2), ReLU], r"layers\[1\] is the class ReLU: must be an instance of it, ReLU\(...\)"),
        (["relu"], r"layers\[0\]='relu': must be a layer"),
        (Dense(2), r"layers=Dense\(.*: must be a list of layers, such as"),
        (None, "layers=None: must be a list of layers"),
        ("relu", "layers='relu': must be a list of layers"),
    ],
)
def test_layers_that_are_none(layers, text):
    with pytest.raises(InvalidInputError, match=text):
        Network(layers, 3)


@pytest.mark.parametrize("shape", ["a", None, 0, (3, 0), 2.5])
def test_shapes_that_are_none(shape):
    with pytest.raises(InvalidInputError, match=r"input_shape=.*: must be an integer of at least 1, or several"):
        Network([ReLU()], shape)
    assert Network([ReLU()], np.int64(3)).architecture.input_shape == (3,)
    assert Network([ReLU()], [3, 4, 4]).architecture.input_shape == (3, 4, 4)


def test_a_second_trace_would_stay_empty():
    X = np.arange(6.0)[:, None]
    for model in (Ridge(), KMeans(2), MLPRegressor()):
        with pytest.raises(InvalidInputError, match="callbacks: a fit writes one Trace; give one"):
            model.set_callbacks(Trace(), Trace(parameters=True)).fit(X, X[:, 0])
