"""A network with its parameters: what users build, train, look into and keep."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from steepest.exceptions import InvalidInputError
from steepest.layers import Layer, Sequential
from steepest.layers.layer import Shape
from steepest.layers.sequential import Pass, State
from steepest.losses import (
    AbsoluteError,
    HalfPoissonDeviance,
    HalfSquaredError,
    HuberLoss,
    LogisticLoss,
    Loss,
    SoftmaxCrossEntropy,
)
from steepest.neural_network.explanation import Explanation, explain
from steepest.neural_network.inputs import check_precision, check_samples, check_targets, check_weights
from steepest.neural_network.training import train
from steepest.objectives.network import NetworkObjective
from steepest.penalties import Penalty
from steepest.solvers.result import Result
from steepest.typing import Array
from steepest.validation import check_choice, check_count, check_generator

LOSSES: dict[str, type] = {
    "squared_error": HalfSquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "poisson": HalfPoissonDeviance,
    "logistic": LogisticLoss,
    "cross_entropy": SoftmaxCrossEntropy,
}


class Network:
    """Layers with their parameters and a loss.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of the forward pass. The last returns scores: probabilities are the loss's business.
    input_shape : int or tuple of int
        Length of a sample, or its shape (C, H, W).
    loss : str or Loss, default "squared_error"
        "squared_error" (halved), "absolute_error", "huber", "poisson" (of e^score), "logistic" (labels 0 and 1),
        "cross_entropy" (class numbers), or any loss of ``steepest.losses``.
    random_state : int or Generator, optional
        Decides the initial parameters.
    dtype : dtype, default float64
        Of the parameters; float32 trains faster.

    Attributes
    ----------
    architecture : Sequential
        The layers alone.
    theta : array (n_parameters,)
        All parameters, flat.
    parameters : mapping of str to array
        The same by name, W1, b1, W2 ...: views, so writing into one changes the network.

    Examples
    --------
    >>> from steepest.layers import Dense, Tanh
    >>> network = Network([Dense(8), Tanh(), Dense(1)], 1, random_state=0)
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> result = network.fit(X, X.ravel() ** 2, max_iter=200, learning_rate=0.02, random_state=0)
    >>> bool(result.value < 0.001), list(network.parameters)
    (True, ['W1', 'b1', 'W2', 'b2'])
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: int | Shape,
        *,
        loss: str | Loss = "squared_error",
        random_state: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> None:
        self.architecture = Sequential(layers, _checked_shape(input_shape))
        self.loss: Loss = LOSSES[check_choice("loss", loss, LOSSES)]() if isinstance(loss, str) else loss
        generator = np.random.default_rng(check_generator(random_state))
        self._theta = self.architecture.initial_parameters(generator, check_precision(dtype))
        self.state: State = self.architecture.initial_state()

    def __repr__(self) -> str:
        """Return the layers, the loss and the number of parameters."""
        layers = ", ".join(map(repr, self.architecture.layers))
        return f"Network([{layers}], loss={self.loss.words!r}, parameters={self.theta.size})"

    @property
    def theta(self) -> Array:
        """All parameters, flat."""
        return self._theta

    @theta.setter
    def theta(self, value: Any) -> None:
        """Take other parameters, as many as there are."""
        theta = np.asarray(value, dtype=self._theta.dtype)
        if theta.shape != self._theta.shape:
            raise InvalidInputError(f"theta has shape {theta.shape}: must be {self._theta.shape}")
        self._theta = theta

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The parameters by name, as views: ``parameters["W1"][...] = W`` sets them."""
        return MappingProxyType({p.key: self.theta[p.span].reshape(p.shape) for p in self.architecture.parameters})

    def summary(self) -> str:
        """Return a table of the layers: what each makes of a sample, and how many parameters it has.

        Examples
        --------
        >>> from steepest.layers import Dense, ReLU
        >>> print(Network([Dense(3), ReLU(), Dense(1)], 2).summary())
        layer  kind   output  parameters
            1  Dense  (3,)             9
            2  ReLU   (3,)             0
            3  Dense  (1,)             4
        """
        architecture = self.architecture
        kinds = [type(layer).__name__ for layer in architecture.layers]
        shapes = [str(shape) for shape in architecture.shapes[1:]]
        spans = [(p.layer, p.span.stop - p.span.start) for p in architecture.parameters]
        counts = [sum(size for layer, size in spans if layer == i) for i in range(len(kinds))]
        wide, far = max(4, *map(len, kinds)), max(6, *map(len, shapes))
        lines = [f"layer  {'kind':{wide}}  {'output':{far}}  parameters"]
        for i, (kind, shape, count) in enumerate(zip(kinds, shapes, counts, strict=True), start=1):
            lines.append(f"{i:5d}  {kind:{wide}}  {shape:{far}}  {count:10d}")
        return "\n".join(lines)

    def _inputs(self, X: Any) -> Array:
        return check_samples(X, self.architecture.input_shape, self.theta.dtype)

    def objective(
        self,
        X: Any,
        y: Any,
        penalty: Penalty | None = None,
        *,
        sample_weight: Any = None,
        generator: np.random.Generator | None = None,
    ) -> NetworkObjective:
        """Return what training minimises: the mean loss over the rows, plus a penalty on the weights W."""
        X = self._inputs(X)
        if not len(X):
            raise InvalidInputError("X has no rows: there is nothing to learn from")
        if not np.all(np.isfinite(X)):
            raise InvalidInputError("X holds NaN or infinity: leave such rows out, or fill them in")
        y = check_targets(y, self.loss, len(X), self.architecture.output_shape, X.dtype)
        weight = check_weights(sample_weight, len(X), X.dtype)
        return NetworkObjective(
            self.architecture, X, y, self.loss, penalty, sample_weight=weight, generator=generator, state=self.state
        )

    # ------------------------------------------------------------------ passes

    def forward_passes(self, X: Any) -> Iterator[Pass]:
        """Walk forward, one layer at a time."""
        return self.architecture.forward_passes(self._inputs(X), self.theta, state=self.state)

    def scores(self, X: Any) -> Array:
        """Return what the last layer returns."""
        return self.architecture.predict(self._inputs(X), self.theta, state=self.state)

    def predict(self, X: Any) -> Array:
        """Return predictions: class numbers or labels 0 and 1 where the loss is one of classes, else numbers."""
        z = self.scores(X)
        if self.loss.target == "class":
            return np.asarray(z.argmax(axis=1))
        if self.loss.target == "binary":
            z = (z > 0).astype(np.intp)
        elif self.loss.target == "count":
            z = np.exp(z)
        return z[:, 0] if z.shape[1:] == (1,) else z

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes (n_samples, n_classes), or of each label to be 1."""
        z = self.scores(X)
        if self.loss.target == "class":
            return np.asarray(softmax(z, axis=1))
        if self.loss.target == "binary":
            return np.asarray(expit(z))
        raise InvalidInputError(f"loss={self.loss.words!r}: gives no probabilities; take 'logistic' or 'cross_entropy'")

    def value_and_gradient(self, X: Any, y: Any) -> tuple[float, dict[str, Array]]:
        """Return the mean loss and its gradient by name.

        Examples
        --------
        >>> from steepest.layers import Dense
        >>> value, gradient = Network([Dense(1)], 1, random_state=0).value_and_gradient([[1.0]], [5.0])
        >>> sorted(gradient)
        ['W1', 'b1']
        """
        value, flat = self.objective(X, y).value_and_gradient(self.theta)
        return value, {p.key: flat[p.span].reshape(p.shape) for p in self.architecture.parameters}

    def explain(self, X: Any, y: Any) -> Explanation:
        """Return the forward and backward pass as formulas with the numbers in them; ``print`` it, or step through it.

        See :class:`~steepest.neural_network.Explanation`.
        """
        return explain(self.objective(X, y), self.theta)

    def fit(self, X: Any, y: Any, **how: Any) -> Result:
        """Train in place; see :func:`~steepest.neural_network.train` for what ``how`` may be."""
        return train(self, X, y, **how)


def _checked_shape(shape: Any) -> Shape:
    """Return the shape of a sample, given as its length or its axes."""
    try:
        axes = tuple(shape) if np.iterable(shape) and not isinstance(shape, str) else (shape,)
        return tuple(check_count("input_shape", axis) for axis in axes)
    except InvalidInputError:
        allowed = "an integer of at least 1, or several such as (3, 32, 32)"
        raise InvalidInputError(f"input_shape={shape!r}: must be {allowed}") from None
