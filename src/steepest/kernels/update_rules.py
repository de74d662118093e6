"""Update rules over a stretch of parameters, compiled: one pass over them for the whole step.

Twins of the classes in ``solvers.updates``, as members of two families, in procedures of one form::

    rule(theta, gradient, memory, pitch, n_rows, n, constants, rate, t)

makes step t = 1, 2, ... for n parameters in place. ``memory`` is the rule's state: rows of numbers, one a parameter,
``pitch`` from one row to the next.
"""

import numpy as np

from steepest.kernels.procedures import Numbers, Reals, as_in, procedure

STRETCH = 1024  # parameters whose state stays in the first-level cache from one loop to the next
N_CONSTANTS = 8  # seven of the family, and the length to clip gradients to (0 for never)


@procedure
def plain(
    theta: Numbers, gradient: Numbers, memory: Numbers, pitch: int, n_rows: int, n: int, constants: Reals, rate: float,
    t: int,
) -> None:  # fmt: skip
    """``theta = theta - rate g``; twin of ``Plain``."""
    h = as_in(theta, rate)
    for i in range(n):
        theta[i] -= h * gradient[i]


@procedure
def velocity(
    theta: Numbers, gradient: Numbers, memory: Numbers, pitch: int, n_rows: int, n: int, constants: Reals, rate: float,
    t: int,
) -> None:  # fmt: skip
    """``v = beta v + g``, ``theta = theta - rate (a g + b v)``; twin of ``Momentum`` and ``Nesterov``.

    ``constants``: beta, a, b.
    """
    beta, a, b = as_in(theta, constants[0]), as_in(theta, rate * constants[1]), as_in(theta, rate * constants[2])
    for i in range(n):
        memory[i] = beta * memory[i] + gradient[i]
        theta[i] -= a * gradient[i] + b * memory[i]


@procedure
def scaled(
    theta: Numbers, gradient: Numbers, memory: Numbers, pitch: int, n_rows: int, n: int, constants: Reals, rate: float,
    t: int,
) -> None:  # fmt: skip
    """Step along a mean of g over the root of a mean of g^2; twin of ``Adam``, ``AdamW``, ``RMSprop``, ``Adagrad``.

    ::

        m = beta1 m + (1 - beta1) g,    s = beta2 s + c g^2
        theta = (1 - rate decay) theta - rate' m / (u sqrt(s) + epsilon)

    ``constants``: beta1, beta2, c, epsilon, decay, and two flags. The first is 1 if the means are corrected for
    their start at zero (``rate' = rate / (1 - beta1^t)``, ``u = 1 / sqrt(1 - beta2^t)``, else ``rate`` and 1), and 2 if
    epsilon is added before that. The second puts the largest s so far in the place of s: AMSGrad.
    """
    beta1, beta2, decay = constants[0], constants[1], constants[4]
    kept, correction, epsilon = 1.0 - rate * decay, 1.0, constants[3]
    if constants[5] > 0:
        rate /= 1.0 - beta1**t
        correction = 1.0 / np.sqrt(1.0 - beta2**t)
        epsilon *= correction if constants[5] > 1 else 1.0
    # numbers of another precision would slow every operation down
    old, new, old_square = as_in(theta, beta1), as_in(theta, 1.0 - beta1), as_in(theta, beta2)
    new_square, rest, h = as_in(theta, constants[2]), as_in(theta, kept), as_in(theta, rate)
    u, eps = as_in(theta, correction), as_in(theta, epsilon)
    ever_largest, last = constants[6] > 0, (n_rows - 1) * pitch
    row = last if ever_largest else pitch
    for begin in range(0, n, STRETCH):
        end = min(n, begin + STRETCH)
        for i in range(begin, end):
            g = gradient[i]
            memory[i] = old * memory[i] + new * g
            memory[pitch + i] = old_square * memory[pitch + i] + new_square * g * g
        if ever_largest:
            for i in range(begin, end):
                memory[last + i] = max(memory[last + i], memory[pitch + i])
        for i in range(begin, end):
            theta[i] = rest * theta[i] - h * memory[i] / (np.sqrt(memory[row + i]) * u + eps)
