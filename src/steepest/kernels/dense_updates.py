"""What becomes of the gradients of a stack of dense layers: penalty, clipping, update, in a task's own parameters."""

from typing import Any

import numpy as np

from steepest.kernels.compile import borrowing
from steepest.kernels.dense_plan import LENGTH, NUMBER, PENALTY
from steepest.kernels.procedures import Numbers, Reals, as_in, call, procedure
from steepest.typing import Array, IntArray


@procedure
def penalise(gradient: Numbers, theta: Numbers, n: int, l2: float, value: Reals) -> None:
    """Add the gradient of ``l2 |theta|^2 / 2``, and its value."""
    strength, squares = as_in(theta, l2), 0.0
    for i in range(n):
        gradient[i] += strength * theta[i]
        squares += theta[i] * theta[i]
    value[0] += 0.5 * l2 * squares


@procedure
def add_length(gradient: Numbers, n: int, value: Reals) -> None:
    """Add ``|gradient|^2``."""
    squares = 0.0
    for i in range(n):
        squares += gradient[i] * gradient[i]
    value[0] += squares


@procedure
def shrink(gradient: Numbers, n: int, factor: float) -> None:
    """Multiply by a factor."""
    share = as_in(gradient, factor)
    for i in range(n):
        gradient[i] *= share


@borrowing
def complete_gradient(job: Any, layers: Any, task: int, l2: float, notes: Array, note: int) -> None:
    """Add to a task's own gradient what is missing; note its penalty and its length, from ``note`` on."""
    size, limited = job.itemsize, job.limit > 0
    notes[task, PENALTY] = notes[task, LENGTH] = 0.0
    for number in range(job.n_layers if job.other != 0 or l2 > 0 or limited else 0):
        layer = layers[task, number]
        shift, n = size * layer.first, layer.end - layer.first
        own = job.gradient + shift
        if job.other != 0:
            call(job.add, (own, own, job.other + shift, n))
        if l2 > 0:
            call(job.penalise, (own, job.theta + shift, layer.stop - layer.first, l2, note + NUMBER * PENALTY))
        if limited:
            call(job.add_length, (own, n, note + NUMBER * LENGTH))


@borrowing
def update_own(job: Any, layers: Any, task: int, rate: float, t: int, notes: Array) -> None:
    """Update a task's own parameters, by gradients clipped to a length if the rule says so; twin of ``Clipped``."""
    size, squares, factor = job.itemsize, 0.0, 1.0
    if job.limit > 0:
        for other in range(job.n_tasks):
            squares += notes[other, LENGTH]
        if squares > job.limit * job.limit:
            factor = job.limit / np.sqrt(squares)
    start, last = layers[task, 0].first, job.n_layers - 1
    for number in range(job.n_layers):
        stop, after = layers[task, number].end, layers[task, min(number + 1, last)].first
        if number < last and after == stop:
            continue  # parts that adjoin are updated together
        shift, n = size * start, stop - start
        if factor < 1.0:
            call(job.shrink, (job.gradient + shift, n, factor))
        call(job.update, (job.theta + shift, job.gradient + shift, job.memory + shift, job.memory_pitch,
                          job.memory_rows, n, job.constants, rate, t))  # fmt: skip
        start = after


def copy_blocks(flat: Array, own: Array, blocks: IntArray, inwards: bool) -> None:
    """Copy parameters, or what belongs to them, from the flat vector to the tasks' own, or back."""
    for at, pitch, to, rows, columns in blocks.tolist():
        there = (
            flat[at : at + columns] if rows == 1 else flat[: rows * pitch].reshape(rows, pitch)[:, at : at + columns]
        )
        here = own[to : to + rows * columns].reshape(there.shape)
        if inwards:
            here[...] = there
        else:
            there[...] = here
