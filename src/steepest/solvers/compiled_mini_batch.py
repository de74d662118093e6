"""Mini-batch gradient descent on a stack of dense layers, compiled: many updates between two steps."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np

from steepest.kernels import update_rules as kernel_rules
from steepest.kernels.blas import one_blas_thread
from steepest.kernels.dense_stack import train
from steepest.solvers.loop import Steps
from steepest.solvers.mini_batch import part_norms
from steepest.solvers.plateau import Plateau
from steepest.solvers.protocols import Objective
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.stopping import Reason
from steepest.solvers.updates import Adam, AdamW, Clipped, Momentum, Nesterov, Plain, Update
from steepest.step import Step
from steepest.typing import Array, IntArray

Orders = Callable[[int], IntArray]
SEVERAL_THREADS_FROM = 50_000_000  # multiplications of a product from which a second thread of BLAS surely pays


def compiled_rule(update: Update) -> tuple[int, list[float]] | None:
    """Return the kernel's number of an update rule and its constants after the rate; None if it has no twin.

    Examples
    --------
    >>> compiled_rule(Clipped(Momentum(0.5), 2.0))
    (1, [0.5, 0.0, 0.0, 0.0, 0.0, 2.0])
    """
    if isinstance(update, Clipped):
        inner = compiled_rule(update.rule)
        return None if inner is None else (inner[0], [*inner[1][:-1], update.max_norm])
    if isinstance(update, Plain):
        return kernel_rules.PLAIN, [0.0] * 6
    if isinstance(update, Momentum | Nesterov):
        rule = kernel_rules.MOMENTUM if isinstance(update, Momentum) else kernel_rules.NESTEROV
        return rule, [update.beta, 0.0, 0.0, 0.0, 0.0, 0.0]
    if isinstance(update, AdamW):
        return kernel_rules.ADAM, [update.beta1, update.beta2, update.epsilon, update.weight_decay, 0.0, 0.0]
    if isinstance(update, Adam) and not update.amsgrad:
        flag = float(update.uncorrected_epsilon)
        return kernel_rules.ADAM, [update.beta1, update.beta2, update.epsilon, 0.0, flag, 0.0]
    return None


@dataclass
class Memory:
    """What training remembers from one run to the next.

    Attributes
    ----------
    state : array (2, n_parameters)
        The update rule's.
    n_updates : int
        Updates made.
    rate : float
        The learning rate of the last pass.
    values : list of float
        The value of every pass.
    """

    state: Array
    n_updates: int = 0
    rate: float = nan
    values: list[float] = field(default_factory=list)


def compiled_mini_batch_descent(
    objective: Objective,
    prepared: tuple[Any, Any],
    theta: Array,
    *,
    learning_rate: float | Schedule | Stateful,
    batch_size: int,
    update: Update,
    generator: np.random.Generator | None = None,
    shuffle: bool = True,
    orders: Orders | None = None,
    stride: int = 1,
    max_iter: int | None = None,
    memory: Memory | None = None,
    plateau: Plateau | None = None,
    rate_in_velocity: bool = False,
    parts: Mapping[str, slice] | None = None,
    start: bool = True,
) -> Steps:
    """Do as :func:`~steepest.solvers.mini_batch.mini_batch_descent` does, whole passes in one compiled call.

    Parameters
    ----------
    objective : Objective
        What to minimise.
    prepared : (Data, Stack)
        The same objective as the kernel takes it.
    theta, learning_rate, batch_size, update, generator, shuffle, plateau, parts
        As there; the update rule must have a compiled twin.
    orders : callable, optional
        ``orders(k)`` gives the orders of the rows in the next k passes, (k, n_rows); otherwise they come from the
        generator.
    stride : int, default 1
        Passes between two steps. What depends on each pass (a schedule that looks at values, a score) makes it 1.
    max_iter : int, optional
        Passes in all, so that the last step does not go beyond.
    memory : Memory, optional
        Where an earlier run ended; it is written to.
    rate_in_velocity : bool, default False
        Let the velocity of momentum sum steps, not gradients: when the rate changes, past steps keep their length.
    start : bool, default True
        Compute the objective at the start; otherwise the first step says NaN.

    Notes
    -----
    The value of a step is the objective's mean over the pass's batches, each taken just before its update: it comes
    for free, where the whole objective at the end would cost a further pass. At the start it is the whole objective's.

    With the rate in the velocity, u_t = beta u_{t-1} - h_t g_t is the step. In the kernel's terms u = -h v, so a new
    rate h' asks for v' = v h / h'.
    """
    data, stack = prepared
    compiled = compiled_rule(update)
    if compiled is None:
        raise TypeError(f"{update!r} has no compiled twin")
    rule, constants = compiled
    memory = Memory(np.zeros((2, theta.size), theta.dtype)) if memory is None else memory
    plateau = Plateau() if plateau is None else plateau
    theta, gradient = theta.copy(), np.zeros_like(theta)
    rate_of, n_rows = open_rate(learning_rate), len(data.X)
    depends = isinstance(learning_rate, Stateful) or plateau.score is not None or plateau.reduction != 1.0
    stride = 1 if depends or (rate_in_velocity and callable(learning_rate)) else stride
    counts = plateau.counts if plateau.score is None else Plateau().counts  # scores are counted instead of values
    orders = orders_of(n_rows, batch_size, generator if shuffle else None) if orders is None else orders
    sizes = stack.sizes
    largest = min(batch_size, n_rows) * int(np.max(sizes[1:] * sizes[:-1]))
    threads = one_blas_thread if largest < SEVERAL_THREADS_FROM else nullcontext
    value = objective.value(theta) if start else nan
    yield Step(0, theta.copy(), value)
    epoch = 0
    while True:
        n_passes = stride if max_iter is None else max(1, min(stride, max_iter - epoch))
        rates = plateau.factor * np.array([rate_of(epoch + p + 1, value) for p in range(n_passes)])
        if rate_in_velocity and memory.rate > 0:
            memory.state[0] *= memory.rate / rates[0]
        values, before = np.empty(n_passes), theta.copy()
        settings = np.array([rates[0], *constants])
        with threads():
            made = train(
                theta, gradient, orders(n_passes), batch_size, data, stack, rule, settings, rates, memory.state,
                memory.n_updates + 1, values, counts,
            )  # fmt: skip
        epoch += made
        memory.n_updates += made * -(-n_rows // batch_size)
        memory.rate, value = float(rates[made - 1]), float(values[made - 1])
        memory.values += values[:made].tolist()
        way = theta - before
        ended = plateau.ends(theta, value, memory.rate, counted=True)
        yield Step(
            epoch,
            theta.copy(),
            value,
            float(np.linalg.norm(gradient)),
            step_size=memory.rate,
            step_norm=float(np.linalg.norm(way)),
            notes=part_norms(gradient, way, parts),
        )
        if ended:
            return Reason.PATIENCE


def orders_of(n_rows: int, batch_size: int, generator: np.random.Generator | None) -> Orders:
    """Return the orders of the rows as a function of how many passes are to be made; one batch needs but one order."""
    if generator is None or batch_size >= n_rows:
        rows = np.arange(n_rows)[None]
        return lambda n_passes: rows
    return lambda n_passes: np.array([generator.permutation(n_rows) for _ in range(n_passes)])
