"""Vectors, with the cases where the textbook formula fails in floating point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steepest.exceptions import InvalidInputError
from steepest.foundations import (
    add_bias_column,
    angle,
    cross,
    distance,
    dot,
    fold_bias,
    norm,
    same_direction,
    unfold_bias,
    unit,
)

numbers = st.floats(-1e3, 1e3).filter(lambda v: v == 0 or abs(v) > 1e-3)
vectors = arrays(np.float64, 3, elements=numbers)
nonzero = vectors.filter(lambda v: bool(np.any(v)))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norm_neither_overflows_nor_vanishes(scale: float) -> None:
    assert norm([3 * scale, 4 * scale]) == pytest.approx(5 * scale, rel=1e-15)
    np.testing.assert_allclose(unit([3 * scale, 4 * scale]), [0.6, 0.8], rtol=1e-15)


def test_norm_of_the_extremes() -> None:
    assert norm([0.0, 0.0]) == 0.0
    assert norm([5e-324]) == 5e-324
    assert norm([1.7e308]) == 1.7e308
    assert norm([-2.0]) == 2.0


@given(nonzero)
def test_unit_vectors_have_length_one_and_the_same_direction(v: np.ndarray) -> None:
    assert norm(unit(v)) == pytest.approx(1.0, rel=1e-15)
    assert same_direction(v, unit(v))
    assert same_direction(v, 7.3 * v)
    assert not same_direction(v, -v)


def test_the_same_direction_up_to_rounding() -> None:
    u, v = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3])
    assert same_direction(u, v)
    assert not same_direction(u, v + np.array([0, 0, 1e-9]))


@given(vectors, vectors)
def test_distance_and_dot(u: np.ndarray, v: np.ndarray) -> None:
    assert distance(u, v) == pytest.approx(math.dist(u, v), rel=1e-14)
    assert dot(u, v) == pytest.approx(math.fsum(u * v), rel=1e-12, abs=1e-9)


def test_angles_keep_their_digits_where_the_arccosine_loses_them() -> None:
    for small in (1e-12, 1e-10, 1e-9):
        assert angle([1.0, 0.0], [math.cos(small), math.sin(small)]) == pytest.approx(small, rel=1e-3)
        assert math.acos(min(1.0, math.cos(small))) != pytest.approx(small, rel=0.1, abs=0)
    assert angle([1, 0], [0, 1]) == pytest.approx(math.pi / 2, rel=1e-15)
    assert angle([1, 2], [-1, -2]) == pytest.approx(math.pi, rel=1e-15)
    assert angle([1, 2], [1, 2]) == 0.0


@given(vectors, vectors)
def test_the_cross_product_is_orthogonal_to_both(u: np.ndarray, v: np.ndarray) -> None:
    w = cross(u, v)
    np.testing.assert_allclose(w, np.cross(u, v), atol=1e-9)
    assert abs(dot(u, w)) <= 1e-8 * max(norm(u) * norm(w), 1.0)
    np.testing.assert_array_equal(w, -cross(v, u))


def test_the_bias_trick() -> None:
    rng = np.random.default_rng(0)
    X, w, b = rng.normal(size=(5, 3)), rng.normal(size=3), 0.7
    theta = fold_bias(w, b)
    np.testing.assert_allclose(add_bias_column(X) @ theta, X @ w + b, rtol=1e-14)
    back, bias = unfold_bias(theta)
    np.testing.assert_array_equal(back, w)
    assert bias == b


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: unit([0, 0]), "v is the zero vector: it has no direction"),
        (lambda: angle([1, 0], [0, 0]), "is the zero vector"),
        (lambda: same_direction([0, 0], [0, 0]), "is the zero vector"),
        (lambda: distance([1, 2], [1, 2, 3]), "u has 2 entries, v has 3: must be the same number"),
        (lambda: cross([1, 2], [3, 4]), "defined in 3 dimensions, u and v have 2"),
        (lambda: cross([1, 2, 3, 4], [1, 2, 3, 4]), "did you mean dot"),
        (lambda: norm([]), r"v has shape \(0,\)"),
        (lambda: norm([[1, 2]]), r"v has shape \(1, 2\)"),
        (lambda: norm([1j]), "v has dtype complex128: must be real numbers"),
        (lambda: add_bias_column([1, 2]), r"X has shape \(2,\): must be \(samples, features\)"),
    ],
)
def test_what_is_refused(call, text: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInputError, match=text):
        call()
