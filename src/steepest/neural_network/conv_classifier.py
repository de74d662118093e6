"""The convolutional network for classification."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin

from steepest.estimator import fitting
from steepest.losses import Loss, SoftmaxCrossEntropy
from steepest.measures import accuracy
from steepest.neural_network.convolutional import ConvolutionalNetwork
from steepest.neural_network.incremental import check_labels, check_named
from steepest.typing import Array
from steepest.validation import check_supervised, encode_labels


class ConvClassifier(ClassifierMixin, ConvolutionalNetwork):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Convolutional network: ``(sum_i s_i l(y_i, f(x_i)) + alpha |W|^2 / 2) / sum_i s_i``, l the cross-entropy.

    Parameters
    ----------
    filters : int or sequence of int, default (8, 16)
        Kernels of each convolution; each is followed by a ReLU and max-pooling.
    hidden_layer_sizes : int or sequence of int, default (64,)
        Units of each dense layer before the last.
    kernel_size, pool_size : int, default 3 and 2
        Sides of kernels and of pooling windows.
    image_shape : tuple of int, optional
        (C, H, W) or (H, W), where X holds images as rows. Without it, X is (N, C, H, W) or (N, H, W); rows of numbers
        count as images of a single row.
    update, learning_rate : str or Update, float, default "adam" and 0.002
        The update rule and its rate.
    alpha : float, default 1e-4
        Strength of the penalty on W.
    dropout : float, default 0
        Share of the units before the last layer that are dropped in training.
    batch_size : int or "auto", default "auto"
        Rows an update sees; "auto" is 64, or all if there are fewer.
    max_iter, tol, n_iter_no_change : int, float, int, default 100, 1e-4 and 10
        The most passes; stop when so many in a row have not improved the loss (the score) by ``tol``.
    early_stopping, validation_fraction : bool and float, default False and 0.1
        Hold out a share of the rows, stop by their accuracy, and take the best parameters.
    random_state : int, RandomState or None
        Decides the initial parameters, the order of the rows, what is dropped and held out.
    verbose : bool or int, default False
        Print every pass.

    Attributes
    ----------
    classes_ : array (n_classes,)
        The labels.

    Examples
    --------
    >>> X = np.zeros((20, 1, 4, 4))
    >>> X[::2, 0, :, 1] = X[1::2, 0, 1, :] = 1.0  # upright and level bars
    >>> y = np.tile(["upright", "level"], 10)
    >>> model = ConvClassifier(filters=4, hidden_layer_sizes=(), learning_rate=0.05, tol=0.01, random_state=0)
    >>> model.fit(X, y).score(X, y)
    1.0
    """

    classes_: Any

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ConvClassifier":
        """Train until the loss (or the held-out accuracy) stops improving."""
        return self._fit(X, y, sample_weight, None, incremental=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "ConvClassifier":
        """Make one pass over the images given, from where the last call ended; the first call names all classes.

        Where ``set_params`` has changed the update rule since, the new one begins with fresh memory.

        Examples
        --------
        >>> X = np.eye(4).reshape(4, 1, 2, 2)
        >>> model = ConvClassifier(filters=2, hidden_layer_sizes=(), learning_rate=0.1, random_state=0)
        >>> for _ in range(60):
        ...     _ = model.partial_fit(X[:2], ["a", "b"], classes=["a", "b", "c"]).partial_fit(X[2:], ["c", "a"])
        >>> model.predict(X).tolist()
        ['a', 'b', 'c', 'a']
        """
        check_named(classes, self.classes_ if hasattr(self, "network_") else None)
        return self._fit(X, y, sample_weight, classes, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, classes: Any, *, incremental: bool) -> "ConvClassifier":
        self._check_options()
        first = self._is_first(incremental)
        flat, y, sample_weight = check_supervised(self, self._flat(X), y, sample_weight, y_numeric=False, reset=first)
        given, numbers = encode_labels(y)
        if first:
            self.image_shape_ = self._shape_of(X, flat.shape[1])
            self.classes_ = given if classes is None else np.unique(classes)
        self._check_images(X)
        check_labels(given, self.classes_)
        numbers = np.searchsorted(self.classes_, given)[numbers]
        self._learn(flat, numbers, len(self.classes_), sample_weight, incremental=incremental)
        return self

    def _loss_function(self) -> Loss:
        return SoftmaxCrossEntropy()

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        return lambda scores: accuracy(y, scores.argmax(axis=1), sample_weight)

    def decision_function(self, X: Any) -> Array:
        """Return the scores of the classes (n_samples, n_classes); for two classes, how far the second leads."""
        scores = self._outputs(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict(self, X: Any) -> Any:
        """Return the most probable class."""
        scores = self._outputs(X)
        return self.classes_[scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes."""
        return np.asarray(softmax(self._outputs(X), axis=1))
