"""A dense system from pairs of vectors: gradients, the optimum, and why one pair does not determine it."""

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.signal import linear_system, linear_system_gradients
from tests.contracts.derivatives import assert_gradient, breaks


def test_gradients_are_those_of_the_value() -> None:
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((3, 4)), rng.standard_normal(3)
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 3))
    _, dW, db = linear_system_gradients(W, b, x, y)
    assert_gradient(lambda V: linear_system_gradients(V, b, x, y)[0], dW, W)
    assert_gradient(lambda c: linear_system_gradients(W, c, x, y)[0], db, b)
    assert breaks(lambda: assert_gradient(lambda V: linear_system_gradients(V, b, x, y)[0], -dW, W))


def test_one_pair_is_answered_with_least_norm_and_said_to_be() -> None:
    x, y = np.array([1.0, -2.0, 2.0]), np.array([5.0, 10.0])
    found = linear_system(x, y)
    np.testing.assert_allclose(found.matrix, np.outer(y, x) / 10.0, atol=1e-14)
    np.testing.assert_allclose(found.bias, y / 10.0, atol=1e-14)
    np.testing.assert_allclose(found.residual, 0.0, atol=1e-14)
    assert not found.unique
    assert found.rank == 1
    assert found.message == (
        "1 pair of rank 1 cannot determine the 4 unknowns of each output: "
        "of all solutions that fit equally well, the one of least norm is given"
    )
    _, dW, db = linear_system_gradients(found.matrix, found.bias, x, y)
    assert np.abs(dW).max() < 1e-13
    assert np.abs(db).max() < 1e-13


def test_no_other_solution_is_shorter() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(4), rng.standard_normal(2)
    found = linear_system(x, y)
    norm = np.sum(found.matrix**2) + np.sum(found.bias**2)
    for _ in range(20):
        change = rng.standard_normal((2, 4))
        other = found.matrix + change
        bias = found.bias - change @ x  # fits as well
        np.testing.assert_allclose(other @ x + bias, y, atol=1e-12)
        assert np.sum(other**2) + np.sum(bias**2) > norm


@pytest.mark.parametrize("fit_bias", [True, False])
def test_enough_pairs_determine_it(fit_bias: bool) -> None:
    rng = np.random.default_rng(2)
    W, b, x = rng.standard_normal((2, 3)), rng.standard_normal(2) * fit_bias, rng.standard_normal((7, 3))
    found = linear_system(x, x @ W.T + b, fit_bias=fit_bias)
    np.testing.assert_allclose(found.matrix, W, atol=1e-12)
    np.testing.assert_allclose(found.bias, b, atol=1e-12)
    assert found.unique
    assert found.message == f"7 pairs of rank {3 + fit_bias} determine the {3 + fit_bias} unknowns of each output"


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(InvalidInputError, match="x has 2 vectors, y has 3: must be as many"):
        linear_system(np.ones((2, 2)), np.ones((3, 2)))
