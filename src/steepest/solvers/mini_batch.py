"""Stochastic and mini-batch gradient descent, in its readable form."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from math import nan

import numpy as np

from steepest.kernels.blas import length, lengths, one_blas_thread
from steepest.solvers.loop import Steps
from steepest.solvers.memory import Memory
from steepest.solvers.plateau import Plateau
from steepest.solvers.protocols import FiniteSum
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.stopping import Reason
from steepest.solvers.updates import Plain, Update
from steepest.step import Step
from steepest.typing import Array, IntArray

LARGE_BATCH = 20_000_000  # rows times parameters: a second thread of BLAS then gains more than waiting for it costs


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
    whole_value: bool = True,
    memory: Memory | None = None,
    plateau: Plateau | None = None,
    parts: Mapping[str, slice] | None = None,
    start: bool = True,
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
    whole_value : bool, default True
        Compute the whole objective and its gradient after every pass. Otherwise the value of a step is the mean over
        the pass's batches, each taken just before its update, and the gradient is the last batch's: they come for free.
    memory : Memory, optional
        Where an earlier run ended; it is written to after every pass.
    plateau : Plateau, optional
        What ends the run when it brings nothing more.
    parts : mapping of str to slice, optional
        Parts of the parameters whose gradient and whose way are to be measured on their own, as notes of the step.
    start : bool, default True
        Compute the objective at the start, and its gradient with ``whole_value``; otherwise the first step says NaN.

    Notes
    -----
    For a batch B of the n rows, scaled by n / |B|, the gradient's expectation over random batches is the whole
    gradient::

        E[ (n / |B|) sum_{i in B} grad J_i ] = (n / |B|) (|B| / n) sum_i grad J_i = grad J

    so that an update goes, on average, where full gradient descent would go, at |B| / n of the cost. Its variance does
    not vanish at the minimum: at a fixed rate the iterates keep moving around it in a cloud whose size shrinks with the
    rate; a falling rate lets them settle.

    Source: H. Robbins and S. Monro, A stochastic approximation method, Annals of Mathematical Statistics 22 (1951).
    """
    update = Plain() if update is None else update
    rate_of = open_rate(learning_rate)
    memory = Memory(update.start(theta)) if memory is None else memory
    state, n_updates = memory.state, memory.n_updates
    plateau = Plateau() if plateau is None else plateau
    threads = one_blas_thread if min(batch_size, objective.n_samples) * theta.size < LARGE_BATCH else nullcontext
    value, gradient = nan, np.full_like(theta, nan)
    if start and whole_value:
        value, gradient = objective.value_and_gradient(theta)
    elif start:
        value = objective.value(theta)
    yield Step(0, theta, value, length(gradient))
    epoch = 0
    while True:
        epoch += 1
        rate, before = plateau.factor * rate_of(epoch, value), theta
        seen: list[Array] = []
        total = 0.0
        for rows in batches(objective.n_samples, batch_size, generator if shuffle else None):
            n_updates += 1
            with threads():
                value, gradient = objective.batch(rows).value_and_gradient(theta)
            total += value * len(rows)
            delta, state = update.delta(theta, gradient, state, rate, n_updates)
            theta = theta + delta
            if watch:
                seen.append(theta)
        value = total / objective.n_samples
        memory.state, memory.n_updates, memory.rate = state, n_updates, rate
        memory.values.append(value)
        if whole_value:
            value, gradient = objective.value_and_gradient(theta)
        ended = plateau.ends(theta, value, rate)
        yield Step(
            epoch,
            theta,
            value,
            gradient_norm=length(gradient),
            step_size=rate,
            step_norm=length(theta - before),
            updates=np.stack(seen) if watch else None,
            notes=part_norms(gradient, theta - before, parts) | plateau.notes(),
        )
        if ended:
            return Reason.PATIENCE


def part_norms(gradient: Array, way: Array, parts: Mapping[str, slice] | None) -> dict[str, float]:
    """Return the lengths of the gradient and of the way come, part by part of the parameters, by name.

    Examples
    --------
    >>> part_norms(np.array([3.0, 4.0, 1.0]), np.array([0.0, 2.0, 5.0]), {"W1": slice(0, 2)})
    {'gradient_norm_W1': 5.0, 'step_norm_W1': 2.0}
    """
    named = {} if parts is None else parts
    found = iter(lengths(vector[span] for span in named.values() for vector in (gradient, way)))
    return {f"{of}_{name}": next(found) for name in named for of in ("gradient_norm", "step_norm")}


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
