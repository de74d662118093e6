"""The convolutional network for regression."""

from collections.abc import Callable
from typing import Any

from sklearn.base import MultiOutputMixin, RegressorMixin

from steepest.estimator import fitting
from steepest.exceptions import InvalidInputError
from steepest.losses import HalfSquaredError, Loss
from steepest.measures import r_squared
from steepest.neural_network.convolutional import ConvolutionalNetwork
from steepest.typing import Array
from steepest.validation import check_supervised


class ConvRegressor(MultiOutputMixin, RegressorMixin, ConvolutionalNetwork):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Convolutional network: ``(sum_i s_i |y_i - f(x_i)|^2 / 2 + alpha |W|^2 / 2) / sum_i s_i``.

    Parameters are those of :class:`ConvClassifier`; early stopping goes by R^2.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).random((60, 1, 6, 6))
    >>> model = ConvRegressor(filters=4, hidden_layer_sizes=(16,), learning_rate=0.01, random_state=0)
    >>> bool(model.fit(X, X.mean(axis=(1, 2, 3)) * 10).score(X, X.mean(axis=(1, 2, 3)) * 10) > 0.5)
    True
    """

    _single: bool

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ConvRegressor":
        """Train until the loss (or the held-out R^2) stops improving."""
        return self._fit(X, y, sample_weight, incremental=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ConvRegressor":
        """Make one pass over the images given, from where the last call ended.

        Where ``set_params`` has changed the update rule since, the new one begins with fresh memory.

        Examples
        --------
        >>> import numpy as np
        >>> X = np.random.default_rng(0).random((60, 1, 6, 6))
        >>> model = ConvRegressor(filters=4, hidden_layer_sizes=(), learning_rate=0.02, random_state=0)
        >>> for _ in range(60):
        ...     _ = model.partial_fit(X, X.mean(axis=(1, 2, 3)) * 10)
        >>> bool(model.score(X, X.mean(axis=(1, 2, 3)) * 10) > 0.5)
        True
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> "ConvRegressor":
        self._check_options()
        first = self._is_first(incremental)
        flat, y, sample_weight = check_supervised(self, self._flat(X), y, sample_weight, multi_output=True, reset=first)
        columns = y[:, None] if y.ndim == 1 else y
        if first:
            self.image_shape_, self._single = self._shape_of(X, flat.shape[1]), y.ndim == 1
        elif columns.shape[1:] != self.network_.architecture.output_shape:
            (known,) = self.network_.architecture.output_shape
            raise InvalidInputError(f"targets a sample: y holds {columns.shape[1]}, the network has learned {known}")
        self._check_images(X)
        self._learn(flat, columns, columns.shape[1], sample_weight, incremental=incremental)
        return self

    def _loss_function(self) -> Loss:
        return HalfSquaredError()

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        return lambda scores: r_squared(y, scores, sample_weight)

    def predict(self, X: Any) -> Array:
        """Return the predicted targets, (n_samples,) or (n_samples, n_outputs)."""
        scores = self._outputs(X)
        return scores[:, 0] if self._single else scores
