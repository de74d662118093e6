"""Stochastic and mini-batch gradient descent, in its readable form."""

from collections.abc import Iterator

import numpy as np

from steepest.solvers.loop import Steps
from steepest.solvers.protocols import FiniteSum
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.updates import Plain, Update
from steepest.step import Step
from steepest.typing import Array, IntArray


def mini_batch_descent(
    objective: FiniteSum,
    theta: Array,
    *,
    learning_rate: float | Schedule | Stateful,
    batch_size: int,
    generator: np.random.Generator,
    update: Update | None = None,
    shuffle: bool = True,
    watch: bool = False,
) -> Steps:
    r"""Step against the gradient on a few rows at a time; one pass over all of them is one iteration.

    Parameters
    ----------
    objective : FiniteSum
        What to minimise, a sum over rows.
    theta : array (n_parameters,)
        The start.
    learning_rate : float or schedule
        The rate h, or a function of the number of the pass that gives it.
    batch_size : int
        Rows an update sees: 1 is stochastic gradient descent. The last batch of a pass may be smaller.
    generator : Generator
        Where the order of the rows comes from.
    update : Update, optional
        What a gradient does to the parameters; the plain step if not given.
    shuffle : bool, default True
        Put the rows into a new random order for every pass.
    watch : bool, default False
        Record the parameters after every update within a pass.

    Notes
    -----
    For a batch B of the n rows, scaled by n / |B|, the gradient's expectation over random batches is the whole
    gradient::

        E[ (n / |B|) sum_{i in B} grad J_i ] = (n / |B|) (|B| / n) sum_i grad J_i = grad J

    so that an update goes, on average, where full gradient descent would go, at |B| / n of the cost. Its variance does
    not vanish at the minimum: at a fixed rate the iterates keep moving around it in a cloud whose size shrinks with the
    rate; a falling rate lets them settle.

    The value of a step is the whole objective's, computed once a pass.

    Source: H. Robbins and S. Monro, A stochastic approximation method, Annals of Mathematical Statistics 22 (1951).
    """
    update = Plain() if update is None else update
    rate_of, state = open_rate(learning_rate), update.start(theta)
    value, gradient = objective.value_and_gradient(theta)
    yield Step(0, theta, value, float(np.linalg.norm(gradient)))
    epoch = n_updates = 0
    while True:
        epoch += 1
        rate, before = rate_of(epoch, value), theta
        seen: list[Array] = []
        for rows in batches(objective.n_samples, batch_size, generator if shuffle else None):
            n_updates += 1
            gradient = objective.batch(rows).gradient(theta)
            delta, state = update.delta(theta, gradient, state, rate, n_updates)
            theta = theta + delta
            if watch:
                seen.append(theta)
        value, gradient = objective.value_and_gradient(theta)
        yield Step(
            epoch,
            theta,
            value,
            gradient_norm=float(np.linalg.norm(gradient)),
            step_size=rate,
            step_norm=float(np.linalg.norm(theta - before)),
            updates=np.stack(seen) if watch else None,
        )


def batches(n_samples: int, batch_size: int, generator: np.random.Generator | None = None) -> Iterator[IntArray]:
    """Yield the row numbers of each batch of one pass, in random order if there is a generator.

    Examples
    --------
    >>> [rows.tolist() for rows in batches(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    order = np.arange(n_samples) if generator is None else generator.permutation(n_samples)
    for start in range(0, n_samples, batch_size):
        yield order[start : start + batch_size]
