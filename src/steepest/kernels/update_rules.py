"""Update rules over a flat parameter vector, compiled: one pass over the parameters for the whole step.

Twins of the classes in ``solvers.updates``, as members of two families: ``VELOCITY`` sums gradients, ``SCALED`` divides
them by a root of their squares. Indices are unsigned, or each would be looked at whether it counts from the end.
"""

import numpy as np

from steepest.kernels.compile import inlined
from steepest.typing import Array

NONE, PLAIN, VELOCITY, SCALED = range(4)
STRETCH = 1024  # parameters whose state stays in the first-level cache from one loop to the next
N_CONSTANTS = 8  # seven of the family, and the length to clip gradients to (0 for never)


@inlined
def plain(theta: Array, gradient: Array, start: int, stop: int, rate: float) -> None:
    """``theta = theta - rate g``; twin of ``Plain``."""
    h = theta.dtype.type(rate)
    for i in range(np.uintp(start), np.uintp(stop)):
        theta[i] -= h * gradient[i]


@inlined
def velocity(
    theta: Array, gradient: Array, memory: Array, start: int, stop: int, constants: Array, rate: float
) -> None:
    """``v = beta v + g``, ``theta = theta - rate (a g + b v)``; twin of ``Momentum`` and ``Nesterov``.

    ``constants``: beta, a, b.
    """
    number = theta.dtype.type
    beta, a, b = number(constants[0]), number(rate * constants[1]), number(rate * constants[2])
    for i in range(np.uintp(start), np.uintp(stop)):
        memory[0, i] = beta * memory[0, i] + gradient[i]
        theta[i] -= a * gradient[i] + b * memory[0, i]


@inlined
def scaled(
    theta: Array, gradient: Array, memory: Array, start: int, stop: int, constants: Array, rate: float, t: int
) -> None:
    """Step along a mean of g over the root of a mean of g^2; twin of ``Adam``, ``AdamW``, ``RMSprop``, ``Adagrad``.

    ::

        m = beta1 m + (1 - beta1) g,    s = beta2 s + c g^2
        theta = (1 - rate decay) theta - rate' m / (u sqrt(s) + epsilon)

    ``constants``: beta1, beta2, c, epsilon, decay, and two flags. The first is 1 if the means are corrected for
    their start at zero (``rate' = rate / (1 - beta1^t)``, ``u = 1 / sqrt(1 - beta2^t)``, else ``rate`` and 1), and 2 if
    epsilon is added before that. The second puts the largest s so far in the place of s: AMSGrad.
    """
    number = theta.dtype.type  # a number of another precision would slow every operation down
    beta1, beta2, decay = constants[0], constants[1], constants[4]
    kept, correction, epsilon = number(1.0 - rate * decay), 1.0, constants[3]
    if constants[5] > 0:
        rate /= 1.0 - beta1**t
        correction = 1.0 / np.sqrt(1.0 - beta2**t)
        epsilon *= correction if constants[5] > 1 else 1.0
    old, new, old_square, new_square = number(beta1), number(1.0 - beta1), number(beta2), number(constants[2])
    h, u, eps = number(rate), number(correction), number(epsilon)
    ever_largest, last = constants[6] > 0, memory.shape[0] - 1
    row = last if ever_largest else 1
    for begin in range(start, stop, STRETCH):
        end = min(stop, begin + STRETCH)
        for i in range(np.uintp(begin), np.uintp(end)):
            g = gradient[i]
            memory[0, i] = old * memory[0, i] + new * g
            memory[1, i] = old_square * memory[1, i] + new_square * g * g
        if ever_largest:
            for i in range(np.uintp(begin), np.uintp(end)):
                memory[last, i] = max(memory[last, i], memory[1, i])
        for i in range(np.uintp(begin), np.uintp(end)):
            theta[i] = kept * theta[i] - h * memory[0, i] / (np.sqrt(memory[row, i]) * u + eps)


@inlined
def update(
    theta: Array, gradient: Array, memory: Array, start: int, stop: int, family: int, constants: Array, rate: float,
    t: int,
) -> None:  # fmt: skip
    """Make step t = 1, 2, ... of a rule in place, for the parameters from ``start`` to ``stop``.

    ``memory`` (2 or 3, all parameters) is the rule's state.
    """
    if family == SCALED:
        scaled(theta, gradient, memory, start, stop, constants, rate, t)
    elif family == VELOCITY:
        velocity(theta, gradient, memory, start, stop, constants, rate)
    elif family == PLAIN:
        plain(theta, gradient, start, stop, rate)
