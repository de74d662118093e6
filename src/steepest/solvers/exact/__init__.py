"""Least squares solved in closed form, or by conjugate gradients to the last digits.

One objective, ``J = (f / 2) (sum_i s_i r_i^2 + ridge |w|^2)`` with the residuals ``r_i = y_i - x_i^T w - b``,
and several ways to its minimum, one a file: the Gram matrix (:mod:`~steepest.solvers.exact.primal`), a rough one
(:mod:`~steepest.solvers.exact.rough`), its dual (:mod:`~steepest.solvers.exact.dual`), singular values
(:mod:`~steepest.solvers.exact.singular`), conjugate gradients (:mod:`~steepest.solvers.exact.conjugate_gradients`,
:mod:`~steepest.solvers.exact.iterated_dual`) and active sets where coefficients must not be negative
(:mod:`~steepest.solvers.exact.nonnegative`); many strengths of the penalty at once share one factorisation
(:mod:`~steepest.solvers.exact.spectrum`). :func:`~steepest.solvers.exact.solver.exact` chooses.
"""

from steepest.solvers.exact.gather import gather_data, gather_equations
from steepest.solvers.exact.problem import LeastSquares, Solution
from steepest.solvers.exact.solver import METHODS, ExactSolver, exact
from steepest.solvers.exact.spectrum import Spectrum

__all__ = ["METHODS", "ExactSolver", "LeastSquares", "Solution", "Spectrum", "exact", "gather_data", "gather_equations"]
