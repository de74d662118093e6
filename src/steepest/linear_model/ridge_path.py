"""Ridge regression for many strengths of the penalty at once."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_X_y

from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import beside_kernels
from steepest.linear_model.ridge import ridge_objective
from steepest.solvers.exact import LeastSquares, Spectrum
from steepest.typing import Array


def ridge_path(
    X: Any, y: Any, *, alphas: Any, fit_intercept: bool = True, sample_weight: Array | None = None
) -> tuple[Array, Array, Array]:
    r"""Minimise ``||y - X w - b||^2 + alpha ||w||^2`` for every ``alpha``, from one factorisation.

    Parameters
    ----------
    X : array or sparse array (n_samples, n_features)
        The data.
    y : array (n_samples,) or (n_samples, n_outputs)
        The targets.
    alphas : array (n_alphas,)
        The strengths, above 0.
    fit_intercept : bool, default True
        Whether there is a ``b``; it is not penalised.
    sample_weight : array (n_samples,), optional
        Not negative.

    Returns
    -------
    alphas : array (n_alphas,)
        The strengths as given.
    coefs : array (n_alphas, n_features) or (n_alphas, n_outputs, n_features)
        What :class:`Ridge` would have as ``coef_``.
    intercepts : array (n_alphas,) or (n_alphas, n_outputs)
        And as ``intercept_``.

    Notes
    -----
    Derived in :mod:`steepest.solvers.exact.spectrum`.

    Examples
    --------
    >>> from steepest.linear_model import ridge_path
    >>> ridge_path([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0], alphas=[2.0, 6.0])[1].round(6)
    array([[0.5 ],
           [0.25]])
    """
    alphas = np.asarray(alphas, dtype=np.float64)
    if alphas.ndim != 1 or alphas.size == 0 or not np.all(np.isfinite(alphas)) or np.any(alphas <= 0):
        raise InvalidInputError(f"alphas={alphas!r}: must be a list of finite numbers above 0")
    X, y = check_X_y(
        X, y, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
    )
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=X.dtype)
    objective = ridge_objective(X, y.astype(X.dtype, copy=False), float(alphas.min()), weights, fit_intercept)
    problem = LeastSquares(objective)
    with beside_kernels(*X.shape):
        spectrum = Spectrum(problem)
        W, intercepts = spectrum.path(problem.framed_ridge(alphas))
    coefs = W.transpose(0, 2, 1)
    if y.ndim == 1:
        coefs, intercepts = coefs[:, 0], intercepts[:, 0]
    return alphas, coefs.astype(X.dtype, copy=False), intercepts.astype(X.dtype, copy=False)
