"""Any function of an array, as an objective."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.foundations.derivatives import central_step, numeric_gradient, numeric_jacobian
from steepest.typing import Array, IntArray


class FunctionObjective:
    r"""``J(theta) = sign * f(x, *data)`` with ``x`` the parameters in their own shape.

    Parameters
    ----------
    f : callable
        Takes ``x`` and the data, returns a real number.
    gradient : callable, optional
        Takes the same, returns ``df/dx`` in the shape of ``x``; if not given, it is found by central differences at the
        cost of two evaluations a parameter.
    shape : tuple of int
        The shape of ``x``.
    data : sequence of arrays
        Arrays of equal length, handed to ``f`` after ``x``. ``f`` is to average over their rows, so that ``f`` of some
        rows stands for ``f`` of all.
    bounds : pair of arrays, optional
        Lowest and highest allowed ``x``, broadcast against it.
    sign : {1.0, -1.0}
        -1 to maximise.

    Notes
    -----
    ``f`` is always handed a fresh copy of ``x``: it may write into it. An ``OverflowError`` in it counts as infinity.

    Bounds enter as the penalty that is 0 inside and infinite outside. Its prox, the nearest allowed point, is taken
    entry by entry::

        argmin_v |v - x|^2 / 2  over low <= v <= high   =   min(max(x, low), high)

    as the square grows on both sides of x. Numeric slopes along a coordinate are taken where its difference
    stays within its bounds.

    Examples
    --------
    >>> objective = FunctionObjective(lambda x: x @ x, shape=(2,))
    >>> value, gradient = objective.value_and_gradient(np.array([1.0, 2.0]))
    >>> value, gradient.round(8)
    (5.0, array([2., 4.]))
    """

    def __init__(
        self,
        f: Callable[..., Any],
        gradient: Callable[..., Any] | None = None,
        *,
        shape: tuple[int, ...],
        data: Sequence[Any] = (),
        bounds: tuple[Array, Array] | None = None,
        sign: float = 1.0,
    ) -> None:
        if not callable(f):
            raise InvalidInputError(f"f={f!r}: must be a function of x")
        if gradient is not None and not callable(gradient):
            raise InvalidInputError(f"gradient={gradient!r}: must be a function of x that returns df/dx, or None")
        self.f, self.own_gradient, self.shape, self.bounds, self.sign = f, gradient, shape, bounds, sign
        self.data = tuple(data)
        lengths = {len(rows) for rows in self.data}
        if len(lengths) > 1:
            raise InvalidInputError(f"data: the arrays have lengths {sorted(lengths)}: must be alike")
        self.n_samples: int = lengths.pop() if lengths else 0

    # ------------------------------------------------------------------ value and derivatives

    def value(self, theta: Array) -> float:
        """Return ``J(theta)``."""
        return self.sign * self._call(np.array(theta.reshape(self.shape)))

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``, flat."""
        x = np.array(theta.reshape(self.shape))
        slope = self._numeric(x) if self.own_gradient is None else self._checked_gradient(x)
        return (self.sign * slope).ravel().astype(theta.dtype, copy=False)

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return both; where the value is not finite no gradient is asked for."""
        value = self.value(theta)
        return value, self.gradient(theta) if np.isfinite(value) else np.full_like(theta, np.nan)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian by central differences of the gradient, made symmetric."""
        H = numeric_jacobian(self.gradient, theta)
        return 0.5 * (H + H.T)

    def _call(self, x: Array) -> float:
        """Return ``f(x)`` as a number, or say what it returned instead."""
        try:
            returned = self.f(x, *self.data)
        except OverflowError:
            return float("inf")
        number = _as_array("f", returned, "one real number (hand a gradient over as the argument of that name)")
        if returned is None:
            raise InvalidInputError("f returned None: must return a number (is the return statement missing?)")
        if number.dtype.kind == "c":
            raise InvalidInputError(f"f returned the complex number {returned!r}: must be real")
        if number.dtype.kind not in "fiub":
            raise InvalidInputError(f"f returned {returned!r}: must be a real number")
        if number.size != 1:
            raise InvalidInputError(f"f returned an array of shape {number.shape}: must be one number (a sum, a mean)")
        return float(number.item())

    def _checked_gradient(self, x: Array) -> Array:
        """Return what the user's gradient says, or say what is wrong with it."""
        assert self.own_gradient is not None
        returned = self.own_gradient(x, *self.data)
        slope = _as_array("gradient", returned, f"real numbers of shape {self.shape}, as x")
        if slope.dtype.kind not in "fiub":
            raise InvalidInputError(f"gradient returned {returned!r}: must be real numbers of shape {self.shape}, as x")
        if slope.shape != self.shape and not slope.size == 1 == int(np.prod(self.shape)):
            raise InvalidInputError(
                f"gradient returned shape {slope.shape} for an x of shape {self.shape}: must be alike"
            )
        return slope.astype(np.float64)

    def _numeric(self, x: Array) -> Array:
        """Return the gradient by central differences, taken inside the bounds."""
        x = x.astype(np.float64)
        if self.bounds is None:
            return numeric_gradient(lambda point: self._call(point.copy()), x)
        h, slope = central_step(x), np.empty_like(x)
        inside = np.clip(x, self.bounds[0] + h, self.bounds[1] - h)
        for index in np.ndindex(x.shape):
            slope[index] = numeric_gradient(partial(self._along, x, index), inside[index])
        return slope

    def _along(self, x: Array, index: tuple[int, ...], coordinate: float) -> float:
        """Return ``f`` at ``x`` with one coordinate replaced."""
        point = x.copy()
        point[index] = coordinate
        return self._call(point)

    # ------------------------------------------------------------------ bounds

    def smooth_value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient: the bounds are the other part."""
        return self.value_and_gradient(theta)

    def penalty_value(self, theta: Array) -> float:
        """Return 0 within the bounds, infinity outside."""
        return 0.0 if np.array_equal(self.prox(theta, 0.0), theta) else float("inf")

    def penalty_lipschitz(self) -> float:
        """Return infinity if there are bounds."""
        return 0.0 if self.bounds is None else float("inf")

    def prox(self, theta: Array, step: float) -> Array:
        """Return the nearest allowed point."""
        if self.bounds is None:
            return theta
        clipped = np.clip(theta.reshape(self.shape), *self.bounds)
        return clipped.ravel().astype(theta.dtype, copy=False)

    # ------------------------------------------------------------------ rows

    def batch(self, rows: IntArray) -> "FunctionObjective":
        """Return the objective on some rows of the data."""
        return FunctionObjective(
            self.f,
            self.own_gradient,
            shape=self.shape,
            data=[np.asarray(array)[rows] for array in self.data],
            bounds=self.bounds,
            sign=self.sign,
        )


def _as_array(name: str, returned: Any, allowed: str) -> Array:
    """Return what a function of the user's has returned as an array, of whatever numbers or objects."""
    try:
        return np.asarray(returned)
    except ValueError:  # ragged, such as a pair of value and gradient
        text = f"{name} returned the {type(returned).__name__} {returned!r}: must be {allowed}"
        raise InvalidInputError(text) from None
