"""The duality gap of least squares with the penalty ``l1 |w|_1 + l2 |w|^2 / 2``."""

from dataclasses import dataclass

import numpy as np

from steepest.typing import Array


@dataclass(frozen=True)
class Dual:
    """A dual point ``shrink * residual`` and what it proves.

    Attributes
    ----------
    value : float
        Lower bound on the optimal objective.
    shrink : float
        The factor that made the residual feasible.
    """

    value: float
    shrink: float


def primal_value(r_r: float, w: Array, l1: float, l2: float) -> float:
    """Return ``|r|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2`` for ``r_r = |r|^2``."""
    return 0.5 * (r_r + l2 * float(w @ w)) + l1 * float(np.abs(w).sum())


def shrunk_dual(correlation: Array, w: Array, r_r: float, r_y: float, l1: float, l2: float, positive: bool) -> Dual:
    """Return the bound from the shrunk residual of the extended design (form A of :func:`duality_gap`)."""
    if l1 == 0.0:
        return Dual(0.0, 0.0)
    shifted = correlation - l2 * w if l2 else correlation
    largest = float(np.max(shifted if positive else np.abs(shifted), initial=0.0))
    shrink = 1.0 if largest <= l1 else l1 / largest
    return Dual(shrink * r_y - 0.5 * shrink * shrink * (r_r + l2 * float(w @ w)), shrink)


def duality_gap(
    correlation: Array, w: Array, r_r: float, r_y: float, l1: float, l2: float, positive: bool, mass: float = 1.0
) -> float:
    r"""Return an upper bound on ``J(w) - min J`` for ``J(w) = |y - Z w|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2``.

    Parameters
    ----------
    correlation : array (k,)
        ``Z^T r`` with the residual ``r = y - Z w``.
    w : array (k,)
        The coefficients.
    r_r, r_y : float
        ``|r|^2`` and ``r.y``.
    l1, l2 : float
        The penalty.
    positive : bool
        Whether w >= 0 is asked.
    mass : float, default 1.0
        Only for ``l1 = l2 = 0``, where no bound is known and ``mass |Z^T r|^2`` is returned.

    Notes
    -----
    Shapes: Z (n, k), w (k,), r, y, v (n,).

    For every v, with the conjugates of ``|y - z|^2 / 2`` (as a function of z) and of the penalty P, Fenchel gives::

        J(w) >= D(v) = y.v - |v|^2 / 2 - P*(Z^T v)        equality at the optimum for v = r

    *Form B, l2 > 0.* ``P*(c) = sum_j max(|c_j| - l1, 0)^2 / (2 l2)`` is finite everywhere, so v = r will do.

    *Form A, l1 > 0.* Write the ridge term as data: J is the lasso with Z, y and r extended by k rows,
    ``Z' = (Z; sqrt(l2) I)``, ``y' = (y; 0)``, ``r' = (r; -sqrt(l2) w)``. The lasso's P* is 0 where
    ``|z'_j.v| <= l1`` for all j and infinite elsewhere. ``Z'^T r' = Z^T r - l2 w``, so with
    ``t = min(1, l1 / max_j |z'_j.r'|)`` the point t r' is allowed and ``D = t y.r - t^2 (|r|^2 + l2 |w|^2) / 2``.

    Both are valid and so is the larger. With ``positive`` the penalty is infinite for w < 0; then only
    ``max(c_j - l1, 0)`` counts in P*, that is, ``|c_j|`` becomes ``c_j``.

    Sources: O. Fercoq, A. Gramfort, J. Salmon, Mind the duality gap: safer rules for the lasso, ICML 2015 (form A);
    C. Duenner, S. Forte, M. Takac, M. Jaggi, Primal-dual rates and certificates, ICML 2016, 5.2 (form B).

    Examples
    --------
    >>> import numpy as np
    >>> y, w = np.array([3.0, 0.5]), np.array([2.0, 0.0])      # Z is the identity: w is y, soft-thresholded at 1
    >>> r = y - w
    >>> float(duality_gap(r, w, r @ r, r @ y, l1=1.0, l2=0.0, positive=False))
    0.0
    """
    if l1 == 0.0 and l2 == 0.0:
        return mass * float(correlation @ correlation)
    dual = shrunk_dual(correlation, w, r_r, r_y, l1, l2, positive).value
    if l2 > 0.0:
        excess = np.maximum((correlation if positive else np.abs(correlation)) - l1, 0.0)
        dual = max(dual, r_y - 0.5 * r_r - float(excess @ excess) / (2.0 * l2))
    return max(primal_value(r_r, w, l1, l2) - dual, 0.0)
