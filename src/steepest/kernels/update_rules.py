"""Update rules over a flat parameter vector, compiled: one pass over the parameters for the whole step.

Twins of the classes in ``solvers.updates``.
"""

import numpy as np

from steepest.kernels.compile import compiled
from steepest.typing import Array

PLAIN, MOMENTUM, NESTEROV, ADAM, ADAMW = range(5)


@compiled
def momentum(theta: Array, gradient: Array, memory: Array, rate: float, beta: float) -> None:
    """``v = beta v + g``, ``theta = theta - rate v``; twin of ``Momentum``."""
    h, share = theta.dtype.type(rate), theta.dtype.type(beta)
    for i in range(theta.size):
        memory[0, i] = share * memory[0, i] + gradient[i]
        theta[i] -= h * memory[0, i]


@compiled
def nesterov(theta: Array, gradient: Array, memory: Array, rate: float, beta: float) -> None:
    """``v = beta v + g``, ``theta = theta - rate (g + beta v)``; twin of ``Nesterov``."""
    h, share = theta.dtype.type(rate), theta.dtype.type(beta)
    for i in range(theta.size):
        memory[0, i] = share * memory[0, i] + gradient[i]
        theta[i] -= h * (gradient[i] + share * memory[0, i])


@compiled
def adam(theta: Array, gradient: Array, memory: Array, constants: Array, t: int) -> None:
    """Step along running means of g and g^2; twin of ``Adam`` and, with a decay, of ``AdamW``.

    ``constants``: rate, beta1, beta2, epsilon, weight decay, and whether epsilon is added to the uncorrected root.
    """
    number = theta.dtype.type  # a number of another precision would slow every operation down
    one, beta1, beta2, epsilon = number(1), number(constants[1]), number(constants[2]), number(constants[3])
    kept = number(1.0 - constants[0] * constants[4])
    rate = number(constants[0] / (1.0 - constants[1] ** t))
    correction = 1.0 / np.sqrt(1.0 - constants[2] ** t)
    if constants[5] > 0:
        epsilon = number(constants[3] * correction)
    root = number(correction)
    mean, square = memory[0], memory[1]
    for i in range(theta.size):
        g = gradient[i]
        mean[i] = beta1 * mean[i] + (one - beta1) * g
        square[i] = beta2 * square[i] + (one - beta2) * g * g
        theta[i] = kept * theta[i] - rate * mean[i] / (np.sqrt(square[i]) * root + epsilon)


@compiled
def clip(gradient: Array, limit: float) -> None:
    """Shorten the gradient to the length ``limit`` if it is longer; twin of ``Clipped``."""
    squares = 0.0
    for i in range(gradient.size):
        squares += gradient[i] * gradient[i]
    if squares > limit * limit:
        share = gradient.dtype.type(limit / np.sqrt(squares))
        for i in range(gradient.size):
            gradient[i] *= share


@compiled
def update(theta: Array, gradient: Array, memory: Array, rule: int, constants: Array, t: int) -> None:
    """Make step t = 1, 2, ... of a rule in place; ``memory`` (2, n_parameters) is its state, zero at the start.

    ``constants``: the rate, four of the rule, a flag of Adam, and the length to clip gradients to (0 for never).
    """
    if constants[6] > 0:
        clip(gradient, constants[6])
    if rule == PLAIN:
        rate = theta.dtype.type(constants[0])
        for i in range(theta.size):
            theta[i] -= rate * gradient[i]
    elif rule == MOMENTUM:
        momentum(theta, gradient, memory, constants[0], constants[1])
    elif rule == NESTEROV:
        nesterov(theta, gradient, memory, constants[0], constants[1])
    else:
        adam(theta, gradient, memory, constants, t)
