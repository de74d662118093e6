"""Batch normalisation."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from steepest.layers.layer import Layer, Parameters, Shape
from steepest.layers.normalization import Standardized, standardize, standardize_backward
from steepest.typing import Array
from steepest.validation import check_positive


class BatchNormCache(NamedTuple):
    """What the backward needs; ``training`` tells whether mean and variance depended on the batch."""

    standardized: Standardized
    gamma: Array
    training: bool


@dataclass(frozen=True)
class BatchNorm(Layer):
    r"""Standardise every feature (or channel) over the batch, then scale by ``gamma`` and shift by ``beta``.

    Parameters
    ----------
    momentum : float, default 0.9
        Weight of the old running mean and variance when a batch updates them; PyTorch's momentum is 1 minus this.
    epsilon : float, default 1e-5
        Added to the variance.

    Notes
    -----
    Shapes: X (N, D) or (N, C, H, W); gamma and beta (D,) or (C,); a group is all numbers of a feature or channel, m of
    them. For the derivative of the standardisation see :func:`~steepest.layers.normalization.standardize_backward`::

        Y      = gamma X_hat + beta
        dgamma = sum dY X_hat,   dbeta = sum dY         over the group
        dX_hat = gamma dY

    In prediction the running mean and variance take the batch's place. They are constants then, so
    dX = gamma dY / sigma. The running variance is the unbiased one (m - 1), as in PyTorch.

    Source: S. Ioffe and C. Szegedy, Batch Normalization, ICML 2015.

    Examples
    --------
    >>> layer = BatchNorm()
    >>> parameters = layer.initial_parameters((1,), np.random.default_rng(0))
    >>> X = np.array([[1.0], [3.0]])
    >>> layer.forward(X, parameters, state=layer.initial_state((1,)), generator=np.random.default_rng(0))[0].round(3)
    array([[-1.],
           [ 1.]])
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    formula: ClassVar[str] = "Y = gamma (X - mean) / sqrt(variance + epsilon) + beta, over the batch"
    latex: ClassVar[str] = r"Y = \gamma \, (X - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta"

    def __post_init__(self) -> None:
        """Refuse an epsilon that is not positive."""
        check_positive("epsilon", self.epsilon)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of gamma and beta."""
        return {"gamma": input_shape[:1], "beta": input_shape[:1]}

    def initial_parameters(self, input_shape: Shape, generator: np.random.Generator) -> dict[str, Array]:
        """Return ones and zeros."""
        return {"gamma": np.ones(input_shape[0]), "beta": np.zeros(input_shape[0])}

    def initial_state(self, input_shape: Shape) -> dict[str, Array]:
        """Return the running mean 0 and variance 1."""
        return {"mean": np.zeros(input_shape[0]), "variance": np.ones(input_shape[0])}

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, BatchNormCache]:
        """Return ``gamma X_hat + beta``."""
        axes = (0, *range(2, X.ndim))
        along = (1, -1, *([1] * (X.ndim - 2)))  # features on axis 1
        gamma, beta = parameters["gamma"].reshape(along), parameters["beta"].reshape(along)
        if generator is None and state is not None:  # in prediction; without any state, the batch is all there is
            sigma = np.sqrt(state["variance"].reshape(along) + self.epsilon).astype(X.dtype)
            mean = state["mean"].reshape(along).astype(X.dtype)
            standardized = Standardized((X - mean) / sigma, sigma, axes)
            return gamma * standardized.X_hat + beta, BatchNormCache(standardized, gamma, training=False)
        standardized, mean, variance = standardize(X, axes, self.epsilon)
        if state is not None:
            m = X.size // X.shape[1]
            self._remember(state, mean.ravel(), variance.ravel() * (m / max(m - 1, 1)))
        return gamma * standardized.X_hat + beta, BatchNormCache(standardized, gamma, training=True)

    def _remember(self, state: dict[str, Array], mean: Array, variance: Array) -> None:
        for name, new in (("mean", mean), ("variance", variance)):
            state[name] *= self.momentum
            state[name] += (1.0 - self.momentum) * new

    def backward(self, dY: Array, cache: BatchNormCache) -> tuple[Array, dict[str, Array]]:
        """Return ``dX`` and the gradients of gamma and beta."""
        standardized = cache.standardized
        dX_hat = dY * cache.gamma
        dX = standardize_backward(dX_hat, standardized) if cache.training else dX_hat / standardized.sigma
        axes = standardized.axes
        return dX, {"gamma": np.sum(dY * standardized.X_hat, axis=axes), "beta": dY.sum(axis=axes)}
