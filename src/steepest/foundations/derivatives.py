"""Numeric derivatives: what a hand-written derivative is held against."""

from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.typing import Array

__all__ = ["complex_step_gradient", "numeric_gradient", "numeric_jacobian"]

EPSILON = float(np.finfo(np.float64).eps)


def central_step(x: Array) -> Array:
    """Step of a central difference at each coordinate of ``x``, an exact power of two.

    Notes
    -----
    The quotient (f(x + h) - f(x - h)) / 2h errs by h^2 f'''/6 (truncation) and by about eps |f| / h
    (rounding). Where f varies on the scale of x, or on the scale 1 below that, their sum is smallest near
    h = eps^(1/3) max(1, |x|). A power of two changes x without a rounding error of its own.
    """
    ideal: Array = np.cbrt(EPSILON) * np.maximum(1.0, np.abs(x))
    return np.exp2(np.round(np.log2(ideal)))


def numeric_gradient(f: Callable[[Any], Any], x: Array) -> Array:
    """Gradient of ``f`` at ``x`` by central differences.

    Parameters
    ----------
    f : callable
        Takes a float64 array of the shape of ``x``, returns a number.
    x : array of any shape
        The point.

    Returns
    -------
    array of the shape of ``x``
        About ten correct digits where ``f`` is smooth and varies on the scale of ``x``.

    Examples
    --------
    >>> from steepest.foundations.derivatives import numeric_gradient
    >>> numeric_gradient(lambda x: float(x @ x), np.array([1.0, -2.0])).round(6)
    array([ 2., -4.])
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    steps = central_step(x)
    for index in np.ndindex(x.shape):
        here, h = x[index], steps[index]
        x[index] = here + h
        above = float(f(x))
        x[index] = here - h
        below = float(f(x))
        x[index] = here
        gradient[index] = (above - below) / (2.0 * h)
    return gradient


def numeric_jacobian(f: Callable[[Any], Any], x: Array) -> Array:
    """Jacobian of ``f`` at ``x`` by central differences, of shape ``f(x).shape + x.shape``.

    Examples
    --------
    >>> from steepest.foundations.derivatives import numeric_jacobian
    >>> numeric_jacobian(lambda x: np.array([x[0] * x[1], x[0]]), np.array([2.0, 3.0])).round(6)
    array([[3., 2.],
           [1., 0.]])
    """
    x = np.array(x, dtype=np.float64)
    steps = central_step(x)
    jacobian = np.empty(np.shape(f(x)) + x.shape)
    for index in np.ndindex(x.shape):
        here, h = x[index], steps[index]
        x[index] = here + h
        above = np.array(f(x), dtype=np.float64)
        x[index] = here - h
        below = np.array(f(x), dtype=np.float64)
        x[index] = here
        jacobian[(..., *index)] = (above - below) / (2.0 * h)
    return jacobian


def complex_step_gradient(f: Callable[[Any], Any], x: Array, step: float = 1e-30) -> Array:
    """Gradient of an analytic ``f`` at ``x`` by complex steps, to rounding.

    Notes
    -----
    f(x + ih) = f(x) + ih f'(x) - h^2 f''(x) / 2 - ..., so f'(x) = Im f(x + ih) / h + O(h^2). Nothing is
    subtracted, so h can be 1e-30 and the error is that of evaluating f. It holds only if every operation in
    f carries complex numbers analytically: ``abs``, ``norm``, casts to float and conjugates do not.

    Examples
    --------
    >>> from steepest.foundations.derivatives import complex_step_gradient
    >>> complex_step_gradient(lambda x: np.exp(x).sum(), np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """
    point = np.array(x, dtype=np.complex128)
    gradient = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        here = point[index]
        point[index] = here + 1j * step
        gradient[index] = np.imag(f(point)) / step
        point[index] = here
    return gradient
