"""Mini-batch gradient descent on a stack of dense layers, compiled: many updates between two steps."""

from typing import Any

import numpy as np

from steepest.kernels import update_rules as kernel_rules
from steepest.kernels.dense_stack import train
from steepest.solvers.loop import Steps
from steepest.solvers.protocols import Objective
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.updates import Adam, AdamW, Momentum, Nesterov, Plain, Update
from steepest.step import Step
from steepest.typing import Array


def compiled_rule(update: Update) -> tuple[int, list[float]] | None:
    """Return the kernel's number of an update rule and its constants after the rate; None if it has no twin."""
    if isinstance(update, Plain):
        return kernel_rules.PLAIN, [0.0, 0.0, 0.0, 0.0]
    if isinstance(update, Momentum | Nesterov):
        rule = kernel_rules.MOMENTUM if isinstance(update, Momentum) else kernel_rules.NESTEROV
        return rule, [update.beta, 0.0, 0.0, 0.0]
    if isinstance(update, AdamW) or (isinstance(update, Adam) and not update.amsgrad):
        decay = update.weight_decay if isinstance(update, AdamW) else 0.0
        return kernel_rules.ADAM, [update.beta1, update.beta2, update.epsilon, decay]
    return None


def compiled_mini_batch_descent(
    objective: Objective,
    prepared: tuple[Any, Any],
    theta: Array,
    *,
    learning_rate: float | Schedule | Stateful,
    batch_size: int,
    generator: np.random.Generator,
    update: Update,
    shuffle: bool = True,
) -> Steps:
    """Do as :func:`~steepest.solvers.mini_batch.mini_batch_descent` does, a whole pass in one compiled call.

    Parameters
    ----------
    objective : Objective
        What to minimise.
    prepared : (Data, Stack)
        The same objective as the kernel takes it.
    theta, learning_rate, batch_size, generator, update, shuffle
        As there; the update rule must have a compiled twin.

    Notes
    -----
    The value of a step is the objective's mean over the pass's batches, each taken just before its update: it comes
    for free, where the whole objective at the end would cost a further pass. At the start it is the whole objective's.
    """
    data, stack = prepared
    compiled = compiled_rule(update)
    if compiled is None:
        raise TypeError(f"{update!r} has no compiled twin")
    rule, constants = compiled
    theta = theta.copy()
    gradient, memory = np.zeros_like(theta), np.zeros((2, theta.size), theta.dtype)
    rate_of, n_updates = open_rate(learning_rate), 0
    value = objective.value(theta)
    yield Step(0, theta.copy(), value)
    epoch, n_samples = 0, len(data.X)
    while True:
        epoch += 1
        rate, before = rate_of(epoch, value), theta.copy()
        order = generator.permutation(n_samples) if shuffle else np.arange(n_samples)
        numbers = np.array([rate, *constants])
        value = train(theta, gradient, order, batch_size, data, stack, rule, numbers, memory, n_updates + 1)
        n_updates += -(-n_samples // batch_size)
        length = float(np.linalg.norm(theta - before))
        yield Step(epoch, theta.copy(), value, float(np.linalg.norm(gradient)), step_size=rate, step_norm=length)
