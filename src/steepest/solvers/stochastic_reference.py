"""Stochastic gradient descent as it is read: the learning rates, and a pass derived and written in array code."""

from dataclasses import dataclass

import numpy as np

from steepest.losses import Loss
from steepest.typing import Array, IntArray


@dataclass(frozen=True)
class Rates:
    r"""Learning rate of update t = 1, 2, ...

    Parameters
    ----------
    schedule : {"constant", "optimal", "invscaling", "adaptive", "pa1", "pa2"}
        ``eta0``; ``1 / (alpha (t0 + t - 1))``; ``eta0 / t^power``; ``eta0``, divided by 5 when nothing improves any
        more; or the passive-aggressive step, in which ``eta0`` is the aggressiveness C.

    Notes
    -----
    "optimal" is Bottou's choice. ``1 / (alpha t)`` is optimal for a penalty of curvature alpha but starts far too
    fast; with W = alpha^(-1/4) as the typical size of a weight, t0 is set so that the first rate is
    ``W / max(1, l'(1, -W))``: one step then moves by about that size.

    Sources: L. Bottou, Stochastic Gradient Descent Tricks (2012), sections 5.1-5.2; K. Crammer et al., Online
    Passive-Aggressive Algorithms, JMLR 7 (2006), figure 1.
    """

    schedule: str = "optimal"
    eta0: float = 0.01
    power: float = 0.5
    alpha: float = 1e-4

    def offset(self, loss: Loss) -> float:
        """Return ``t0``."""
        if self.schedule != "optimal":
            return 0.0
        typical = self.alpha**-0.25
        slope = float(loss.gradient(np.array([1.0]), np.array([-typical]))[0])
        return float(max(1.0, slope) / (typical * self.alpha))


def reference_order(n: int, seed: int) -> IntArray:
    """Return the permutation of ``kernels.sgd.fisher_yates`` in plain integers."""
    order, state, mask = np.arange(n), seed or 1, 0xFFFFFFFF
    for i in range(n - 1):
        state ^= (state << 13) & mask
        state ^= state >> 17
        state ^= (state << 5) & mask
        j = i + (state & 0x7FFFFFFF) % (n - i)
        order[[i, j]] = order[[j, i]]
    return order


def reference_pass(
    X: Array,
    y: Array,
    weight: Array,
    loss: Loss,
    rates: Rates,
    theta: Array,
    *,
    l1: float,
    l2: float,
    batch_size: int = 1,
    average: int = 0,
) -> tuple[Array, Array]:
    r"""Return the parameters after one pass over the rows, and their running mean.

    Notes
    -----
    Shapes: X (n, d), theta (d + 1,): weights w, then the intercept b. The objective is
    ``mean_i s_i l(y_i, x_i^T w + b) + l1 |w|_1 + l2 |w|^2 / 2``. For a batch B of rows, by the chain rule with
    dz_i/dw = x_i and dz_i/db = 1, an unbiased estimate of its smooth part's gradient is::

        g_w = (1 / |B|) sum_{i in B} s_i l'(y_i, z_i) x_i + l2 w        g_b = (1 / |B|) sum_{i in B} s_i l'(y_i, z_i)

    and update t is w <- w - eta_t g_w, b <- b - eta_t g_b, that is::

        w <- (1 - eta_t l2) w - eta_t (1 / |B|) sum_i s_i l'_i x_i      shrink (never below 0), then add

    **Weight scale.** Shrinking touches every weight, adding only those in the row. With w = scale v::

        shrink:  scale <- (1 - eta l2) scale          O(1)
        add:     v <- v - (eta s_i l'_i / scale) x_i      as scale v must change by -eta s_i l'_i x_i

    and the squared norm follows from the same loop. The kernel folds the scale into v when it gets small.

    **Cumulative L1 penalty.** The subgradient step w_j <- w_j - eta l1 sign(w_j) never gives exact zeros. Instead let
    u = l1 sum_{s <= t} eta_s be what a weight could have been charged so far, and q_j what it was in fact charged
    (with its sign). After an update, w_j is charged the rest, but never beyond zero::

        w_j > 0:  w_j' = max(0, w_j - (u + q_j))
        w_j < 0:  w_j' = min(0, w_j + (u - q_j)),      q_j <- q_j + w_j' - w_j

    so a weight whose feature is absent may wait: u remembers. For dense rows nothing waits.

    **Averages.** From update m on, the mean of w_m ... w_t, wbar_t = wbar_{t-1} + (w_t - wbar_{t-1}) / (t - m + 1),
    converges faster than w_t itself. In O(row): keep wbar = (A + a v) / beta. With mu = 1 / (t - m + 1) the recursion
    asks for (1 - mu) wbar + mu scale v'. Dividing by it, beta' = beta / (1 - mu) and a' = a + mu beta' scale do that,
    if A is corrected by -a (v' - v) whenever v changes, which it does only in the row.

    Sources: L. Bottou, Stochastic Gradient Descent Tricks (2012), sections 5.1-5.3 (weight scale, averages);
    Y. Tsuruoka, J. Tsujii, S. Ananiadou, Stochastic Gradient Descent Training for L1-regularized Log-linear Models
    with Cumulative Penalty, ACL 2009, section 3.2; averaging is due to B. Polyak and A. Juditsky (1992).
    """
    w, b = theta[:-1].copy(), float(theta[-1])
    mean, mean_b = np.zeros_like(w), 0.0
    u, q = 0.0, np.zeros_like(w)
    offset = rates.offset(loss)
    for t, start in enumerate(range(0, len(y), batch_size), start=1):
        rows = slice(start, start + batch_size)
        eta = reference_rate(rates, offset, t)
        slopes = weight[rows] * loss.gradient(y[rows], X[rows] @ w + b)
        size = len(slopes)
        w = max(0.0, 1.0 - eta * l2) * w - eta * (X[rows].T @ slopes) / size
        b -= eta * slopes.sum() / size
        u += l1 * eta
        charged = np.where(w > 0, np.maximum(0, w - (u + q)), np.where(w < 0, np.minimum(0, w + (u - q)), w))
        q += charged - w
        w = charged
        if 0 < average <= t:
            mean += (w - mean) / (t - average + 1)
            mean_b += (b - mean_b) / (t - average + 1)
    return np.append(w, b), np.append(mean, mean_b)


def reference_rate(rates: Rates, offset: float, t: int) -> float:
    """Return the learning rate of update ``t``."""
    if rates.schedule == "optimal":
        return 1.0 / (rates.alpha * (offset + t - 1))
    return rates.eta0 / t**rates.power if rates.schedule == "invscaling" else rates.eta0
