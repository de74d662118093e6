"""A loss of a network's output, plus a penalty on its weights."""

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.sequential import Sequential, State
from steepest.losses import HalfSquaredError, Loss
from steepest.objectives.reduction import Kind, Reduction
from steepest.penalties import NoPenalty, Penalty
from steepest.typing import Array, IntArray


class NetworkObjective:
    r"""``J(theta) = r sum_i s_i l(y_i, network(x_i; theta)) + P(weights)``.

    Parameters
    ----------
    network : Sequential
        The layers.
    X : array (n_samples, *input_shape)
        The data; float32 stays float32.
    y : array (n_samples,) or (n_samples, n_outputs)
        The targets, in the form the loss asks for.
    loss : Loss, default HalfSquaredError()
        Per-sample loss of the network's output.
    penalty : Penalty, default NoPenalty()
        Penalty on the weights, the parameters named ``W``; biases and normalisations are never penalised.
    sample_weight, reduction, scale
        As in :class:`~steepest.objectives.linear.LinearObjective`.
    own_batches : bool, default False
        Divide the penalty, too, by the sum S of the sample weights (the number of samples where none are given), and
        let each batch be the same objective of its own rows, divided by its own S. Otherwise a batch is scaled to stand
        for the whole.
    generator : numpy.random.Generator, optional
        With one, gradients are those of training (units are dropped, batch statistics used); ``value`` always
        predicts.
    state : list of dict, optional
        Running statistics of the layers, updated by every gradient taken in training.

    Notes
    -----
    The loss gives dL/dY = r s_i l'(y_i, Y_i), the network pulls it back to dL/dtheta, and the penalty adds P'(W).

    Examples
    --------
    >>> from steepest.layers import Dense
    >>> network = Sequential([Dense(1)], input_shape=(1,))
    >>> objective = NetworkObjective(network, np.array([[1.0], [2.0]]), np.array([1.0, 3.0]))
    >>> objective.value_and_gradient(np.array([2.0, -1.0]))  # W = 2, b = -1 fits both points
    (0.0, array([0., 0.]))
    """

    def __init__(
        self,
        network: Sequential,
        X: Array,
        y: Array,
        loss: Loss | None = None,
        penalty: Penalty | None = None,
        *,
        sample_weight: Array | None = None,
        reduction: Kind | Reduction = "mean",
        scale: float = 1.0,
        own_batches: bool = False,
        generator: np.random.Generator | None = None,
        state: State | None = None,
    ) -> None:
        if X.shape[1:] != network.input_shape:
            raise InvalidInputError(f"X has samples of shape {X.shape[1:]}, the network takes {network.input_shape}")
        self.network, self.X, self.y = network, X, y
        self.loss: Loss = HalfSquaredError() if loss is None else loss
        self.penalty: Penalty = NoPenalty() if penalty is None else penalty
        self.n_samples: int = len(X)
        if not isinstance(reduction, Reduction):
            reduction = Reduction.of(reduction, self.n_samples, sample_weight, scale)
        self.reduction, self.generator = reduction, generator
        self.state = network.initial_state() if state is None else state
        self.own_batches = own_batches
        weights = reduction.weights
        mass = float(self.n_samples if weights is None else weights.sum())
        own_scale = 1.0 / mass if mass > 0 else 0.0
        self._penalty_scale = own_scale if own_batches else 1.0

    @property
    def n_parameters(self) -> int:
        """Length of ``theta``."""
        return self.network.n_parameters

    def _as_scores(self, Y: Array) -> Array:
        """Return the output as the loss takes it: a single column as a vector, if the targets are one."""
        scalar = self.y.ndim == 1 and self.loss.target != "class"
        return Y[:, 0] if scalar else Y

    def scores(self, theta: Array) -> Array:
        """Return the network's output in prediction."""
        return self._as_scores(self.network.predict(self.X, theta, state=self.state))

    def value(self, theta: Array) -> float:
        """Return ``J(theta)`` in prediction."""
        return self.reduction.total(self.loss.value(self.y, self.scores(theta))) + self.penalty_value(theta)

    def gradient(self, theta: Array) -> Array:
        """Return ``dJ/dtheta``."""
        return self.value_and_gradient(theta)[1]

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Return ``J`` and its gradient, both in training if there is a generator."""
        Y, caches = self.network.forward(self.X, theta, state=self.state, generator=self.generator)
        z = self._as_scores(Y)
        dY = self.reduction.weigh(self.loss.gradient(self.y, z)).reshape(Y.shape)
        gradient = self.network.gradient(dY, caches)
        for span in self._weights if self.penalty.words else ():
            gradient[span] += theta.dtype.type(self._penalty_scale) * self.penalty.gradient(theta[span])
        return self.reduction.total(self.loss.value(self.y, z)) + self.penalty_value(theta), gradient

    @property
    def _weights(self) -> list[slice]:
        return [parameter.span for parameter in self.network.parameters if parameter.name == "W"]

    def penalty_value(self, theta: Array) -> float:
        """Return ``P(weights)``."""
        return self._penalty_scale * sum(self.penalty.value(theta[span]) for span in self._weights)

    def batch(self, rows: IntArray) -> "NetworkObjective":
        """Return the objective on some rows, scaled to stand for all or of its own; running statistics are shared."""
        reduction = self.reduction.batch(rows, self.n_samples)
        if self.own_batches:
            weights = reduction.weights
            some = weights is None or bool(weights.any())  # where no sample has a weight, the sum is the objective: 0
            reduction = Reduction.of("mean" if some else "sum", len(rows), weights)
        return NetworkObjective(
            self.network,
            self.X[rows],
            self.y[rows],
            self.loss,
            self.penalty,
            reduction=reduction,
            own_batches=self.own_batches,
            generator=self.generator,
            state=self.state,
        )

    @property
    def words(self) -> str:
        """The objective as a sentence."""
        layers = ", ".join(type(layer).__name__ for layer in self.network.layers)
        data = f"{self.loss.words} of a network ({layers}) over {self.n_samples} samples"
        return f"{data} + {self.penalty.words} on its weights" if self.penalty.words else data
