"""Forward and back through a stack of dense layers, for some rows of a batch: a task's units of each layer.

::

    H_0 = the samples,  Z_l = H_{l-1} W_l + b_l,  H_l = f_l(Z_l)
    dZ_L from the loss,  dZ_l = (dZ_{l+1} W_{l+1}^T) f_l',  dW_l = H_{l-1}^T dZ_l,  db_l = 1^T dZ_l
"""

from typing import Any

from steepest.kernels.compile import borrowing
from steepest.kernels.dense_plan import NUMBER, share
from steepest.kernels.procedures import Integers, Numbers, call, procedure
from steepest.kernels.products import NEXT, SAME


@procedure
def gather(X: Numbers, d: int, order: Integers, n: int, into: Numbers, pitch: int) -> None:
    """Copy the rows ``order[:n]`` of X (:, d)."""
    for i in range(n):
        row, at = order[i] * d, i * pitch
        for j in range(d):
            into[at + j] = X[row + j]


@procedure
def add(total: Numbers, a: Numbers, b: Numbers, n: int) -> None:
    """``total = a + b``, n numbers."""
    for i in range(n):
        total[i] = a[i] + b[i]


@borrowing
def forward(job: Any, layers: Any, order: int, start: int, stop: int, task: int, scores: int) -> None:
    """Take rows ``start`` to ``stop`` of a batch to the scores; ``order`` is where the numbers of its rows are."""
    size, rows, first = job.itemsize, stop - start, layers[task, 0]
    into = first.inputs + size * start * first.before
    call(job.gather, (job.X, first.k, order + NUMBER * start, rows, into, first.before))
    for number in range(job.n_layers):
        layer = layers[task, number]
        inputs = layer.inputs + size * start * layer.before
        outputs = (layer.outputs if number + 1 < job.n_layers else scores) + size * start * layer.pitch
        weights = job.theta + size * layer.w
        bias = weights + size * layer.k * layer.m
        call(job.product, (inputs, layer.before, NEXT, weights, layer.m, bias, outputs, layer.pitch, rows,
                           layer.m, layer.k))  # fmt: skip
        if layer.value != 0:
            call(layer.value, (outputs, rows * layer.pitch, layer.setting, layer.kept + size * start * layer.pitch))


@borrowing
def add_scores(job: Any, layers: Any, rows: int, task: int, scores: int) -> None:
    """Write the sum of all tasks' scores, in their order, to the place of a task's dZ."""
    last, step = layers[task, job.n_layers - 1], job.itemsize * job.scores_size
    total = scores
    for part in range(1, job.n_tasks):
        call(job.add, (last.slopes, total, scores + part * step, rows * last.pitch))
        total = last.slopes


@borrowing
def backward(job: Any, layers: Any, order: int, start: int, stop: int, task: int, factor: float, note: int) -> None:
    """Take rows of the batch from the scores, at the last ``slopes``, back to dZ_1; write their share of the value.

    Its inputs are as those of :func:`forward`; ``factor`` multiplies the losses.
    """
    size, rows, layer = job.itemsize, stop - start, layers[task, job.n_layers - 1]
    panel = job.panels + size * task * job.panel_size
    slopes = layer.slopes + size * start * layer.pitch
    call(job.loss, (slopes, layer.pitch, layer.m, job.targets, job.width, job.weights, job.weighted,
                    order + NUMBER * start, rows, factor, panel, note))  # fmt: skip
    for number in range(job.n_layers - 1, 0, -1):
        layer, below = layers[task, number], layers[task, number - 1]
        slopes, into = layer.slopes + size * start * layer.pitch, below.slopes + size * start * below.pitch
        call(job.product_with_transpose, (slopes, layer.pitch, job.theta + size * layer.w, layer.m, into,
                                          below.pitch, rows, layer.k, layer.m, panel, job.product))  # fmt: skip
        if below.pull_back != 0:
            shift = size * start * below.pitch
            call(below.pull_back, (into, below.outputs + shift, rows * below.pitch, below.setting, below.kept + shift))
        if job.laid:
            lay_slopes(job, below, into, start, rows, task)


@borrowing
def lay_slopes(job: Any, layer: Any, slopes: int, start: int, rows: int, task: int) -> None:
    """Copy a task's rows of dZ to panels, and write their sum beside these."""
    m, sums = layer.m, layer.sums + job.itemsize * task * layer.m
    call(job.lay_out, (slopes, layer.pitch, rows, m, layer.panels, start, job.batch))
    call(job.product, (job.one, SAME, SAME, slopes, layer.pitch, 0, sums, m, NEXT, m, rows))


@borrowing
def write_gradients(
    job: Any, layers: Any, gradient: int, start: int, stop: int, task: int, part: int, n_parts: int
) -> None:
    """Write the gradients of rows ``start`` to ``stop`` of the batch, in a part of the rows of each W."""
    size, n = job.itemsize, stop - start
    for number in range(job.n_layers):
        layer = layers[task, number]
        m, first, end = layer.m, share(layer.k, part, n_parts), share(layer.k, part + 1, n_parts)
        values = layer.inputs + size * (start * layer.before + first)
        into, bias = gradient + size * (layer.w + first * m), gradient + size * (layer.w + layer.k * m)
        slopes, pitch, count = layer.slopes + size * start * layer.pitch, layer.pitch, n
        if job.laid and number + 1 < job.n_layers:
            call(job.product_with_panels, (values, NEXT, layer.before, layer.panels, job.batch, into, m,
                                           end - first, m, n, job.product))  # fmt: skip
            slopes, pitch, count = layer.sums, m, job.n_tasks
        else:
            call(job.product, (values, NEXT, layer.before, slopes, pitch, 0, into, m, end - first, m, n))
        if part == n_parts - 1:
            call(job.product, (job.one, SAME, SAME, slopes, pitch, 0, bias, m, NEXT, m, count))
