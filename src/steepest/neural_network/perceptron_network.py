"""The network of a perceptron: its layers, its parameters, and its scores."""

from typing import Any

import numpy as np
from scipy import sparse

from steepest.estimator import Estimator
from steepest.kernels.blas import one_blas_thread
from steepest.kernels.threads import map_blocks
from steepest.layers import Dense, Layer, Sequential
from steepest.neural_network.perceptron_options import ACTIVATIONS, hidden_sizes
from steepest.typing import Array
from steepest.validation import check_features

SHARED_FROM = 1 << 16  # outputs of the widest layer: for fewer, setting up threads takes longer than they save
LEAST_BLOCK, BLOCK_NUMBERS = 256, 1 << 15  # rows taken through all layers together, and such outputs


class PerceptronNetwork(Estimator):
    """Dense layers with one activation after all but the last.

    Attributes
    ----------
    coefs_, intercepts_ : list of array
        W (inputs, outputs) and b (outputs,) of each layer.
    """

    coefs_: list[Array]
    intercepts_: list[Array]

    def _network(self, n_features: int, n_outputs: int) -> Sequential:
        layers: list[Layer] = []
        for k in hidden_sizes(self.hidden_layer_sizes):
            layers += [Dense(k), ACTIVATIONS[self.activation]]
        return Sequential([*layers, Dense(n_outputs)], (n_features,))

    def _draw(self, network: Sequential, random_state: Any, dtype: Any) -> Array:
        r"""Draw W and b of each layer from [-a, a], ``a^2 = 6 / (fan_in + fan_out)``, or a third of it for the sigmoid.

        Notes
        -----
        The sigmoid's slope is at most 1/4 where that of the others is 1: smaller weights keep it from saturating.
        """
        theta, factor = np.empty(network.n_parameters, dtype), 2.0 if self.activation == "logistic" else 6.0
        for layer in {p.layer for p in network.parameters}:
            W, b = (p for p in network.parameters if p.layer == layer)
            limit = np.sqrt(factor / sum(W.shape))
            for part in (W, b):
                theta[part.span] = random_state.uniform(-limit, limit, part.shape).ravel()
        return theta

    def _flat(self, dtype: Any) -> Array:
        """Return the fitted parameters as one vector."""
        parts = [part.ravel() for pair in zip(self.coefs_, self.intercepts_, strict=True) for part in pair]
        return np.concatenate(parts).astype(dtype)

    def _attributes(self, network: Sequential, theta: Array) -> dict[str, Any]:
        """Return ``coefs_`` and ``intercepts_`` for flat parameters."""
        theta = theta.copy()
        named = [theta[p.span].reshape(p.shape) for p in network.parameters]
        return {"coefs_": named[0::2], "intercepts_": named[1::2]}

    def _outputs(self, X: Any, pairs: Any = None) -> Array:
        """Return the scores of the last layer, before its activation: many rows in blocks that stay in the cache."""
        pairs = list(zip(self.coefs_, self.intercepts_, strict=True) if pairs is None else pairs)
        widest = max(len(b) for _, b in pairs)
        if X.shape[0] * widest < SHARED_FROM or sparse.issparse(X):
            return self._forward(X, pairs)
        block_rows = max(LEAST_BLOCK, BLOCK_NUMBERS // widest)
        with one_blas_thread():
            return np.concatenate(map_blocks(lambda i, j: self._forward(X[i:j], pairs), len(X), block_rows))

    def _forward(self, X: Any, pairs: list[tuple[Array, Array]]) -> Array:
        activation: Any = ACTIVATIONS[self.activation]
        H: Array = X
        for number, (W, b) in enumerate(pairs):
            H = np.asarray((activation.value(H) if number else H) @ W)
            H += b
        return H

    def _scores(self, X: Any) -> Array:
        return self._outputs(check_features(self, X, accept_sparse=["csr", "csc"]))

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
