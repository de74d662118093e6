"""How weights are drawn at the start."""

from collections.abc import Callable
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.typing import Array

Initializer = Callable[[tuple[int, ...], int, int, np.random.Generator], Array]
"""Takes the shape of W, the number of inputs and of outputs of a unit, and a generator; returns W."""


def check_initializer(value: Any) -> None:
    """Refuse an initializer that is no function.

    Examples
    --------
    >>> check_initializer("he")
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: initializer='he': must be a function, as in steepest.layers.initializers
    """
    if not callable(value):
        raise InvalidInputError(f"initializer={value!r}: must be a function, as in steepest.layers.initializers")


def zeros(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    """Return all zeros: every unit of a layer then stays alike for ever, which is the point of showing it.

    Examples
    --------
    >>> zeros((2,), 2, 1, np.random.default_rng(0))
    array([0., 0.])
    """
    return np.zeros(shape)


def normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    """Return standard normal numbers times 0.01.

    Examples
    --------
    >>> normal((2, 2), 2, 2, np.random.default_rng(0)).shape
    (2, 2)
    """
    return 0.01 * generator.standard_normal(shape)


def glorot_uniform(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    r"""Return uniform numbers in ``[-a, a]`` with ``a = sqrt(6 / (fan_in + fan_out))`` (Xavier).

    Notes
    -----
    A uniform number in [-a, a] has variance a^2 / 3 = 2 / (fan_in + fan_out): a compromise between 1 / fan_in, which
    keeps the variance of a linear layer's outputs, and 1 / fan_out, which keeps that of the gradients going back.

    Source: X. Glorot and Y. Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010, eq. 16.

    Examples
    --------
    >>> W = glorot_uniform((300, 300), 300, 300, np.random.default_rng(0))
    >>> bool(abs(W).max() <= 0.1), round(float(W.var() * 300), 2)
    (True, 1.0)
    """
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return generator.uniform(-limit, limit, shape)


def glorot_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    """Return normal numbers of variance ``2 / (fan_in + fan_out)``; see :func:`glorot_uniform`.

    Examples
    --------
    >>> W = glorot_normal((300, 300), 300, 300, np.random.default_rng(0))
    >>> round(float(W.var() * 300), 1)
    1.0
    """
    return float(np.sqrt(2.0 / (fan_in + fan_out))) * generator.standard_normal(shape)


def he_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    r"""Return normal numbers of variance ``2 / fan_in``, made for ReLU.

    Notes
    -----
    A ReLU sets half of a symmetric input to zero, so E[relu(z)^2] = Var(z) / 2: the factor 2 makes up for it.

    Source: K. He et al., Delving Deep into Rectifiers, ICCV 2015, eq. 10.

    Examples
    --------
    >>> W = he_normal((300, 300), 300, 300, np.random.default_rng(0))
    >>> round(float(W.var() * 300), 1)
    2.0
    """
    return float(np.sqrt(2.0 / fan_in)) * generator.standard_normal(shape)


def he_uniform(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    """Return uniform numbers of variance ``2 / fan_in``; see :func:`he_normal`.

    Examples
    --------
    >>> W = he_uniform((300, 300), 300, 300, np.random.default_rng(0))
    >>> round(float(W.var() * 300), 1)
    2.0
    """
    limit = np.sqrt(6.0 / fan_in)
    return generator.uniform(-limit, limit, shape)


def lecun_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    """Return normal numbers of variance ``1 / fan_in``, which keeps the variance of a linear layer's outputs.

    Source: Y. LeCun et al., Efficient BackProp (1998), section 4.6.

    Examples
    --------
    >>> W = lecun_normal((300, 300), 300, 300, np.random.default_rng(0))
    >>> round(float(W.var() * 300), 1)
    1.0
    """
    return generator.standard_normal(shape) / float(np.sqrt(fan_in))


def orthogonal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: np.random.Generator) -> Array:
    r"""Return a matrix with orthonormal rows or columns (the fewer of the two), uniformly distributed.

    Notes
    -----
    Q of the QR decomposition of a normal matrix, each column times the sign of R's diagonal: without the signs, Q would
    depend on the decomposition's convention and not be uniform. Axes after the first are flattened for a convolution.

    Source: A. Saxe et al., Exact solutions to the nonlinear dynamics of learning in deep linear networks, ICLR 2014.

    Examples
    --------
    >>> W = orthogonal((4, 3), 4, 3, np.random.default_rng(0))
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True
    """
    rows, columns = shape[0], int(np.prod(shape[1:]))
    tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))
    return (Q if rows >= columns else Q.T).reshape(shape)
