"""Training steps of a stack of dense layers, compiled.

Twin of ``objectives.network.NetworkObjective`` (value and gradient of one batch) followed by an update rule, for
networks of dense layers with an elementwise activation after each.

The parameters are one flat vector: for each layer W (inputs, outputs) in C order, then b. A batch needs one buffer,
``work``, laid out as H_0, H_1 ... H_L (each batch_size x size), then one more block of the largest size. Going back,
dL/dH_l takes the place of H_l as soon as H_l is no longer needed, so nothing else is allocated.
"""

from typing import NamedTuple

import numpy as np

from steepest.kernels.activations import activate, pull_back
from steepest.kernels.compile import compiled, inlined
from steepest.kernels.output_losses import value_and_slopes
from steepest.kernels.update_rules import update
from steepest.typing import Array, IntArray

BLAS_FROM = 600  # multiplications from which a call of BLAS costs less than plain loops


class Stack(NamedTuple):
    """A network as the kernel sees it.

    Attributes
    ----------
    sizes : int array (n_layers + 1,)
        Numbers of units, from the input to the output.
    activations : int array (n_layers,)
        What follows each dense layer.
    settings : float array (n_layers, 4)
        The numbers of each activation.
    starts : int array (n_layers + 2,)
        Where each H_l, and the spare block, begins in ``work``.
    work : array
        The buffer.
    slopes : array
        A buffer as long, for activations whose slope must be kept; else empty.
    exponents : float array
        A buffer for exponentials.
    bits : int array
        Another, as long.
    """

    sizes: IntArray
    activations: IntArray
    settings: Array
    starts: IntArray
    work: Array
    slopes: Array
    exponents: Array
    bits: IntArray


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


@compiled
def block(buffer: Array, start: int, rows: int, columns: int) -> Array:
    """Return a stretch of a flat buffer as a matrix."""
    return buffer[start : start + rows * columns].reshape(rows, columns)


@compiled
def product(A: Array, B: Array, out: Array) -> None:
    """``out = A B``, by BLAS unless the matrices are so small that calling it would cost more."""
    n, terms, m = A.shape[0], A.shape[1], B.shape[1]
    if n * terms * m >= BLAS_FROM:
        np.dot(A, B, out)
        return
    for i in range(n):
        for j in range(m):
            total = A[i, 0] * B[0, j]
            for t in range(1, terms):
                total += A[i, t] * B[t, j]
            out[i, j] = total


@compiled
def add_bias(Z: Array, b: Array) -> None:
    """``Z_nk += b_k``."""
    for i in range(Z.shape[0]):
        for j in range(Z.shape[1]):
            Z[i, j] += b[j]


@compiled
def column_sums(dZ: Array, db: Array) -> None:
    """``db = 1^T dZ``."""
    for j in range(dZ.shape[1]):
        db[j] = dZ[0, j]
    for i in range(1, dZ.shape[0]):
        for j in range(dZ.shape[1]):
            db[j] += dZ[i, j]


@inlined
def batch_gradient(theta: Array, gradient: Array, rows: IntArray, data: Data, stack: Stack) -> float:
    """Write the gradient of the objective on some rows into ``gradient``; return its value."""
    factor, l2 = scales(rows, data)
    return part_gradient(theta, gradient, rows, data, stack, factor, l2)


@inlined
def part_gradient(
    theta: Array, gradient: Array, rows: IntArray, data: Data, stack: Stack, factor: float, l2: float
) -> float:
    """Do so for ``factor sum_i s_i l_i + l2 |W|^2 / 2``: the objective on some rows, or a part of it.

    Forward, H_1 ... H_L are filled; back, dL/dZ_l takes the place of H_l.
    """
    n, last, starts, sizes, work = rows.size, stack.activations.size, stack.starts, stack.sizes, stack.work
    H = block(work, 0, n, sizes[0])
    for i in range(n):
        row = rows[i]
        for j in range(sizes[0]):
            H[i, j] = data.X[row, j]
    squares = forward(theta, stack, n, l2)
    value = value_and_slopes(
        block(work, starts[last], n, sizes[last]),
        data.targets,
        data.weights,
        rows,
        data.loss,
        factor,
        stack.exponents,
        stack.bits,
    )
    backward(theta, gradient, stack, n, l2)
    return value + 0.5 * l2 * squares


@inlined
def forward(theta: Array, stack: Stack, n: int, l2: float) -> float:
    """Fill H_1 ... H_L from H_0; return the sum of all squared weights if they are penalised."""
    starts, sizes, work = stack.starts, stack.sizes, stack.work
    b, squares = 0, 0.0
    for layer in range(stack.activations.size):
        k, m, at = sizes[layer], sizes[layer + 1], starts[layer + 1]
        w, b = b, b + k * m
        Z = block(work, at, n, m)
        product(block(work, starts[layer], n, k), block(theta, w, k, m), Z)
        add_bias(Z, theta[b : b + m])
        slopes = stack.slopes[at : at + n * m]
        activate(work[at : at + n * m], stack.activations[layer], stack.settings[layer], slopes, stack.exponents,
                 stack.bits)  # fmt: skip
        if l2 > 0:
            for i in range(w, b):
                squares += theta[i] * theta[i]
        b += m
    return squares


@inlined
def backward(theta: Array, gradient: Array, stack: Stack, n: int, l2: float) -> None:
    """Fill ``gradient``, with dL/dZ_L in the place of H_L."""
    starts, sizes, work, strength = stack.starts, stack.sizes, stack.work, theta.dtype.type(l2)
    last = stack.activations.size
    w, spare = theta.size, starts[last + 1]
    for layer in range(last - 1, -1, -1):
        k, m, at = sizes[layer], sizes[layer + 1], starts[layer]
        w -= (k + 1) * m
        b = w + k * m
        dZ = block(work, starts[layer + 1], n, m)
        product(block(work, at, n, k).T, dZ, block(gradient, w, k, m))
        column_sums(dZ, gradient[b : b + m])
        if l2 > 0:
            for i in range(w, b):
                gradient[i] += strength * theta[i]
        if layer > 0:
            product(dZ, block(theta, w, k, m).T, block(work, spare, n, k))
            slopes = stack.slopes[at : at + n * k]
            pull_back(work[spare : spare + n * k], work[at : at + n * k], stack.activations[layer - 1],
                      stack.settings[layer - 1], slopes)  # fmt: skip


@compiled
def scales(rows: IntArray, data: Data) -> tuple[float, float]:
    """Return the factor of a batch's losses and the strength of its penalty."""
    if not data.own_mean:
        return data.factor * data.X.shape[0] / rows.size, data.l2
    mass = float(rows.size)
    if data.weights.size > 0:
        mass = 0.0
        for i in range(rows.size):
            mass += data.weights[rows[i]]
    return data.factor / mass, data.l2 / mass


@compiled
def train(
    theta: Array,
    gradient: Array,
    orders: IntArray,
    batch_size: int,
    data: Data,
    stack: Stack,
    family: int,
    constants: Array,
    rates: Array,
    memory: Array,
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
    for p in range(values.size):
        order = orders[p % orders.shape[0]]
        constants[0] = rates[p]
        total = 0.0
        for start in range(0, order.size, batch_size):
            rows = order[start : start + batch_size]
            total += batch_gradient(theta, gradient, rows, data, stack) * rows.size
            update(theta, gradient, memory, 0, family, constants, t)
            t += 1
        values[p] = total / order.size
        plateau[1] = plateau[1] + 1 if values[p] > plateau[0] - plateau[2] else 0.0
        plateau[0] = min(plateau[0], values[p])
        if plateau[1] > plateau[3] or not np.isfinite(values[p]):
            return p + 1
    return int(values.size)
