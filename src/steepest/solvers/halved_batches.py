"""Training of large networks: each half of a batch goes through the network on a thread of its own."""

from typing import Any

import numpy as np

from steepest.kernels.dense_stack import part_gradient, scales
from steepest.kernels.scratch import aligned
from steepest.kernels.threads import map_blocks
from steepest.kernels.update_rules import update_from_parts
from steepest.typing import Array, IntArray

FROM = 5_000_000  # multiplications of a product from which two threads gain more than waiting for each other costs
BLOCK = 300_000  # parameters that one thread updates; fewer are updated sooner than another thread wakes up


def pays(sizes: IntArray, batch_size: int) -> bool:
    """Say whether a network is so large that halves of a batch are worth a thread each.

    The rule does not ask how many threads there are, so that any number of them computes the same.

    Examples
    --------
    >>> pays(np.array([784, 128, 10]), 128), pays(np.array([64, 128, 10]), 32)
    (True, False)
    """
    return batch_size * int(np.max(sizes[1:] * sizes[:-1])) >= FROM


def train_by_halves(
    theta: Array,
    gradient: Array,
    orders: IntArray,
    batch_size: int,
    data: Any,
    stack: Any,
    family: int,
    constants: Array,
    rates: Array,
    memory: Array,
    t: int,
    values: Array,
    plateau: Array,
) -> int:
    """Do as :func:`steepest.kernels.dense_stack.train` does, with the same arguments.

    Notes
    -----
    The objective is a sum over rows, and so is its gradient: with the whole batch's factor, the gradients of two halves
    add up to that of the batch. The penalty belongs to the first half.
    """
    spare = stack._replace(
        work=aligned(stack.work.size, stack.work.dtype),
        slopes=np.empty_like(stack.slopes),
        exponents=np.empty_like(stack.exponents),
        bits=np.empty_like(stack.bits),
    )
    stacks, gradients = (stack, spare), (gradient, aligned(gradient.size, gradient.dtype))
    block = BLOCK if constants[-1] == 0 else theta.size  # clipping needs the whole gradient
    for p in range(values.size):
        order, total = orders[p % len(orders)], 0.0
        constants[0] = rates[p]
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            total += _batch(theta, gradients, rows, data, stacks) * len(rows)
            _update(theta, gradients, memory, block, (family, constants, t))
            t += 1
        values[p] = total / len(order)
        plateau[1] = plateau[1] + 1 if values[p] > plateau[0] - plateau[2] else 0.0
        plateau[0] = min(plateau[0], values[p])
        if plateau[1] > plateau[3] or not np.isfinite(values[p]):
            return p + 1
    return int(values.size)


def _batch(theta: Array, gradients: tuple[Array, Array], rows: IntArray, data: Any, stacks: tuple[Any, Any]) -> float:
    """Write the gradients of both halves; return the objective on all the rows."""
    factor, l2 = scales(rows, data)
    middle = (len(rows) + 1) // 2
    halves, found = (rows[:middle], rows[middle:]), [0.0, 0.0]

    def half(i: int, _: int) -> None:
        if len(halves[i]) == 0:
            gradients[i][:] = 0
            return
        found[i] = part_gradient(theta, gradients[i], halves[i], data, stacks[i], factor, 0.0 if i else l2)

    map_blocks(half, 2, 1)
    return found[0] + found[1]


def _update(theta: Array, gradients: tuple[Array, Array], memory: Array, block: int, how: tuple[Any, ...]) -> None:
    """Add up the halves and update the parameters, stretch by stretch."""

    def stretch(start: int, stop: int) -> None:
        first, second = (part[start:stop] for part in gradients)
        update_from_parts(theta[start:stop], first, second, memory, start, *how)

    map_blocks(stretch, len(theta), block)
