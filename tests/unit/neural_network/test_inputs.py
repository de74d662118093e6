"""What a network refuses, and in which words."""

from typing import Any

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.layers import Conv2D, Dense
from steepest.losses import Hinge
from steepest.neural_network import Network, learning_rate_range_test, train

X = np.random.default_rng(0).standard_normal((12, 3))
Y = X[:, 0]


def network(outputs: int = 1, **how: Any) -> Network:
    return Network([Dense(outputs)], 3, random_state=0, **how)


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "text"),
    [
        ("squared_error", 1, np.where(Y > 0, Y, np.nan), "y holds nan: half the squared error takes numbers"),
        ("squared_error", 1, np.full(12, "a"), "y has dtype <U1: must be real numbers"),
        ("squared_error", 1, [[1], [2, 3], *([[1]] * 10)], "y: must be a regular array of numbers"),
        ("squared_error", 1, Y[:5], "X has 12 rows, y has 5: they must be as many"),
        ("squared_error", 2, Y, r"y has shape \(12,\): must be \(12, 2\)"),
        ("logistic", 1, np.full(12, 2), "y holds 2: the logistic loss takes labels 0 and 1"),
        ("logistic", 1, np.full(12, -1), "y holds -1: the logistic loss takes labels 0 and 1"),
        ("poisson", 1, np.full(12, -0.5), "y holds -0.5: half the Poisson deviance takes numbers not below 0"),
        ("cross_entropy", 3, np.full(12, 3), "y holds 3: .* takes class numbers from 0 to 2, one an output"),
        ("cross_entropy", 3, np.full(12, -1), "y holds -1: .* takes class numbers from 0 to 2, one an output"),
        ("cross_entropy", 3, np.full(12, 0.5), "y holds 0.5: .* takes class numbers from 0 to 2, one an output"),
        (Hinge(), 1, np.full(12, 0), "y holds 0: the hinge loss takes labels -1 and \\+1"),
    ],
)
def test_targets_that_a_loss_cannot_take_are_named(loss: Any, outputs: int, y: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        network(outputs, loss=loss).fit(X, y)


def test_rows_are_counted_before_some_are_held_out() -> None:
    with pytest.raises(InvalidInputError, match="X has 12 rows, y has 5: they must be as many"):
        network().fit(X, Y[:5], validation=0.5)


def test_class_numbers_may_come_as_floats() -> None:
    y = np.arange(12) % 3
    ours, floats = (network(3, loss="cross_entropy").value_and_gradient(X, form)[0] for form in (y, y.astype(float)))
    assert ours == floats


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sample_weight": np.ones(3)}, r"sample_weight has shape \(3,\): must be \(12,\)"),
        ({"sample_weight": -np.ones(12)}, "sample_weight: must hold finite numbers not below 0, and one above"),
        ({"sample_weight": np.zeros(12)}, "sample_weight: must hold finite numbers not below 0, and one above"),
        ({"sample_weight": np.ones(3), "validation": 0.2}, r"sample_weight has shape \(3,\): must be \(12,\)"),
        ({"validation": (X,)}, "validation holds 1 arrays: must be a share of the rows, or X and y"),
        ({"shuffle": "no"}, "shuffle='no': must be True or False"),
        ({"compiled": "no"}, "compiled='no': must be True or False"),
        ({"tol": "a"}, "tol='a': must be a finite number not below 0"),
        ({"random_state": "a"}, "random_state='a': must be an integer not below 0"),
        ({"stopping": 3}, r"stopping=3: must be a list, as in stopping=\[TimeBudget"),
        ({"observers": print}, r"observers=<built-in function print>: must be a list, as in observers=\[print\]"),
    ],
)
def test_options_that_are_none_are_named(options: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        train(network(), X, Y, **options)


@pytest.mark.parametrize("dtype", [np.float16, int, "none"])
def test_parameters_are_of_single_or_double_precision(dtype: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"dtype=.*: must be float32 or float64"):
        network(dtype=dtype)


def test_parameters_cannot_be_replaced_unnoticed() -> None:
    net = network()
    with pytest.raises(TypeError, match="does not support item assignment"):
        net.parameters["W1"] = np.zeros((3, 1))
    with pytest.raises(InvalidInputError, match=r"theta has shape \(3,\): must be \(4,\)"):
        net.theta = np.zeros(3)
    net.theta = [1, 2, 3, 4]
    assert net.parameters["b1"].tolist() == [4.0]


@pytest.mark.parametrize("layer", [lambda: Dense(3, initializer="he"), lambda: Conv2D(3, 3, initializer="he")])
def test_an_initializer_is_a_function(layer: Any) -> None:
    with pytest.raises(InvalidInputError, match="initializer='he': must be a function"):
        layer()


def test_a_range_test_takes_batches() -> None:
    with pytest.raises(InvalidInputError, match="batch_size=0: must be an integer of at least 1"):
        learning_rate_range_test(network(), X, Y, batch_size=0)
