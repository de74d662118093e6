"""Training steps of a stack of dense layers, compiled, in one thread or several.

Twin of ``objectives.network.NetworkObjective`` (value and gradient of one batch) followed by an update rule, for
networks of dense layers with an elementwise activation after each.

The parameters are one flat vector: for each layer W (inputs, outputs) in C order, then b. Rows of a batch go through
the network one by one, and rows of W get their gradients and updates one by one: so each step has two phases, first by
rows of the batch,

    H_0 = the samples,  Z_l = H_{l-1} W_l + b_l,  H_l = f_l(Z_l),  dZ_L from the loss,  dZ_l = (dZ_{l+1} W_{l+1}^T) f_l'

then, when all rows are through, by rows of W,

    dW_l = H_{l-1}^T dZ_l,  db_l = 1^T dZ_l,  update

each in as many tasks as ``Stack.n_tasks`` says. Where there are two and W is small beside a batch, each multiplies its
own rows of the batch already in the first phase, and the second adds both sums up: what one core has just written
reaches the other slowly, and so less of it has to. (Where gradients are clipped, updates are a phase of their own, as
the length of the whole gradient must be known.) Which thread does a task does not matter to the result.
"""

from typing import NamedTuple

import numpy as np

from steepest.kernels.activations import activate, pull_back
from steepest.kernels.compile import borrowing, inlined
from steepest.kernels.crew import await_all, claim, finish, open_words
from steepest.kernels.output_losses import value_and_slopes
from steepest.kernels.products import NEXT, ROWS, SAME, product, product_with_transpose
from steepest.kernels.threads import map_blocks, n_threads
from steepest.kernels.update_rules import N_CONSTANTS, NONE, update
from steepest.typing import Array, IntArray

LOSS, PENALTY, LENGTH = range(3)  # what a task notes of its batch: its shares of the value, and of |gradient|^2
ROWS_OF_BATCH, ROWS_OF_W, UPDATES, END = range(4)  # phases: the third where gradients are clipped, the last of a pass


class Stack(NamedTuple):
    """A network as the kernel sees it.

    Attributes
    ----------
    sizes : int array (n_layers + 1,)
        Numbers of units, from the input to the output.
    activations : int array (n_layers,)
        What follows each dense layer.
    settings : float array (n_layers, 4)
        The numbers of each activation.
    pitches : int array (n_layers + 1,)
        From one row of H_l, or dZ_l, to the next.
    values_at, slopes_at : int array (n_layers + 1,)
        Where H_l and dZ_l begin in ``work``; the last dZ takes the place of the scores, the first does not exist.
    panels_at, panel : int
        Where the tasks' panels (see ``kernels.products``) begin, and how long each is.
    work : array
        The buffer of all these.
    kept : array
        Where activations keep slopes, in the places of the values; empty if none does.
    fixed : array
        Zeros for the widest layer, and a one.
    n_tasks : int
        Of a phase.
    other : array (n_parameters,)
        Where the second of two tasks writes the gradient of its rows; empty if gradients are shared by rows of W.
    """

    sizes: IntArray
    activations: IntArray
    settings: Array
    pitches: IntArray
    values_at: IntArray
    slopes_at: IntArray
    panels_at: int
    panel: int
    work: Array
    kept: Array
    fixed: Array
    n_tasks: int
    other: Array


class Data(NamedTuple):
    """Rows with their targets (n, k) and weights (n,), or none, and how the loss is reduced.

    ``factor`` belongs to the sum over all rows; a batch takes ``factor n / |B|``, so that it stands for the whole, and
    is penalised by ``l2 |W|^2 / 2``. With ``own_mean`` each batch B is an objective of its own: with S = sum of its
    weights, the mean ``factor / S sum_B s_i l_i + l2 |W|^2 / (2 S)``.
    """

    X: Array
    targets: Array
    weights: Array
    loss: int
    factor: float
    l2: float
    own_mean: bool


class Rule(NamedTuple):
    """An update rule: its family, its constants, and its state."""

    family: int
    constants: Array
    memory: Array


@borrowing
def share(count: int, task: int, n_tasks: int) -> int:
    """Return where a task's share of ``count`` rows begins, between two tiles; the next task's share begins after it.

    Examples
    --------
    >>> [share(64, task, 2) for task in (0, 1, 2)]
    [0, 30, 64]
    """
    tiles = (count + ROWS - 1) // ROWS
    return min(count, task * tiles // n_tasks * ROWS)


@borrowing
def rows_task(
    theta: Array, order: IntArray, begin: int, n: int, task: int, data: Data, stack: Stack, factor: float
) -> float:
    """Take a task's rows of the batch ``order[begin : begin + n]`` forward and back; return their share of the value.

    Its other inputs are as in ``kernels.dense_stack``.
    """
    work, kept, X, last = stack.work, stack.kept, data.X, stack.activations.size
    start, stop = share(n, task, stack.n_tasks), share(n, task + 1, stack.n_tasks)
    rows, size, pitch = stop - start, stack.sizes[0], stack.pitches[0]
    if rows == 0:
        return 0.0
    for i in range(start, stop):
        row, at = order[begin + i], np.uintp(stack.values_at[0] + i * pitch)
        for j in range(np.uintp(size)):
            work[at + j] = X[row, j]
    b = SAME
    for layer in range(last):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        w, b = b, b + k * m
        at = stack.values_at[layer + 1] + start * pitch
        product(work, stack.values_at[layer] + start * before, before, NEXT, theta, w, m, theta, b, SAME, work, at,
                pitch, rows, m, k)  # fmt: skip
        activate(work, at, at + rows * pitch, stack.activations[layer], stack.settings[layer], kept)
        b += m
    pitch = stack.pitches[last]
    value = value_and_slopes(work, stack.slopes_at[last] + start * pitch, pitch, stack.sizes[last], data.targets,
                             data.weights, order, begin + start, begin + stop, data.loss, factor,
                             stack.panels_at + task * stack.panel)  # fmt: skip
    w = b
    for layer in range(last - 1, 0, -1):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        w -= (k + 1) * m
        at, values = stack.slopes_at[layer] + start * before, stack.values_at[layer] + start * before
        product_with_transpose(work, stack.slopes_at[layer + 1] + start * pitch, pitch, theta, w, m, stack.fixed, work,
                               at, before, rows, k, m, work, stack.panels_at + task * stack.panel)  # fmt: skip
        pull_back(work, at, work, values, values + rows * before, stack.activations[layer - 1],
                  stack.settings[layer - 1], kept)  # fmt: skip
    return value


@borrowing
def write_gradients(gradient: Array, start: int, n: int, part: int, n_parts: int, stack: Stack) -> None:
    """Write the gradients of ``n`` rows of the batch, from ``start`` on, in a part of the rows of each W."""
    work, fixed, w = stack.work, stack.fixed, SAME
    for layer in range(stack.activations.size):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        first, stop = share(k, part, n_parts), share(k, part + 1, n_parts)
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        values, slopes = stack.values_at[layer] + start * before + first, stack.slopes_at[layer + 1] + start * pitch
        product(work, values, NEXT, before, work, slopes, pitch, fixed, SAME, NEXT, gradient, w + first * m, m,
                stop - first, m, n)  # fmt: skip
        w += (k + 1) * m
        if part == n_parts - 1:
            product(fixed, fixed.size - 1, SAME, SAME, work, slopes, pitch, fixed, SAME, SAME, gradient, w - m, m,
                    NEXT, m, n)  # fmt: skip


@borrowing
def weights_task(
    theta: Array, gradient: Array, n: int, task: int, stack: Stack, l2: float, rule: Rule, notes: Array
) -> None:
    """Complete a task's part of the gradient of a batch of ``n`` rows; note its penalty and its length."""
    strength, other, limit = theta.dtype.type(l2), stack.other, rule.constants[-1]
    w, penalty, length = SAME, 0.0, 0.0
    if other.size == 0:
        write_gradients(gradient, 0, n, task, stack.n_tasks, stack)
    for layer in range(stack.activations.size if other.size > 0 or l2 > 0 or limit > 0 else 0):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        first, stop = w + share(k, task, stack.n_tasks) * m, w + share(k, task + 1, stack.n_tasks) * m
        w += (k + 1) * m
        end = w if task == stack.n_tasks - 1 else stop
        if other.size > 0:
            for i in range(np.uintp(first), np.uintp(end)):
                gradient[i] += other[i]
        if l2 > 0:
            for i in range(np.uintp(first), np.uintp(stop)):
                gradient[i] += strength * theta[i]
                penalty += theta[i] * theta[i]
        if limit > 0:
            for i in range(np.uintp(first), np.uintp(end)):
                length += gradient[i] * gradient[i]
    notes[task, PENALTY], notes[task, LENGTH] = 0.5 * l2 * penalty, length


@borrowing
def update_task(
    theta: Array, gradient: Array, task: int, stack: Stack, rule: Rule, rate: float, t: int, notes: Array
) -> None:
    """Update a task's parameters, by gradients clipped to a length if the rule says so; twin of ``Clipped``."""
    limit, squares, factor = rule.constants[-1], 0.0, 1.0
    if limit > 0:
        for other in range(stack.n_tasks):
            squares += notes[other, LENGTH]
        if squares > limit * limit:
            factor = limit / np.sqrt(squares)
    w, start, stop = 0, 0, 0
    for layer in range(stack.activations.size + 1):
        first, end = theta.size, theta.size
        if layer < stack.activations.size:
            k, m = stack.sizes[layer], stack.sizes[layer + 1]
            first, end = w + share(k, task, stack.n_tasks) * m, w + share(k, task + 1, stack.n_tasks) * m
            w += (k + 1) * m
            end = w if task == stack.n_tasks - 1 else end
        if first != stop or layer == stack.activations.size:  # parts that adjoin are updated together
            if factor < 1.0:
                for i in range(np.uintp(start), np.uintp(stop)):
                    gradient[i] *= theta.dtype.type(factor)
            update(theta, gradient, rule.memory, start, stop, rule.family, rule.constants, rate, t)
            start = first
        stop = end


@inlined
def end_task(n_rows: int, batch_size: int, p: int, notes: Array, values: Array, plateau: Array, made: IntArray) -> None:
    """Write the mean value of pass ``p``; write ``p + 1`` to ``made`` if it is the last."""
    total = 0.0
    for batch in range((n_rows + batch_size - 1) // batch_size):
        value = 0.0
        for task in range(notes.shape[1]):
            value += notes[batch, task, LOSS] + notes[batch, task, PENALTY]
        total += value * min(batch_size, n_rows - batch * batch_size)
    values[p] = total / n_rows
    plateau[1] = plateau[1] + 1 if values[p] > plateau[0] - plateau[2] else 0.0
    plateau[0] = min(plateau[0], values[p])
    if plateau[1] > plateau[3] or not np.isfinite(values[p]) or p + 1 == values.size:
        made[0] = p + 1


@inlined
def scales(order: IntArray, begin: int, n: int, data: Data) -> tuple[float, float]:
    """Return the factor of a batch's losses and the strength of its penalty; zeros where no sample has a weight."""
    if not data.own_mean:
        return data.factor * data.X.shape[0] / n, data.l2
    mass = float(n)
    if data.weights.size > 0:
        mass = 0.0
        for i in range(begin, begin + n):
            mass += data.weights[order[i]]
    return (data.factor / mass, data.l2 / mass) if mass > 0 else (0.0, 0.0)


@inlined
def do_task(
    theta: Array, gradient: Array, order: IntArray, begin: int, n: int, task: int, data: Data, stack: Stack,
    factor: float, l2: float, rule: Rule, rate: float, t: int, phase: int, notes: Array,
) -> None:  # fmt: skip
    """Do a task of one of a step's phases."""
    if phase == ROWS_OF_BATCH:
        notes[task, LOSS] = rows_task(theta, order, begin, n, task, data, stack, factor)
        if stack.other.size > 0:
            start = share(n, task, stack.n_tasks)
            rows = share(n, task + 1, stack.n_tasks) - start
            write_gradients(gradient if task == 0 else stack.other, start, rows, 0, 1, stack)
    elif phase == ROWS_OF_W:
        weights_task(theta, gradient, n, task, stack, l2, rule, notes)
    if phase == UPDATES or (phase == ROWS_OF_W and rule.constants[-1] == 0):
        update_task(theta, gradient, task, stack, rule, rate, t, notes)


@borrowing
def train_together(
    theta: Array, gradient: Array, orders: IntArray, batch_size: int, data: Data, stack: Stack, rule: Rule,
    rates: Array, t: int, values: Array, plateau: Array, notes: Array, words: IntArray, made: IntArray, mine: int,
) -> None:  # fmt: skip
    """Do what :func:`train` says, as one of its threads, which begins every phase with task ``mine``."""
    n_tasks, n_rows, phase = stack.n_tasks, orders.shape[1], 0
    clipped = rule.constants[-1] > 0
    for p in range(values.size):
        order = orders[p % orders.shape[0]]
        for batch in range((n_rows + batch_size - 1) // batch_size):
            begin, note = batch * batch_size, notes[batch]
            n = min(batch_size, n_rows - begin)
            factor, l2 = scales(order, begin, n, data)
            for kind in range(END + (begin + n == n_rows)):
                if kind == UPDATES and not clipped:
                    continue
                phase += 1
                for i in range(n_tasks):
                    task = (mine + i) % n_tasks
                    if not claim(words, task, phase):
                        continue
                    do_task(theta, gradient, order, begin, n, task, data, stack, factor, l2, rule, rates[p], t, kind,
                            note)  # fmt: skip
                    if kind == END and task == 0:
                        end_task(n_rows, batch_size, p, notes, values, plateau, made)
                    finish(words, task, phase)
                await_all(words, n_tasks, phase)
            t += 1
        if made[0] == p + 1:
            return


def train(
    theta: Array,
    gradient: Array,
    orders: IntArray,
    batch_size: int,
    data: Data,
    stack: Stack,
    rule: Rule,
    rates: Array,
    t: int,
    values: Array,
    plateau: Array,
) -> int:
    """Make passes over the rows, one update a batch, beginning with update t; return how many passes were made.

    Pass p goes through the rows in the order ``orders[p]``, or ``orders[0]`` if there is but one, at the learning rate
    ``rates[p]``, and writes the mean of the batches' objectives, by rows, to ``values[p]``. ``plateau`` holds the best
    value, the passes in a row that have not undercut it by ``plateau[2]``, that number, and how many such passes are
    allowed: more end the run.

    The last layer has the identity for its activation: the loss takes scores.
    """
    notes = np.zeros((-(-orders.shape[1] // batch_size), stack.n_tasks, 3))
    words, made = open_words(stack.n_tasks), np.zeros(1, dtype=np.int64)
    n_workers = min(n_threads(), stack.n_tasks)

    def work(worker: int, _: int) -> None:
        mine = worker * stack.n_tasks // n_workers
        train_together(theta, gradient, orders, batch_size, data, stack, rule, rates, t, values, plateau, notes, words,
                       made, mine)  # fmt: skip

    map_blocks(work, n_workers, 1)
    return int(made[0])


def value_and_gradient(theta: Array, rows: IntArray, data: Data, stack: Stack) -> tuple[float, Array]:
    """Return the objective on some rows and its gradient: a pass that changes nothing."""
    gradient, values, number = np.empty_like(theta), np.empty(1), theta.dtype
    rule = Rule(NONE, np.zeros(N_CONSTANTS), np.empty((2, 0), dtype=number))
    plateau = np.array([np.inf, 0.0, 0.0, np.inf])
    train(theta, gradient, rows[None], len(rows), data, stack, rule, np.zeros(1), 1, values, plateau)
    return float(values[0]), gradient
