"""The least-squares filter and bias in closed form: one step from zero."""

import numpy as np

from steepest.solvers.filter_on_data import ConjugateGradients, SingularValues
from steepest.solvers.filter_problem import FilterProblem
from steepest.solvers.loop import Steps
from steepest.solvers.normal_equations import NormalEquations
from steepest.solvers.stopping import Reason
from steepest.step import Step

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


def exact_filter(problem: FilterProblem, system: FilterSystem) -> Steps:
    """Go from zero to the solution."""
    target, start = problem.target, problem.start()  # minus the gradient at zero, and zero
    yield Step(0, start, problem.value(start), float(np.linalg.norm(target)))
    solution = system.solution(target)
    value, gradient = problem.value_and_gradient(solution)
    length = float(np.linalg.norm(solution))
    yield Step(1, solution, value, float(np.linalg.norm(gradient)), step_size=1.0, step_norm=length)
    return Reason.EXACT
