"""What the models of squared errors share: the exact solvers beside the teaching ones."""

from typing import Any, ClassVar

import numpy as np
import scipy.linalg

from steepest.exceptions import InvalidInputError
from steepest.kernels.blas import beside_kernels
from steepest.linear_model.base import LinearRegressor
from steepest.objectives.linear import LinearObjective
from steepest.solvers.catalogue import SOLVERS
from steepest.solvers.exact import METHODS, ExactSolver, Solution
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_positive

EXACT = {"exact": "auto", **{name: name for name in METHODS}}
"""Names of the exact solvers, and what they are called inside."""


class LeastSquaresRegressor(LinearRegressor):
    """A linear model of squared errors.

    Attributes
    ----------
    solution_method_ : str
        Which way an exact solver took, in words.
    """

    _solver_names: ClassVar[dict[str, str]] = EXACT

    def _exact_method(self) -> str | None:
        """Return the exact solver's own name, or None if ``solver`` is one of the teaching solvers."""
        name = check_choice("solver", self.solver, dict.fromkeys([*self._solver_names, *SOLVERS]))
        method = self._solver_names.get(name)
        if method is None and self.positive and name in ("gradient-descent", "newton", "lbfgs"):
            allowed = ", ".join(map(repr, ("auto", "exact", "proximal-gradient", "fista")))
            raise InvalidInputError(f"solver={name!r} with positive=True: must be one of {allowed}")
        if self.positive and method not in (None, "auto"):
            raise InvalidInputError(f"solver={name!r} does not support positive=True: use 'auto' or 'fista'")
        return method

    def _check_parameters(self) -> None:
        """Refuse parameters that no solver could use."""
        check_positive("tol", self.tol, zero=True)
        if self.max_iter is not None:
            check_count("max_iter", self.max_iter)
        if self._exact_method() is not None:
            self._refuse_idle_options()

    def _validate(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> tuple[Any, Array, Array | None]:
        """Check the data; the exact solvers sum over all of X and notice NaN and infinity by that."""
        return super()._validate(X, y, sample_weight, finite=self._exact_method() is None, **how)

    def _solve_exactly(
        self,
        objective: LinearObjective,
        method: str,
        sample_weight: Array | None,
        *,
        rcond: float | None = None,
        tol: float | None = None,
    ) -> Solution | None:
        how = {"method": method, "rcond": rcond, "tol": tol}
        return solve_exactly(self, objective, sample_weight, how, max_iter=self.max_iter, tol=self.tol or 1e-6)


def solve_exactly(
    model: LinearRegressor,
    objective: LinearObjective,
    sample_weight: Array | None,
    how: dict[str, Any] | None = None,
    *,
    max_iter: int | None = None,
    tol: float = 1e-6,
) -> Solution | None:
    """Fit by an exact solver and set the fitted attributes, the certificate among them.

    The certificate is the gradient as it was measured before the parameters were rounded to the data's dtype: by a
    pass over the data where one was made, on the moments of the data where that is as precise.
    """
    with beside_kernels(*objective.X.shape):
        exact = ExactSolver(objective, **(how or {}))
        result = model._drive(
            exact.steps(),
            lambda theta: model._fitted(objective, theta),
            X=objective.X,
            y=objective.y,
            sample_weight=sample_weight,
            max_iter=exact.most_iterations(max_iter),
            about={"objective": objective.words, "solver": exact.method},
        )
    solution = exact.solution
    model.solution_method_ = solution.method if solution else exact.method
    if solution is None:  # stopped on the way: by a callback, the user, or max_iter
        model.certificate_ = objective.certificate(result.theta, tolerance=tol)
        return None
    result.certificate = exact.problem.certificate(solution, tol)
    model.certificate_ = result.certificate
    model.trace_.about["solver"] = solution.method
    return solution


def singular_values(solution: Solution, number: int) -> Array:
    """Return the singular values of the centred X: those computed, or the roots of the Gram matrix's eigenvalues.

    There are ``number`` of them; samples of weight 0, which the solver leaves out, add zeros.
    """
    values = solution.singular_values
    if values is None:
        gram = solution.gram() if callable(solution.gram) else solution.gram
        values = np.sqrt(np.maximum(scipy.linalg.eigvalsh(gram)[::-1], 0.0))
    return np.asarray(np.ldexp(np.concatenate([values, np.zeros(number - len(values))]), solution.exponent))
