"""What estimators fitted by coordinate descent share."""

from typing import Any

import numpy as np

from steepest.certificate import Certificate
from steepest.exceptions import InvalidInputError
from steepest.linear_model.base import LinearRegressor
from steepest.linear_model.path import order_of
from steepest.objectives.linear import LinearObjective
from steepest.solvers.coordinate_descent import CoordinateDescent, Problem
from steepest.typing import Array
from steepest.validation import as_sparse


class CoordinateRegressor(LinearRegressor):
    """A linear model fitted by coordinate descent."""

    max_iter: Any
    tol: float
    selection: str
    random_state: Any

    @property
    def _most_iterations(self) -> int:
        """Return ``max_iter``, None of which is no limit."""
        return np.iinfo(np.int32).max if self.max_iter is None else int(self.max_iter)

    def _check_finite(self, problems: list[Problem], X: Any, y: Any, sample_weight: Any, **how: Any) -> None:
        """Refuse NaN and infinity, which the first pass over the data has carried into its sums."""
        if all(problem.finite for problem in problems):
            return
        self._validate(X, y, sample_weight, **how)
        raise InvalidInputError("X or y holds numbers so large that their products overflow: scale the data")

    def _run(self, objective: LinearObjective, problems: list[Problem], sample_weight: Any) -> None:
        """Fit by coordinate descent."""
        max_iter = self._most_iterations
        descent = CoordinateDescent(
            objective,
            tolerance=float(self.tol),
            max_epochs=max_iter,
            orders=order_of(self.selection, self.random_state),
            watch=self._watched,
            problems=problems,
        )
        result = self._drive(
            descent.steps(),
            lambda theta: self._fitted(objective, theta),
            X=objective.X,
            y=objective.y,
            sample_weight=sample_weight,
            max_iter=max_iter,
            about={"objective": objective.words, "solver": "coordinate-descent"},
            warn=bool(self.tol),
        )
        gaps = descent.gaps.astype(objective.X.dtype)
        epochs: Any = descent.epochs
        self.n_iter_ = epochs[0] if len(problems) == 1 else epochs
        self.dual_gap_ = gaps[0] if len(problems) == 1 else gaps
        self.certificate_ = self._certificate(objective, problems, result.theta)

    def _certificate(self, objective: LinearObjective, problems: list[Problem], theta: Array) -> Certificate:
        """Return the gap the solver ended with, or the gradient's norm where there is no penalty."""
        if not (objective.penalty.l1 or objective.penalty.l2):
            return objective.certificate(theta, tolerance=self.tol)
        gap, whole = sum(p.gap for p in problems), sum(p.squared_target for p in problems) / 2.0
        return Certificate("duality gap", gap, gap / (whole or 1.0), 2.0 * self.tol)

    def _fitted(self, objective: LinearObjective, theta: Array) -> dict[str, Any]:
        """Return ``coef_`` (n_features,) also for a target that came as one column."""
        fitted = super()._fitted(objective, theta)
        if objective.n_outputs == 1:
            fitted["coef_"] = fitted["coef_"].ravel()
        return fitted

    @property
    def sparse_coef_(self) -> Any:
        """The coefficients without their zeros (n_outputs, n_features)."""
        return as_sparse(np.atleast_2d(self.coef_))
