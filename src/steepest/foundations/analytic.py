"""Arrays that carry a complex step through operations which NumPy does not continue analytically."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from steepest.typing import Array

__all__ = ["AnalyticArray", "halved_triangle", "imaginary_part"]

last_cast: ContextVar[complex] = ContextVar("last_cast", default=complex("nan"))


def imaginary_part(result: Any) -> float:
    """Imaginary part of what a function of an ``AnalyticArray`` returned, ``return float(total)`` included.

    Notes
    -----
    ``float`` cannot return anything but a float. The array notes what it was when it was cast; if the
    function returned exactly that number, the noted imaginary part belongs to it. Anything computed from a
    cast number is another number, and TypeError tells the caller to use differences.
    """
    if np.iscomplexobj(result):
        return float(np.imag(_plain(np.asarray(result))).reshape(()))
    cast = last_cast.get()
    if float(result) != cast.real:
        raise TypeError("the function casts to float on the way")
    return cast.imag


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord in (None, 2, "fro") and not (ord == 2 and np.ndim(x) == 2 and axis is None):
        if axis is None:
            return np.sqrt(np.sum(np.asarray(x) ** 2))
        return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
    if ord == 1 and (np.ndim(x) == 1 or axis is not None):
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    raise TypeError("no analytic continuation of this norm")


def _slogdet(a: Any) -> Any:
    """Sign of the real part's determinant; the logarithm carries the angle, Im log det, that the step adds."""
    turned, logarithm = np.linalg.slogdet(_plain(a))
    sign = np.where(turned.real < 0, -1.0, 1.0)
    result: Any = type(np.linalg.slogdet(np.eye(1)))
    return result(sign, _wrap(logarithm + 1j * np.angle(turned * sign)))


def halved_triangle(matrix: Array) -> Array:
    """Lower triangle with half of its diagonal, of the last two axes."""
    lower: Array = np.tril(matrix)
    return lower - 0.5 * lower * np.eye(matrix.shape[-1])


def _cholesky(a: Any, *, upper: bool = False) -> Any:
    """Continue to first order, with ``dL = L F(L^-1 dA L^-T)``, F the lower triangle and half of its diagonal [1]_.

    References
    ----------
    .. [1] Murray, I. (2016). Differentiation of the Cholesky decomposition. arXiv:1602.07527.
    """
    if upper:
        raise TypeError("no analytic continuation of the upper factor")
    real, below = np.real(_plain(a)), np.tril(np.imag(_plain(a)))
    step = below + np.swapaxes(np.tril(below, -1), -1, -2)
    lower = np.linalg.cholesky(real)
    inner = np.linalg.solve(lower, np.swapaxes(np.linalg.solve(lower, step), -1, -2))
    return lower + 1j * (lower @ halved_triangle(inner))


def _softplus_of_difference(a: Any, b: Any) -> Any:
    larger = np.where(np.real(a) >= np.real(b), a, b)
    smaller = np.where(np.real(a) >= np.real(b), b, a)
    return larger + np.log1p(np.exp(smaller - larger))


def _expit(z: Any) -> Any:
    positive = np.real(z) >= 0
    decaying = np.exp(np.where(positive, -z, z))
    return np.where(positive, 1.0 / (1.0 + decaying), decaying / (1.0 + decaying))


# name of the ufunc -> its continuation from the real line
CONTINUATIONS: dict[str, Callable[..., Any]] = {
    "absolute": lambda z: z * np.sign(np.real(z)),
    "fabs": lambda z: z * np.sign(np.real(z)),
    "sign": lambda z: np.sign(np.real(z)),
    "conjugate": lambda z: z,
    "logaddexp": _softplus_of_difference,
    "expit": _expit,
    "log_expit": lambda z: -_softplus_of_difference(0.0 * z, -z),
    "log1p": lambda z: np.log1p(np.real(z)) + 1j * np.imag(z) / (1.0 + np.real(z)),
    "expm1": lambda z: np.expm1(np.real(z)) + 1j * np.imag(z) * np.exp(np.real(z)),
    "hypot": lambda a, b: np.sqrt(a * a + b * b),
    "floor": lambda z: np.floor(np.real(z)),
    "ceil": lambda z: np.ceil(np.real(z)),
    "rint": lambda z: np.rint(np.real(z)),
    "maximum": lambda a, b: np.where(np.real(a) >= np.real(b), a, b),
    "minimum": lambda a, b: np.where(np.real(a) <= np.real(b), a, b),
    "xlogy": lambda a, b: a * np.log(np.where(np.real(a) == 0, 1.0, b)),
    "arctan2": lambda a, b: (
        np.arctan2(np.real(a), np.real(b))
        + 1j * (np.imag(a) * np.real(b) - np.imag(b) * np.real(a)) / (np.real(a) ** 2 + np.real(b) ** 2)
    ),
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.linalg.norm: _norm,
    np.linalg.slogdet: _slogdet,
    np.linalg.cholesky: _cholesky,
    np.vdot: lambda a, b: np.dot(np.ravel(_plain(a)), np.ravel(_plain(b))),
}
COMPARISONS = frozenset({"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"})


class AnalyticArray(np.ndarray):
    """Complex array whose operations continue the real ones analytically, ``abs`` and comparisons included.

    Notes
    -----
    A complex step reads a derivative off the imaginary part of f(x + ih). NumPy's ``abs`` of a complex
    number drops that part; its ``logaddexp`` refuses it. Here ``|z|`` is ``z sign(Re z)``, which for real x
    is the same function and carries the step. Functions for which no continuation is known raise TypeError,
    and whoever asks falls back on differences.

    Examples
    --------
    >>> from steepest.foundations.analytic import AnalyticArray
    >>> z = np.array([-2.0 + 1e-30j]).view(AnalyticArray)
    >>> float(np.abs(z).imag[0]) / 1e-30
    -1.0
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Apply the continuation where there is one, otherwise the complex function itself."""
        plain = [_plain(value) for value in inputs]
        if out is not None:
            kwargs["out"] = tuple(_plain(value) for value in out)
        name = ufunc.__name__
        if method == "__call__" and name in COMPARISONS:
            return ufunc(*map(np.real, plain), **kwargs)
        if method == "__call__" and name in CONTINUATIONS and out is None:
            return _wrap(CONTINUATIONS[name](*plain))
        result = getattr(ufunc, method)(*plain, **kwargs)
        if out is not None:
            return out[0]
        return tuple(map(_wrap, result)) if isinstance(result, tuple) else _wrap(result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Continue ``norm`` and the like; sort and compare by the real part as NumPy does; keep the type otherwise."""
        if func in FUNCTIONS:
            return _wrap(FUNCTIONS[func](*args, **kwargs))
        return _wrap(super().__array_function__(func, types, args, kwargs))

    def __getitem__(self, index: Any) -> Any:
        """Single elements keep the type too."""
        return _wrap(super().__getitem__(index))

    def __float__(self) -> float:
        """Real part; the number itself is noted for ``imaginary_part``."""
        number = complex(_plain(self).reshape(()))
        last_cast.set(number)
        return number.real

    def __abs__(self) -> Any:
        """Continue ``abs``."""
        return np.abs(self)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, AnalyticArray) else value


def _wrap(value: Any) -> Any:
    """Give complex results the type again, numbers included, so that later operations find it."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "c":
        return np.asarray(value).view(AnalyticArray)
    return value
