"""The whole objective by blocks of rows is the whole objective."""

import numpy as np
import pytest

from steepest.layers import Dense, Sequential, Tanh
from steepest.objectives import whole
from steepest.objectives.network import NetworkObjective
from steepest.objectives.whole import WholeDenseStack
from steepest.penalties import SquaredL2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("own_batches", [False, True])
@pytest.mark.parametrize("n_rows", [1, 7, 8, 30])
def test_blocks_add_up(monkeypatch, n_rows, own_batches, weighted):
    monkeypatch.setattr(whole, "ROWS", 7)
    rng = np.random.default_rng(0)
    network = Sequential([Dense(5), Tanh(), Dense(2)], (3,))
    X, y, theta = rng.standard_normal((n_rows, 3)), rng.standard_normal((n_rows, 2)), rng.standard_normal(32)
    weights = rng.uniform(0.5, 2.0, n_rows) if weighted else None
    objective = NetworkObjective(network, X, y, None, SquaredL2(0.7), sample_weight=weights, own_batches=own_batches)
    compiled = WholeDenseStack(objective)
    assert len(compiled.blocks) == -(-n_rows // 7)
    value, gradient = compiled.value_and_gradient(theta)
    expected, slopes = objective.value_and_gradient(theta)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12, atol=1e-13)
