"""Compiled Newton's step on the support of a lasso."""

from typing import Any

import numpy as np

from steepest.kernels.cholesky import cholesky_solve
from steepest.kernels.compile import compiled

DAMPING = 1e-10  # of the largest diagonal entry, added where the columns of the support are dependent


@compiled
def gram_part(gram: Any, support: Any, l2: Any) -> Any:
    """Return ``gram[support][:, support] + l2 I``; only the lower triangle is filled."""
    k = len(support)
    part = np.empty((k, k))
    for a in range(k):
        row = gram[support[a]]
        for b in range(a + 1):
            part[a, b] = row[support[b]]
        part[a, a] += l2
    return part


@compiled
def correlation_at(gram: Any, c: Any, support: Any, values: Any) -> Any:
    """Return ``c - gram[:, support] @ values``, row by row of the symmetric ``gram``."""
    out = c.copy()
    for a in range(len(support)):
        value = values[a]
        if value != 0.0:
            row = gram[support[a]]
            for k in range(len(out)):
                out[k] -= value * row[k]
    return out


@compiled
def value_on_gram(c: Any, correlation: Any, w: Any, l1: Any, l2: Any) -> Any:
    """Return ``J(w) - |y|^2 / 2``; reference: ``steepest.solvers.support_newton.quadratic_value``."""
    value = 0.0
    for j in range(len(w)):
        value += 0.5 * w[j] * (l2 * w[j] - c[j] - correlation[j]) + l1 * abs(w[j])
    return value


@compiled
def newton_step(gram: Any, c: Any, correlation: Any, w: Any, l1: Any, l2: Any, slack: Any) -> Any:
    """Move ``w`` and ``correlation``, in place, to the best point of Newton's step; return whether that is lower.

    A rise by at most ``slack`` is let pass: close to the optimum the objective is flat up to rounding.
    Reference: ``steepest.solvers.support_newton.newton_candidates``.
    """
    support = np.flatnonzero(w)
    size = len(support)
    if size == 0:
        return False
    # loops rather than array expressions, which take seconds more to compile
    old, step, new = np.empty(size), np.empty(size), np.empty(size)
    for a in range(size):
        old[a] = w[support[a]]
    undamped = _solve(gram, correlation, old, support, l1, l2, 0.0, step)
    if not undamped and not _solve(gram, correlation, old, support, l1, l2, DAMPING, step):
        return False
    reach, crossing = 1.0, -1
    for a in range(size):
        new[a] = old[a] + step[a]
        if new[a] * old[a] < 0.0 and old[a] / (old[a] - new[a]) < reach:
            reach, crossing = old[a] / (old[a] - new[a]), a
    point = np.empty(size)
    for a in range(size):
        point[a] = 0.0 if new[a] * old[a] < 0.0 else new[a]
    improved = _take_if_lower(gram, c, correlation, w, l1, l2, support, point, slack)
    if crossing >= 0:
        for a in range(size):
            point[a] = 0.0 if a == crossing else old[a] + reach * (new[a] - old[a])
        level = 4e-16 * abs(
            value_on_gram(c, correlation, w, l1, l2)
        )  # what crosses at once hardly lowers the objective
        improved = _take_if_lower(gram, c, correlation, w, l1, l2, support, point, level) or improved
    return improved


@compiled
def _solve(gram: Any, correlation: Any, old: Any, support: Any, l1: Any, l2: Any, damping: Any, step: Any) -> Any:
    """Write Newton's step from ``old``; False if the matrix, damped, is not positive definite."""
    ridge = 0.0
    for a in range(len(support)):
        ridge = max(ridge, damping * gram[support[a], support[a]])
        step[a] = correlation[support[a]] - (l1 if old[a] > 0.0 else -l1) - l2 * old[a]
    return cholesky_solve(gram_part(gram, support, l2 + ridge), step)


@compiled
def _take_if_lower(
    gram: Any, c: Any, correlation: Any, w: Any, l1: Any, l2: Any, support: Any, values: Any, slack: Any
) -> Any:
    point = np.zeros(len(w))
    for a in range(len(support)):
        point[support[a]] = values[a]
    image = correlation_at(gram, c, support, values)
    if not value_on_gram(c, image, point, l1, l2) < value_on_gram(c, correlation, w, l1, l2) + slack:
        return False
    for j in range(len(w)):
        w[j] = point[j]
        correlation[j] = image[j]
    return True
