"""The elastic net."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.utils import metadata_routing

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError, warn_user
from steepest.linear_model.coordinate_regressor import CoordinateRegressor
from steepest.linear_model.path import enet_path
from steepest.objectives.linear import LinearObjective
from steepest.penalties import L1, Penalty
from steepest.penalties import ElasticNet as ElasticNetPenalty
from steepest.solvers.catalogue import SOLVERS, open_solver
from steepest.solvers.coordinate_descent import prepare
from steepest.solvers.stopping import DualityGapTolerance, GradientTolerance, StoppingRule
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_gram, check_positive, check_share

OURS = ("auto", "coordinate-descent")


class ElasticNet(CoordinateRegressor):
    r"""Least squares, L1 and L2: ``||y - X w - b||^2 / (2 n) + alpha (rho ||w||_1 + (1 - rho) ||w||_2^2 / 2)``.

    Here ``rho`` is ``l1_ratio``; with sample weights the first term is the weighted mean of half the squared errors.

    Parameters
    ----------
    alpha : float, default 1.0
        Strength of the penalty; 0 is plain least squares, for which LinearRegression is the better choice.
    l1_ratio : float, default 0.5
        Share of the L1 part, 0 to 1.
    fit_intercept : bool, default True
        Whether to fit ``b``, which is not penalised.
    precompute : bool, "auto" or array (n_features, n_features), default False
        True to work on the Gram matrix of all columns, or that matrix ``X^T X`` (of the weighted, centred X) itself.
        Otherwise the shape of the data decides. Sparse X is never multiplied out.
    max_iter : int or None, default 1000
        Epochs an output may have; None is no limit.
    copy_X : bool, default True
        Without effect, as X is never changed; there so that scikit-learn's calls work.
    tol : float, default 1e-4
        The duality gap to reach, relative to the (weighted) mean square of the centred y.
    warm_start : bool, default False
        Whether to start from the coefficients of the fit before.
    positive : bool, default False
        Whether to forbid negative coefficients.
    random_state : int, RandomState or None
        Source of the order of coordinates with ``selection="random"``, and of rows with mini-batches.
    selection : {"cyclic", "random"}, default "cyclic"
        The order of coordinates within an epoch.
    solver : str, default "auto"
        Coordinate descent ("auto" or "coordinate-descent"), or one to learn from: "proximal-gradient", "fista", ...
    learning_rate, batch_size, update
        For the solvers to learn from.

    Attributes
    ----------
    coef_ : array (n_features,) or (n_outputs, n_features)
        The coefficients w.
    sparse_coef_ : sparse matrix (n_outputs, n_features)
        The same without its zeros; a sparse array where scikit-learn is set to return these.
    intercept_ : float or array (n_outputs,)
        The intercept b.
    dual_gap_ : float or array (n_outputs,)
        How far the objective can still be above its optimum; with ``alpha=0``, n times the squared gradient.
    n_iter_ : int or list of int
        Epochs of each output.
    certificate_, trace_, stopping_reason_
        As for every estimator.

    Notes
    -----
    The methods are derived where they are written: the update in :func:`steepest.solvers.coordinate_descent.epoch`,
    working sets in :mod:`steepest.solvers.working_set_problem`, the gap in :mod:`steepest.solvers.duality`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    >>> model = ElasticNet(alpha=0.1).fit(X, 2.0 * X[:, 0] + 1.0)
    >>> model.coef_.round(3), float(model.intercept_.round(3))
    (array([1.885, 0.   ]), 1.173)
    """

    __metadata_request__fit: ClassVar[dict[str, str]] = {"check_input": metadata_routing.UNUSED}
    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
        learning_rate: Any = "auto",
        batch_size: int | None = None,
        update: Any = "plain",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.update = update

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> "ElasticNet":
        """Fit the coefficients and the intercept.

        Parameters
        ----------
        X : array or sparse matrix (n_samples, n_features)
            The data, in either order; float32 stays float32.
        y : array (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array (n_samples,), optional
            Weights of the samples.
        check_input : bool, default True
            False if X and y are sure to be checked already.
        """
        penalty = self._penalty()
        given = X, y, sample_weight
        if check_input:
            with config_context(assume_finite=True):  # the first pass over X notices what is not finite
                X, y, sample_weight = self._validate(X, y, sample_weight, accept_sparse="csc")
        objective = LinearObjective(
            X, y, penalty=penalty, sample_weight=sample_weight, fit_intercept=self.fit_intercept
        )
        if self.solver in OURS:
            problems = prepare(objective, self._start(objective), self._gram(objective), once=True)
            self._check_finite(problems, *given, accept_sparse="csc")
            self._run(objective, problems, sample_weight)
        else:
            self._validate(*given, accept_sparse="csc")
            self._teach(objective, sample_weight)
        return self

    def _penalty(self) -> Penalty:
        """Check the parameters; return the penalty."""
        check_positive("tol", self.tol, zero=True)
        check_choice("selection", self.selection, ("cyclic", "random"))
        check_choice("solver", self.solver, (*OURS, *SOLVERS))
        if self.max_iter is not None:
            check_count("max_iter", self.max_iter)
        if self.solver in OURS:
            self._refuse_idle_options(instead="proximal-gradient")
        if check_positive("alpha", self.alpha, zero=True) == 0.0:
            text = "alpha=0: nothing is penalised; LinearRegression solves least squares exactly and faster"
            warn_user(text)
        if check_share("l1_ratio", self.l1_ratio) == 1.0:
            return L1(float(self.alpha), positive=self.positive)
        return ElasticNetPenalty(float(self.alpha), float(self.l1_ratio), positive=self.positive)

    def _start(self, objective: LinearObjective) -> Array:
        """Return the parameters to start from."""
        coefficients = getattr(self, "coef_", None)
        shape = objective.n_features, *objective.output_shape
        if not self.warm_start or coefficients is None or coefficients.size != np.prod(shape):
            return objective.start()
        return objective.pack(np.reshape(coefficients.T, shape), self.intercept_)

    def _gram(self, objective: LinearObjective) -> Any:
        """Return what ``precompute`` asks for: True, None (the solver decides) or a matrix in the objective's scale."""
        precompute = self.precompute
        if isinstance(precompute, str):
            check_choice("precompute", precompute, ("auto",))
            return None
        if isinstance(precompute, bool | np.bool_):
            return True if precompute else None
        return None if sparse.issparse(objective.X) else self._given_gram(objective)

    def _given_gram(self, objective: LinearObjective) -> Any:
        d = objective.n_features
        gram = check_gram("precompute", self.precompute, d)
        root = np.sqrt(objective.reduction.weigh(np.ones(objective.n_samples)))
        X, n = objective.X, objective.n_samples
        means = root**2 @ X
        if self.fit_intercept and not np.allclose(means, 0.0):
            text = "precompute: the given Gram matrix is of columns that are not centred; computing it anew"
            warn_user(text)
            return True
        i, j = d // 2, min(d // 2 + 1, d - 1)
        expected = n * float((root * X[:, i]) @ (root * X[:, j]))
        scale = n * float(np.linalg.norm(root * X[:, i]) * np.linalg.norm(root * X[:, j]))
        if abs(gram[i, j] - expected) > (1e-7 if X.dtype == np.float64 else 1e-4) * scale:
            raise InvalidInputError(
                f"precompute does not belong to X: its entry [{i}, {j}] is {gram[i, j]:.6g}, but the product of these "
                f"columns is {expected:.6g}"
            )
        return gram / n

    def _teach(self, objective: LinearObjective, sample_weight: Any) -> None:
        """Fit by a solver to learn from."""
        options = replace(self._teaching_options(), gap_every=10, max_iter=self._most_iterations)
        steps = open_solver(self.solver, objective, self._start(objective), options)
        stopping: list[StoppingRule] = [GradientTolerance(self.tol, relative=True)]
        if self.alpha:
            centred = objective.y - np.average(objective.y, axis=0, weights=objective.reduction.weights)
            target = centred if self.fit_intercept else objective.y
            stopping = [DualityGapTolerance(self.tol * objective.reduction.total(target**2))]
        self._solve(
            objective,
            steps,
            max_iter=self._most_iterations,
            stopping=stopping if self.tol else [],
            sample_weight=sample_weight,
            solver=self.solver,
        )
        self.dual_gap_ = self.certificate_.value
