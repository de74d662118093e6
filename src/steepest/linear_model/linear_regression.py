"""Ordinary least squares."""

from typing import Any

from steepest.estimator import with_callbacks
from steepest.linear_model.base import LinearRegressor
from steepest.objectives.linear import LinearObjective


class LinearRegression(LinearRegressor):
    """Ordinary least squares: ``||y - X w - b||^2 / (2 n)``."""

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

    @with_callbacks  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LinearRegression":
        """Fit the coefficients and the intercept."""
        X, y, sample_weight = self._validate(X, y, sample_weight)
        objective = LinearObjective(X, y, sample_weight=sample_weight, fit_intercept=self.fit_intercept)
        self._descend(objective, sample_weight)
        return self
