"""Mini-batch gradient descent on a stack of dense layers, compiled: many updates between two steps."""

from collections.abc import Callable, Mapping
from math import nan
from typing import Any

import numpy as np

from steepest.kernels import update_rules as kernel_rules
from steepest.kernels.blas import length, one_blas_thread
from steepest.kernels.dense_plan import Rule
from steepest.kernels.dense_stack import train
from steepest.kernels.procedures import Procedure
from steepest.kernels.scratch import LINE, aligned
from steepest.solvers.loop import Steps
from steepest.solvers.memory import Memory
from steepest.solvers.mini_batch import part_norms
from steepest.solvers.plateau import Plateau
from steepest.solvers.protocols import Objective
from steepest.solvers.schedules import Schedule, Stateful, open_rate
from steepest.solvers.stopping import Reason
from steepest.solvers.updates import Adagrad, Adam, AdamW, Clipped, Momentum, Nesterov, Plain, RMSprop, Update
from steepest.step import Step
from steepest.typing import Array, IntArray

Orders = Callable[[int], IntArray]


def compiled_rule(update: Update) -> tuple[Procedure, list[float]] | None:
    """Return the compiled form of an update rule and its constants after the rate; None if it has no twin.

    Examples
    --------
    >>> compiled_rule(Clipped(Momentum(0.5), 2.0))[1]
    [0.5, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0]
    """
    if isinstance(update, Clipped):
        inner = compiled_rule(update.rule)
        return None if inner is None else (inner[0], [*inner[1][:-1], update.max_norm])
    if isinstance(update, Plain):
        return kernel_rules.plain, [0.0] * 8
    if isinstance(update, Momentum | Nesterov):
        shares = [0.0, 1.0] if isinstance(update, Momentum) else [1.0, update.beta]
        return kernel_rules.velocity, [update.beta, *shares, 0.0, 0.0, 0.0, 0.0, 0.0]
    scaled = _scaled(update)
    return None if scaled is None else (kernel_rules.scaled, [*scaled, 0.0])


def _scaled(update: Update) -> list[float] | None:
    """Return the constants of a rule that divides by a root: beta1, beta2, c, epsilon, decay, and two flags."""
    if isinstance(update, Adam):
        decay = update.weight_decay if isinstance(update, AdamW) else 0.0
        flags = [1.0 + update.uncorrected_epsilon, float(update.amsgrad)]
        return [update.beta1, update.beta2, 1.0 - update.beta2, update.epsilon, decay, *flags]
    if isinstance(update, RMSprop) and not update.centered:
        return [0.0, update.decay, 1.0 - update.decay, update.epsilon, 0.0, 0.0, 0.0]
    if isinstance(update, Adagrad):
        return [0.0, 1.0, 1.0, update.epsilon, 0.0, 0.0, 0.0]
    return None


def initial_memory(update: Update, theta: Array) -> Array:
    """Return the kernel's state of a rule before its first update: one row each for means of g, of g^2, the largest.

    Each row begins with a line of the cache, and is therefore a little longer than ``theta``.

    Examples
    --------
    >>> initial_memory(Adagrad(initial=2.0), np.zeros(3))[:, :3]
    array([[0., 0., 0.],
           [2., 2., 2.]])
    """
    rule = update.rule if isinstance(update, Clipped) else update
    n_rows, line = 3 if isinstance(rule, Adam) and rule.amsgrad else 2, LINE // theta.itemsize
    memory = aligned(n_rows * -(-theta.size // line) * line, theta.dtype).reshape(n_rows, -1)
    memory[...] = 0.0
    if isinstance(rule, Adagrad):
        memory[1] = rule.initial
    return memory


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
    procedure, constants = compiled
    memory = Memory(initial_memory(update, theta)) if memory is None else memory
    plateau = Plateau() if plateau is None else plateau
    theta, gradient = _in_line(theta), _in_line(np.zeros_like(theta))
    rate_of, n_rows = open_rate(learning_rate), len(data.X)
    depends = isinstance(learning_rate, Stateful) or plateau.score is not None or plateau.reduction != 1.0
    stride = 1 if depends or (rate_in_velocity and callable(learning_rate)) else stride
    counts = plateau.counts if plateau.score is None else Plateau().counts  # scores are counted instead of values
    orders = orders_of(n_rows, batch_size, generator if shuffle else None) if orders is None else orders
    rule = Rule(procedure.address(theta.dtype), np.array(constants), memory.state)
    value = nan
    if start:
        with one_blas_thread():  # several would wait for more work on the cores that the steps need
            value = objective.value(theta)
    yield Step(0, theta.copy(), value)
    epoch = 0
    while True:
        n_passes = stride if max_iter is None else max(1, min(stride, max_iter - epoch))
        rates = plateau.factor * np.array([rate_of(epoch + p + 1, value) for p in range(n_passes)])
        if rate_in_velocity and memory.rate > 0:
            memory.state[0] *= memory.rate / rates[0]
        values, before = np.empty(n_passes), theta.copy()
        made = train(
            theta, gradient, orders(n_passes), batch_size, data, stack, rule, rates, memory.n_updates + 1, values,
            counts,
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
            length(gradient),
            step_size=memory.rate,
            step_norm=length(way),
            notes=part_norms(gradient, way, parts) | plateau.notes(),
        )
        if ended:
            return Reason.PATIENCE


def _in_line(values: Array) -> Array:
    """Return a copy that begins with a line of the cache: updates then run two to three times as fast."""
    copied = aligned(values.size, values.dtype)
    copied[...] = values
    return copied


def orders_of(n_rows: int, batch_size: int, generator: np.random.Generator | None) -> Orders:
    """Return the orders of the rows as a function of how many passes are to be made; one batch needs but one order."""
    if generator is None or batch_size >= n_rows:
        rows = np.arange(n_rows)[None]
        return lambda n_passes: rows
    return lambda n_passes: np.array([generator.permutation(n_rows) for _ in range(n_passes)])
