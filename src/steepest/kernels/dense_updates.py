"""What becomes of the gradients of a stack of dense layers: penalty, clipping, update, in a task's own parameters."""

import numpy as np

from steepest.kernels.compile import borrowing
from steepest.kernels.dense_plan import LENGTH, PENALTY, Rule, Stack
from steepest.kernels.update_rules import update
from steepest.typing import Array, IntArray


@borrowing
def complete_gradient(
    theta: Array, gradient: Array, task: int, stack: Stack, l2: float, rule: Rule, notes: Array
) -> None:
    """Add to a task's own gradient what is missing; note its penalty and its length."""
    strength, other, limit = theta.dtype.type(l2), stack.other, rule.constants[-1]
    penalty, length = 0.0, 0.0
    for layer in range(stack.activations.size if other.size > 0 or l2 > 0 or limit > 0 else 0):
        first, stop, end = stack.owned[task, layer, 0], stack.owned[task, layer, 1], stack.owned[task, layer, 2]
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
def update_own(
    theta: Array, gradient: Array, task: int, stack: Stack, rule: Rule, rate: float, t: int, notes: Array
) -> None:
    """Update a task's own parameters, by gradients clipped to a length if the rule says so; twin of ``Clipped``."""
    limit, squares, factor, n_layers = rule.constants[-1], 0.0, 1.0, stack.activations.size
    if limit > 0:
        for other in range(stack.n_tasks):
            squares += notes[other, LENGTH]
        if squares > limit * limit:
            factor = limit / np.sqrt(squares)
    start = stack.owned[task, 0, 0]
    for layer in range(n_layers):
        stop = stack.owned[task, layer, 2]
        if layer + 1 < n_layers and stack.owned[task, layer + 1, 0] == stop:
            continue  # parts that adjoin are updated together
        if factor < 1.0:
            for i in range(np.uintp(start), np.uintp(stop)):
                gradient[i] *= theta.dtype.type(factor)
        update(theta, gradient, rule.memory, start, stop, rule.family, rule.constants, rate, t)
        start = stack.owned[task, min(layer + 1, n_layers - 1), 0]


@borrowing
def copy_blocks(flat: Array, own: Array, blocks: IntArray, inwards: bool) -> None:
    """Copy parameters, or what belongs to them, from the flat vector to the tasks' own, or back."""
    for block in range(len(blocks)):
        at, pitch, to = blocks[block, 0], blocks[block, 1], blocks[block, 2]
        rows, columns = blocks[block, 3], blocks[block, 4]
        for row in range(rows):
            there, here = np.uintp(at + row * pitch), np.uintp(to + row * columns)
            for j in range(np.uintp(columns)):
                if inwards:
                    own[here + j] = flat[there + j]
                else:
                    flat[there + j] = own[here + j]
