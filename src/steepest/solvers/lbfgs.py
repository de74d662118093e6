"""L-BFGS: Newton's direction, guessed from the last few steps."""

from collections import deque
from collections.abc import Callable

import numpy as np

from steepest.kernels.blas import length
from steepest.solvers.backtracking import step_between
from steepest.solvers.line_search import Point, why_none, wolfe
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective
from steepest.solvers.stopping import Reason
from steepest.step import Step
from steepest.typing import Array

Pair = tuple[Array, Array, float]  # s, y, 1 / <s, y>


def lbfgs(objective: Objective, theta: Array, *, memory: int = 10) -> Steps:
    r"""Step along an estimate of Newton's direction that costs no Hessian.

    Parameters
    ----------
    objective : Objective
        What to minimise; it should be smooth.
    theta : array (n_parameters,)
        The start.
    memory : int, default 10
        Steps remembered.

    Notes
    -----
    A step s = theta_{t+1} - theta_t changes the gradient by y = H s, H being the Hessian averaged along it. An estimate
    B of H^-1 should therefore satisfy B y = s. BFGS is the smallest change of B that makes it so and leaves it
    symmetric::

        B' = V^T B V + rho s s^T,    V = I - rho y s^T,    rho = 1 / <s, y>
        check: V y = y - rho y <s, y> = 0, so B' y = rho s <s, y> = s

    and B' stays positive definite iff <s, y> > 0, which the line search sees to. L-BFGS keeps no matrix, only the last
    ``memory`` pairs (s, y), and unrolls the recursion from B_0 = gamma I each time. As gamma it takes
    <s, y> / <y, y> of the newest pair, an inverse curvature along the last step.

    Source: J. Nocedal and S. J. Wright, Numerical optimization, 2nd edition (2006), algorithms 7.4 and 7.5. The line
    search is :func:`~steepest.solvers.line_search.wolfe`. If no step is found the pairs are forgotten, once, before
    giving up. Where no pair is known, as on a slope that never ends, the search begins with the last step's length.
    """
    here, index = Point.at(objective, theta), 0
    pairs: deque[Pair] = deque(maxlen=memory)
    reach = 0.0
    yield Step(0, here.theta, here.value, here.norm)
    while True:
        if here.norm == 0.0:
            return Reason.GRADIENT_TOLERANCE
        direction = two_loop(pairs, here.gradient)
        first = 1.0 if pairs else max(min(1.0, 1.0 / here.norm), reach / here.norm)
        found = wolfe(objective, here, direction, first)
        if found is None:
            if not pairs:
                return why_none(here, direction, first)
            pairs.clear()
            continue
        index += 1
        there, accepted = found
        remember(pairs, here, there)
        reach = length(there.theta - here.theta)
        yield step_between(index, here, there, accepted)
        here = there


def two_loop(pairs: "deque[Pair]", gradient: Array, initial: Callable[[Array], Array] | None = None) -> Array:
    r"""Return ``-B g`` by unrolling the BFGS recursion over the pairs, oldest first in ``pairs``.

    ``initial`` is B_0; without it, B_0 = gamma I.

    Notes
    -----
    ``B' g = V^T B (V g) + rho s <s, g>``: going from the newest pair to the oldest, a = rho <s, q> and
    q <- V q = q - a y; then r = gamma q; going back, r <- V^T r + a s = r + (a - rho <y, r>) s.

    Examples
    --------
    >>> s, y = np.array([1.0, 0.0]), np.array([4.0, 0.0])  # curvature 4 along the first axis
    >>> two_loop(deque([(s, y, 1 / 4.0)]), np.array([4.0, 4.0]))
    array([-1., -1.])
    """
    q, shares = gradient, []
    for s, y, rho in reversed(pairs):
        a = rho * float(s @ q)
        q = q - a * y
        shares.append(a)
    if initial is not None:
        q = initial(q)
    elif pairs:
        s, y, rho = pairs[-1]
        q = q / (rho * float(y @ y))
    for (s, y, rho), a in zip(pairs, reversed(shares), strict=True):
        q = q + (a - rho * float(y @ q)) * s
    return -q


def remember(pairs: "deque[Pair]", here: Point, there: Point) -> None:
    """Keep the step if the curvature along it is safely positive."""
    s, y = there.theta - here.theta, there.gradient - here.gradient
    product = float(s @ y)
    if product > np.finfo(y.dtype).eps * float(y @ y):
        pairs.append((s, y, 1.0 / product))
