"""Training steps of a stack of dense layers, compiled, in one thread or several.

Twin of ``objectives.network.NetworkObjective`` (value and gradient of one batch) followed by an update rule, for
networks of dense layers with an elementwise activation after each.

Each step has phases, in each of which every task is done once, by whichever thread: that does not matter to the
result. What a phase holds depends on how the work is cut (see ``kernels.dense_plan``)::

              by rows                                            by units
    FORWARD   forward and back: rows of the batch                forward, all rows: some of the units
    BACKWARD  gradients and updates: rows of W                   back, gradients, updates: the same units
    UPDATES   where gradients are clipped: updates, as the length of the whole gradient must be known
    END       of a pass over the rows: its value

By units, a task may begin the next step when it is through with its own part of this one.
"""

import numpy as np

from steepest.kernels.compile import borrowing, inlined
from steepest.kernels.crew import await_all, claim, finish, open_words
from steepest.kernels.dense_passes import add_scores, backward, forward, write_gradients
from steepest.kernels.dense_plan import LOSS, PENALTY, Data, Rule, Stack, share
from steepest.kernels.dense_updates import complete_gradient, copy_blocks, update_own
from steepest.kernels.threads import map_blocks, n_threads
from steepest.kernels.update_rules import N_CONSTANTS, NONE
from steepest.typing import Array, IntArray

FORWARD, BACKWARD, UPDATES, END = range(4)


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
    start, stop, scores = 0, n, stack.scores_at + t % 2 * stack.n_tasks * stack.scores
    if not stack.by_units:
        start, stop, scores = share(n, task, stack.n_tasks), share(n, task + 1, stack.n_tasks), stack.slopes_at[0, -1]
    if phase == FORWARD:
        own = scores + task * stack.scores
        forward(theta, order, begin, start, stop, task, data, stack, own)
    if phase == (BACKWARD if stack.by_units else FORWARD):
        if stack.by_units:
            add_scores(n, task, stack, scores)
        value = backward(theta, order, begin, start, stop, task, data, stack, factor)
        notes[task, LOSS] = 0.0 if stack.by_units and task > 0 else value
        if stack.by_units or stack.other.size > 0:
            apart = not stack.by_units and task > 0
            write_gradients(stack.other if apart else gradient, start, stop, task, 0, 1, stack)
    if phase == BACKWARD:
        if not stack.by_units and stack.other.size == 0:
            write_gradients(gradient, 0, n, task, task, stack.n_tasks, stack)
        complete_gradient(theta, gradient, task, stack, l2, rule, notes)
    if phase == UPDATES or (phase == BACKWARD and rule.constants[-1] == 0):
        update_own(theta, gradient, task, stack, rule, rate, t, notes)


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
                if not (stack.by_units and kind == (UPDATES if clipped else BACKWARD) and begin + n < n_rows):
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
    if not stack.by_units:
        return _train(theta, gradient, orders, batch_size, data, stack, rule, rates, t, values, plateau)
    memory = rule.memory if rule.family != NONE else rule.memory[:0]
    flat, own = [theta, gradient, *memory], stack.own[: 2 + len(memory)]
    for array, copied in zip(flat, own, strict=True):
        copy_blocks(array, copied, stack.blocks, True)
    rule = Rule(rule.family, rule.constants, own[2:])
    made = _train(own[0], own[1], orders, batch_size, data, stack, rule, rates, t, values, plateau)
    for array, copied in zip(flat, own, strict=True):
        copy_blocks(array, copied, stack.blocks, False)
    return made


def _train(
    theta: Array, gradient: Array, orders: IntArray, batch_size: int, data: Data, stack: Stack, rule: Rule,
    rates: Array, t: int, values: Array, plateau: Array,
) -> int:  # fmt: skip
    """Do as :func:`train` does with parameters that lie as the tasks have them."""
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
