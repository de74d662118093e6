"""Predicting by parts is predicting, with little memory."""

import numpy as np
import pytest

from steepest.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, sequential


@pytest.mark.parametrize("n", [0, 1, 6, 7, 20])
def test_rows_predicted_by_parts_are_those_of_all(monkeypatch, n):
    layers = [Conv2D(4, 3, padding="same"), BatchNorm(), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]
    network, rng = Sequential(layers, (2, 6, 6)), np.random.default_rng(0)
    theta, state, X = network.initial_parameters(rng), network.initial_state(), rng.standard_normal((n, 2, 6, 6))
    whole = network.forward(X, theta, state=state)[0]
    monkeypatch.setattr(sequential, "AT_ONCE", 3 * 4 * 6 * 6)  # three rows of the widest layer
    np.testing.assert_allclose(network.predict(X, theta, state=state), whole, rtol=1e-12, atol=1e-14)


def test_wide_rows_go_one_by_one(monkeypatch):
    network, rng = Sequential([Dense(50), Dense(2)], (3,)), np.random.default_rng(0)
    theta, X, seen = network.initial_parameters(rng), rng.standard_normal((4, 3)), []
    monkeypatch.setattr(sequential, "AT_ONCE", 10)
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda X, *given, **more: seen.append(len(X)) or forward(X, *given, **more))
    network.predict(X, theta)
    assert seen == [1, 1, 1, 1]
