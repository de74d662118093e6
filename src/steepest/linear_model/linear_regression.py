"""Ordinary least squares."""

from typing import Any

import numpy as np
import scipy.linalg
from scipy import sparse

from steepest.estimator import fitting
from steepest.linear_model.least_squares import LeastSquaresRegressor, singular_values
from steepest.objectives.linear import LinearObjective
from steepest.penalties import NonNegative
from steepest.solvers.exact.data import centred_data
from steepest.typing import Array


class LinearRegression(LeastSquaresRegressor):
    r"""Ordinary least squares: ``||y - X w - b||^2 / (2 n)``.

    Parameters
    ----------
    fit_intercept : bool, default True
        Whether there is a ``b``.
    copy_X : bool, default True
        Accepted for compatibility: the data are never written to, nor copied as a whole.
    tol : float, default 1e-6
        Exact solvers on dense data: singular values of the centred X below ``tol`` times the largest count as zero, as
        in scikit-learn. Iterative solvers: stop when the gradient is at most ``tol`` times that at the start; 0 to run
        ``max_iter`` iterations.
    n_jobs : int, optional
        Accepted for compatibility: how many threads are used is said by ``OMP_NUM_THREADS``.
    positive : bool, default False
        Forbid negative coefficients.
    solver : str, default "auto"
        "auto" or "exact": the fastest exact way for the shape at hand. "cholesky", "svd", "lsqr" and
        "conjugate-gradients" insist on one. The teaching solvers show how a model learns: "gradient-descent",
        "proximal-gradient", "fista", "newton", "lbfgs".
    learning_rate, batch_size, update, max_iter, random_state
        Options of the teaching solvers: see :class:`steepest.solvers.options.Options`.

    Attributes
    ----------
    coef_ : array (n_features,) or (n_outputs, n_features)
        The coefficients w.
    intercept_ : float or array (n_outputs,)
        The intercept b; 0.0 without one.
    rank_ : int
        Rank of the centred X: how many singular values count. For dense X, without ``positive``.
    singular_ : array (min(n_samples, n_features),)
        Its singular values, likewise; computed when first asked for, from what the solver has left: where it iterated,
        that is a reference to X.
    certificate_, trace_, n_iter_, stopping_reason_, solution_method_
        The proof of optimality, the record of the run, and how it went. Directions beyond ``rank_``, whose singular
        values ``tol`` counts as zero, are left out of the problem, and of what the certificate measures: it says so.

    Notes
    -----
    Shapes: X (n, d), y (n,) or (n, k). With sample weights s the objective is ``sum_i s_i r_i^2 / (2 sum_i s_i)`` with
    the residuals ``r_i = y_i - x_i^T w - b``. As ``dr_i/dw = -x_i`` and ``dr_i/db = -1``::

        dJ/dw = -X^T S r / sum_i s_i
        dJ/db = -1^T S r / sum_i s_i

    Both are zero exactly where the residuals are orthogonal to every column and to the ones: the normal equations, see
    :mod:`steepest.solvers.exact` for the ways to solve them. Where they leave w undetermined, the w of least norm is
    taken.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest.linear_model import LinearRegression
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> print(np.round(model.coef_, 6), round(float(model.intercept_), 6))
    [2.] 1.0
    >>> model.certificate_.optimal
    True
    >>> slow = LinearRegression(solver="gradient-descent", learning_rate=0.3)
    >>> slow = slow.fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> print(np.round(slow.coef_, 4), slow.stopping_reason_.sentence)
    [2.] converged: the gradient fell below the tolerance
    """

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
        solver: str = "auto",
        learning_rate: Any = "auto",
        batch_size: int | None = None,
        update: Any = "plain",
        max_iter: int = 1000,
        random_state: Any = None,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive
        self.solver = solver
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.update = update
        self.max_iter = max_iter
        self.random_state = random_state

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LinearRegression":
        """Fit the coefficients and the intercept.

        Parameters
        ----------
        X : array or sparse array (n_samples, n_features)
            The data.
        y : array (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array (n_samples,), optional
            Not negative; a weight of 2 counts as the sample twice.
        """
        self._check_parameters()
        method = self._exact_method()
        X, y, sample_weight = self._validate(X, y, sample_weight)
        penalty = NonNegative() if self.positive else None
        objective = LinearObjective(
            X, y, penalty=penalty, sample_weight=sample_weight, fit_intercept=self.fit_intercept
        )
        self._forget_rank()
        if method is None:
            self._descend(objective, sample_weight)
        else:
            asked = self.tol if method in ("lsqr", "conjugate-gradients") else None
            solution = self._solve_exactly(objective, method, sample_weight, rcond=self.tol, tol=asked)
            if solution is not None and solution.rank is not None:
                self._rank, self._solution, self._shape = solution.rank, solution, X.shape
        if "_rank" not in self.__dict__ and not self.positive and not sparse.issparse(X):
            self._data = X, sample_weight
        return self

    def _forget_rank(self) -> None:
        for name in ("_rank", "_solution", "_singular", "_data"):
            self.__dict__.pop(name, None)

    @property
    def rank_(self) -> int:
        """Rank of the centred X; computed when first asked for where the solver did not need it."""
        if "_rank" not in self.__dict__:
            values = self.singular_
            self._rank = int(np.sum(values > self.tol * values.max(initial=0.0)))
        return self._rank

    @property
    def singular_(self) -> Array:
        """Singular values of the centred X; computed when first asked for."""
        if "_singular" not in self.__dict__:
            if "_solution" in self.__dict__:
                found = singular_values(self.__dict__.pop("_solution"), min(self._shape))
            elif "_data" in self.__dict__:
                X, sample_weight = self.__dict__.pop("_data")
                weights = None if sample_weight is None else sample_weight.astype(np.float64)
                Z = centred_data(X, weights, self.fit_intercept).scaled_copy()
                found = scipy.linalg.svdvals(Z, overwrite_a=True, check_finite=False)
            else:
                raise AttributeError(
                    "rank_ and singular_ are known only after a fit of dense data without positive=True"
                )
            self._singular = found.astype(self.coef_.dtype)
        return self._singular

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: the singular values, not the matrix or the data that they are computed from."""
        if "_solution" in self.__dict__ or "_data" in self.__dict__:
            _ = self.singular_
        state: dict[str, Any] = super().__getstate__()
        return state
