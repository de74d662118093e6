"""Compiled Newton's steps on the support of a quadratic with an L1 penalty, such as a lasso.

``l1`` holds the penalty's weight for every coordinate, 0 for one that is not penalised.
"""

from typing import Any

import numpy as np

from steepest.kernels.cholesky import cholesky_solve
from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.room import matrix, vector

SMALL = 48  # columns of a support on which several steps cost no more than the epochs that they may spare
DAMPING = 1e-10  # of the largest diagonal entry, added where the columns of the support are dependent


@borrowing
def count_in(w: Any) -> Any:
    """Return how many entries of ``w`` are not zero."""
    # here and below loops rather than array functions, which take up to half a second each to compile
    count = 0
    for j in range(len(w)):
        count += w[j] != 0.0
    return count


@compiled
def gram_part(gram: Any, support: Any, l2: Any) -> Any:
    """Return ``gram[support][:, support] + l2 I``; only the lower triangle is filled."""
    k = len(support)
    part = matrix(k, k, np.float64)
    for a in range(k):
        row = gram[support[a]]
        for b in range(a + 1):
            part[a, b] = row[support[b]]
        part[a, a] += l2
    return part


@compiled
def correlation_at(gram: Any, c: Any, support: Any, values: Any) -> Any:
    """Return ``c - gram[:, support] @ values``, row by row of the symmetric ``gram``."""
    out = vector(len(c), c)
    for k in range(len(c)):
        out[k] = c[k]
    for a in range(len(support)):
        value = values[a]
        if value != 0.0:
            row = gram[support[a]]
            for k in range(len(out)):
                out[k] -= value * row[k]
    return out


@borrowing
def value_on_gram(c: Any, correlation: Any, w: Any, l1: Any, l2: Any) -> Any:
    """Return ``J(w) - |y|^2 / 2``; reference: ``steepest.solvers.support_newton.quadratic_value``."""
    value = 0.0
    for j in range(len(w)):
        value += 0.5 * w[j] * (l2 * w[j] - c[j] - correlation[j]) + l1[j] * abs(w[j])
    return value


@compiled
def newton_step(gram: Any, c: Any, correlation: Any, w: Any, l1: Any, l2: Any, slack: Any) -> Any:
    """Move ``w`` and ``correlation``, in place, to the best point of Newton's step; return whether that is lower.

    A rise by at most ``slack`` is let pass: close to the optimum the objective is flat up to rounding.
    Reference: ``steepest.solvers.support_newton.newton_candidates``.
    """
    size = count_in(w)
    if size == 0:
        return False
    support, old, step, new = vector(size, np.int64), vector(size, w), vector(size, w), vector(size, w)
    a = 0
    for j in range(len(w)):
        if w[j] != 0.0:
            support[a], old[a] = j, w[j]
            a += 1
    undamped = _solve(gram, correlation, old, support, l1, l2, 0.0, step)
    if not undamped and not _solve(gram, correlation, old, support, l1, l2, DAMPING, step):
        return False
    reach, crossing = 1.0, -1
    for a in range(size):
        new[a] = old[a] + step[a]
        if _crosses(old[a], new[a], l1[support[a]]) and old[a] / (old[a] - new[a]) < reach:
            reach, crossing = old[a] / (old[a] - new[a]), a
    point = vector(size, w)
    for a in range(size):
        point[a] = 0.0 if _crosses(old[a], new[a], l1[support[a]]) else new[a]
    improved = _take_if_lower(gram, c, correlation, w, l1, l2, support, point, slack)
    if crossing >= 0:
        for a in range(size):
            point[a] = 0.0 if a == crossing else old[a] + reach * (new[a] - old[a])
        level = 4e-16 * abs(
            value_on_gram(c, correlation, w, l1, l2)
        )  # what crosses at once hardly lowers the objective
        improved = _take_if_lower(gram, c, correlation, w, l1, l2, support, point, level) or improved
    return improved


@borrowing
def _crosses(old: Any, new: Any, l1: Any) -> Any:
    """Return whether a penalised coefficient changes its sign."""
    return l1 > 0.0 and new * old < 0.0


@compiled
def newton_steps(gram: Any, c: Any, correlation: Any, w: Any, l1: Any, l2: Any, small: Any) -> Any:
    """Take Newton's step on the support and, where that has at most ``small`` columns, more; return how many helped.

    A step that ends where a coefficient becomes zero leaves a smaller support, on which the next goes on, down to the
    least value that these signs allow; epochs in between would take the coefficient in again.
    """
    taken = 0
    for _ in range(count_in(w)):
        if taken > 0 and count_in(w) > small:
            break
        if not newton_step(gram, c, correlation, w, l1, l2, 0.0):
            break
        taken += 1
    return taken


@compiled
def _solve(gram: Any, correlation: Any, old: Any, support: Any, l1: Any, l2: Any, damping: Any, step: Any) -> Any:
    """Write Newton's step from ``old``; False if the matrix, damped, is not positive definite."""
    ridge = 0.0
    for a in range(len(support)):
        ridge = max(ridge, damping * gram[support[a], support[a]])
        weight = l1[support[a]]
        step[a] = correlation[support[a]] - (weight if old[a] > 0.0 else -weight) - l2 * old[a]
    return cholesky_solve(gram_part(gram, support, l2 + ridge), step)


@compiled
def _take_if_lower(
    gram: Any, c: Any, correlation: Any, w: Any, l1: Any, l2: Any, support: Any, values: Any, slack: Any
) -> Any:
    point = vector(len(w), w)
    for j in range(len(w)):
        point[j] = 0.0
    for a in range(len(support)):
        point[support[a]] = values[a]
    image = correlation_at(gram, c, support, values)
    if not value_on_gram(c, image, point, l1, l2) < value_on_gram(c, correlation, w, l1, l2) + slack:
        return False
    for j in range(len(w)):
        w[j] = point[j]
        correlation[j] = image[j]
    return True
