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
from steepest.kernels.compile import compiled
from steepest.kernels.output_losses import value_and_slopes
from steepest.kernels.update_rules import update
from steepest.typing import Array, IntArray

BLAS_FROM = 6000  # multiplications from which a call of BLAS costs less than plain loops


class Stack(NamedTuple):
    """A network as the kernel sees it.

    Attributes
    ----------
    sizes : int array (n_layers + 1,)
        Numbers of units, from the input to the output.
    activations : int array (n_layers,)
        What follows each dense layer.
    starts : int array (n_layers + 2,)
        Where each H_l, and the spare block, begins in ``work``.
    work : array
        The buffer.
    exponents : float array
        A buffer for the exponentials of activations.
    bits : int array
        Another, as long.
    """

    sizes: IntArray
    activations: IntArray
    starts: IntArray
    work: Array
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
def affine(work: Array, h: int, z: int, theta: Array, w: int, n: int, k: int, m: int) -> None:
    """``Z = H W + b``: H (n, k) from ``h``, Z (n, m) from ``z`` on in the buffer; W (k, m), then b, from ``w`` on."""
    b = w + k * m
    if n * k * m >= BLAS_FROM:
        H, W = work[h : h + n * k].reshape(n, k), theta[w:b].reshape(k, m)
        np.dot(H, W, work[z : z + n * m].reshape(n, m))
        for i in range(n):
            for j in range(m):
                work[z + i * m + j] += theta[b + j]
        return
    for i in range(n):
        row = z + i * m
        for j in range(m):
            work[row + j] = theta[b + j]
        for r in range(k):
            a = work[h + i * k + r]
            for j in range(m):
                work[row + j] += a * theta[w + r * m + j]


@compiled
def weight_gradients(work: Array, h: int, dz: int, gradient: Array, w: int, n: int, k: int, m: int) -> None:
    """``dW = H^T dZ``, ``db = 1^T dZ``: H (n, k) from ``h``, dZ (n, m) from ``dz`` on; dW, then db, from ``w``."""
    b = w + k * m
    large = n * k * m >= BLAS_FROM
    if large:
        H, dZ = work[h : h + n * k].reshape(n, k), work[dz : dz + n * m].reshape(n, m)
        np.dot(H.T, dZ, gradient[w:b].reshape(k, m))
    for i in range(b if large else w, b + m):
        gradient[i] = 0
    for i in range(n):
        row = dz + i * m
        for j in range(m):
            gradient[b + j] += work[row + j]
        for r in range(0 if large else k):
            a = work[h + i * k + r]
            for j in range(m):
                gradient[w + r * m + j] += a * work[row + j]


@compiled
def input_gradients(work: Array, dz: int, dh: int, theta: Array, w: int, n: int, k: int, m: int) -> None:
    """``dH = dZ W^T``: dZ (n, m) from ``dz`` on, dH (n, k) from ``dh`` on; W (k, m) from ``w`` on in the parameters."""
    if n * k * m >= BLAS_FROM:
        dZ, W = work[dz : dz + n * m].reshape(n, m), theta[w : w + k * m].reshape(k, m)
        np.dot(dZ, W.T, work[dh : dh + n * k].reshape(n, k))
        return
    for i in range(n):
        for r in range(k):
            total = work[dz + i * m] * theta[w + r * m]
            for j in range(1, m):
                total += work[dz + i * m + j] * theta[w + r * m + j]
            work[dh + i * k + r] = total


@compiled
def forward(theta: Array, stack: Stack, n: int, l2: float) -> float:
    """Fill H_1 ... H_L from H_0; return the sum of all squared weights if they are penalised."""
    place, squares = 0, 0.0
    for layer in range(stack.activations.size):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        z = stack.starts[layer + 1]
        affine(stack.work, stack.starts[layer], z, theta, place, n, k, m)
        activate(stack.work, z, z + n * m, stack.activations[layer], stack.exponents, stack.bits)
        if l2 > 0:
            for i in range(place, place + k * m):
                squares += theta[i] * theta[i]
        place += (k + 1) * m
    return squares


@compiled
def backward(theta: Array, gradient: Array, stack: Stack, n: int, l2: float) -> None:
    """Fill ``gradient``, with dL/dZ_L in the place of H_L."""
    place, strength = theta.size, theta.dtype.type(l2)
    spare = stack.starts[stack.activations.size + 1]
    for layer in range(stack.activations.size - 1, -1, -1):
        k, m = stack.sizes[layer], stack.sizes[layer + 1]
        h, dz = stack.starts[layer], stack.starts[layer + 1]
        place -= (k + 1) * m
        weight_gradients(stack.work, h, dz, gradient, place, n, k, m)
        if l2 > 0:
            for i in range(place, place + k * m):
                gradient[i] += strength * theta[i]
        if layer > 0:
            input_gradients(stack.work, dz, spare, theta, place, n, k, m)
            pull_back(stack.work, spare, h, n * k, stack.activations[layer - 1])


@compiled
def batch_gradient(theta: Array, gradient: Array, rows: IntArray, data: Data, stack: Stack) -> float:
    """Write the gradient of the objective on some rows into ``gradient``; return its value."""
    n, size = rows.size, data.X.shape[1]
    for i in range(n):
        row = rows[i]
        for j in range(size):
            stack.work[i * size + j] = data.X[row, j]
    factor, l2 = data.factor * data.X.shape[0] / n, data.l2
    if data.own_mean:
        mass = float(n)
        if data.weights.size > 0:
            mass = 0.0
            for i in range(n):
                mass += data.weights[rows[i]]
        factor, l2 = data.factor / mass, data.l2 / mass
    squares = forward(theta, stack, n, l2)
    last = stack.activations.size
    at, outputs = stack.starts[last], stack.sizes[last]
    value = value_and_slopes(stack.work, at, outputs, data.targets, data.weights, rows, data.loss, factor)
    backward(theta, gradient, stack, n, l2)
    return value + 0.5 * l2 * squares


@compiled
def train(
    theta: Array,
    gradient: Array,
    orders: IntArray,
    batch_size: int,
    data: Data,
    stack: Stack,
    rule: int,
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
            update(theta, gradient, memory, rule, constants, t)
            t += 1
        values[p] = total / order.size
        plateau[1] = plateau[1] + 1 if values[p] > plateau[0] - plateau[2] else 0.0
        plateau[0] = min(plateau[0], values[p])
        if plateau[1] > plateau[3] or not np.isfinite(values[p]):
            return p + 1
    return int(values.size)
