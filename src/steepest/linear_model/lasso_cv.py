"""The lasso with alpha chosen by cross-validation."""

from typing import Any

from steepest.linear_model.path import lasso_path
from steepest.linear_model.path_cv import PathCV


class LassoCV(PathCV):
    r"""Lasso, ``||y - X w - b||^2 / (2 n) + alpha ||w||_1``, with ``alpha`` chosen by cross-validation.

    Minimises ``||y - X w - b||^2 / (2 n) + alpha ||w||_1`` on every fold for every alpha, and on all data for the alpha
    with the smallest mean squared error held out. It is :class:`~steepest.linear_model.ElasticNetCV` with
    ``l1_ratio=1``; parameters and attributes are described there.

    Parameters
    ----------
    eps, alphas, fit_intercept, precompute, max_iter, tol, copy_X, cv, verbose, n_jobs, positive
        As for the elastic net.
    random_state, selection
        As for the elastic net.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((60, 4))
    >>> model = LassoCV(cv=3).fit(X, X @ [3.0, 0.0, 0.0, -2.0])
    >>> model.mse_path_.shape, model.coef_.round(1)
    ((100, 3), array([ 3.,  0.,  0., -2.]))
    """

    path = staticmethod(lasso_path)
    l1_ratio = 1.0

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        copy_X: bool = True,
        cv: Any = None,
        verbose: Any = False,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
