"""Layer normalisation."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from steepest.layers.layer import Layer, Parameters, Shape
from steepest.layers.normalization import Standardized, standardize, standardize_backward
from steepest.typing import Array
from steepest.validation import check_positive


class LayerNormCache(NamedTuple):
    """What the backward needs."""

    standardized: Standardized
    gamma: Array


@dataclass(frozen=True)
class LayerNorm(Layer):
    r"""Standardise every sample over its own entries, then scale by ``gamma`` and shift by ``beta``.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Added to the variance.

    Notes
    -----
    Shapes: X (N, ...), gamma and beta in the shape of a sample; a group is one sample. It does the same in training
    and in prediction::

        Y      = gamma X_hat + beta
        dgamma = sum_n dY X_hat,   dbeta = sum_n dY
        dX_hat = gamma dY          then see :func:`~steepest.layers.normalization.standardize_backward`

    Source: J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization (2016).

    Examples
    --------
    >>> layer = LayerNorm()
    >>> parameters = layer.initial_parameters((2,), np.random.default_rng(0))
    >>> layer.forward(np.array([[1.0, 3.0]]), parameters)[0].round(3)
    array([[-1.,  1.]])
    """

    epsilon: float = 1e-5
    formula: ClassVar[str] = "Y = gamma (X - mean) / sqrt(variance + epsilon) + beta, over each sample"
    latex: ClassVar[str] = r"Y = \gamma \odot (X - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"

    def __post_init__(self) -> None:
        """Refuse an epsilon that is not positive."""
        check_positive("epsilon", self.epsilon)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of gamma and beta."""
        return {"gamma": input_shape, "beta": input_shape}

    def initial_parameters(self, input_shape: Shape, generator: np.random.Generator) -> dict[str, Array]:
        """Return ones and zeros."""
        return {"gamma": np.ones(input_shape), "beta": np.zeros(input_shape)}

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, LayerNormCache]:
        """Return ``gamma X_hat + beta``."""
        standardized, _, _ = standardize(X, tuple(range(1, X.ndim)), self.epsilon)
        gamma = parameters["gamma"]
        return gamma * standardized.X_hat + parameters["beta"], LayerNormCache(standardized, gamma)

    def backward(self, dY: Array, cache: LayerNormCache) -> tuple[Array, dict[str, Array]]:
        """Return ``dX`` and the gradients of gamma and beta."""
        dX = standardize_backward(dY * cache.gamma, cache.standardized)
        return dX, {"gamma": np.sum(dY * cache.standardized.X_hat, axis=0), "beta": dY.sum(axis=0)}
