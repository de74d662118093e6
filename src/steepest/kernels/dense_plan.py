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
"""

from typing import NamedTuple

from steepest.kernels.compile import borrowing
from steepest.kernels.products import ROWS
from steepest.typing import Array, IntArray

LOSS, PENALTY, LENGTH = range(3)  # what a task notes of its batch: its shares of the value, and of |gradient|^2


class Stack(NamedTuple):
    """A network as the kernel sees it.

    Attributes
    ----------
    sizes : int array (n_tasks, n_layers + 1)
        Numbers of units that a task goes through, from the input to the output.
    activations : int array (n_layers,)
        What follows each dense layer.
    settings : float array (n_layers, 4)
        The numbers of each activation.
    pitches : int array (n_layers + 1,)
        From one row of H_l, or dZ_l, to the next.
    values_at, slopes_at : int array (n_tasks, n_layers + 1)
        Where a task's H_l and dZ_l begin in ``work``; the last dZ takes the place of the scores, the first does not
        exist. By rows, they are the same for all.
    panels_at, panel : int
        Where the tasks' panels (see ``kernels.products``) begin, and how long each is.
    laid_at : int array (n_layers,)
        Where the panels of dZ_l begin (see ``products.lay_out``), and behind them the sums of each task's rows; empty
        if they are not laid out so.
    batch : int
        Rows there is room for.
    scores_at, scores : int
        By units, where the tasks' scores begin, those of even updates before those of odd ones, and how long they are.
    work : array
        The buffer of all these.
    kept : array
        Where activations keep slopes, in the places of the values; empty if none does.
    fixed : array
        Zeros for the widest layer, and a one.
    n_tasks : int
        Of a phase.
    by_units : bool
        How the work is cut.
    begins : int array (n_tasks,)
        Where the parameters of a task's units begin; by units, each task has its own, one after the other.
    owned : int array (n_tasks, n_layers, 3)
        Where the part of W that a task updates begins and ends, and where that of b ends, if it is its own.
    other : array (n_parameters,)
        Where the second of two tasks by rows of the batch writes their gradient; empty if they are not.
    blocks : int array (n_blocks, 5)
        By units, where each block of parameters is in the flat vector, from row to row there, where among the tasks'
        own, and how many rows and columns it has.
    own : array (5, :)
        By units, room for the tasks' own parameters, their gradients, and the state of the rule.
    """

    sizes: IntArray
    activations: IntArray
    settings: Array
    pitches: IntArray
    values_at: IntArray
    slopes_at: IntArray
    panels_at: int
    panel: int
    laid_at: IntArray
    batch: int
    scores_at: int
    scores: int
    work: Array
    kept: Array
    fixed: Array
    n_tasks: int
    by_units: bool
    begins: IntArray
    owned: IntArray
    other: Array
    blocks: IntArray
    own: Array


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
