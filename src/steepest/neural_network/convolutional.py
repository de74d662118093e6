"""Small convolutional networks as estimators."""

import copy
from collections.abc import Callable
from math import inf
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import softmax
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from steepest.estimator import Estimator, fitting
from steepest.exceptions import InvalidInputError
from steepest.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from steepest.layers.layer import Shape
from steepest.losses import HalfSquaredError, Loss, SoftmaxCrossEntropy
from steepest.neural_network.network import Network
from steepest.neural_network.notices import notices
from steepest.neural_network.rates import safe_rate
from steepest.neural_network.rows import narrated
from steepest.objectives.network import NetworkObjective
from steepest.penalties import SquaredL2
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.plateau import Plateau
from steepest.solvers.updates import open_update
from steepest.typing import Array
from steepest.validation import check_count, check_features, check_positive, check_supervised

ROWS_AT_ONCE = 1000  # in prediction: what lies between the layers stays small


class ConvolutionalNetwork(Estimator):
    """Blocks of convolution, ReLU and max-pooling, then dense layers.

    Attributes
    ----------
    network_ : Network
        The trained network: ``network_.parameters``, ``network_.explain``.
    image_shape_ : tuple of int
        (C, H, W).
    loss_curve_, loss_ : list of float, float
        The mean objective in each pass, as the batches met it, and in the last.
    validation_scores_ : list of float or None
        The score on the held-out rows after each pass, with early stopping.
    """

    network_: Network
    image_shape_: Shape

    def __init__(
        self,
        filters: Any = (8, 16),
        hidden_layer_sizes: Any = (64,),
        *,
        kernel_size: int = 3,
        pool_size: int = 2,
        image_shape: Any = None,
        update: Any = "adam",
        learning_rate: float = 0.002,
        alpha: float = 1e-4,
        dropout: float = 0.0,
        batch_size: int | str = "auto",
        max_iter: int = 100,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        verbose: bool | int = False,
    ) -> None:
        self.filters = filters
        self.hidden_layer_sizes = hidden_layer_sizes
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.image_shape = image_shape
        self.update = update
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.dropout = dropout
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.verbose = verbose

    def _loss_function(self) -> Loss:
        raise NotImplementedError

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        raise NotImplementedError

    # ------------------------------------------------------------------ data

    def _flat(self, X: Any) -> Any:
        """Return images (N, C, H, W), or (N, H, W), as rows; anything else as it is."""
        if not sparse.issparse(X) and getattr(X, "ndim", 2) in (3, 4):
            X = np.asarray(X)
            return X.reshape(len(X), int(np.prod(X.shape[1:])))
        return X

    def _shape_of(self, X: Any, n_features: int) -> Shape:
        """Return the shape of an image: the user's, that of X, or one row of numbers."""
        shape: Any = self.image_shape
        if shape is None:
            given = tuple(X.shape[1:]) if not sparse.issparse(X) and getattr(X, "ndim", 2) in (3, 4) else (n_features,)
            return (1, 1, *given) if len(given) == 1 else (1, *given) if len(given) == 2 else given
        shape = (1, *shape) if len(shape) == 2 else tuple(shape)
        if len(shape) != 3 or int(np.prod(shape)) != n_features:
            text = f"must be (H, W) or (C, H, W) with {n_features} numbers, as many as the rows of X have"
            raise InvalidInputError(f"image_shape={self.image_shape!r}: {text}")
        return tuple(int(n) for n in shape)

    def _images(self, X: Array) -> Array:
        return np.ascontiguousarray(X).reshape(len(X), *self.image_shape_)

    # ------------------------------------------------------------------ network

    def _check_options(self) -> None:
        for name in ("filters", "hidden_layer_sizes"):
            given = getattr(self, name)
            sizes = [given] if isinstance(given, Integral) else list(given)
            if any(not isinstance(k, Integral) or k < 1 for k in sizes):
                raise InvalidInputError(f"{name}={given!r}: must be positive integers, one a layer")
        for name in ("kernel_size", "pool_size", "max_iter"):
            check_count(name, getattr(self, name))
        check_positive("learning_rate", self.learning_rate)
        check_positive("alpha", self.alpha, zero=True)
        check_positive("tol", self.tol, zero=True)
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        if self.n_iter_no_change != inf:
            check_count("n_iter_no_change", self.n_iter_no_change)

    def _layers(self, shape: Shape, n_outputs: int) -> list[Layer]:
        """Return the layers; a window of pooling is never larger than the image."""
        layers: list[Layer] = []
        _, height, width = shape
        for filters in np.atleast_1d(self.filters).tolist():
            layers += [Conv2D(int(filters), self.kernel_size, padding="same"), ReLU()]
            window = (min(self.pool_size, height), min(self.pool_size, width))
            if window != (1, 1):
                layers.append(MaxPool2D(window))
                height, width = height // window[0], width // window[1]
        layers.append(Flatten())
        for units in np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=int)).tolist():
            layers += [Dense(int(units)), ReLU()]
        if self.dropout:
            layers.append(Dropout(self.dropout))
        return [*layers, Dense(n_outputs)]

    def _learn(self, X: Array, y: Any, n_outputs: int, sample_weight: Array | None) -> None:
        """Train from fresh parameters."""
        random_state = check_random_state(self.random_state)
        generator = np.random.default_rng(random_state.randint(2**31 - 1))
        X = self._images(X)
        layers = self._layers(self.image_shape_, n_outputs)
        network = Network(layers, self.image_shape_, loss=self._loss_function(), random_state=generator, dtype=X.dtype)
        score = None
        if self.early_stopping:
            rows = np.arange(len(X))
            learn, held = train_test_split(rows, test_size=self.validation_fraction, random_state=random_state)
            judge = self._score_of(y[held], None if sample_weight is None else sample_weight[held])
            images = X[held]

            def score(theta: Array) -> float:
                return judge(_scores(_with(network, theta), images))

            X, y, sample_weight = X[learn], y[learn], None if sample_weight is None else sample_weight[learn]
        self._train(network, X, y, sample_weight, generator, Plateau(self.tol, self.n_iter_no_change, score))

    def _train(
        self,
        network: Network,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        generator: np.random.Generator,
        plateau: Plateau,
    ) -> None:
        rule, penalty = open_update(self.update), SquaredL2(float(self.alpha))
        objective = NetworkObjective(
            network.architecture,
            X,
            y,
            network.loss,
            penalty,
            sample_weight=sample_weight,
            own_batches=True,
            generator=generator,
            state=network.state,
        )
        steps = mini_batch_descent(
            objective,
            network.theta,
            learning_rate=self.learning_rate,
            batch_size=min(64 if self.batch_size == "auto" else int(self.batch_size), len(X)),
            generator=generator,
            update=rule,
            whole_value=False,
            plateau=plateau,
            parts={p.key: p.span for p in network.architecture.parameters},
        )
        start = network.theta.copy()
        self._drive(
            narrated(steps) if self.verbose else steps,
            lambda theta: {"network_": _with(network, theta)},
            X=X.reshape(len(X), -1),
            y=y,
            sample_weight=sample_weight,
            max_iter=self.max_iter,
            stable_rate=lambda: safe_rate(objective, start, rule),
            about={"objective": objective.words, "solver": f"mini-batches, {self.update}"},
        )
        self.loss_curve_ = self.trace_["value"][1:].tolist()
        self.loss_ = self.loss_curve_[-1]
        self.validation_scores_ = list(plateau.scores) if plateau.score is not None else None
        if plateau.best_theta is not None:
            self.network_ = _with(network, plateau.best_theta)
        self.trace_.about["notices"] = notices(objective, self.network_.theta, self.trace_)

    def _outputs(self, X: Any) -> Array:
        X = check_features(self, self._flat(X), accept_sparse=False)
        return _scores(self.network_, self._images(X))


def _with(network: Network, theta: Array) -> Network:
    """Return the network with other parameters."""
    other = copy.copy(network)
    other.theta = theta.copy()
    return other


def _scores(network: Network, X: Array) -> Array:
    """Return the network's scores, so many rows at once that memory stays small."""
    parts = [network.scores(X[start : start + ROWS_AT_ONCE]) for start in range(0, len(X), ROWS_AT_ONCE)]
    return np.concatenate(parts)


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
        self._check_options()
        flat, y, sample_weight = check_supervised(self, self._flat(X), y, sample_weight, y_numeric=False)
        check_classification_targets(y)
        self.image_shape_ = self._shape_of(X, flat.shape[1])
        self.classes_, numbers = np.unique(y, return_inverse=True)
        self._learn(flat, numbers, len(self.classes_), sample_weight)
        return self

    def _loss_function(self) -> Loss:
        return SoftmaxCrossEntropy()

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        return lambda scores: float(accuracy_score(y, scores.argmax(axis=1), sample_weight=sample_weight))

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


class ConvRegressor(MultiOutputMixin, RegressorMixin, ConvolutionalNetwork):  # type: ignore[misc]  # scikit-learn ships no types
    r"""Convolutional network: ``(sum_i s_i |y_i - f(x_i)|^2 / 2 + alpha |W|^2 / 2) / sum_i s_i``.

    Parameters are those of :class:`ConvClassifier`; early stopping goes by R^2.

    Examples
    --------
    >>> X = np.random.default_rng(0).random((60, 1, 6, 6))
    >>> model = ConvRegressor(filters=4, hidden_layer_sizes=(16,), learning_rate=0.01, random_state=0)
    >>> bool(model.fit(X, X.mean(axis=(1, 2, 3)) * 10).score(X, X.mean(axis=(1, 2, 3)) * 10) > 0.5)
    True
    """

    _single: bool

    @fitting
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ConvRegressor":
        """Train until the loss (or the held-out R^2) stops improving."""
        self._check_options()
        flat, y, sample_weight = check_supervised(self, self._flat(X), y, sample_weight, multi_output=True)
        self.image_shape_ = self._shape_of(X, flat.shape[1])
        self._single = y.ndim == 1
        columns = y[:, None] if self._single else y
        self._learn(flat, columns, columns.shape[1], sample_weight)
        return self

    def _loss_function(self) -> Loss:
        return HalfSquaredError()

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        return lambda scores: float(r2_score(y, scores, sample_weight=sample_weight))

    def predict(self, X: Any) -> Array:
        """Return the predicted targets, (n_samples,) or (n_samples, n_outputs)."""
        scores = self._outputs(X)
        return scores[:, 0] if self._single else scores
