"""A start where the gradient vanishes is told apart: minimum, saddle, maximum, flat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steepest.objectives.function import FunctionObjective
from steepest.objectives.quadratic import QuadraticObjective
from steepest.solvers.stationary import extreme_curvatures


def curvatures(H, seed=0):
    return extreme_curvatures(QuadraticObjective(H), np.zeros(len(H)), np.random.default_rng(seed))


@given(seed=st.integers(0, 1000), d=st.integers(1, 12))
def test_all_eigenvalues_of_a_small_problem(seed, d):
    A = np.random.default_rng(seed).normal(size=(d, d))
    H = A + A.T
    values = np.linalg.eigvalsh(H)
    seen = curvatures(H, seed)
    np.testing.assert_allclose([seen.smallest, seen.largest], values[[0, -1]], atol=1e-6 * np.abs(values).max())
    np.testing.assert_allclose(seen.direction @ H @ seen.direction, values[0], atol=1e-5 * np.abs(values).max())
    np.testing.assert_allclose(np.linalg.norm(seen.direction), 1.0, rtol=1e-8)


def test_one_way_down_among_hundreds_up_is_found():
    H = np.diag(np.r_[-1.0, np.linspace(1.0, 3.0, 399)])
    seen = curvatures(H)
    assert seen.negative
    assert abs(seen.direction[0]) > 0.9


@pytest.mark.parametrize(
    ("diagonal", "negative", "flat", "verdict"),
    [
        ((1.0, 2.0), False, False, None),
        ((1.0, -2.0), True, False, "which is a saddle: along some direction the curvature is -2"),
        ((-1.0, -2.0), True, False, "which is a maximum: along some direction the curvature is -2"),
        ((0.0, 1.0), False, False, None),
        ((0.0, 0.0), False, True, "it is flat there"),
    ],
)
def test_kinds(diagonal, negative, flat, verdict):
    seen = curvatures(np.diag(diagonal))
    assert (seen.negative, seen.flat) == (negative, flat)
    assert verdict is None or verdict in seen.verdict()


def test_upside_down():
    text = curvatures(np.diag([-2.0])).verdict(-1.0)
    assert text == "the gradient vanishes at the start, which is a minimum: along some direction the curvature is 2"


@pytest.mark.parametrize("f", [lambda x: x**2, lambda x: x**4, lambda x: 1 - np.cos(x)])
def test_minima_are_left_in_peace_with_numeric_gradients(f):
    seen = extreme_curvatures(FunctionObjective(f, shape=()), np.zeros(1), np.random.default_rng(0))
    assert not seen.negative
    assert not seen.flat


def test_where_nothing_is_defined_nothing_is_claimed():
    objective = FunctionObjective(lambda x: 1.0, lambda x: np.full(2, np.nan), shape=(2,))
    seen = extreme_curvatures(objective, np.zeros(2), np.random.default_rng(0))
    assert not seen.negative
    assert not seen.flat
