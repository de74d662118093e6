"""Update rules over a flat parameter vector, compiled: one pass over the parameters for the whole step.

Twins of the classes in ``solvers.updates``, as members of two families: ``VELOCITY`` sums gradients, ``SCALED`` divides
them by a root of their squares.
"""

import numpy as np

from steepest.kernels.compile import compiled, inlined
from steepest.typing import Array

PLAIN, VELOCITY, SCALED = range(3)
N_CONSTANTS = 9  # the rate, seven of the family, and the length to clip gradients to (0 for never)


@compiled
def velocity(theta: Array, gradient: Array, memory: Array, at: int, constants: Array) -> None:
    """``v = beta v + g``, ``theta = theta - rate (a g + b v)``; twin of ``Momentum`` and ``Nesterov``.

    ``constants``: rate, beta, a, b.
    """
    number = theta.dtype.type
    beta, a, b = number(constants[1]), number(constants[0] * constants[2]), number(constants[0] * constants[3])
    v = memory[0, at : at + theta.size]
    for i in range(theta.size):
        v[i] = beta * v[i] + gradient[i]
        theta[i] -= a * gradient[i] + b * v[i]


@compiled
def scaled(theta: Array, gradient: Array, memory: Array, at: int, constants: Array, t: int) -> None:
    """Step along a mean of g over the root of a mean of g^2; twin of ``Adam``, ``AdamW``, ``RMSprop``, ``Adagrad``.

    ::

        m = beta1 m + (1 - beta1) g,    s = beta2 s + c g^2
        theta = (1 - rate decay) theta - rate' m / (u sqrt(s) + epsilon)

    ``constants``: rate, beta1, beta2, c, epsilon, decay, and two flags. The first is 1 if the means are corrected for
    their start at zero (``rate' = rate / (1 - beta1^t)``, ``u = 1 / sqrt(1 - beta2^t)``, else ``rate`` and 1), and 2 if
    epsilon is added before that. The second puts the largest s so far in the place of s: AMSGrad.
    """
    number = theta.dtype.type  # a number of another precision would slow every operation down
    correction, rate, epsilon = 1.0, constants[0], constants[4]
    if constants[6] > 0:
        rate /= 1.0 - constants[1] ** t
        correction = 1.0 / np.sqrt(1.0 - constants[2] ** t)
        epsilon *= correction if constants[6] > 1 else 1.0
    beta1, one_less, kept = number(constants[1]), number(1.0 - constants[1]), number(1.0 - constants[0] * constants[5])
    beta2, c, u = number(constants[2]), number(constants[3]), number(correction)
    h, eps, end = number(rate), number(epsilon), at + theta.size
    mean, square, largest = memory[0, at:end], memory[1, at:end], memory[-1, at:end]
    ever_largest = constants[7] > 0
    for i in range(theta.size):
        g = gradient[i]
        mean[i] = beta1 * mean[i] + one_less * g
        square[i] = beta2 * square[i] + c * g * g
        s = square[i]
        if ever_largest:
            largest[i] = max(largest[i], s)
            s = largest[i]
        theta[i] = kept * theta[i] - h * mean[i] / (np.sqrt(s) * u + eps)


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


@inlined
def update(theta: Array, gradient: Array, memory: Array, at: int, family: int, constants: Array, t: int) -> None:
    """Make step t = 1, 2, ... of a rule in place, for the parameters from number ``at`` on.

    ``memory`` (2 or 3, all parameters) is the rule's state.
    """
    if constants[8] > 0:
        clip(gradient, constants[8])
    if family == SCALED:
        scaled(theta, gradient, memory, at, constants, t)
    elif family == VELOCITY:
        velocity(theta, gradient, memory, at, constants)
    else:
        rate = theta.dtype.type(constants[0])
        for i in range(theta.size):
            theta[i] -= rate * gradient[i]


@compiled
def update_from_parts(
    theta: Array, gradient: Array, other: Array, memory: Array, at: int, family: int, constants: Array, t: int
) -> None:
    """Do so with the sum of two parts of the gradient, which takes the place of the first."""
    for i in range(theta.size):
        gradient[i] += other[i]
    update(theta, gradient, memory, at, family, constants, t)
