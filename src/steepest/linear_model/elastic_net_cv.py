"""The elastic net with alpha and l1_ratio chosen by cross-validation."""

from typing import Any

from steepest.linear_model.path import enet_path
from steepest.linear_model.path_cv import PathCV
from steepest.typing import Array


class ElasticNetCV(PathCV):
    r"""Elastic net with ``alpha``, and ``l1_ratio`` if several are given, chosen by cross-validation.

    Minimises ``||y - X w - b||^2 / (2 n) + alpha (rho ||w||_1 + (1 - rho) ||w||_2^2 / 2)`` on every fold for every
    alpha and ``rho = l1_ratio``, and on all data for the pair with the smallest mean squared error held out.

    Parameters
    ----------
    l1_ratio : float or list of float, default 0.5
        Share ``rho`` of the L1 part, 0 to 1; of several the best is taken.
    eps : float, default 1e-3
        The smallest alpha relative to the largest.
    alphas : int or array, default 100
        How many alphas, or which.
    fit_intercept, max_iter, tol, copy_X, positive, random_state, selection
        As for :class:`~steepest.linear_model.ElasticNet`.
    precompute : bool or "auto", default "auto"
        Whether to work on Gram matrices; "auto" does for dense data with at least as many rows as columns.
    cv : int, splitter or iterable, default None
        The folds, as everywhere in scikit-learn; None for 5.
    verbose : bool or int
        Without effect.
    n_jobs : int, optional
        Folds computed at a time, in threads.

    Attributes
    ----------
    alpha_, l1_ratio_ : float
        What was chosen.
    coef_, intercept_, dual_gap_, n_iter_, certificate_, trace_
        Of the fit on all data.
    mse_path_ : array (n_l1_ratio, n_alphas, n_folds)
        Held-out errors; axes of length 1 are dropped.
    alphas_ : array (n_alphas,) or (n_l1_ratio, n_alphas)
        The alphas tried, largest first.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((60, 4))
    >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0], cv=3).fit(X, X @ [3.0, 0.0, 0.0, -2.0])
    >>> model.mse_path_.shape, model.coef_.round(1)
    ((2, 100, 3), array([ 3.,  0.,  0., -2.]))
    """

    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        alphas: Any = 100,
        fit_intercept: bool = True,
        precompute: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        cv: Any = None,
        copy_X: bool = True,
        verbose: Any = 0,
        n_jobs: int | None = None,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection

    path = staticmethod(enet_path)

    def _choose(self, errors: Array, ratios: Array, grids: list[Array]) -> float:
        self.l1_ratio_ = super()._choose(errors, ratios, grids)
        return self.l1_ratio_
