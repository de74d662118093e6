"""How the training of a stack of dense layers is cut into tasks, and where everything lies."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from steepest.kernels import output_losses as kernel_losses
from steepest.kernels.activations import Activation
from steepest.kernels.dense_passes import add, gather
from steepest.kernels.dense_plan import JOB, LAYER, Stack, share
from steepest.kernels.procedures import Procedure
from steepest.kernels.products import lay_out, padded, panel_size, product, product_with_panels, product_with_transpose
from steepest.kernels.scratch import LINE, aligned
from steepest.typing import Array, IntArray

SHARED_FROM = 200_000  # multiplications of a forward pass from which two threads gain more than they wait
SHARED_BY_MORE = 10_000_000  # and from which more threads do
LONG = 512  # rows of a batch from which it pays to copy dZ to where products read it in one go
MANY_LINES = 16
N_OWN = 5  # parameters, gradient, and up to three rows of an update rule's state


PROCEDURES: dict[str, Procedure] = {
    "product": product,
    "product_with_transpose": product_with_transpose,
    "gather": gather,
    "add": add,
}
FOR_LONG_BATCHES: dict[str, Procedure] = {"lay_out": lay_out, "product_with_panels": product_with_panels}


def plan(sizes: IntArray, activations: list[Activation | None], settings: Array, batch_size: int, dtype: Any) -> Stack:
    """Cut the work on a network of these sizes into tasks, and lay out the buffers.

    Examples
    --------
    >>> of = [[None, None], np.zeros((2, 4)), 32, np.dtype(float)]
    >>> whole, cut = plan(np.array([2, 16, 1]), *of), plan(np.array([64, 128, 10]), *of)
    >>> whole.layers["m"].tolist(), cut.layers["m"].tolist()
    ([[16, 1]], [[64, 10], [64, 10]])
    """
    line = LINE // dtype.itemsize
    n_tasks = tasks_of(sizes, batch_size)
    n_parameters = _count(sizes)
    by_units = n_tasks == 2 and len(sizes) == 3 and 2 * batch_size * sizes[2] < n_parameters
    of_tasks = np.tile(sizes, (n_tasks, 1))
    if by_units:
        of_tasks[:, 1] = np.diff(np.arange(n_tasks + 1) * sizes[1] // n_tasks)
    lengths = np.array([up(_count(part), line) for part in of_tasks])
    begins = (np.cumsum(lengths) - lengths) * by_units
    # two tasks share gradients by rows of the batch if so fewer numbers go from one core to another
    exchanged = batch_size * sum(k // 2 + m for k, m in pairwise(sizes.tolist()))
    apart = n_tasks == 2 and not by_units and exchanged > n_parameters
    pitches = np.array([pitch(int(size), line) for size in of_tasks.max(axis=0)])
    room = _Room(line)
    buffers = [up(int(p) * batch_size, line) for p in pitches]
    values, slopes = [], []
    for _ in range(n_tasks if by_units else 1):
        values.append([room.take(length) for length in buffers])
        slopes.append([*(room.take(length) for length in buffers[1:-1]), values[-1][-1]])
    kept = room.taken if any(activation and activation.keeps_slope for activation in activations) else 0
    scores = buffers[-1] * by_units
    scores_at = room.take(2 * n_tasks * scores)
    panel = max(up(panel_size(int(sizes[1:].max())), line), 2 * kernel_losses.STRETCH)
    panels_at = room.take(n_tasks * panel)
    long = n_tasks > 2 and batch_size >= LONG
    laid = [room.take((batch_size + n_tasks) * padded(int(size)) * long) for size in sizes[1:-1]]
    work, own = _zeros(room.taken, dtype), _zeros(N_OWN * int(lengths.sum()) * by_units, dtype)
    one = np.ones(1, dtype)
    other, slopes_kept = aligned(n_parameters if apart else 0, dtype), np.empty(kept, dtype)
    begin, size, settings = work.ctypes.data, dtype.itemsize, np.ascontiguousarray(settings)
    job: Any = np.zeros(1, JOB)
    job["n_tasks"], job["n_layers"], job["by_units"] = n_tasks, len(sizes) - 1, by_units
    job["itemsize"], job["batch"], job["laid"] = size, batch_size, long
    job["scores"], job["scores_size"] = begin + size * scores_at, scores
    job["panels"], job["panel_size"] = begin + size * panels_at, panel
    job["one"], job["other"] = one.ctypes.data, other.ctypes.data if apart else 0
    for name, procedure in (PROCEDURES | FOR_LONG_BATCHES if long else PROCEDURES).items():
        job[name] = procedure.address(dtype)
    layers: Any = np.zeros((n_tasks, len(sizes) - 1), LAYER)
    places = np.array(values)
    layers["k"], layers["m"] = of_tasks[:, :-1], of_tasks[:, 1:]
    layers["before"], layers["pitch"] = pitches[:-1], pitches[1:]
    layers["inputs"], layers["outputs"] = begin + size * places[:, :-1], begin + size * places[:, 1:]
    layers["slopes"], layers["panels"] = begin + size * np.array(slopes), begin + size * np.array([*laid, 0])
    layers["sums"] = layers["panels"] + size * batch_size * np.array([padded(int(m)) for m in sizes[1:]])
    layers["kept"] = slopes_kept.ctypes.data + size * places[:, 1:]
    counts = (of_tasks[:, :-1] + 1) * of_tasks[:, 1:]
    layers["w"] = begins[:, None] + np.cumsum(counts, axis=1) - counts
    layers["setting"] = settings.ctypes.data + settings.strides[0] * np.arange(len(sizes) - 1)
    for number, activation in enumerate(activations):
        if activation is not None:
            layers["value"][:, number] = activation.value.address(dtype)
            layers["pull_back"][:, number] = activation.pull_back.address(dtype)
    _own(layers, by_units)
    return Stack(
        job=job,
        layers=layers,
        blocks=_blocks(of_tasks, begins) if by_units else np.zeros((0, 5), int),
        own=own.reshape(N_OWN, -1),
        buffers=(work, one, other, slopes_kept, settings),
    )


def _zeros(length: int, dtype: Any) -> Array:
    numbers = aligned(length, dtype)
    numbers[...] = 0
    return numbers


class _Room:
    """Hands out stretches of a buffer, each of which begins with a line of the cache."""

    def __init__(self, line: int) -> None:
        self.line, self.taken = line, 0

    def take(self, length: int) -> int:
        """Return where a new stretch begins."""
        begin = self.taken
        self.taken += up(length, self.line)
        return begin


def _count(sizes: IntArray) -> int:
    """Return how many parameters dense layers between so many units have."""
    return sum((k + 1) * m for k, m in pairwise(sizes.tolist()))


def _own(layers: Any, by_units: bool) -> None:
    """Write where each task's part of each W begins and ends, and where its part of b ends."""
    n_tasks, n_layers = layers.shape
    shared: Callable[[int, int, int], int] = share.py_func  # type: ignore[attr-defined]  # nothing to compile here
    found = []
    for task, row in enumerate(zip(layers["w"].tolist(), layers["k"].tolist(), layers["m"].tolist(), strict=True)):
        for number, (w, k, m) in enumerate(zip(*row, strict=True)):
            first, stop = (0, k) if by_units else (shared(k, task, n_tasks), shared(k, task + 1, n_tasks))
            # of the scores' b there is one: by units the first task's, and that of any other is zero
            bias = number < n_layers - 1 or task == 0 if by_units else task == n_tasks - 1
            found.append((w + first * m, w + stop * m, w + (stop + bias) * m))
    table = np.array(found).reshape(n_tasks, n_layers, 3)
    layers["first"], layers["stop"], layers["end"] = table[..., 0], table[..., 1], table[..., 2]


def _blocks(sizes: IntArray, begins: IntArray) -> IntArray:
    """Return where the parameters of each task's hidden units are: ``Stack.blocks``."""
    found, first, (k, _, m) = [], 0, sizes[0]
    hidden = int(sizes[:, 1].sum())
    for task, (units, to) in enumerate(zip(sizes[:, 1], begins, strict=True)):
        found.append((first, hidden, to, k + 1, units))  # W_1 and b_1
        found.append(((k + 1) * hidden + first * m, 0, to + (k + 1) * units, 1, units * m))
        if task == 0:
            found.append(((k + 1 + m) * hidden, 0, to + (k + 1 + m) * units, 1, m))
        first += units
    return np.array(found)


def up(length: int, line: int) -> int:
    """Return a length in numbers rounded up to whole lines of the cache."""
    return -(-length // line) * line


def tasks_of(sizes: IntArray, batch_size: int) -> int:
    """Return into how many tasks each phase of a training step is cut: that many threads can share it.

    The rule does not ask how many threads there are, so that any number of them computes the same.

    Examples
    --------
    >>> [tasks_of(np.array(sizes), 32) for sizes in ((2, 16, 16, 1), (64, 128, 10), (784, 512, 512, 10))]
    [1, 2, 4]
    """
    products = batch_size * sum(k * m for k, m in pairwise(sizes.tolist()))
    return 1 if products < SHARED_FROM else 2 if products < SHARED_BY_MORE else 4


def pitch(size: int, line: int) -> int:
    """Return the length of a row with ``size`` entries.

    Rows that are not short begin with a line of the cache; long ones take an odd number of lines, since rows a power of
    two apart would crowd the same places of it.

    Examples
    --------
    >>> pitch(2, 16), pitch(10, 16), pitch(512, 16)
    (2, 16, 528)
    """
    if 2 * size <= line:
        return size
    lines = -(-size // line)
    return line * (lines + (lines >= MANY_LINES and lines % 2 == 0))
