"""What the training of a stack of dense layers works on, and how its work is cut into tasks.

The parameters are one flat vector: for each layer W (inputs, outputs) in C order, then b. A step of training is cut
into tasks, which threads share, in one of two ways:

by rows
    Each task takes its rows of the batch forward and back, through all units; when all are through, it completes and
    updates its rows of each W. Two tasks, where W is small beside a batch, each multiply their own rows of the batch
    for all of W at once, and then add both sums up: what one core has just written reaches the other slowly, and so
    less of it has to.
by units
    A network with one hidden layer is a sum of networks with fewer hidden units: ``Z = f(X W_1 + b_1) W_2 + b_2`` is
    one term a hidden unit. Each task trains such a network, on all rows of the batch. Only its scores, added to those
    of the others, leave its core: with both the loss is known to all, and each goes back through its own units.

By rows, W goes from core to core in each step; by units, the scores of a batch do.

Kernels see all this as two tables of whole and real numbers, addresses of memory and of procedures among them: what
they do is the same in either precision, and is compiled once.
"""

from typing import Any, NamedTuple

import numpy as np

from steepest.kernels.compile import borrowing
from steepest.kernels.products import ROWS
from steepest.typing import Array, IntArray

LOSS, PENALTY, LENGTH = range(3)  # what a task notes of its batch: its shares of the value, and of |gradient|^2
NUMBER = 8  # bytes of what is no number of the precision in use


def _fields(whole: str, real: str = "") -> np.dtype[Any]:
    return np.dtype([(name, np.int64) for name in whole.split()] + [(name, np.float64) for name in real.split()])


JOB = _fields(
    """n_tasks n_layers by_units itemsize batch scores scores_size panels panel_size one laid other
    product product_with_transpose product_with_panels lay_out gather add penalise add_length shrink
    X targets width weights weighted n_samples loss own_mean
    theta gradient memory memory_pitch memory_rows update constants""",
    "factor l2 limit",
)
"""A run, as kernels see it. In bytes, ``itemsize`` is a number of the precision in use.

n_tasks, n_layers, by_units, batch
    Tasks of a phase, layers, how the work is cut, and rows there is room for.
scores, scores_size
    By units, where the tasks' scores begin, those of even updates before those of odd ones, and how many they are.
panels, panel_size
    Where the tasks' panels (see ``kernels.products``) begin, and how many numbers each has.
one
    Where there is a one.
laid
    Whether dZ is laid out (see ``products.lay_out``).
other
    Where the second of two tasks by rows of the batch writes their gradient; 0 if they are not.
product ... shrink
    The procedures of these names; 0 if they are not needed.
X, targets, width, weights, weighted, n_samples, loss, own_mean, factor, l2
    The rows and how their loss is reduced: see :class:`Data`.
theta, gradient, memory, memory_pitch, memory_rows, update, constants, limit
    The parameters and their update: see :class:`Rule`. By units, they lie as the tasks have them.
"""

LAYER = _fields("k m before pitch inputs outputs slopes w value pull_back setting kept first stop end panels sums")
"""A layer, as one of the tasks sees it.

k, m
    Numbers of units that the task goes through, before the layer and in it.
before, pitch
    How many numbers further the next row of H_{l-1} begins, and that of H_l and dZ_l.
inputs, outputs, slopes
    Where H_{l-1}, H_l and dZ_l begin; the last dZ takes the place of the scores.
w
    The number of the layer's first parameter.
value, pull_back, setting, kept
    The procedures (see ``kernels.activations``) of what follows the layer, or 0, its numbers, and where it keeps
    slopes.
first, stop, end
    The numbers of the first and of the last but one entry of W that the task updates, and of b, if it is its own.
panels, sums
    Where the panels of dZ_l begin, and the sums of each task's rows.
"""


class Stack(NamedTuple):
    """A network, ready to be trained.

    Attributes
    ----------
    job : array (1,) of JOB
        The run, but for the data and the rule.
    layers : array (n_tasks, n_layers) of LAYER
        The tables.
    blocks : int array (n_blocks, 5)
        By units, where each block of parameters is in the flat vector, from row to row there, where among the tasks'
        own, and how many rows and columns it has.
    own : array (5, :)
        By units, room for the tasks' own parameters, their gradients, and the state of the rule.
    buffers : tuple of array
        What the addresses lead to.
    """

    job: Any
    layers: Any
    blocks: IntArray
    own: Array
    buffers: tuple[Array, ...]


class Data(NamedTuple):
    """Rows with their targets (n, k) and weights (n,), or none, the procedure of the loss, and how it is reduced.

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
    """An update rule: its procedure (0: no updates), its constants, and its state."""

    update: int
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
