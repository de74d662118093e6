"""The least-squares filter and bias in closed form: one step from zero."""

from collections.abc import Callable

from steepest.kernels.blas import length
from steepest.solvers.filter_on_data import ConjugateGradients, SingularValues
from steepest.solvers.filter_problem import FilterProblem
from steepest.solvers.loop import Steps
from steepest.solvers.normal_equations import NormalEquations
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

LARGEST_DENSE = 4_000_000  # entries of a matrix that is decomposed as a whole

FilterSystem = NormalEquations | SingularValues | ConjugateGradients


def filter_system(problem: FilterProblem) -> FilterSystem:
    """Return the normal equations if they are well-conditioned; otherwise what works on the data itself."""
    equations = NormalEquations.of(problem)
    if equations is not None:
        return equations
    rows = problem.y.size + (problem.filter_length if problem.ridge else 0)
    if rows * (problem.filter_length + problem.fit_bias) <= LARGEST_DENSE:
        return SingularValues(problem)
    return ConjugateGradients(problem)


def exact_filter(problem: FilterProblem, solve: Callable[[], Array]) -> Steps:
    """Go from zero to the solution that ``solve`` returns."""
    start = problem.start()
    yield Step(0, start, problem.value(start), length(problem.target))  # minus the gradient at zero
    solution = solve()
    value, gradient = problem.value_and_gradient(solution)
    yield Step(1, solution, value, length(gradient), step_size=1.0, step_norm=length(solution))
    return Reason.EXACT
