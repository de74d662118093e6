"""Wrong rules for inverses, determinants, solutions of systems and Cholesky's factors, as people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from steepest.checking.tape.matrices import mirrored, pulled_from_factor, scaled, transposed
from steepest.checking.tape.node import Node, unbroadcast
from steepest.checking.tape.variant import Variant
from steepest.foundations.analytic import halved_triangle
from steepest.typing import Array

__all__ = ["of_matrices"]

Rule = Callable[[Node, Array], Array]  # step, derivative behind it -> derivative of the argument
HINT = "look at the derivative of the inverse, of the determinant or of the solution"


def of_matrices(node: Node, k: int) -> Iterator[Variant]:
    """Yield wrong rules for a step of linear algebra."""
    rules, remedy = RULES[node.operation, k]
    for code, rule, said in rules:
        yield Variant(code, _changed(rule), said, remedy, HINT)


def _changed(rule: Rule) -> Callable[[Node, int, Array], Array]:
    return lambda node, k, g: unbroadcast(rule(node, g), node.arguments[k].shape)


def _by_entries(factor: Callable[[Node], Array]) -> Rule:
    return lambda node, g: scaled(g, factor(node))


def _diagonal(matrix: Array) -> Array:
    return matrix * np.eye(matrix.shape[-1])


def _inverse(node: Node) -> Array:
    return np.linalg.inv(node.arguments[0])


def _of_system(rule: Callable[[Array, Array, Array, Array], Array]) -> Rule:
    """Make a rule of one in the matrix, the error, the right-hand side and the solution, vectors as single columns."""

    def pulled(node: Node, g: Array) -> Array:
        a, b = node.arguments
        parts = (g, b, node.value)
        return rule(a, *(part[..., None] for part in parts)) if b.ndim == 1 else rule(a, *parts)

    return pulled


INVERSE_RULE = "The derivative of Y = A^-1 is dY = -Y dA Y: the error G behind it comes back as -Y^T G Y^T, in {}."
DETERMINANT_RULE = "The derivative of det A is det(A) A^-T, in {}."
LOGARITHM_RULE = "The derivative of log |det A| is A^-T, in {}."
MATRIX_RULE = "Of X = A^-1 B, the error G comes back to A as -(A^-T G) X^T, in {}."
RIGHT_SIDE_RULE = "Of X = A^-1 B, the error G comes back to B as A^-T G, in {}."
CHOLESKY_RULE = (
    "Of A = L L^T, dL = L F(L^-1 dA L^-T), with F the lower triangle and half of its diagonal, in {}; each entry of "
    "A below the diagonal stands for two."
)


# operation and argument -> wrong rules (code, rule, how it is said), and the right one
RULES: dict[tuple[str, int], tuple[tuple[tuple[str, Rule, str], ...], str]] = {
    ("inverse", 0): (
        (
            ("matrix-transposed", lambda n, g: -n.value @ g @ n.value, "with -Y G Y in place of -Y^T G Y^T for {}"),
            ("factor-missing", lambda n, g: -transposed(n.value) @ g, "with one inverse in place of two for {}"),
            ("factor-missing", lambda n, g: -g @ transposed(n.value), "with one inverse in place of two for {}"),
            ("matrix-entries", lambda n, g: -g / n.arguments[0] ** 2, "with -1 / a^2 entry by entry for {}"),
            ("matrix-missing", lambda n, g: g, "without the derivative of the inverse in {}"),
        ),
        INVERSE_RULE,
    ),
    ("determinant", 0): (
        (
            ("factor-missing", _by_entries(lambda n: transposed(_inverse(n))),
             "with A^-T, the derivative of log |det A|, for {}"),
            ("matrix-transposed", _by_entries(lambda n: n.value[..., None, None] * _inverse(n)),
             "with A^-1 in place of its transpose for {}"),
            ("matrix-missing", _by_entries(lambda n: n.value[..., None, None] * np.ones_like(n.arguments[0])),
             "without the factor A^-T of the derivative of {}"),
            ("matrix-diagonal", _by_entries(lambda n: n.value[..., None, None] * _diagonal(_inverse(n))),
             "with the diagonal of A^-T alone for {}"),
            ("matrix-entries", _by_entries(lambda n: n.value[..., None, None] / n.arguments[0]),
             "with 1 / a entry by entry in place of A^-T for {}"),
        ),
        DETERMINANT_RULE,
    ),
    ("log-determinant", 0): (
        (
            ("matrix-transposed", _by_entries(_inverse), "with A^-1 in place of its transpose for {}"),
            ("factor-twice", _by_entries(lambda n: np.linalg.det(n.arguments[0])[..., None, None]
                                         * transposed(_inverse(n))),
             "with the derivative of det A in place of that of its logarithm for {}"),
            ("matrix-missing", _by_entries(lambda n: np.ones_like(n.arguments[0])
                                           / np.linalg.det(n.arguments[0])[..., None, None]),
             "with 1 / det A, the derivative of the determinant left out, for {}"),
            ("matrix-diagonal", _by_entries(lambda n: _diagonal(_inverse(n))),
             "with the diagonal of A^-T alone for {}"),
            ("matrix-entries", _by_entries(lambda n: 1.0 / n.arguments[0]),
             "with 1 / a entry by entry in place of A^-T for {}"),
            ("matrix-missing", _by_entries(lambda n: n.arguments[0]), "with A in place of A^-T for {}"),
        ),
        LOGARITHM_RULE,
    ),
    ("solve", 0): (
        (
            ("matrix-transposed", _of_system(lambda a, g, b, x: -np.linalg.solve(a, g) @ transposed(x)),
             "with A^-1 in place of A^-T for the matrix of {}"),
            ("chain-transposed", _of_system(lambda a, g, b, x: -x @ transposed(np.linalg.solve(transposed(a), g))),
             "with -X (A^-T G)^T in place of -(A^-T G) X^T for the matrix of {}"),
            ("factor-missing", _of_system(lambda a, g, b, x: -g @ transposed(x)),
             "without A^-T, with -G X^T, for the matrix of {}"),
            ("factor-missing", _of_system(
                lambda a, g, b, x: -np.linalg.solve(transposed(a), g) @ np.ones_like(transposed(x))),
             "without the factor X^T for the matrix of {}"),
            ("operand-other", _of_system(lambda a, g, b, x: -np.linalg.solve(transposed(a), g) @ transposed(b)),
             "with the right-hand side in place of the solution for the matrix of {}"),
        ),
        MATRIX_RULE,
    ),
    ("solve", 1): (
        (
            ("matrix-transposed", lambda n, g: np.linalg.solve(n.arguments[0], g),
             "with A^-1 in place of A^-T for the right-hand side of {}"),
            ("matrix-missing", lambda n, g: g, "without A^-T for the right-hand side of {}"),
            ("matrix-inverse", lambda n, g: transposed(n.arguments[0]) @ g,
             "with A^T in place of A^-T for the right-hand side of {}"),
        ),
        RIGHT_SIDE_RULE,
    ),
    ("cholesky", 0): (
        (
            ("matrix-diagonal", lambda n, g: mirrored(pulled_from_factor(g, n.value, np.tril)),
             "with the diagonal of the triangle not halved for {}"),
            ("not-summed", lambda n, g: np.tril(pulled_from_factor(g, n.value, halved_triangle)),
             "with the entries above the diagonal not added to those below it for {}"),
            ("matrix-triangle", lambda n, g: mirrored(pulled_from_factor(g, n.value, lambda part: part)),
             "without taking the lower triangle for {}"),
            ("matrix-missing", lambda n, g: np.tril(g), "without the derivative of the factorisation in {}"),
        ),
        CHOLESKY_RULE,
    ),
}  # fmt: skip
