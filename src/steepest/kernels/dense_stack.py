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


@compiled
def affine(A: Array, B: Array, b: Array, out: Array) -> None:
    """``out = A B + b``: A (n, k), B (k, m), b (m,)."""
    n, k = A.shape
    m = B.shape[1]
    if n * k * m >= BLAS_FROM:
        np.dot(A, B, out)
        for i in range(n):
            for j in range(m):
                out[i, j] += b[j]
        return
    for i in range(n):
        for j in range(m):
            out[i, j] = b[j]
        for r in range(k):
            a = A[i, r]
            for j in range(m):
                out[i, j] += a * B[r, j]


@compiled
def matmul_transposed_left(A: Array, B: Array, out: Array) -> None:
    """``out = A^T B``: A (n, k), B (n, m)."""
    n, k = A.shape
    m = B.shape[1]
    if n * k * m >= BLAS_FROM:
        np.dot(A.T, B, out)
        return
    for r in range(k):
        for j in range(m):
            out[r, j] = 0
    for i in range(n):
        for r in range(k):
            a = A[i, r]
            for j in range(m):
                out[r, j] += a * B[i, j]


@compiled
def matmul_transposed_right(A: Array, B: Array, out: Array) -> None:
    """``out = A B^T``: A (n, k), B (m, k)."""
    n, k = A.shape
    m = B.shape[0]
    if n * k * m >= BLAS_FROM:
        np.dot(A, B.T, out)
        return
    for i in range(n):
        for j in range(m):
            total = A[i, 0] * B[j, 0]
            for r in range(1, k):
                total += A[i, r] * B[j, r]
            out[i, j] = total


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
def layer_block(stack: Stack, layer: int, n: int) -> Array:
    """Return H_layer of a batch of n rows, a view into the buffer."""
    start, size = stack.starts[layer], stack.sizes[layer]
    return stack.work[start : start + n * size].reshape(n, size)


@compiled
def forward(theta: Array, stack: Stack, n: int, l2: float) -> float:
    """Fill H_1 ... H_L from H_0; return the sum of all squared weights if they are penalised."""
    place, squares = 0, 0.0
    for layer in range(stack.activations.size):
        inputs, outputs = stack.sizes[layer], stack.sizes[layer + 1]
        W, b = theta[place : place + inputs * outputs], theta[place + inputs * outputs :]
        Z = layer_block(stack, layer + 1, n)
        affine(layer_block(stack, layer, n), W.reshape(inputs, outputs), b, Z)
        activate(Z, stack.activations[layer], stack.exponents, stack.bits)
        if l2 > 0:
            for i in range(W.size):
                squares += W[i] * W[i]
        place += (inputs + 1) * outputs
    return squares


@compiled
def backward(theta: Array, gradient: Array, stack: Stack, n: int, l2: float) -> None:
    """Fill ``gradient``, with dL/dZ_L in the place of H_L."""
    place, strength = theta.size, theta.dtype.type(l2)
    for layer in range(stack.activations.size - 1, -1, -1):
        inputs, outputs = stack.sizes[layer], stack.sizes[layer + 1]
        place -= (inputs + 1) * outputs
        H, dZ = layer_block(stack, layer, n), layer_block(stack, layer + 1, n)
        W, dW = theta[place : place + inputs * outputs], gradient[place : place + inputs * outputs]
        db = gradient[place + inputs * outputs : place + (inputs + 1) * outputs]
        for j in range(outputs):
            db[j] = 0
        for i in range(n):
            for j in range(outputs):
                db[j] += dZ[i, j]
        matmul_transposed_left(H, dZ, dW.reshape(inputs, outputs))
        if l2 > 0:
            for i in range(W.size):
                dW[i] += strength * W[i]
        if layer > 0:
            spare = stack.starts[-1]
            dH = stack.work[spare : spare + n * inputs].reshape(n, inputs)
            matmul_transposed_right(dZ, W.reshape(inputs, outputs), dH)
            pull_back(dH, H, stack.activations[layer - 1])


@compiled
def batch_gradient(theta: Array, gradient: Array, rows: IntArray, data: Data, stack: Stack) -> float:
    """Write the gradient of the objective on some rows into ``gradient``; return its value."""
    n = rows.size
    H = layer_block(stack, 0, n)
    for i in range(n):
        for j in range(H.shape[1]):
            H[i, j] = data.X[rows[i], j]
    factor, l2 = data.factor * data.X.shape[0] / n, data.l2
    if data.own_mean:
        mass = float(n)
        if data.weights.size > 0:
            mass = 0.0
            for i in range(n):
                mass += data.weights[rows[i]]
        factor, l2 = data.factor / mass, data.l2 / mass
    squares = forward(theta, stack, n, l2)
    scores = layer_block(stack, stack.activations.size, n)
    value = value_and_slopes(scores, data.targets, data.weights, rows, data.loss, factor)
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

    Pass p goes through the rows in the order ``orders[p]``, or ``orders[0]`` if there is but one, and writes the mean
    of the batches' objectives, by rows, to ``values[p]``; its learning rate is ``rates[p]``. ``plateau`` holds the best value, the passes in a row that
    have not undercut it by ``plateau[2]``, that number, and how many such passes are allowed: more end the run.

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
