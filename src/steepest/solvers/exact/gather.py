"""From a problem to what the solvers start with: centred data, and the normal equations."""

from math import inf

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.solvers.exact.data import (
    CentredData,
    DenseData,
    SinglePrecision,
    SparseData,
    centred_data,
    guessed_means,
)
from steepest.solvers.exact.primal import NormalEquations
from steepest.solvers.exact.problem import LeastSquares
from steepest.typing import Array


def gather_data(problem: LeastSquares) -> CentredData:
    """Return the centred data, known to be finite."""
    data = centred_data(problem.X, problem.weights, problem.fit_intercept)
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(np.sum(data.adjoint(np.ones((problem.n, 1)))))
    refuse_infinite(problem, total)
    return data


def gather_products(problem: LeastSquares, Y: Array) -> tuple[CentredData, Array]:
    """Return the centred data and ``Xc^T S Yc``: from one pass over dense data, if Y has one column."""
    if problem.sparse or Y.shape[1] != 1:
        data = gather_data(problem)
        return data, data.adjoint(Y)
    x_mean, products, _, _ = _surveyed(problem, Y, copy=False)
    return DenseData(problem.X, problem.weights, False, x_mean), products


def gather_start(problem: LeastSquares, Y: Array) -> tuple[CentredData, Array, SinglePrecision]:
    """Return dense data, ``Xc^T S Yc`` and the data in single precision, from one pass; Y has one column."""
    X, weights = problem.X, problem.weights
    x_mean, products, offset, copy = _surveyed(problem, Y, copy=X.dtype != np.float32)
    rough = SinglePrecision(X, x_mean, weights) if copy is None else SinglePrecision(copy, offset, weights)
    return DenseData(X, weights, False, x_mean), products, rough


def _surveyed(problem: LeastSquares, Y: Array, *, copy: bool) -> tuple[Array, Array, Array, Array | None]:
    """Return the means, ``Xc^T S Yc`` (d, 1), the means of the copy, and the copy; of finite data."""
    from steepest.kernels.survey import survey  # brings numba: only when needed

    nothing = np.zeros(problem.d)
    guess = guessed_means(problem.X) if problem.fit_intercept else nothing
    s = np.ones(problem.n) if problem.weights is None else problem.weights
    with np.errstate(invalid="ignore", over="ignore"):
        sums, products, copied = survey(problem.X, s, Y[:, 0], guess, copy=copy)
    refuse_infinite(problem, float(sums.sum() + products.sum()))
    offset = sums / problem.total if problem.fit_intercept else nothing
    return guess + offset, products[:, None], offset, copied


def gather_equations(problem: LeastSquares, *, precise: bool = False) -> tuple[NormalEquations, CentredData]:
    """Return the normal equations and the data behind them; ``precise`` asks for sums in double precision."""
    eps = float(np.finfo(np.float64).eps)
    if problem.sparse:
        data = gather_data(problem)
        assert isinstance(data, SparseData)
        Y, y_mean = problem.centred_target()
        square = np.sum(Y * Y if problem.weights is None else Y * Y * problem.weights[:, None], axis=0)
        return NormalEquations(data.gram(), data.adjoint(Y), square, data.x_mean, y_mean, eps), data
    from steepest.kernels.gram import moments  # brings numba: only when needed

    single = not precise and _refinement_pays(problem)
    dtype = np.float64 if precise else np.float32 if single else None
    m = moments(problem.X, problem.Y, problem.weights, centre=problem.fit_intercept, dtype=dtype)
    if single and not m.finite:  # single precision overflows where double does not
        return gather_equations(problem, precise=True)
    refuse_infinite(problem, 0.0 if m.finite else inf)
    dense = DenseData(problem.X, problem.weights, False, m.x_mean)
    return NormalEquations(m.gram, m.cross, m.y_square, m.x_mean, m.y_mean, m.rounding), dense


def _refinement_pays(problem: LeastSquares) -> bool:
    """Whether a Gram matrix in single precision and a pass of refinement are faster than one in double.

    The matrix costs ``n d^2`` operations, a pass ``8 n d`` bytes: it pays for many columns, and for large data only.
    The residual pass is written for one target.
    """
    large = problem.n * problem.d >= 4_000_000 and problem.d >= 100 and problem.n >= 4 * problem.d
    return bool(large and problem.Y.shape[1] == 1 and problem.X.dtype == np.float64)


def refuse_infinite(problem: LeastSquares, number: float) -> None:
    """Say that the data are not finite if ``number``, a sum over all of them, is not."""
    if np.isfinite(number):
        return
    values = problem.X.data if problem.sparse else problem.X
    if not (np.isfinite(values).all() and np.isfinite(problem.Y).all()):
        raise InvalidInputError("X or y holds NaN or infinity: must be finite; fill or drop missing values")
    largest = max(float(np.max(np.abs(A), initial=0.0)) for A in (values, problem.Y))
    raise InvalidInputError(f"X or y holds numbers up to {largest:.0e}, whose squares overflow: scale the data")
