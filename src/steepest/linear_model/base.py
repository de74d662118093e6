"""What linear models share: fitted coefficients from flat parameters, prediction, the teaching solvers."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state

from steepest.estimator import Estimator
from steepest.exceptions import InvalidInputError
from steepest.objectives.linear import LinearObjective
from steepest.solvers.catalogue import Options, open_solver, stable_rate
from steepest.solvers.loop import Steps
from steepest.solvers.result import Result
from steepest.solvers.stopping import GradientTolerance, Patience, StoppingRule
from steepest.typing import Array
from steepest.validation import check_features, check_squares, check_supervised

IDLE = {"learning_rate": "auto", "batch_size": None, "update": "plain"}
"""Options of the teaching solvers, as they are where none of these runs."""


class LinearModel(Estimator):
    """A model whose score is ``X coef_.T + intercept_``.

    Subclasses that offer the teaching solvers have the parameters ``learning_rate``, ``batch_size``, ``update``,
    ``max_iter``, ``tol`` and ``random_state``.
    """

    coef_: Array
    intercept_: Any

    def _scores(self, X: Any) -> Array:
        """Return ``X coef_.T + intercept_``: (n_samples,) or (n_samples, n_outputs)."""
        X = check_features(self, X)
        scores: Array = np.asarray(X @ self.coef_.T) + self.intercept_
        return scores

    def _fitted(self, objective: LinearObjective, theta: Array) -> dict[str, Any]:
        """Return ``coef_`` (n_features,) or (n_outputs, n_features) and ``intercept_`` in scikit-learn's shapes."""
        intercept: Any = objective.intercept(theta)
        if not objective.fit_intercept:
            intercept = 0.0
        elif intercept.ndim == 0:
            intercept = intercept[()]  # a scalar of the data's dtype
        return {"coef_": np.ascontiguousarray(objective.coefficients(theta).T), "intercept_": intercept}

    def _teaching_options(self) -> Options:
        """Return the options of the teaching solvers as the user gave them."""
        generator = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
        return Options(
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            update=self.update,
            random_state=generator,
            watch=self._watched,
        )

    def _refuse_idle_options(self, *, instead: str = "gradient-descent") -> None:
        """Refuse options of the teaching solvers beside another solver, which would pass over them in silence."""
        for name, default in IDLE.items():
            value = getattr(self, name)
            if value is not default and not (isinstance(value, str) and value == default):
                raise InvalidInputError(f"{name}={value!r}: solver={self.solver!r} has no use for it; {instead!r} has")

    def _descend(self, objective: LinearObjective, sample_weight: Array | None = None) -> Result:
        """Fit by the teaching solver named ``self.solver``."""
        check_squares("X", objective.X, small=not np.all(objective.penalty.l2))
        options = self._teaching_options()
        steps = open_solver(self.solver, objective, objective.start(), options)
        stopping: list[StoppingRule] = []
        if self.tol:
            stopping = [GradientTolerance(self.tol, relative=True)]
            if self.batch_size is not None:  # no whole gradient is known: stop when the epochs bring nothing more
                stopping = [Patience(5, self.tol * objective.value(objective.start()))]
        return self._solve(
            objective,
            steps,
            max_iter=self.max_iter or 1000,
            stopping=stopping,
            sample_weight=sample_weight,
            solver=self.solver,
            stable_rate=lambda: stable_rate(self.solver, objective, options),
        )

    def _solve(
        self,
        objective: LinearObjective,
        steps: Steps,
        *,
        max_iter: int,
        stopping: Iterable[StoppingRule] = (),
        sample_weight: Array | None = None,
        solver: str,
        stable_rate: Any = None,
    ) -> Result:
        """Run ``steps`` on ``objective`` and set the fitted attributes."""
        result = self._drive(
            steps,
            lambda theta: self._fitted(objective, theta),
            X=objective.X,
            y=objective.y,
            sample_weight=sample_weight,
            max_iter=max_iter,
            stopping=stopping,
            stable_rate=stable_rate,
            about={"objective": objective.words, "solver": solver},
            warn=bool(self.tol),
        )
        if result.certificate is None:
            result.certificate = objective.certificate(result.theta, tolerance=self.tol or 1e-6)
        self.certificate_ = result.certificate
        return result


class LinearRegressor(MultiOutputMixin, RegressorMixin, LinearModel):  # type: ignore[misc]  # scikit-learn ships no types
    """A linear model of one or several real targets."""

    def predict(self, X: Any) -> Array:
        """Return the predicted targets, (n_samples,) or (n_samples, n_outputs)."""
        return self._scores(X)

    def _validate(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> tuple[Any, Array, Array | None]:
        """Check the data; sparse matrices and several targets are allowed."""
        how = {"accept_sparse": ["csr", "csc"], "multi_output": True, **how}
        return check_supervised(self, X, y, sample_weight, **how)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
