"""Ridge regression that chooses the strength of its penalty."""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import check_scoring, get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import beside_kernels
from steepest.linear_model.base import LinearRegressor
from steepest.linear_model.least_squares import solve_exactly
from steepest.linear_model.ridge import Ridge, ridge_objective
from steepest.objectives.linear import LinearObjective
from steepest.solvers.exact import LeastSquares, Solution, Spectrum
from steepest.solvers.loop import Steps
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array
from steepest.validation import check_choice


class RidgeCV(LinearRegressor):
    r"""Ridge regression, ``||y - X w - b||^2 + alpha ||w||^2``, with the ``alpha`` that predicts left-out data best.

    Parameters
    ----------
    alphas : array (n_alphas,) or float, default (0.1, 1.0, 10.0)
        The strengths to choose from; above 0 (with ``cv``: not below 0).
    fit_intercept : bool, default True
        Whether there is a ``b``; it is not penalised.
    scoring : str, callable or None, default None
        What is to be largest. None: minus the mean squared error, with ``cv`` the coefficient of determination.
    cv : int, splitter, iterable or None, default None
        None leaves each sample out once, at about the cost of one fit; anything else as in scikit-learn.
    gcv_mode : {None, "auto", "eigen", "svd"}
        Leave-one-out by eigenvalues of the smaller Gram matrix ("auto", "eigen") or by singular values: slower, and
        precise also for alphas many orders below the largest squared singular value.
    store_cv_results : bool, default False
        Keep the errors (with ``scoring``: the predictions) of every sample left out.
    alpha_per_target : bool, default False
        Choose an ``alpha`` for each target.

    Attributes
    ----------
    alpha_ : float or array (n_outputs,)
        The chosen strength.
    best_score_ : float or array (n_outputs,)
        Its score.
    cv_results_ : array (n_samples, n_alphas) or (n_samples, n_outputs, n_alphas)
        Squared errors times the sample's weight; with ``scoring``, predictions. Only if they were to be stored.
    coef_, intercept_
        As in :class:`Ridge`, of the fit on all samples with ``alpha_``.
    certificate_, trace_, n_iter_, stopping_reason_, solution_method_
        The proof of optimality of that fit, its record, and how it went.

    Notes
    -----
    One factorisation serves all alphas, and the predictions for samples left out follow from it without another fit:
    see :mod:`steepest.solvers.exact.spectrum` for both derivations.

    Examples
    --------
    >>> import numpy as np
    >>> from steepest.linear_model import RidgeCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 3))
    >>> y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.standard_normal(50)
    >>> RidgeCV(alphas=[1e-3, 1.0, 1e3]).fit(X, y).alpha_
    0.001
    """

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        gcv_mode: str | None = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
    ) -> None:
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.gcv_mode = gcv_mode
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "RidgeCV":
        """Choose ``alpha``, then fit with it.

        Parameters
        ----------
        X : array or sparse array (n_samples, n_features)
            The data.
        y : array (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : float or array (n_samples,), optional
            Not negative; weighs the errors of the samples left out, too.
        **params
            Handed on to the scorer, where scikit-learn's metadata routing is enabled.
        """
        alphas = self._checked_alphas()
        if params and not get_config()["enable_metadata_routing"]:
            raise InvalidInputError(
                f"{', '.join(params)}: further parameters of fit need sklearn.set_config(enable_metadata_routing=True)"
            )
        if self.cv is None:
            X, y, sample_weight = self._validate(X, y, sample_weight)
            with beside_kernels(*X.shape):
                return self._leave_one_out(X, y, sample_weight, alphas, self._handed(sample_weight, params))
        return self._search(X, y, sample_weight, alphas, params)

    # ------------------------------------------------------------------ leave one out

    def _handed(self, sample_weight: Array | None, params: dict[str, Any]) -> dict[str, Any]:
        """Return what the scorer is handed; where metadata are routed, what nobody asked for is refused."""
        handed = params if sample_weight is None else {**params, "sample_weight": sample_weight}
        if get_config()["enable_metadata_routing"]:
            handed = process_routing(self, "fit", **handed).scorer.score
        return handed

    def _leave_one_out(self, X: Any, y: Any, sample_weight: Any, alphas: Array, handed: dict[str, Any]) -> "RidgeCV":
        if len(y) < 2:
            raise InvalidInputError(f"leaving one out of {len(y)} sample: at least 2 samples are needed")
        objective = ridge_objective(X, y, float(alphas.min()), sample_weight, self.fit_intercept)
        problem = LeastSquares(objective)
        spectrum = Spectrum(problem, "svd" if self.gcv_mode == "svd" else "eigen")
        errors = _errors(spectrum, problem.framed_ridge(alphas), X, y, sample_weight)  # (n, k, n_alphas)
        if self.scoring is None:
            weights = 1.0 if sample_weight is None else sample_weight[:, None, None]
            results: Array = errors * errors * weights
            scores = -results.mean(axis=0).T  # (n_alphas, k)
        else:
            results = y.reshape(len(y), -1, 1) - errors
            scores = self._scored(results, y, handed)
        self._choose(alphas, scores, several=self.alpha_per_target and y.ndim == 2)
        if self.store_cv_results:
            self.cv_results_ = (results[:, 0] if y.ndim == 1 else results).astype(X.dtype)
        self._fit_with(spectrum, problem, objective, sample_weight)
        return self

    def _choose(self, alphas: Array, scores: Array, *, several: bool) -> None:
        """Take the best alpha by the scores (n_alphas, k): the first of equals, for each target or by their mean."""
        if not several:
            scores = scores.mean(axis=1, keepdims=True)
        best = np.argmax(scores, axis=0)
        self.best_score_: Any = scores.max(axis=0) if several else scores[best[0], 0]
        self.alpha_: Any = alphas[best] if len(best) > 1 else float(alphas[best[0]])

    def _scored(self, predictions: Array, y: Array, handed: dict[str, Any]) -> Array:
        """Return the scorer's verdict for every alpha: (n_alphas, k), or (n_alphas, 1) for all targets together."""
        scorer = self._scorer()

        def score(of: Array, target: Array) -> float:
            return float(scorer(_Known(), of, target, **handed))

        if self.alpha_per_target and y.ndim == 2:
            return np.array(
                [[score(p[:, j], y[:, j]) for j in range(y.shape[1])] for p in np.moveaxis(predictions, 2, 0)]
            )
        return np.array([[score(p.reshape(y.shape), y)] for p in np.moveaxis(predictions, 2, 0)])

    def _fit_with(
        self, spectrum: Spectrum, problem: LeastSquares, objective: LinearObjective, sample_weight: Array | None
    ) -> None:
        """Set the fitted attributes from the factorisation at hand; the certificate is measured on the data."""
        alpha = np.broadcast_to(np.asarray(self.alpha_, dtype=np.float64), (problem.Y.shape[1],))
        objective = ridge_objective(objective.X, objective.y, self.alpha_, sample_weight, self.fit_intercept)
        problem.ridge = problem.framed_ridge(alpha)
        solution = spectrum.solution(problem.ridge)
        self._drive(
            _shown(problem, objective, solution),
            lambda theta: self._fitted(objective, theta),
            X=objective.X,
            y=objective.y,
            sample_weight=sample_weight,
            max_iter=2,
            about={"objective": objective.words, "solver": solution.method},
        )
        self.certificate_, self.solution_method_ = problem.certificate(solution, 1e-6), solution.method

    def _fitted(self, objective: LinearObjective, theta: Array) -> dict[str, Any]:
        """Return the fitted attributes; for targets of one column ``coef_`` is flat, as in scikit-learn."""
        fitted = super()._fitted(objective, theta)
        if objective.output_shape == (1,):
            fitted["coef_"] = fitted["coef_"].ravel()
        return fitted

    # ------------------------------------------------------------------ any other cross-validation

    def _search(self, X: Any, y: Any, sample_weight: Any, alphas: Array, params: dict[str, Any]) -> "RidgeCV":
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise InvalidInputError(f"cv={self.cv!r} with {name}=True: only leaving one out (cv=None) offers it")
        ridge = Ridge(fit_intercept=self.fit_intercept)
        if get_config()["enable_metadata_routing"]:
            ridge.set_fit_request(sample_weight=True)
        X, y, sample_weight = self._validate(X, y, sample_weight)
        if sample_weight is not None:
            params = {**params, "sample_weight": sample_weight}
        search = GridSearchCV(ridge, {"alpha": alphas}, cv=self.cv, scoring=self._scorer(), refit=False)
        search.fit(X, y, **params)
        self.alpha_, self.best_score_ = search.best_params_["alpha"], search.best_score_
        objective = ridge_objective(X, y, float(self.alpha_), sample_weight, self.fit_intercept)
        solve_exactly(self, objective, sample_weight)
        return self

    # ------------------------------------------------------------------ scikit-learn's conventions

    def _checked_alphas(self) -> Array:
        """Return the alphas as an array."""
        check_choice("gcv_mode", "auto" if self.gcv_mode is None else self.gcv_mode, ("auto", "eigen", "svd"))
        try:
            alphas = np.atleast_1d(np.asarray(self.alphas, dtype=np.float64))
        except (TypeError, ValueError):
            raise InvalidInputError(f"alphas={self.alphas!r}: must be numbers") from None
        if alphas.ndim != 1 or alphas.size == 0:
            raise InvalidInputError(f"alphas has shape {alphas.shape}: must be a list of at least one number")
        for i, alpha in enumerate(alphas):
            if not np.isfinite(alpha) or alpha < 0 or (alpha == 0 and self.cv is None):
                raise InvalidInputError(
                    f"alphas[{i}] == {alpha:g}, must be > 0.0"
                    if self.cv is None
                    else f"alphas[{i}] == {alpha:g}, must be >= 0.0"
                )
        return alphas

    def _scorer(self) -> Any:
        """Return what scores a fit. Where metadata are routed, the default asks for the weights by itself.

        There it must not be this estimator's own ``score``, whose requests are this router's, without end.
        """
        if self.scoring is None and get_config()["enable_metadata_routing"]:
            return get_scorer("r2").set_score_request(sample_weight=True)
        return check_scoring(self, scoring=self.scoring, allow_none=True)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who is handed which metadata: the scorer, and the splitter."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(scorer=self._scorer(), method_mapping=MethodMapping().add(caller="fit", callee="score"))
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        )


class _Known(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Stands for a fitted regressor before a scorer: its predictions are the data it is given."""

    def predict(self, predictions: Array) -> Array:
        """Return the predictions."""
        return predictions


def _errors(spectrum: Spectrum, alphas: Array, X: Any, y: Array, sample_weight: Array | None) -> Array:
    """Return ``y_i - prediction_i`` with sample i left out, (n, k, n_alphas).

    A sample of weight 0 changes nothing by being left out: it is predicted by the fit itself.
    """
    errors = spectrum.left_out(alphas) / spectrum.root[:, :, None]
    if len(errors) == len(y) or sample_weight is None:
        return errors
    counted = sample_weight > 0
    whole = np.empty((len(y), *errors.shape[1:]))
    whole[counted] = errors
    fits = [np.asarray(X[~counted] @ w) + b for w, b in zip(*spectrum.path(alphas), strict=True)]
    whole[~counted] = y[~counted].reshape(-1, errors.shape[1], 1) - np.stack(fits, axis=2)
    return whole


def _shown(problem: LeastSquares, objective: LinearObjective, solution: Solution) -> Steps:
    """Yield the start and the solution."""
    scale = problem.scale
    yield Step(0, objective.start(), 0.5 * scale * solution.start_square, scale * solution.start_gradient)
    yield Step(1, problem.theta(solution), problem.value(solution), problem.gradient_norm(solution))
    return Reason.EXACT
