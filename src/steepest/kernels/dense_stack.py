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

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing, inlined
from steepest.kernels.crew import await_all, claim, finish, open_words
from steepest.kernels.dense_passes import add_scores, backward, forward, write_gradients
from steepest.kernels.dense_plan import LOSS, NUMBER, PENALTY, Data, Rule, Stack, share
from steepest.kernels.dense_updates import add_length, complete_gradient, copy_blocks, penalise, shrink, update_own
from steepest.kernels.threads import map_blocks, n_threads
from steepest.kernels.update_rules import N_CONSTANTS
from steepest.typing import Array, IntArray

FORWARD, BACKWARD, UPDATES, END = range(4)
N_NOTES = 3  # of a task and a batch


@borrowing
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


@borrowing
def scales(job: Any, weights: Array, order: IntArray, begin: int, n: int) -> tuple[float, float]:
    """Return the factor of a batch's losses and the strength of its penalty; zeros where no sample has a weight."""
    if job.own_mean == 0:
        return job.factor * job.n_samples / n, job.l2
    mass = float(n)
    if weights.size > 0:
        mass = 0.0
        for i in range(begin, begin + n):
            mass += weights[order[i]]
    return (job.factor / mass, job.l2 / mass) if mass > 0 else (0.0, 0.0)


@inlined
def do_task(
    job: Any, layers: Any, order: int, n: int, task: int, factor: float, l2: float, rate: float, t: int, phase: int,
    notes: Array, note: int,
) -> None:  # fmt: skip
    """Do a task of one of a step's phases; ``order`` and ``note`` are where the batch's rows and the notes are."""
    start, stop, scores, by_units = 0, n, layers[0, job.n_layers - 1].slopes, job.by_units != 0
    if by_units:
        scores = job.scores + t % 2 * job.n_tasks * job.itemsize * job.scores_size
    else:
        start, stop = share(n, task, job.n_tasks), share(n, task + 1, job.n_tasks)
    if phase == FORWARD:
        forward(job, layers, order, start, stop, task, scores + task * job.itemsize * job.scores_size)
    if phase == (BACKWARD if by_units else FORWARD):
        if by_units:
            add_scores(job, layers, n, task, scores)
        backward(job, layers, order, start, stop, task, factor, note)
        if by_units and task > 0:
            notes[task, LOSS] = 0.0
    apart = by_units or job.other != 0
    if phase == (FORWARD if apart and not by_units else BACKWARD):
        gradient = job.other if task > 0 and not by_units and apart else job.gradient
        first, end = (start, stop) if apart else (0, n)
        write_gradients(job, layers, gradient, first, end, task, 0 if apart else task, 1 if apart else job.n_tasks)
    if phase == BACKWARD:
        complete_gradient(job, layers, task, l2, notes, note)
    if job.update != 0 and phase == (UPDATES if job.limit > 0 else BACKWARD):
        update_own(job, layers, task, rate, t, notes)


@borrowing
def train_together(
    jobs: Any, layers: Any, orders: IntArray, orders_at: int, batch_size: int, weights: Array, rates: Array, t: int,
    values: Array, plateau: Array, notes: Array, notes_at: int, words: IntArray, made: IntArray, mine: int,
) -> None:  # fmt: skip
    """Do what :func:`train` says, as one of its threads, which begins every phase with task ``mine``."""
    job, n_rows, phase = jobs[0], orders.shape[1], 0
    n_tasks, clipped = job.n_tasks, job.limit > 0
    for p in range(values.size):
        which = p % orders.shape[0]
        for batch in range((n_rows + batch_size - 1) // batch_size):
            begin = batch * batch_size
            n = min(batch_size, n_rows - begin)
            factor, l2 = scales(job, weights, orders[which], begin, n)
            order = orders_at + NUMBER * (which * n_rows + begin)
            for kind in range(END + (begin + n == n_rows)):
                if kind == UPDATES and not clipped:
                    continue
                phase += 1
                for i in range(n_tasks):
                    task = (mine + i) % n_tasks
                    if not claim(words, task, phase):
                        continue
                    note = notes_at + NUMBER * N_NOTES * (batch * n_tasks + task)
                    do_task(job, layers, order, n, task, factor, l2, rates[p], t, kind, notes[batch], note)
                    if kind == END and task == 0:
                        end_task(n_rows, batch_size, p, notes, values, plateau, made)
                    finish(words, task, phase)
                goes_on = job.by_units != 0 and kind == (UPDATES if clipped else BACKWARD) and begin + n < n_rows
                if not goes_on:
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
    orders = np.ascontiguousarray(orders, dtype=np.int64)
    if len(stack.blocks) == 0:
        job = _job(data, stack, theta, gradient, rule)
        return _train(job, stack, data, orders, batch_size, rates, t, values, plateau)
    memory = rule.memory if rule.update != 0 else rule.memory[:0]
    flat, own = [theta, gradient, *memory], stack.own[: 2 + len(memory)]
    for array, copied in zip(flat, own, strict=True):
        copy_blocks(array, copied, stack.blocks, True)
    job = _job(data, stack, own[0], own[1], Rule(rule.update, rule.constants, own[2:]))
    made = _train(job, stack, data, orders, batch_size, rates, t, values, plateau)
    for array, copied in zip(flat, own, strict=True):
        copy_blocks(array, copied, stack.blocks, False)
    return made


def _job(data: Data, stack: Stack, theta: Array, gradient: Array, rule: Rule) -> Any:
    """Return the run as kernels see it."""
    jobs: Any = stack.job.copy()
    memory, dtype, limit = rule.memory, theta.dtype, rule.constants[-1]
    filled = {
        "penalise": penalise.address(dtype) if data.l2 > 0 else 0,
        "add_length": add_length.address(dtype) if limit > 0 else 0,
        "shrink": shrink.address(dtype) if limit > 0 else 0,
        "X": data.X.ctypes.data,
        "targets": data.targets.ctypes.data,
        "width": data.targets.shape[1],
        "weights": data.weights.ctypes.data,
        "weighted": len(data.weights) > 0,
        "n_samples": len(data.X),
        "loss": data.loss,
        "own_mean": data.own_mean,
        "factor": data.factor,
        "l2": data.l2,
        "theta": theta.ctypes.data,
        "gradient": gradient.ctypes.data,
        "memory": memory.ctypes.data,
        "memory_pitch": memory.shape[1],
        "memory_rows": len(memory),
        "update": rule.update,
        "constants": rule.constants.ctypes.data,
        "limit": limit,
    }
    for name, value in filled.items():
        jobs[name] = value
    return jobs


def _train(
    jobs: Any, stack: Stack, data: Data, orders: IntArray, batch_size: int, rates: Array, t: int, values: Array,
    plateau: Array,
) -> int:  # fmt: skip
    """Share the work with other threads."""
    n_tasks = int(jobs["n_tasks"][0])
    notes = np.zeros((-(-orders.shape[1] // batch_size), n_tasks, N_NOTES))
    words, made = open_words(n_tasks), np.zeros(1, dtype=np.int64)
    n_workers = min(n_threads(), n_tasks)

    def work(worker: int, _: int) -> None:
        train_together(jobs, stack.layers, orders, orders.ctypes.data, batch_size, data.weights, rates, t, values,
                       plateau, notes, notes.ctypes.data, words, made, worker * n_tasks // n_workers)  # fmt: skip

    map_blocks(work, n_workers, 1)
    return int(made[0])


def value_and_gradient(theta: Array, rows: IntArray, data: Data, stack: Stack) -> tuple[float, Array]:
    """Return the objective on some rows and its gradient: a pass that changes nothing."""
    gradient, values, number = np.empty_like(theta), np.empty(1), theta.dtype
    rule = Rule(0, np.zeros(N_CONSTANTS), np.empty((2, 0), dtype=number))
    plateau = np.array([np.inf, 0.0, 0.0, np.inf])
    train(theta, gradient, rows[None], len(rows), data, stack, rule, np.zeros(1), 1, values, plateau)
    return float(values[0]), gradient
