r"""Inverses, determinants, solutions of systems and Cholesky's factors, and how derivatives go back through them.

With G the derivative with respect to the result, ``<G, dY>`` written as ``<?, dA>``:

* ``Y = A^-1``. ``A Y = I`` gives ``dA Y + A dY = 0``, so that ``dY = -Y dA Y`` and ``? = -Y^T G Y^T``.
* ``X = A^-1 B``. ``dX = A^-1 (dB - dA X)``: for B ``A^-T G``, for A ``-(A^-T G) X^T``.
* ``y = det A``. ``dy = y tr(A^-1 dA)`` (Jacobi): ``g y A^-T``. Of ``log |det A|``, ``g A^-T``.
* ``A = L L^T``. With F the lower triangle with its diagonal halved, ``dL = L F(L^-1 dA L^-T)``, which comes back
  as ``S = L^-T F(L^T G) L^-1``. NumPy reads the lower triangle of A alone, each entry for itself and its mirror
  image: the lower triangle of ``S + S^T`` counts, its diagonal once.

References
----------
.. [1] Giles, M. B. (2008). Collected matrix derivative results for forward and reverse mode algorithmic
   differentiation. Advances in Automatic Differentiation, 35-44.
.. [2] Murray, I. (2016). Differentiation of the Cholesky decomposition. arXiv:1602.07527.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from steepest.checking.tape.node import unbroadcast
from steepest.checking.tape.traced import plain, record, summed
from steepest.foundations.analytic import halved_triangle
from steepest.typing import Array

__all__ = ["MATRIX_FUNCTIONS", "mirrored", "pulled_from_factor", "scaled", "transposed"]


def transposed(matrix: Array) -> Array:
    """Exchange the last two axes."""
    return np.swapaxes(matrix, -1, -2)


def inverse(a: Any) -> Any:
    """``np.linalg.inv``."""
    return record("inverse", np.linalg.inv, [a], pulls=(lambda g, a, y: -transposed(y) @ g @ transposed(y),))


def determinant(a: Any) -> Any:
    """``np.linalg.det``."""
    return record("determinant", np.linalg.det, [a], pulls=(lambda g, a, y: scaled(g * y, _inverse_transposed(a)),))


def log_determinant(a: Any) -> Any:
    """``np.linalg.slogdet``, whose sign is a constant."""
    bare = np.linalg.slogdet(plain(a))
    pulls = (lambda g, a, y: scaled(g, _inverse_transposed(a)),)
    return type(bare)(bare[0], record("log-determinant", lambda a: np.linalg.slogdet(a)[1], [a], pulls=pulls))


def solve(a: Any, b: Any) -> Any:
    """``np.linalg.solve``; a right-hand side of one axis is a vector."""
    b = np.asanyarray(b)
    return record("solve", np.linalg.solve, [a, b], pulls=(_pull_to_matrix, _pull_to_right_side))


def _pull_to_right_side(g: Array, a: Array, b: Array, x: Array) -> Array:
    return unbroadcast(np.linalg.solve(transposed(a), g), b.shape)


def _pull_to_matrix(g: Array, a: Array, b: Array, x: Array) -> Array:
    if b.ndim == 1:
        g, x = g[..., None], x[..., None]
    return unbroadcast(-np.linalg.solve(transposed(a), g) @ transposed(x), a.shape)


def cholesky(a: Any) -> Any:
    """``np.linalg.cholesky``, the lower factor, from the lower triangle."""
    pulls = (lambda g, a, lower: mirrored(pulled_from_factor(g, lower, halved_triangle)),)
    return record("cholesky", np.linalg.cholesky, [a], pulls=pulls)


def pulled_from_factor(g: Array, lower: Array, triangle: Callable[[Array], Array]) -> Array:
    """Return ``S = L^-T F(L^T G) L^-1`` for F the given triangle; what G holds above the diagonal has no part in L."""
    inner = np.linalg.solve(transposed(lower), triangle(transposed(lower) @ np.tril(g)))
    return transposed(np.linalg.solve(transposed(lower), transposed(inner)))


def mirrored(half: Array) -> Array:
    """Return the lower triangle of ``S + S^T``, its diagonal once."""
    return halved_triangle(half + transposed(half))


def scaled(g: Array, matrix: Array) -> Array:
    """Return a matrix times the derivative with respect to its number, of each of a batch."""
    return np.asarray(g)[..., None, None] * matrix


def _inverse_transposed(a: Array) -> Array:
    return transposed(np.linalg.inv(a))


def power(a: Any, n: int) -> Any:
    """``np.linalg.matrix_power``."""
    if n == 0:
        return np.eye(a.shape[-1]) + 0.0 * a
    return reduce(np.matmul, [a if n > 0 else inverse(a)] * abs(n))


def trace(a: Any) -> Any:
    """``np.linalg.trace``, over the last two axes."""
    return summed(np.diagonal(a, axis1=-2, axis2=-1), -1)


MATRIX_FUNCTIONS: dict[Any, Any] = {
    np.linalg.inv: inverse, np.linalg.det: determinant, np.linalg.slogdet: log_determinant, np.linalg.solve: solve,
    np.linalg.cholesky: cholesky, np.linalg.matrix_power: power, np.linalg.trace: trace,
    np.linalg.multi_dot: lambda arrays, **_: reduce(np.matmul, arrays),
}  # fmt: skip
