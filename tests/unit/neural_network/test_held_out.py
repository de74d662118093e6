"""Scores on held-out rows are those of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from steepest.neural_network.held_out import accuracy, r2

WEIGHTS = [None, np.random.default_rng(0).uniform(0.1, 2.0, 20)]


@pytest.mark.parametrize("sample_weight", WEIGHTS)
@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_the_share_of_right_rows(shape, sample_weight):
    rng = np.random.default_rng(1)
    y, chosen = rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    expected = accuracy_score(y, chosen, sample_weight=sample_weight)
    assert 0.0 < expected < 1.0
    assert accuracy(y, chosen, sample_weight) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("sample_weight", WEIGHTS)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3)])
def test_the_share_of_the_spread_explained(shape, constant, sample_weight):
    rng = np.random.default_rng(1)
    y = rng.standard_normal(shape)
    predicted = y + 0.5 * rng.standard_normal(shape)
    if constant:
        y.reshape(20, -1)[:, -1] = 2.0
    for guess in (predicted, y):
        expected = r2_score(y, guess, sample_weight=sample_weight)
        assert r2(y, guess, sample_weight) == pytest.approx(expected, rel=1e-12)
