"""Forward and back through a stack of dense layers, for some rows of a batch: a task's units of each layer.

::

    H_0 = the samples,  Z_l = H_{l-1} W_l + b_l,  H_l = f_l(Z_l)
    dZ_L from the loss,  dZ_l = (dZ_{l+1} W_{l+1}^T) f_l',  dW_l = H_{l-1}^T dZ_l,  db_l = 1^T dZ_l
"""

import numpy as np

from steepest.kernels.activations import activate, pull_back
from steepest.kernels.compile import borrowing
from steepest.kernels.dense_plan import Data, Stack, share
from steepest.kernels.output_losses import value_and_slopes
from steepest.kernels.products import (
    NEXT,
    SAME,
    address,
    lay_out,
    padded,
    product,
    product_with_panels,
    product_with_transpose,
)
from steepest.typing import Array, IntArray


@borrowing
def forward(
    theta: Array, order: IntArray, begin: int, start: int, stop: int, task: int, data: Data, stack: Stack, scores: int
) -> None:
    """Take rows ``start`` to ``stop`` of the batch ``order[begin:]`` to the scores, which go to ``work[scores:]``."""
    work, X, sizes, last = stack.work, data.X, stack.sizes[task], stack.activations.size
    rows, size, pitch = stop - start, sizes[0], stack.pitches[0]
    for i in range(start, stop):
        row, at = order[begin + i], np.uintp(stack.values_at[task, 0] + i * pitch)
        for j in range(np.uintp(size)):
            work[at + j] = X[row, j]
    b = stack.begins[task]
    for layer in range(last):
        k, m = sizes[layer], sizes[layer + 1]
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        w, b = b, b + k * m
        at = (stack.values_at[task, layer + 1] if layer + 1 < last else scores) + start * pitch
        inputs, bias = address(work, stack.values_at[task, layer] + start * before), address(theta, b)
        product(inputs, before, NEXT, address(theta, w), m, bias, SAME, address(work, at), pitch, rows, m, k)
        activate(work, at, at + rows * pitch, stack.activations[layer], stack.settings[layer], stack.kept)
        b += m


@borrowing
def add_scores(rows: int, task: int, stack: Stack, first: int) -> None:
    """Write the sum of all tasks' scores, from ``work[first]`` on, in their order, to the place of a task's dZ."""
    work, to = stack.work, np.uintp(stack.slopes_at[task, -1])
    for i in range(np.uintp(rows * stack.pitches[-1])):
        work[to + i] = work[np.uintp(first) + i]
    for part in range(1, stack.n_tasks):
        at = np.uintp(first + part * stack.scores)
        for i in range(np.uintp(rows * stack.pitches[-1])):
            work[to + i] += work[at + i]


@borrowing
def backward(
    theta: Array, order: IntArray, begin: int, start: int, stop: int, task: int, data: Data, stack: Stack, factor: float
) -> float:
    """Take rows of the batch from the scores, at ``slopes_at``, back to dZ_1; return their share of the value.

    Its inputs are as those of :func:`forward`; ``factor`` multiplies the losses.
    """
    work, sizes, last = stack.work, stack.sizes[task], stack.activations.size
    rows, pitch = stop - start, stack.pitches[last]
    value = value_and_slopes(work, stack.slopes_at[task, last] + start * pitch, pitch, sizes[last], data.targets,
                             data.weights, order, begin + start, begin + stop, data.loss, factor,
                             stack.panels_at + task * stack.panel)  # fmt: skip
    w = stack.begins[task]
    for layer in range(last):
        w += (sizes[layer] + 1) * sizes[layer + 1]
    for layer in range(last - 1, 0, -1):
        k, m = sizes[layer], sizes[layer + 1]
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        w -= (k + 1) * m
        at, values = stack.slopes_at[task, layer] + start * before, stack.values_at[task, layer] + start * before
        after, zeros = address(work, stack.slopes_at[task, layer + 1] + start * pitch), address(stack.fixed, SAME)
        panel = address(work, stack.panels_at + task * stack.panel)
        product_with_transpose(after, pitch, address(theta, w), m, zeros, address(work, at), before, rows, k, m, panel)
        pull_back(work, at, work, values, values + rows * before, stack.activations[layer - 1],
                  stack.settings[layer - 1], stack.kept)  # fmt: skip
        if stack.laid_at.size > 0:
            lay_slopes(at, start, rows, task, layer, stack)
    return value


@borrowing
def lay_slopes(at: int, start: int, rows: int, task: int, layer: int, stack: Stack) -> None:
    """Copy a task's rows of dZ, which begin at ``work[at]``, to panels, and write their sum beside these."""
    work, size, pitch, zeros = stack.work, stack.sizes[task, layer], stack.pitches[layer], address(stack.fixed, SAME)
    slopes, panels = address(work, at), address(work, stack.laid_at[layer])
    lay_out(slopes, pitch, rows, size, panels, start, stack.batch)
    one, sums = address(stack.fixed, stack.fixed.size - 1), address(panels, padded(size) * stack.batch + task * size)
    product(one, SAME, SAME, slopes, pitch, zeros, SAME, sums, size, NEXT, size, rows)


@borrowing
def write_gradients(
    gradient: Array, start: int, stop: int, task: int, part: int, n_parts: int, stack: Stack
) -> None:  # fmt: skip
    """Write the gradients of rows ``start`` to ``stop`` of the batch, in a part of the rows of each W."""
    work, sizes, w = stack.work, stack.sizes[task], stack.begins[task]
    n, zeros, last = stop - start, address(stack.fixed, SAME), stack.activations.size
    for layer in range(last):
        k, m = sizes[layer], sizes[layer + 1]
        first, end = share(k, part, n_parts), share(k, part + 1, n_parts)
        before, pitch = stack.pitches[layer], stack.pitches[layer + 1]
        values = address(work, stack.values_at[task, layer] + start * before + first)
        into, bias = address(gradient, w + first * m), address(gradient, w + k * m)
        if stack.laid_at.size > 0 and layer + 1 < last:
            panels = address(work, stack.laid_at[layer + 1])
            product_with_panels(values, NEXT, before, panels, stack.batch, zeros, into, m, end - first, m, n)
            slopes, count, pitch = address(panels, padded(m) * stack.batch), stack.n_tasks, m
        else:
            slopes, count = address(work, stack.slopes_at[task, layer + 1] + start * pitch), n
            product(values, NEXT, before, slopes, pitch, zeros, NEXT, into, m, end - first, m, n)
        if part == n_parts - 1:
            one = address(stack.fixed, stack.fixed.size - 1)
            product(one, SAME, SAME, slopes, pitch, zeros, SAME, bias, m, NEXT, m, count)
        w += (k + 1) * m
