"""``check_jacobian`` and ``check_hessian``: hand-written matrices of derivatives against their functions."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.checking.hypotheses.candidate import Candidate
from steepest.checking.reference import NOT_ANALYTIC, STEP, width_of
from steepest.checking.report import GradientReport
from steepest.checking.structure import Structure
from steepest.checking.tensors import compare_tensors
from steepest.exceptions import InvalidInputError
from steepest.foundations.analytic import AnalyticArray
from steepest.foundations.derivatives import EPSILON
from steepest.typing import Array
from steepest.validation import check_count

__all__ = ["check_hessian", "check_jacobian"]


def check_jacobian(
    function: Callable[..., Any],
    jacobian: Callable[..., Any],
    x: Any,
    *,
    data: dict[str, Any] | None = None,
    n_points: int = 3,
    seed: int = 0,
) -> GradientReport:
    """Hold a hand-written Jacobian against its function.

    Parameters
    ----------
    function : callable
        ``function(x, **data)`` returns an array.
    jacobian : callable
        ``jacobian(x, **data)`` returns the derivatives, of shape ``function(x).shape + x.shape``.
    x : array
        The point; others are drawn around it.
    data : dict, optional
        Further arguments of both.
    n_points, seed : int
        Random points besides ``x``, and their seed.

    Returns
    -------
    GradientReport
        With a single block called ``J``.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_jacobian
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> report = check_jacobian(lambda x: A @ x, lambda x: A.T, np.ones(2))
    >>> report.diagnoses[0].codes
    ('transposed',)
    """
    data = data or {}
    point = Structure.read([x], ["x"]).blocks[0].astype(np.float64)
    found, claims = _both(lambda z: function(z, **data), lambda z: jacobian(z, **data), point, n_points, seed)
    truths = [true for true, _, _ in found]
    diagonal = [_diagonal_only(true) for true in truths]
    more = [Candidate("diagonal-only", diagonal, "the diagonal of the true one",
                      "Fill in the entries beside the diagonal.",
                      whole=True, hint="entries beside the diagonal"),
            *_exchanged(truths, point.ndim)]  # fmt: skip
    return compare_tensors(
        "J", claims, truths, [error for _, error, _ in found],
        what="Jacobian", method=found[0][2], seed=seed, more=more,
    )  # fmt: skip


def check_hessian(
    gradient: Callable[..., Any],
    hessian: Callable[..., Any],
    x: Any,
    *,
    data: dict[str, Any] | None = None,
    n_points: int = 3,
    seed: int = 0,
) -> GradientReport:
    """Hold a hand-written Hessian against the gradient it is the Jacobian of (or against the value itself).

    Parameters
    ----------
    gradient : callable
        ``gradient(x, **data)``; a function that returns one number is taken as the value and differentiated
        twice.
    hessian : callable
        ``hessian(x, **data)``, of shape ``x.shape + x.shape``.
    x, data, n_points, seed
        As in ``check_jacobian``.

    Returns
    -------
    GradientReport
        With a single block called ``H``.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest import check_hessian
    >>> report = check_hessian(lambda x: 3 * x**2, lambda x: np.diag(3 * x), np.array([1.0, 2.0]))
    >>> print(report.diagnoses[0])
    H equals 1/2 times the true one. Multiply the derivative by 2.
    """
    data = data or {}
    point = Structure.read([x], ["x"]).blocks[0].astype(np.float64)
    if np.size(gradient(point.copy(), **data)) == 1 != point.size:
        value = gradient

        def slopes(z: Any, **more: Any) -> Any:
            return _jacobian_at(lambda t: value(t, **more), np.asarray(z))[0]
    else:
        slopes = gradient
    found, claims = _both(lambda z: slopes(z, **data), lambda z: hessian(z, **data), point, n_points, seed)
    truths = [true.reshape(point.shape * 2) for true, _, _ in found]
    more = [Candidate("diagonal-only", [_diagonal_only(t) for t in truths], "the diagonal of the true one",
                      "Fill in the mixed derivatives.", whole=True, hint="mixed derivatives")]  # fmt: skip
    return compare_tensors(
        "H", claims, truths, [error for _, error, _ in found], what="Hessian", method=found[0][2], seed=seed, more=more
    )


def _exchanged(truths: list[Array], n_inputs: int) -> list[Candidate]:
    """Return the Jacobians of arrays with the axes of the input before those of the output."""
    n_outputs = truths[0].ndim - n_inputs
    if n_inputs == n_outputs == 1 or 0 in (n_inputs, n_outputs):  # a matrix: found with all others
        return []
    order = [*range(n_outputs, truths[0].ndim), *range(n_outputs)]
    said = "the true one transposed: the axes of x come before those of the function"
    remedy = "Put the axes of the function first: function(x).shape + x.shape."
    moved = [np.transpose(true, order) for true in truths]
    return [Candidate("transposed", moved, said, remedy, whole=True, hint="look at the order of the axes")]


def _both(
    function: Callable[[Any], Any], derivative: Callable[[Any], Any], point: Array, n_points: int, seed: int
) -> tuple[list[tuple[Array, float, str]], list[Array]]:
    """Return the true derivatives, as ``_jacobian_at`` has them, and the claimed: at the point, and at random ones.

    Random points outside the domain are left out: what is not a number contradicts nothing.
    """
    check_count("n_points", n_points, minimum=0)
    check_count("seed", seed, minimum=0)
    rng = np.random.default_rng(seed)
    found, claims = [], []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        for number in range(1 + n_points):
            p = point + width_of(point) * rng.standard_normal(point.shape) if number else point
            finite = bool(np.isfinite(_array(function(p.copy()), "function")).all())
            true = _jacobian_at(function, p) if finite else None
            if true is not None and np.isfinite(true[0]).all():
                found.append(true)
                claims.append(_array(derivative(p.copy()), "the hand-written derivative"))
            elif not number:
                what = "derivative of function" if finite else "function"
                raise InvalidInputError(f"{what}: not finite at x; pass a point inside its domain")
    return found, claims


def _array(result: Any, who: str) -> Array:
    array = np.asarray(result)
    if array.dtype.kind not in "fiub":
        raise InvalidInputError(f"{who} returned dtype {array.dtype}: must return real numbers")
    return array.astype(np.float64)


def _jacobian_at(f: Callable[[Any], Any], x: Array) -> tuple[Array, float, str]:
    """Jacobian, a bound on the error of its entries, and the method: complex steps if differences confirm them."""
    numeric, error = _by_differences(f, x)
    try:
        exact = np.stack([_column(f, x, index) for index in np.ndindex(x.shape)], axis=-1)
    except NOT_ANALYTIC:
        return numeric, error, "differences"
    exact = exact.reshape(numeric.shape)
    if np.isfinite(exact).all() and np.max(np.abs(exact - numeric)) <= 50.0 * error + 1e-7 * np.max(np.abs(exact)):
        return exact, 16.0 * EPSILON * float(np.max(np.abs(exact))), "complex step"
    return numeric, error, "differences"


def _column(f: Callable[[Any], Any], x: Array, index: tuple[int, ...]) -> Array:
    z = x.astype(np.complex128)
    z[index] += 1j * STEP
    result = np.asarray(f(z.view(AnalyticArray)))
    if result.dtype.kind != "c":
        raise TypeError("the function casts to float on the way")
    imaginary: Array = np.imag(result.view(np.ndarray)) / STEP
    return imaginary


def _by_differences(f: Callable[[Any], Any], x: Array) -> tuple[Array, float]:
    """Fourth-order differences, and the distance to those on twice the step as a bound on their error."""
    columns, error = [], 0.0
    width = EPSILON**0.2 * width_of(x)
    for index in np.ndindex(x.shape):
        estimates = []
        for h in (width[index], 0.5 * width[index]):
            values = []
            for k in (1, -1, 2, -2):
                moved = x.copy()
                moved[index] += k * h
                values.append(np.asarray(f(moved), dtype=np.float64))
            estimates.append((8.0 * (values[0] - values[1]) - (values[2] - values[3])) / (12.0 * h))
        error = max(error, float(np.max(np.abs(estimates[0] - estimates[1]))))
        columns.append(estimates[1])
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(columns[0].shape + x.shape), error + 1e-11 * float(np.max(np.abs(stacked)))


def _diagonal_only(matrix: Array) -> Array:
    if matrix.ndim % 2 or matrix.shape[: matrix.ndim // 2] != matrix.shape[matrix.ndim // 2 :]:
        return np.zeros_like(matrix)
    size = int(np.prod(matrix.shape[: matrix.ndim // 2]))
    return (np.eye(size) * matrix.reshape(size, size)).reshape(matrix.shape)
