"""Vectors: length, direction, angle, distance, products, and the bias trick."""

import math
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array, ArrayLike

__all__ = [
    "add_bias_column",
    "angle",
    "cross",
    "distance",
    "dot",
    "fold_bias",
    "norm",
    "same_direction",
    "unfold_bias",
    "unit",
]


def norm(v: ArrayLike) -> float:
    r"""Length ``|v| = sqrt(sum_i v_i^2)``, without overflow.

    Notes
    -----
    ``|v| = m |v / m|`` for any m > 0. With m the power of two next to the largest entry the squares neither
    overflow nor vanish, and dividing by a power of two costs no digit.

    Examples
    --------
    >>> norm([3, 4])
    5.0
    >>> f"{norm([3e200, 4e200]):.6e}"
    '5.000000e+200'
    """
    array = _vector("v", v)
    largest = float(np.max(np.abs(array)))
    if largest == 0.0:
        return 0.0
    scale = math.ldexp(1.0, max(min(math.frexp(largest)[1], 1023), -1021))
    return scale * math.sqrt(float(np.sum((array / scale) ** 2)))


def unit(v: ArrayLike) -> Array:
    """Vector of length 1 in the direction of ``v``; the zero vector has none and is refused.

    Examples
    --------
    >>> unit([3, 4])
    array([0.6, 0.8])
    """
    array = _vector("v", v)
    length = norm(array)
    if length == 0.0:
        raise InvalidInputError("v is the zero vector: it has no direction; pass a vector with a non-zero entry")
    scaled = array / float(np.max(np.abs(array)))
    return np.asarray(scaled / norm(scaled))


def same_direction(u: ArrayLike, v: ArrayLike, tolerance: float = 1e-12) -> bool:
    """Whether ``u`` and ``v`` point the same way: their unit vectors agree up to rounding.

    Comparing ``u / |u|`` and ``v / |v|`` with ``==`` fails for (1, 2, 3) and (0.1, 0.2, 0.3), which differ in
    the last digit.

    Examples
    --------
    >>> same_direction([1, 2, 3], [0.1, 0.2, 0.3]), same_direction([1, 2], [-1, -2])
    (True, False)
    """
    a, b = _pair(u, v)
    return distance(unit(a), unit(b)) <= tolerance


def distance(u: ArrayLike, v: ArrayLike) -> float:
    """Euclidean distance ``|u - v|`` in any dimension.

    Examples
    --------
    >>> distance([0, 0, 0, 0], [1, 1, 1, 1])
    2.0
    """
    a, b = _pair(u, v)
    return norm(a - b)


def dot(u: ArrayLike, v: ArrayLike) -> float:
    """Dot product ``sum_i u_i v_i = |u| |v| cos(angle)``: a number, in any dimension.

    Examples
    --------
    >>> dot([1, 2, 3], [4, 5, 6])
    32.0
    """
    a, b = _pair(u, v)
    return float(a @ b)


def angle(u: ArrayLike, v: ArrayLike) -> float:
    r"""Angle between ``u`` and ``v`` in radians, from 0 to pi.

    Notes
    -----
    ``arccos(u.v / |u||v|)`` loses half the digits near 0 and pi, where the cosine is flat, and fails when
    rounding pushes its argument beyond 1. For unit vectors a and b, ``|a - b| = 2 sin(t/2)`` and
    ``|a + b| = 2 cos(t/2)``, hence ``t = 2 arctan2(|a - b|, |a + b|)`` to full precision everywhere.
    Source: W. Kahan, How futile are mindless assessments of roundoff (2006), section 12.

    Examples
    --------
    >>> round(math.degrees(angle([1, 0], [1, 1])), 12)
    45.0
    """
    a, b = _pair(u, v)
    a, b = unit(a), unit(b)
    return 2.0 * math.atan2(norm(a - b), norm(a + b))


def cross(u: ArrayLike, v: ArrayLike) -> Array:
    r"""Cross product in three dimensions: orthogonal to both, as long as their parallelogram is large.

    Notes
    -----
    ``u x v = (u_2 v_3 - u_3 v_2, u_3 v_1 - u_1 v_3, u_1 v_2 - u_2 v_1)``. It is a vector; where a number is
    wanted, the dot product is meant. Why in three dimensions: u and v fix a plane, and only there does the
    plane leave exactly one direction over. In two dimensions none is left (there is the number
    u_1 v_2 - u_2 v_1), in four a whole plane. A product that is bilinear, orthogonal to its factors and as
    long as their parallelogram exists in dimensions 3 and 7 alone.

    Examples
    --------
    >>> cross([1, 0, 0], [0, 1, 0])
    array([0., 0., 1.])
    """
    a, b = _pair(u, v)
    if a.size != 3:
        raise InvalidInputError(
            f"the cross product is defined in 3 dimensions, u and v have {a.size}: two vectors leave a single "
            "direction orthogonal to both in three dimensions only; did you mean dot?"
        )
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def add_bias_column(X: ArrayLike) -> Array:
    """Append a column of ones to ``X`` (n, d), so that the bias becomes the last weight.

    Notes
    -----
    The bias trick: ``X w + b = [X 1] [w; b]``. It saves a formula; it also puts b among the weights, where a
    penalty on ``|w|^2`` reaches it. Penalise all entries but the last.

    Examples
    --------
    >>> add_bias_column([[2, 3], [4, 5]])
    array([[2., 3., 1.],
           [4., 5., 1.]])
    """
    array = np.asarray(X, dtype=np.float64)
    if array.ndim != 2:
        raise InvalidInputError(f"X has shape {array.shape}: must be (samples, features)")
    return np.column_stack([array, np.ones(len(array))])


def fold_bias(w: ArrayLike, b: float) -> Array:
    """Weights and bias as one vector ``[w; b]`` for ``add_bias_column(X)``.

    Examples
    --------
    >>> fold_bias([2, 3], 0.5)
    array([2. , 3. , 0.5])
    """
    return np.append(_vector("w", w), float(b))


def unfold_bias(theta: ArrayLike) -> tuple[Array, float]:
    """Weights and bias of ``[w; b]``.

    Examples
    --------
    >>> unfold_bias([2, 3, 0.5])
    (array([2., 3.]), 0.5)
    """
    array = _vector("theta", theta)
    return array[:-1].copy(), float(array[-1])


def _vector(name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"{name} has dtype {array.dtype}: must be real numbers")
    if array.ndim != 1 or array.size == 0:
        raise InvalidInputError(f"{name} has shape {array.shape}: must be one non-empty axis of numbers")
    return array.astype(np.float64)


def _pair(u: Any, v: Any) -> tuple[Array, Array]:
    a, b = _vector("u", u), _vector("v", v)
    if a.size != b.size:
        raise InvalidInputError(f"u has {a.size} entries, v has {b.size}: must be the same number")
    return a, b
