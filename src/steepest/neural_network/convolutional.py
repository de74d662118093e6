"""What ``ConvClassifier`` and ``ConvRegressor`` share."""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from steepest.estimator import Estimator
from steepest.exceptions import DivergenceError, InvalidInputError
from steepest.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from steepest.layers.layer import Shape
from steepest.losses import Loss
from steepest.neural_network.held_out import split_rows
from steepest.neural_network.incremental import check_one_pass
from steepest.neural_network.network import Network
from steepest.neural_network.notices import notices
from steepest.neural_network.rates import safe_rate
from steepest.neural_network.rows import narrated
from steepest.objectives.network import NetworkObjective
from steepest.penalties import SquaredL2
from steepest.solvers.memory import Memory
from steepest.solvers.mini_batch import mini_batch_descent
from steepest.solvers.plateau import Plateau
from steepest.solvers.updates import Update, open_update
from steepest.typing import Array
from steepest.validation import check_count, check_features, check_positive


def _axes_of_images(X: Any) -> Shape | None:
    """Return (C, H, W) or (H, W) of images, which may come as lists in lists; None where the data are rows."""
    try:
        shape: Shape = tuple(X.shape) if hasattr(X, "shape") else np.asarray(X).shape
    except ValueError:  # ragged
        shape = ()
    return shape[1:] if len(shape) in (3, 4) else None


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

    # ------------------------------------------------------------------ what subclasses say

    def _loss_function(self) -> Loss:
        raise NotImplementedError

    def _score_of(self, y: Any, sample_weight: Array | None) -> Callable[[Array], float]:
        raise NotImplementedError

    # ------------------------------------------------------------------ data

    def _flat(self, X: Any) -> Any:
        """Return images (N, C, H, W), or (N, H, W), as rows; anything else as it is."""
        axes = _axes_of_images(X)
        return X if axes is None else np.asarray(X).reshape(len(X), math.prod(axes))

    def _shape_of(self, X: Any, n_features: int) -> Shape:
        """Return the shape of an image: the user's, that of X, or one row of numbers."""
        given = self.image_shape
        if given is None:
            axes = _axes_of_images(X) or (1, n_features)
            return (1, *axes) if len(axes) == 2 else axes
        shape: Shape = tuple(given) if isinstance(given, Iterable) else ()
        whole = all(isinstance(side, Integral) and side > 0 for side in shape)
        if len(shape) not in (2, 3) or not whole or math.prod(shape) != n_features:
            text = f"must be (H, W) or (C, H, W) with {n_features} numbers, as many as the rows of X have"
            raise InvalidInputError(f"image_shape={given!r}: {text}")
        sides = tuple(int(side) for side in shape)
        return (1, *sides) if len(sides) == 2 else sides

    def _images(self, X: Array) -> Array:
        return np.ascontiguousarray(X).reshape(len(X), *self.image_shape_)

    def _check_images(self, X: Any) -> None:
        """Refuse images of another shape, even if they hold as many numbers."""
        axes = _axes_of_images(X) or self.image_shape_
        given = (1, *axes) if len(axes) == 2 else axes
        if given != self.image_shape_:
            raise InvalidInputError(f"X holds images {given}: the network was fitted to images {self.image_shape_}")

    # ------------------------------------------------------------------ network

    def _check_options(self) -> None:
        for name in ("filters", "hidden_layer_sizes"):
            given = getattr(self, name)
            sizes = list(given) if isinstance(given, Iterable) else [given]
            if any(not isinstance(k, Integral) or k < 1 for k in sizes):
                raise InvalidInputError(f"{name}={given!r}: must be positive integers, one a layer")
        for name in ("kernel_size", "pool_size", "max_iter"):
            check_count(name, getattr(self, name))
        if not 0.0 <= check_positive("dropout", self.dropout, zero=True) < 1.0:
            raise InvalidInputError(f"dropout={self.dropout!r}: must be at least 0 and below 1")
        check_positive("learning_rate", self.learning_rate)
        check_positive("alpha", self.alpha, zero=True)
        check_positive("tol", self.tol, zero=True)
        if self.batch_size != "auto":
            check_count("batch_size", self.batch_size)
        if self.n_iter_no_change != math.inf:
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

    def _is_first(self, incremental: bool) -> bool:
        return not (incremental and hasattr(self, "network_"))

    def _learn(self, X: Array, y: Any, n_outputs: int, sample_weight: Array | None, *, incremental: bool) -> None:
        """Begin or go on, and train."""
        check_one_pass(incremental and self.early_stopping)
        random_state = check_random_state(self.random_state)
        layers = self._layers(self.image_shape_, n_outputs)
        if self._is_first(incremental):
            generator = np.random.default_rng(random_state.randint(2**31 - 1))
            loss, shape = self._loss_function(), self.image_shape_
            network = Network(layers, shape, loss=loss, random_state=generator, dtype=X.dtype)
            self.loss_curve_: list[float] = []
        else:
            generator, network = self._generator(), self.network_
            if layers != network.architecture.layers:
                raise InvalidInputError("the network has other layers than asked for: go on with the same, or use fit")
        X = self._images(X.astype(network.theta.dtype, copy=False))
        score = None
        if self.early_stopping:
            learn, held = split_rows(len(X), self.validation_fraction, random_state, stratify=None)
            judge = self._score_of(y[held], None if sample_weight is None else sample_weight[held])
            images = X[held]

            def score(theta: Array) -> float:
                return judge(_with(network, theta).scores(images))

            X, y, sample_weight = X[learn], y[learn], None if sample_weight is None else sample_weight[learn]
        plateau = Plateau() if incremental else Plateau(self.tol, self.n_iter_no_change, score)
        self._train(network, X, y, sample_weight, generator, plateau, incremental=incremental)

    def _generator(self) -> np.random.Generator:
        """Return the generator as the last call left it."""
        generator = np.random.default_rng()
        generator.bit_generator.state = self._generator_state
        return generator

    def _recalled(self, rule: Update, theta: Array, *, incremental: bool) -> Memory:
        """Return a copy of what the last call remembers, or nothing yet; so too after a change of the rule."""
        if incremental and getattr(self, "_rule", None) == rule:
            return replace(self._memory, values=[])
        return Memory(rule.start(theta))

    def _train(
        self,
        network: Network,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        generator: np.random.Generator,
        plateau: Plateau,
        *,
        incremental: bool,
    ) -> None:
        rule, penalty = open_update(self.update), SquaredL2(float(self.alpha))
        memory = self._recalled(rule, network.theta, incremental=incremental)
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
            memory=memory,
            plateau=plateau,
            parts={p.key: p.span for p in network.architecture.parameters},
            start=not incremental,
        )
        start = network.theta.copy()
        result = self._drive(
            narrated(steps) if self.verbose else steps,
            lambda theta: {"network_": _with(network, theta)},
            X=X.reshape(len(X), -1),
            y=y,
            sample_weight=sample_weight,
            max_iter=1 if incremental else self.max_iter,
            stable_rate=lambda: safe_rate(objective, start, rule),
            about={"objective": objective.words, "solver": f"mini-batches, {self.update}"},
            warn=not incremental,
        )
        if not np.all(np.isfinite(result.theta)):  # after the last update; the values before it were
            self.network_ = network
            raise DivergenceError(f"{type(self).__name__}: the parameters are not finite; scale the data", result)
        self._memory, self._rule, self._generator_state = memory, rule, generator.bit_generator.state
        self.loss_curve_ = [*self.loss_curve_, *memory.values]
        if self.loss_curve_:
            self.loss_ = self.loss_curve_[-1]
        self.validation_scores_ = list(plateau.scores) if plateau.score is not None else None
        if plateau.best_theta is not None:
            self.network_ = _with(network, plateau.best_theta)
        self.trace_.about["notices"] = [] if incremental else notices(objective, self.network_.theta, self.trace_)

    def _outputs(self, X: Any) -> Array:
        flat = check_features(self, self._flat(X), accept_sparse=False)
        self._check_images(X)
        return self.network_.scores(self._images(flat))


def _with(network: Network, theta: Array) -> Network:
    """Return the network with other parameters."""
    other = copy.copy(network)
    other.theta = theta.copy()
    return other
