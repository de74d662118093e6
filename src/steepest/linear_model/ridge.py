"""Ridge regression."""

from typing import Any, ClassVar

import numpy as np

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.linear_model.least_squares import EXACT, LeastSquaresRegressor
from steepest.losses import SquaredError
from steepest.objectives.linear import LinearObjective
from steepest.penalties import SquaredL2
from steepest.typing import Array


class Ridge(LeastSquaresRegressor):
    r"""Least squares with a squared L2 penalty: ``||y - X w - b||^2 + alpha ||w||^2``.

    Parameters
    ----------
    alpha : float or array (n_outputs,), default 1.0
        Strength of the penalty, one for all targets or one each; not below 0.
    fit_intercept : bool, default True
        Whether there is a ``b``; it is not penalised.
    copy_X : bool, default True
        Accepted for compatibility: the data are never written to, nor copied as a whole.
    max_iter : int, optional
        The most iterations of an iterative solver; if not given, as many as an exact one can need, 1000 for a teaching
        solver. "auto" iterates on dense data only while that is quicker than a factorisation, whatever this says.
    tol : float, default 1e-4
        Iterative solvers asked for by name stop when the gradient is at most ``tol`` times that at the start; "auto"
        goes on to full precision.
    solver : str, default "auto"
        "auto" or "exact": the fastest exact way for the shape at hand. "cholesky", "svd", "lsqr" and "sparse_cg" (or
        "conjugate-gradients") insist on one. "sag" and "saga" are accepted, being names of scikit-learn, and answered
        by conjugate gradients to the same ``tol``. The teaching solvers: "gradient-descent", "proximal-gradient",
        "fista", "newton", "lbfgs".
    positive : bool, default False
        Forbid negative coefficients (solver "auto", "exact", "lbfgs", "proximal-gradient" or "fista"; the first three
        use active sets).
    random_state : int, optional
        For mini-batches.
    learning_rate, batch_size, update
        Options of the teaching solvers: see :class:`steepest.solvers.options.Options`.

    Attributes
    ----------
    coef_ : array (n_features,) or (n_outputs, n_features)
        The coefficients w.
    intercept_ : float or array (n_outputs,)
        The intercept b; 0.0 without one.
    solver_ : str
        The solver that was used.
    certificate_, trace_, n_iter_, stopping_reason_, solution_method_
        The proof of optimality, the record of the run, and how it went.

    Notes
    -----
    Shapes: X (n, d), y (n,) or (n, k). With sample weights s the objective is ``sum_i s_i r_i^2 + alpha |w|^2`` with
    the residuals ``r_i = y_i - x_i^T w - b``. As ``dr_i/dw = -x_i`` and ``dr_i/db = -1``::

        dJ/dw = -2 X^T S r + 2 alpha w
        dJ/db = -2 1^T S r

    The second is zero for ``b = mean(y) - mean(x)^T w`` with the weighted means; with it, on centred data, the first
    becomes the normal equations ``(Xc^T S Xc + alpha I) w = Xc^T S yc``: see :mod:`steepest.solvers.exact`.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest.linear_model import Ridge
    >>> model = Ridge(alpha=2.0).fit([[-1.0], [0.0], [1.0]], [-1.0, 0.0, 1.0])
    >>> print(np.round(model.coef_, 6))  # x^T y / (x^T x + alpha) = 2 / (2 + 2)
    [0.5]
    """

    _solver_names: ClassVar[dict[str, str]] = EXACT | dict.fromkeys(("sparse_cg", "sag", "saga"), "conjugate-gradients")

    def __init__(
        self,
        alpha: float | Array = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        learning_rate: Any = "auto",
        batch_size: int | None = None,
        update: Any = "plain",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.update = update

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Ridge":
        """Fit the coefficients and the intercept.

        Parameters
        ----------
        X : array or sparse array (n_samples, n_features)
            The data.
        y : array (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : float or array (n_samples,), optional
            Not negative; a weight of 2 counts as the sample twice.
        """
        self._check_parameters()
        method = self._exact_method()
        X, y, sample_weight = self._validate(X, y, sample_weight)
        objective = ridge_objective(X, y, self._alphas(y), sample_weight, self.fit_intercept, positive=self.positive)
        if method is None:
            self._descend(objective, sample_weight)
        else:
            asked = self.tol if method in ("lsqr", "conjugate-gradients") else None
            self._solve_exactly(objective, method, sample_weight, tol=asked)
        self.solver_ = self.solver if method != "auto" else self.solution_method_
        return self

    def _exact_method(self) -> str | None:
        """Return the exact solver's own name; scikit-learn's name for a bounded fit is "lbfgs"."""
        return "auto" if self.positive and self.solver == "lbfgs" else super()._exact_method()

    def _alphas(self, y: Array) -> Any:
        """Return ``alpha`` as a number or (n_outputs,)."""
        alpha = np.asarray(self.alpha)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if alpha.dtype.kind not in "fiu" or not np.all(np.isfinite(alpha)) or np.any(alpha < 0):
            raise InvalidInputError(f"alpha={self.alpha!r}: must be finite numbers not below 0")
        if alpha.ndim > 1 or alpha.size not in (1, n_outputs):
            raise InvalidInputError(
                f"alpha={self.alpha!r}: must be one number, or one for each of the {n_outputs} targets"
            )
        return float(alpha.reshape(-1)[0]) if alpha.size == 1 else alpha.astype(np.float64)

    def _fitted(self, objective: LinearObjective, theta: Array) -> dict[str, Any]:
        """Return the fitted attributes; for targets of one column ``coef_`` is flat, as in scikit-learn."""
        fitted = super()._fitted(objective, theta)
        if objective.output_shape == (1,):
            fitted["coef_"] = fitted["coef_"].ravel()
        return fitted


def ridge_objective(
    X: Any, y: Array, alpha: Any, sample_weight: Array | None, fit_intercept: bool, *, positive: bool = False
) -> LinearObjective:
    """Return ``sum_i s_i (y_i - x_i^T w - b)^2 + alpha |w|^2``; the penalty halves its squares, hence the 2."""
    return LinearObjective(
        X,
        y,
        SquaredError(),
        SquaredL2(2.0 * alpha, positive=positive),
        sample_weight=sample_weight,
        fit_intercept=fit_intercept,
        reduction="sum",
    )
