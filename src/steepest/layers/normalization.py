r"""Standardising a group of numbers, forward and backward: the heart of batch and layer normalisation.

Both layers compute ``Y = gamma X_hat + beta`` with ``X_hat = (X - mean) / sigma``, ``sigma^2 = variance + epsilon``;
they differ in the group over which mean and variance are taken.
"""

from typing import NamedTuple

import numpy as np

from steepest.typing import Array


class Standardized(NamedTuple):
    """Standardised numbers with what they were divided by."""

    X_hat: Array
    sigma: Array
    axes: tuple[int, ...]


def standardize(X: Array, axes: tuple[int, ...], epsilon: float) -> tuple[Standardized, Array, Array]:
    """Return ``X_hat`` over groups along ``axes`` with the groups' mean and variance (1 / m, not 1 / (m - 1))."""
    mean = X.mean(axis=axes, keepdims=True)
    centred = X - mean
    variance = np.mean(centred * centred, axis=axes, keepdims=True)
    sigma = np.sqrt(variance + X.dtype.type(epsilon))
    return Standardized(centred / sigma, sigma, axes), mean, variance


def standardize_backward(dX_hat: Array, cache: Standardized) -> Array:
    r"""Pull ``dL/dX_hat`` back to ``dL/dX``.

    Notes
    -----
    In a group of m numbers, x_hat_i = (x_i - mu) / sigma, mu = sum_j x_j / m, sigma^2 = sum_j (x_j - mu)^2 / m + eps::

        dmu/dx_j    = 1 / m
        dsigma/dx_j = (1 / 2 sigma) (2 / m) (x_j - mu) = x_hat_j / m           as sum_i (x_i - mu) = 0
        dx_hat_i/dx_j = ([i = j] - 1 / m) / sigma - (x_i - mu) / sigma^2 * x_hat_j / m
                      = ([i = j] - 1 / m - x_hat_i x_hat_j / m) / sigma

    Summing over i with dL/dx_hat_i gives::

        dx_j = (dx_hat_j - mean(dx_hat) - x_hat_j mean(dx_hat x_hat)) / sigma

    The gradient loses its mean and its part along x_hat: shifting or stretching the group changes nothing.
    """
    mean = dX_hat.mean(axis=cache.axes, keepdims=True)
    along = np.mean(dX_hat * cache.X_hat, axis=cache.axes, keepdims=True)
    dX: Array = (dX_hat - mean - cache.X_hat * along) / cache.sigma
    return dX
