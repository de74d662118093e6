"""Newton's step on the support, least squares with known signs: the reference of the kernel that does it."""

import numpy as np

from steepest.kernels.support_newton import DAMPING
from steepest.typing import Array


def quadratic_value(c: Array, correlation: Array, w: Array, l1: float | Array, l2: float) -> float:
    """Return ``J(w) - |y|^2 / 2``, that is ``-w.(c + Z^T r) / 2 + l1 |w|_1 + l2 |w|^2 / 2`` with ``c = Z^T y``."""
    return float(0.5 * (l2 * (w @ w) - w @ (c + correlation)) + np.sum(l1 * np.abs(w)))


def newton_candidates(gram: Array, c: Array, w: Array, l1: float | Array, l2: float) -> list[tuple[Array, Array]]:
    r"""Return candidates ``(w, Z^T r)`` better than ``w`` if its signs are right, the boldest first; maybe none.

    Parameters
    ----------
    gram : array (k, k)
        ``Z^T Z``.
    c : array (k,)
        ``Z^T y``.
    w : array (k,)
        Where to start.
    l1, l2 : float
        The penalty; ``l1`` may differ between coefficients.

    Notes
    -----
    Where no coefficient changes sign, ``|w|_1 = s.w`` is linear and J is a quadratic of the non-zero coefficients S::

        J(w) = |y|^2 / 2 - c_S.w_S + w_S.G_SS w_S / 2 + l1 s.w_S + l2 |w_S|^2 / 2
        dJ/dw_S = -c_S + G_SS w_S + l1 s + l2 w_S = 0      =>      w_S = (G_SS + l2 I)^-1 (c_S - l1 s)

    Newton's step lands on this minimiser at once; if all signs survive and the columns outside S satisfy their
    conditions, it is the solution up to rounding. If not, J falls along the way at least until the first
    coefficient reaches zero, which is the second, cautious candidate; the bold one puts every coefficient that would
    change sign at zero. Who asks compares the objectives. Where G_SS is singular,
    a small multiple of the identity is added: the step ``(G_SS + l2 I + e I)^-1 (-dJ/dw_S)`` still points downhill, and
    it runs mostly along the directions that leave the residual alone, until a coefficient is zero and the support
    has become smaller.

    Source: H. Lee, A. Battle, R. Raina, A. Ng, Efficient sparse coding algorithms, NIPS 2006 (feature-sign search);
    here its signs come from coordinate descent, and only two points of its line search are tried. Steps follow each
    other while they help, as long as they are cheap (:func:`~steepest.kernels.coordinate_descent.rounds_on_gram`).
    """
    support = np.flatnonzero(w)
    if not len(support):
        return []
    old, signs = w[support], np.sign(w[support])
    inner = gram[np.ix_(support, support)] + l2 * np.eye(len(support))
    if np.linalg.matrix_rank(inner, hermitian=True) < len(support):
        inner += DAMPING * gram[support, support].max() * np.eye(len(support))
    weights = np.broadcast_to(l1, w.shape)[support]
    slope = (c - gram @ w)[support] - weights * signs - l2 * old
    new = old + np.linalg.solve(inner, slope)
    crosses = (new * signs < 0) & (weights > 0)
    points = [np.where(crosses, 0.0, new)]
    if np.any(crosses):
        reach = old[crosses] / (old[crosses] - new[crosses])
        cautious = old + float(reach.min()) * (new - old)
        cautious[np.flatnonzero(crosses)[np.argmin(reach)]] = 0.0
        points.append(cautious)
    candidates: list[tuple[Array, Array]] = []
    for point in points:
        whole = np.zeros_like(w)
        whole[support] = point
        candidates.append((whole, c - gram @ whole))
    return candidates
