"""Gap-safe screening: columns proved to have coefficient zero at the optimum."""

import numpy as np

from steepest.typing import Array, IntArray


def gap_safe(
    columns: IntArray,
    products: Array,
    squared_norms: Array,
    gap: float,
    l1: float,
    l2: float,
    positive: bool,
) -> IntArray:
    r"""Return those of ``columns`` that may be non-zero at the optimum.

    Parameters
    ----------
    columns : int array (m,)
        Columns not ruled out so far.
    products : array (m,)
        ``z'_j.v`` for a feasible dual point v of the extended lasso: form A of
        :func:`~steepest.solvers.duality.duality_gap`.
    squared_norms : array (m,)
        ``|z_j|^2``.
    gap : float
        Duality gap between any w and that v.
    l1, l2 : float
        The penalty.
    positive : bool
        Whether w >= 0 is asked.

    Notes
    -----
    ``D(v) = |y'|^2 / 2 - |y' - v|^2 / 2`` is strongly concave with constant 1, and the best v* maximises it over a
    convex set, so ``D(v) <= D(v*) - |v - v*|^2 / 2``. As ``D(v*) = min J <= J(w)``::

        |v - v*|^2 <= 2 (J(w) - D(v)) = 2 gap

    v* lies in a ball about v, hence ``|z'_j.v*| <= |z'_j.v| + |z'_j| sqrt(2 gap)`` with ``|z'_j|^2 = |z_j|^2 + l2``.
    Where the right side is below l1, so is the left, and then the optimality condition
    ``z'_j.v* = l1 sign(w*_j)`` of a non-zero coefficient cannot hold: w*_j = 0.
    With ``positive``, ``z'_j.v* = l1`` is needed, and the same without absolute values.

    Source: E. Ndiaye, O. Fercoq, A. Gramfort, J. Salmon, Gap safe screening rules for sparsity enforcing penalties,
    JMLR 18 (2017), eq. 11.

    Examples
    --------
    >>> import numpy as np
    >>> gap_safe(np.array([4, 7]), np.array([0.95, -0.2]), np.ones(2), gap=0.02, l1=1.0, l2=0.0, positive=False)
    array([4])
    """
    radius = np.sqrt(2.0 * gap) * (1.0 + 1e-10)
    size = products if positive else np.abs(products)
    kept: IntArray = columns[size + radius * np.sqrt(squared_norms + l2) >= l1 * (1.0 - 1e-12)]
    return kept
