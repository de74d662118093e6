"""Logistic regression."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning

from steepest.certificate import Certificate
from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError, warn_user
from steepest.kernels.blas import beside_kernels
from steepest.linear_model.class_weights import class_weights
from steepest.linear_model.classifier import LinearClassifier
from steepest.linear_model.logistic_options import PEER_SOLVERS, check_options, penalty_of
from steepest.objectives.linear import LinearObjective
from steepest.objectives.logistic import LogisticObjective
from steepest.penalties import NoPenalty
from steepest.solvers.catalogue import open_solver, stable_rate
from steepest.solvers.irls import irls
from steepest.solvers.loop import Steps
from steepest.solvers.proximal_newton import proximal_newton, subgradient
from steepest.solvers.result import Result
from steepest.solvers.stopping import Confirmed, GradientTolerance, Patience, StoppingRule
from steepest.typing import Array, IntArray
from steepest.validation import check_squares

TRUNCATED_NEWTON = "truncated Newton"
LARGEST_HESSIAN = 500  # parameters of a multinomial model with an L1 penalty that "auto" solves with Hessians


def _large_offsets(X: Any) -> Array | None:
    """Return the columns' means if one is much larger than its column's spread, judged by some rows; otherwise None.

    Taking them out changes nothing but the intercept, and spares the solver a Hessian that is nearly singular.
    """
    if sparse.issparse(X):
        return None
    some = X[:: max(1, len(X) // 256)]
    mean, spread = some.mean(axis=0, dtype=np.float64), some.std(axis=0, dtype=np.float64)
    far = (spread > 0) & (np.abs(mean) > 30.0 * spread)
    return np.where(far, mean, 0.0).astype(X.dtype) if far.any() else None


@dataclass
class _Certified:
    """Certificates of a run, the last of which is kept: it is asked for twice."""

    objective: LogisticObjective
    tolerance: float
    _last: tuple[Array, Certificate] | None = None

    def __call__(self, theta: Array) -> Certificate:
        """Return the certificate at ``theta``."""
        if self._last is None or self._last[0] is not theta:
            self._last = theta, self.objective.certificate(theta, self.tolerance)
        return self._last[1]


class LogisticRegression(LinearClassifier):
    r"""Logistic regression: ``C sum_i s_i l(y_i, x_i^T w + b) + l1_ratio |w|_1 + (1 - l1_ratio) |w|^2 / 2``.

    ``l`` is the logistic loss for two classes, the softmax cross-entropy (one w and b a class) for more; ``C=inf``
    drops the penalty. The intercept is never penalised.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet"} or None
        Deprecated, as in scikit-learn: use ``l1_ratio`` and ``C``.
    C : float, default 1.0
        Weight of the data against the penalty; ``numpy.inf`` for no penalty.
    l1_ratio : float, default 0.0
        Share of the absolute values in the penalty: 0 is L2, 1 is L1.
    dual : bool, default False
        Accepted for compatibility; only False.
    tol : float, default 1e-4
        The run stops when the gradient (with L1, the shortest subgradient) is this part of what it is at zero
        coefficients.
    fit_intercept : bool, default True
        Whether there is a ``b``.
    intercept_scaling : float, default 1
        Accepted; it has no effect, as the intercept is never penalised.
    class_weight : dict, "balanced" or None
        Weights of the classes, by label; they multiply the sample weights.
    random_state : int, RandomState or None
        Used by mini-batches only.
    solver : str, default "auto"
        "auto": truncated Newton (:func:`steepest.solvers.irls.irls`); with L1, proximal Newton
        (:func:`steepest.solvers.proximal_newton.proximal_newton`), also called "coordinate-descent", or FISTA for
        multinomial models of more than 500 parameters. "newton", "lbfgs", "gradient-descent", "proximal-gradient"
        and "fista" are the readable forms. scikit-learn's other names are accepted and lead to the same minimum
        ("liblinear" there penalises the intercept; here it does not).
    max_iter : int, default 100
        The most iterations.
    verbose : int, default 0
        Accepted; use scikit-learn's callbacks to watch a run.
    warm_start : bool, default False
        Begin where the last fit ended.
    n_jobs : int or None
        Accepted; the number of threads is set by the environment (``STEEPEST_NUM_THREADS``).
    learning_rate, batch_size, update
        For "gradient-descent", "proximal-gradient" and "fista": see :class:`steepest.solvers.options.Options`.

    Attributes
    ----------
    coef_ : array (1, n_features) or (n_classes, n_features)
        The weights.
    intercept_ : array (1,) or (n_classes,)
        The intercepts; zeros if none were fitted. With more than two classes they sum to 0.
    classes_ : array (n_classes,)
        The labels.
    n_iter_ : int array (1,)
        Iterations done.
    trace_ : Trace
        The scalars of every step.
    certificate_ : Certificate
        The gradient's length or, with L1 and two classes, the duality gap.

    Notes
    -----
    If a hyperplane separates the classes and there is no penalty, the loss falls to 0 as the coefficients grow
    without bound: there is no minimum, and a warning says so.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = LogisticRegression().fit(X, ["no", "no", "yes", "yes"])
    >>> model.predict([[0.4], [2.6]])
    array(['no', 'yes'], dtype='<U3')
    >>> model.predict_proba([[1.5]]).round(3)
    array([[0.5, 0.5]])
    """

    def __init__(
        self,
        penalty: str | None = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "auto",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        learning_rate: Any = "auto",
        batch_size: int | None = None,
        update: Any = "plain",
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.update = update

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LogisticRegression":
        """Fit the coefficients and the intercepts."""
        penalty, C = penalty_of(self)
        check_options(self, penalty)
        if PEER_SOLVERS.get(self.solver, self.solver) in ("auto", "coordinate-descent"):
            self._refuse_idle_options()
        X, numbers, sample_weight = self._validate(X, y, sample_weight)
        check_squares("X", X, small=isinstance(penalty, NoPenalty))
        shift = _large_offsets(X) if self.fit_intercept else None
        objective = LogisticObjective(
            X if shift is None else X - shift,
            numbers.astype(np.float64) if len(self.classes_) == 2 else numbers,
            len(self.classes_),
            penalty,
            C=C,
            sample_weight=self._weigh(numbers, sample_weight),
            fit_intercept=self.fit_intercept,
            shift=shift,
        )
        result = self._run(objective, X, y, sample_weight)
        self.n_iter_ = np.array([result.n_iter], dtype=np.int32)  # type: ignore[assignment]  # scikit-learn's shape
        if C == 1.0 and isinstance(penalty, NoPenalty) and objective.separates(result.theta):
            warn_user(
                "the classes are perfectly separated by a hyperplane and there is no penalty: the likelihood has no "
                "maximum, and the coefficients would grow without bound; use a finite C",
                ConvergenceWarning,
            )
        return self

    def _weigh(self, numbers: IntArray, sample_weight: Array | None) -> Array | None:
        """Return the sample weights with the class weights."""
        if self.class_weight is None:
            return sample_weight
        labels = self.classes_[numbers]
        by_class = class_weights(self.class_weight, self.classes_, labels, sample_weight)[numbers]
        return np.asarray(by_class if sample_weight is None else by_class * sample_weight)

    # ------------------------------------------------------------------ run

    def _run(self, objective: LogisticObjective, X: Any, y: Any, sample_weight: Array | None) -> Result:
        """Solve, by the solver asked for."""
        steps, about = self._steps(objective, self._begin(objective))
        certified = _Certified(objective, self.tol)
        stopping: list[StoppingRule] = []
        if about != TRUNCATED_NEWTON:  # which looks at every entry of the gradient itself
            stopping = [GradientTolerance(self._aim(objective))]
        if objective.penalty.l1 > 0:  # the certificate is a gap, which a short subgradient does not bound
            stopping = [Confirmed(rule, lambda theta: certified(theta).optimal) for rule in stopping]
        if self.batch_size is not None:  # no whole gradient is known: stop when the epochs bring nothing more
            stopping = [Patience(5, self.tol * objective.value(objective.start()))]
        options = self._teaching_options()
        with beside_kernels(*X.shape):
            result = self._drive(
                steps,
                lambda theta: self._fitted(objective, theta),
                X=X,
                y=y,
                sample_weight=sample_weight,
                max_iter=self.max_iter,
                stopping=stopping,
                stable_rate=lambda: stable_rate(self.solver, objective, options),
                about={"objective": objective.words, "solver": about},
            )
        self.certificate_ = result.certificate = certified(result.theta)
        return result

    def _aim(self, objective: LogisticObjective) -> float:
        """Return the length that the gradient (the shortest subgradient) is to have: part of that at zero."""
        shortest = subgradient(objective.start(), objective.gradient_at_zero(), objective.l1_weights())
        return self.tol * float(np.linalg.norm(shortest))

    def _begin(self, objective: LogisticObjective) -> Array:
        """Return the start: zeros, or where the last fit ended."""
        if not self.warm_start or not hasattr(self, "coef_"):
            return objective.start()
        rows = 1 if objective.binary else objective.n_classes
        self.densify()
        if self.coef_.shape != (rows, objective.n_features):
            text = f"the last fit had coef_ of shape {self.coef_.shape}, this one needs {(rows, objective.n_features)}"
            raise InvalidInputError(f"warm_start=True: {text}; set warm_start=False")
        moved = 0.0 if objective.shift is None else self.coef_ @ objective.shift
        intercept = np.squeeze(self.intercept_ + moved)
        return objective.pack(self.coef_[0] if objective.binary else self.coef_.T, intercept)

    def _steps(self, objective: LogisticObjective, theta: Array) -> tuple[Steps, str]:
        """Return the solver at work, and its name."""
        name = PEER_SOLVERS.get(self.solver, self.solver)
        if name in ("auto", "coordinate-descent"):
            if objective.penalty.l1 == 0:
                unit = objective.gradient_at_zero() if theta.any() else None  # which the start itself tells
                return irls(objective, theta, tol=self.tol, unit=unit), TRUNCATED_NEWTON
            large = not objective.binary and objective.n_parameters > LARGEST_HESSIAN
            if name == "coordinate-descent" or not large:
                return proximal_newton(
                    objective, theta, tol=self._aim(objective)
                ), "proximal Newton with coordinate descent"
            name = "fista"
        return open_solver(name, objective, theta, self._teaching_options()), name

    def _fitted(self, objective: LinearObjective, theta: Array) -> dict[str, Any]:
        """Return the fitted attributes, in the dtype of the data."""
        dtype = objective.X.dtype
        W, b = objective.coefficients(theta).T, objective.intercept(theta)
        shift = getattr(objective, "shift", None)
        b = b if shift is None else b - W @ shift
        rows = np.atleast_2d(W).astype(dtype)
        if b.ndim:  # a number added to all scores changes no probability: let the intercepts sum to 0
            b = b - b.mean()
        return {"coef_": np.ascontiguousarray(rows), "intercept_": np.atleast_1d(b).astype(dtype)}

    # ------------------------------------------------------------------ probabilities

    def predict_proba(self, X: Any) -> Array:
        """Return probabilities, (n_samples, n_classes), in the order of ``classes_``."""
        z = self.decision_function(X)
        return np.asarray(np.column_stack([expit(-z), expit(z)]) if z.ndim == 1 else softmax(z, axis=1))

    def predict_log_proba(self, X: Any) -> Array:
        """Return logarithms of probabilities, exact where a probability rounds to 0 or 1."""
        z = self.decision_function(X)
        return np.asarray(np.column_stack([log_expit(-z), log_expit(z)]) if z.ndim == 1 else log_softmax(z, axis=1))
