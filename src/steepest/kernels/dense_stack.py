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
def matmul(A: Array, B: Array, out: Array) -> None:
    """``out = A B``: A (n, k), B (k, m)."""
    n, k = A.shape
    m = B.shape[1]
    if n * k * m >= BLAS_FROM:
        np.dot(A, B, out)
        return
    for i in range(n):
        for j in range(m):
            out[i, j] = 0
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
    """

    sizes: IntArray
    activations: IntArray
    starts: IntArray
    work: Array


class Data(NamedTuple):
    """Rows with their targets (n, k) and weights (n,), or none, and how the loss is reduced.

    ``factor`` belongs to the sum over all rows; a batch takes ``factor n / |B|``, so that it stands for the whole.
    With ``l2_over_rows`` a batch is penalised by ``l2 |W|^2 / (2 |B|)``, otherwise by ``l2 |W|^2 / 2``.
    """

    X: Array
    targets: Array
    weights: Array
    loss: int
    factor: float
    l2: float
    l2_over_rows: bool


@compiled
def layer_block(stack: Stack, layer: int, n: int) -> Array:
    """Return H_layer of a batch of n rows, a view into the buffer."""
    start, size = stack.starts[layer], stack.sizes[layer]
    return stack.work[start : start + n * size].reshape(n, size)


@compiled
def forward(theta: Array, stack: Stack, n: int) -> float:
    """Fill H_1 ... H_L from H_0; return the sum of all squared weights."""
    place, squares = 0, 0.0
    for layer in range(stack.activations.size):
        inputs, outputs = stack.sizes[layer], stack.sizes[layer + 1]
        W, b = theta[place : place + inputs * outputs], theta[place + inputs * outputs :]
        Z = layer_block(stack, layer + 1, n)
        matmul(layer_block(stack, layer, n), W.reshape(inputs, outputs), Z)
        for i in range(n):
            for j in range(outputs):
                Z[i, j] += b[j]
        activate(Z, stack.activations[layer])
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
    squares = forward(theta, stack, n)
    scores = layer_block(stack, stack.activations.size, n)
    factor = data.factor * data.X.shape[0] / n
    value = value_and_slopes(scores, data.targets, data.weights, rows, data.loss, factor)
    l2 = data.l2 / n if data.l2_over_rows else data.l2
    backward(theta, gradient, stack, n, l2)
    return value + 0.5 * l2 * squares


@compiled
def train(
    theta: Array,
    gradient: Array,
    order: IntArray,
    batch_size: int,
    data: Data,
    stack: Stack,
    rule: int,
    constants: Array,
    memory: Array,
    t: int,
) -> float:
    """Make one update a batch over the rows in ``order``, beginning with update t; return the objective's mean by rows.

    The last layer has the identity for its activation: the loss takes scores.
    """
    total = 0.0
    for start in range(0, order.size, batch_size):
        rows = order[start : start + batch_size]
        total += batch_gradient(theta, gradient, rows, data, stack) * rows.size
        update(theta, gradient, memory, rule, constants, t)
        t += 1
    return total / order.size
