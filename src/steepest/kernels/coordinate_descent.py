"""Compiled epochs of coordinate descent for least squares with the penalty ``l1 |w|_1 + l2 |w|^2 / 2``.

Three forms of one update, for data at hand as a Gram matrix, as dense columns, or as sparse columns. The mathematics
is in :mod:`steepest.solvers.coordinate_descent` and :mod:`steepest.solvers.duality`.
"""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, compiled
from steepest.kernels.room import matrix, vector
from steepest.kernels.support_newton import SMALL, count_in, newton_step, newton_steps

LOOK, ROUNDS, POLISH = 0, 1, 2  # what may be asked for on a Gram matrix
POLISHING_ROUNDS = 8
BETWEEN = 2  # epochs on all columns between two stays on the support
PATIENCE = 16  # steps after which they are repeated on a support of any size, as where all columns may take part


@borrowing
def soft_threshold(z: Any, l1: Any, positive: Any) -> Any:
    """Return ``sign(z) max(|z| - l1, 0)``, or ``max(z - l1, 0)``; reference: ``L1.prox`` with step 1."""
    if z > l1:
        return z - l1
    if z < -l1 and not positive:
        return z + l1
    return 0.0


@borrowing
def gap_on_gram(correlation: Any, c: Any, w: Any, squared_y: Any, l1: Any, l2: Any, positive: Any, mass: Any) -> Any:
    """Return the duality gap; reference: ``steepest.solvers.duality.duality_gap``.

    ``correlation = Z^T r`` and ``c = Z^T y`` give ``|r|^2 = |y|^2 - w.(c + Z^T r)`` and ``r.y = |y|^2 - w.c``.
    """
    w_c, w_correlation, w_w, w_abs, largest, squares, excess = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(len(w)):
        w_j, v_j = w[j], correlation[j]
        w_c += w_j * c[j]
        w_correlation += w_j * v_j
        w_w += w_j * w_j
        w_abs += abs(w_j)
        squares += v_j * v_j
        size = v_j if positive else abs(v_j)
        above = max(size - l1, 0.0)
        excess += above * above
        shifted = v_j - l2 * w_j
        largest = max(largest, shifted if positive else abs(shifted))
    if l1 == 0.0 and l2 == 0.0:
        return mass * squares
    r_r = max(squared_y - w_c - w_correlation, 0.0)
    r_y = squared_y - w_c
    primal = 0.5 * (r_r + l2 * w_w) + l1 * w_abs
    dual = 0.0
    if l1 > 0.0:
        shrink = 1.0 if largest <= l1 else l1 / largest
        dual = shrink * r_y - 0.5 * shrink * shrink * (r_r + l2 * w_w)
    if l2 > 0.0:
        dual = max(dual, r_y - 0.5 * r_r - excess / (2.0 * l2))
    return max(primal - dual, 0.0)


@compiled
def look_on_gram(
    gram: Any, c: Any, w: Any, squared_y: Any, l1: Any, l2: Any, positive: Any, mass: Any, seen: Any
) -> None:
    """Write the objective and the duality gap at ``w`` to ``seen``.

    References: ``steepest.solvers.duality.primal_value`` and ``duality_gap``.
    """
    correlation = vector(len(c), c)
    for j in range(len(c)):
        correlation[j] = c[j]
    for j in range(len(w)):
        if w[j] != 0.0:
            row = gram[j]
            for k in range(len(row)):
                correlation[k] -= w[j] * row[k]
    r_r, rest = squared_y, 0.0
    for j in range(len(w)):
        r_r -= w[j] * (c[j] + correlation[j])
        rest += 0.5 * l2 * w[j] * w[j] + l1 * abs(w[j])
    seen[0] = 0.5 * max(r_r, 0.0) + rest
    seen[1] = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, mass)


@borrowing
def epoch_on_gram(gram: Any, correlation: Any, w: Any, l1: Any, l2: Any, positive: Any, order: Any) -> None:
    """Update every coordinate once, in place; reference: ``steepest.solvers.coordinate_descent.epoch``.

    A coordinate that does not change costs O(1); one that does costs one axpy with a row of the Gram matrix.
    """
    for j in order:
        curvature = gram[j, j]
        if curvature == 0.0:
            change = -w[j]  # a column of zeros: the penalty, or the start of no choice, puts it at zero
        else:
            change = soft_threshold(correlation[j] + curvature * w[j], l1, positive) / (curvature + l2) - w[j]
        if change != 0.0:
            w[j] += change
            row = gram[j]
            for k in range(len(row)):
                correlation[k] -= change * row[k]


@compiled
def epochs_on_support(
    gram: Any, correlation: Any, w: Any, l1: Any, l2: Any, positive: Any, support: Any, orders: Any, n_epochs: Any
) -> None:
    """Do epochs on the coordinates of ``support`` alone, in place; reference: ``epoch`` on those columns.

    Their part of the Gram matrix is copied together, so that an epoch costs ``|support|^2``; the correlations of all
    columns are brought up to date once, at the end.
    """
    k = len(support)
    part = matrix(k, k, np.float64)
    for a in range(k):
        row = gram[support[a]]
        for b in range(k):
            part[a, b] = row[support[b]]
    inside, moved = vector(k, np.float64), vector(k, np.float64)
    for a in range(k):
        inside[a], moved[a] = correlation[support[a]], w[support[a]]
    for t in range(n_epochs):
        epoch_on_gram(part, inside, moved, l1, l2, positive, orders[t % len(orders)])
    for a in range(k):
        change = moved[a] - w[support[a]]
        if change != 0.0:
            row = gram[support[a]]
            for j in range(len(correlation)):
                correlation[j] -= change * row[j]
            w[support[a]] = moved[a]


@compiled
def rounds_on_gram(
    gram: Any, c: Any, squared_y: Any, l1: Any, l2: Any, positive: Any, tolerance: Any, max_epochs: Any, mass: Any,
    widest: Any, n_first: Any, w: Any, correlation: Any, orders: Any, seen: Any,
) -> Any:  # fmt: skip
    """Lower the duality gap by rounds: epochs on all columns, more on the support, and Newton's steps there.

    It ends at the gap ``tolerance``, after ``max_epochs``, or when Newton's step, tried on supports of at most
    ``widest`` columns, does not help. Returns as how many epochs on all columns the updates count; writes the gap, and
    how many of Newton's steps were taken, to ``seen``. The first round has ``n_first`` epochs on all columns.
    References: those of the parts.
    """
    done, n_epochs, steps, weights = 0, n_first, 0, vector(len(w), w)
    for j in range(len(w)):
        weights[j] = l1
    while True:
        gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, mass)
        for _ in range(n_epochs):
            if gap > tolerance and done < max_epochs:
                epoch_on_gram(gram, correlation, w, l1, l2, positive, orders[done % len(orders)])
                gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, mass)
                done += 1
        seen[0], seen[1] = gap, steps
        if gap <= tolerance or done >= max_epochs:
            return done
        n_epochs = BETWEEN
        done += _epochs_on_present_support(
            gram, correlation, w, l1, l2, positive, orders[done % len(orders)], max_epochs - done - 1
        )
        if count_in(w) > widest:
            return done
        patient = steps < PATIENCE and widest < len(w)
        taken = newton_steps(gram, c, correlation, w, weights, l2, SMALL if patient else len(w))
        if taken == 0:
            return done
        steps += taken


@compiled
def _epochs_on_present_support(
    gram: Any, correlation: Any, w: Any, l1: Any, l2: Any, positive: Any, order: Any, at_most: Any
) -> Any:
    """Do as many epochs on the non-zero coefficients as cost about a factorisation; return what they count as."""
    size = count_in(w)
    n_epochs = min(max(5, min(100, size // 6)), at_most)
    if n_epochs <= 0 or size == 0:
        return 0
    support, inside = vector(size, np.int64), matrix(1, size, np.int64)
    a = 0
    for j in order:
        if w[j] != 0.0:
            support[a], inside[0, a] = j, a
            a += 1
    epochs_on_support(gram, correlation, w, l1, l2, positive, support, inside, n_epochs)
    return -(-n_epochs * size // len(w))


@compiled
def polish_on_gram(
    gram: Any, c: Any, correlation: Any, w: Any, squared_y: Any, l1: Any, l2: Any, positive: Any, order: Any, gap: Any
) -> Any:
    """Alternate Newton's step on the support with an epoch until the gap is a millionth of ``gap``; return the gap.

    A few rounds at most: mostly the first is exact. Reference: ``newton_candidates`` and ``epoch`` in turn.
    """
    goal, weights = max(1e-6 * gap, 1e-15 * squared_y), vector(len(w), w)
    for j in range(len(w)):
        weights[j] = l1
    for _ in range(POLISHING_ROUNDS):
        if not newton_step(gram, c, correlation, w, weights, l2, 1e-15 * squared_y):
            break
        gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, 1.0)
        if gap <= goal:
            break
        epoch_on_gram(gram, correlation, w, l1, l2, positive, order)
        gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, 1.0)
    return gap


@compiled
def on_gram(
    task: Any, gram: Any, c: Any, squared_y: Any, l1: Any, l2: Any, positive: Any, tolerance: Any, max_epochs: Any,
    mass: Any, widest: Any, n_first: Any, w: Any, correlation: Any, orders: Any, seen: Any,
) -> Any:  # fmt: skip
    """Do what the task says: look, do rounds, or polish, with ``tolerance`` as the gap; return the epochs done.

    It is one kernel as all of them have most parts in common, which are compiled once.
    """
    if task == LOOK:
        look_on_gram(gram, c, w, squared_y, l1, l2, positive, mass, seen)
        return 0
    if task == POLISH:
        polish_on_gram(gram, c, correlation, w, squared_y, l1, l2, positive, orders[0], tolerance)
        return 0
    return rounds_on_gram(
        gram, c, squared_y, l1, l2, positive, tolerance, max_epochs, mass, widest, n_first, w, correlation, orders, seen
    )


@compiled
def path_on_gram(
    gram: Any,
    c: Any,
    squared_y: Any,
    penalties: Any,
    positive: Any,
    tolerance: Any,
    mass: Any,
    w: Any,
    correlation: Any,
    orders: Any,
    max_epochs: Any,
    polish: Any,
    coefficients: Any,
    gaps: Any,
    epochs: Any,
) -> Any:
    """Solve for one pair (l1, l2) of ``penalties`` after the other, each from the solution before.

    Writes into ``w``, ``correlation`` (the newest state) and a row of ``coefficients``, ``gaps``, ``epochs`` for each
    pair. Returns how many pairs reached ``tolerance``; it stops at the first that does not within ``max_epochs``.
    With ``polish``, each solution is made exact by Newton's step on its support.
    Epoch t takes its coordinates in the order of row t of ``orders``, taken cyclically.
    Reference: ``epoch`` in a loop until ``duality_gap`` is small (``steepest.solvers``).
    """
    n_penalties = len(penalties)
    for i in range(n_penalties):
        l1, l2 = penalties[i, 0], penalties[i, 1]
        gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, mass)
        done = 0
        while gap > tolerance and done < max_epochs:
            epoch_on_gram(gram, correlation, w, l1, l2, positive, orders[done % len(orders)])
            done += 1
            gap = gap_on_gram(correlation, c, w, squared_y, l1, l2, positive, mass)
        if polish and done > 0 and gap <= tolerance and l1 + l2 > 0.0:
            gap = polish_on_gram(gram, c, correlation, w, squared_y, l1, l2, positive, orders[0], tolerance)
        for j in range(len(w)):
            coefficients[i, j] = w[j]
        gaps[i] = gap
        epochs[i] += done
        if not gap <= tolerance:
            return i
    return n_penalties


@borrowing
def epoch_on_columns(
    Z: Any, squared_norms: Any, residual: Any, w: Any, l1: Any, l2: Any, positive: Any, order: Any
) -> None:
    """Update every coordinate once, in place; ``Z`` (k, n) holds a column of the design in each row.

    Reference: ``steepest.solvers.coordinate_descent.epoch``.
    """
    for j in order:
        curvature = squared_norms[j]
        column = Z[j]
        if curvature == 0.0:
            w[j] = 0.0
            continue
        correlation = 0.0
        for i in range(len(column)):
            correlation += column[i] * residual[i]
        change = soft_threshold(correlation + curvature * w[j], l1, positive) / (curvature + l2) - w[j]
        if change != 0.0:
            w[j] += change
            for i in range(len(column)):
                residual[i] -= change * column[i]


@borrowing
def epoch_on_sparse_columns(
    data: Any,
    indices: Any,
    indptr: Any,
    offsets: Any,
    mass: Any,
    squared_norms: Any,
    residual: Any,
    w: Any,
    l1: Any,
    l2: Any,
    positive: Any,
    order: Any,
) -> Any:
    """Update every coordinate once, in place, for columns ``z_j = x_j - offsets_j root`` with ``x_j`` sparse.

    Here ``root.root = mass`` and ``root.x_j = mass offsets_j``, so that ``root.z_j = 0``. Moving coordinate j by ``a``
    takes ``a x_j`` from the residual, entry by entry, and adds ``a offsets_j root``, which is kept as one number t: the
    true residual is ``residual + t root``. As it is orthogonal to root, ``z_j.(residual + t root) = x_j.residual +
    t mass offsets_j``. Returns t, to be added by the caller. Reference: ``steepest.solvers.coordinate_descent.epoch``.
    """
    t = 0.0
    for j in order:
        curvature = squared_norms[j]
        if curvature == 0.0:
            w[j] = 0.0
            continue
        correlation = t * mass * offsets[j]
        for p in range(indptr[j], indptr[j + 1]):
            correlation += data[p] * residual[indices[p]]
        change = soft_threshold(correlation + curvature * w[j], l1, positive) / (curvature + l2) - w[j]
        if change != 0.0:
            w[j] += change
            t += change * offsets[j]
            for p in range(indptr[j], indptr[j + 1]):
                residual[indices[p]] -= change * data[p]
    return t
