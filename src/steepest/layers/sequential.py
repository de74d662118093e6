"""Layers one after the other, with all parameters in one flat vector."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.layer import Layer, Shape
from steepest.typing import Array

State = list[dict[str, Array]]
AT_ONCE = 1 << 20  # numbers that the widest layer holds of the rows predicted together: some megabytes


@dataclass(frozen=True)
class Parameter:
    """Where one parameter stands in the flat vector."""

    layer: int
    name: str
    shape: Shape
    span: slice
    place: int

    @property
    def key(self) -> str:
        """The name that is unique in the network: W1, b1, W2 ..., counting the layers that have parameters."""
        return f"{self.name}{self.place}"


def _checked(layers: Any) -> list[Layer]:
    """Return the layers as a list; what is no layer is named, with what would be one."""
    if not isinstance(layers, Iterable) or isinstance(layers, str):
        raise InvalidInputError(f"layers={layers!r}: must be a list of layers, such as [Dense(8), ReLU(), Dense(1)]")
    checked = list(layers)
    if not checked:
        raise InvalidInputError("layers=[]: a network needs at least one layer")
    for number, layer in enumerate(checked):
        if isinstance(layer, type):
            name = layer.__name__
            raise InvalidInputError(f"layers[{number}] is the class {name}: must be an instance of it, {name}(...)")
        if not isinstance(layer, Layer):
            raise InvalidInputError(f"layers[{number}]={layer!r}: must be a layer, such as Dense(8) or ReLU()")
    return checked


@dataclass(frozen=True)
class Pass:
    """One layer's part of a forward or backward pass, as a learner sees it."""

    number: int
    layer: Layer
    given: Array
    result: Array
    gradients: dict[str, Array]
    cache: Any


class Sequential:
    """A network of layers, each fed with the output of the one before.

    Parameters
    ----------
    layers : sequence of Layer
        In the order of the forward pass.
    input_shape : tuple of int
        Shape of one sample: ``(D,)`` for vectors, ``(C, H, W)`` for images.

    Attributes
    ----------
    parameters : list of Parameter
        Every parameter with its place in ``theta``, in the order of the layers.
    n_parameters : int
        Length of ``theta``.
    shapes : list of tuple of int
        Shape of one sample before the first layer and after each.

    Notes
    -----
    With H_0 = X and H_l = f_l(H_{l-1}; theta_l), the chain rule walks back through the layers::

        dL/dH_L given by the loss;   (dL/dH_{l-1}, dL/dtheta_l) = backward_l(dL/dH_l)      for l = L ... 1

    Examples
    --------
    >>> import numpy as np
    >>> from steepest.layers import Dense, ReLU
    >>> network = Sequential([Dense(3), ReLU(), Dense(1)], input_shape=(2,))
    >>> network.n_parameters, [p.key for p in network.parameters]
    (13, ['W1', 'b1', 'W2', 'b2'])
    >>> theta = network.initial_parameters(np.random.default_rng(0))
    >>> Y, caches = network.forward(np.zeros((5, 2)), theta)
    >>> dX, gradient = network.backward(np.ones_like(Y), caches)
    >>> Y.shape, dX.shape, gradient.shape
    ((5, 1), (5, 2), (13,))
    """

    def __init__(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        self.layers = _checked(layers)
        self.shapes: list[Shape] = [tuple(input_shape)]
        self.parameters: list[Parameter] = []
        self.n_parameters = place = 0
        for number, layer in enumerate(self.layers):
            try:
                self.shapes.append(layer.output_shape(self.shapes[-1]))
            except InvalidInputError as error:
                raise InvalidInputError(f"layer {number + 1}: {error}") from None
            shapes = layer.parameter_shapes(self.shapes[-2])
            place += bool(shapes)
            for name, shape in shapes.items():
                size = int(np.prod(shape))
                span = slice(self.n_parameters, self.n_parameters + size)
                self.parameters.append(Parameter(number, name, shape, span, place))
                self.n_parameters += size

    @property
    def input_shape(self) -> Shape:
        """Shape of one sample given."""
        return self.shapes[0]

    @property
    def output_shape(self) -> Shape:
        """Shape of one sample returned."""
        return self.shapes[-1]

    @property
    def rows_at_once(self) -> int:
        """How many rows may go through together where memory is to stay small."""
        return max(1, AT_ONCE // max(prod(shape) for shape in self.shapes))

    def initial_parameters(self, generator: np.random.Generator, dtype: Any = np.float64) -> Array:
        """Return a fresh ``theta``, each layer drawn by its own initializer."""
        drawn = [
            layer.initial_parameters(shape, generator) for layer, shape in zip(self.layers, self.shapes, strict=False)
        ]
        theta = np.empty(self.n_parameters, dtype=dtype)
        for parameter in self.parameters:
            theta[parameter.span] = drawn[parameter.layer][parameter.name].ravel()
        return theta

    def initial_state(self) -> State:
        """Return fresh running statistics of every layer."""
        return [layer.initial_state(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)]

    def views(self, theta: Array) -> list[dict[str, Array]]:
        """Return the parameters of every layer by name, as views into ``theta``."""
        views: list[dict[str, Array]] = [{} for _ in self.layers]
        for parameter in self.parameters:
            views[parameter.layer][parameter.name] = theta[parameter.span].reshape(parameter.shape)
        return views

    def forward_passes(
        self,
        X: Array,
        theta: Array,
        *,
        state: State | None = None,
        generator: np.random.Generator | None = None,
    ) -> Iterator[Pass]:
        """Walk forward, yielding each layer's input and output."""
        for number, (layer, named) in enumerate(zip(self.layers, self.views(theta), strict=True)):
            statistics = None if state is None else state[number]
            Y, cache = layer.forward(X, named, state=statistics, generator=generator)
            yield Pass(number, layer, X, Y, {}, cache)
            X = Y

    def backward_passes(self, dY: Array, caches: Sequence[Any]) -> Iterator[Pass]:
        """Walk backward, yielding each layer's ``dL/dY``, ``dL/dX`` and the gradients of its parameters."""
        for number in reversed(range(len(self.layers))):
            dX, gradients = self.layers[number].backward(dY, caches[number])
            yield Pass(number, self.layers[number], dY, dX, gradients, caches[number])
            dY = dX

    def forward(
        self,
        X: Array,
        theta: Array,
        *,
        state: State | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, list[Any]]:
        """Return the output and the caches for ``backward``."""
        caches: list[Any] = []
        for step in self.forward_passes(X, theta, state=state, generator=generator):
            caches.append(step.cache)
            X = step.result
        return X, caches

    def predict(self, X: Array, theta: Array, *, state: State | None = None) -> Array:
        """Return the output in prediction; few enough rows go through at once that what lies between layers is small.

        Examples
        --------
        >>> from steepest.layers import Dense
        >>> network = Sequential([Dense(1)], (1,))
        >>> network.predict(np.array([[1.0], [2.0]]), np.array([3.0, 1.0])).tolist()
        [[4.0], [7.0]]
        """
        rows = self.rows_at_once
        if len(X) <= rows:
            return self.forward(X, theta, state=state)[0]
        return np.concatenate(
            [self.forward(X[start : start + rows], theta, state=state)[0] for start in range(0, len(X), rows)]
        )

    def backward(self, dY: Array, caches: Sequence[Any]) -> tuple[Array, Array]:
        """Return ``dL/dX`` and the flat gradient of all parameters."""
        gradient = np.empty(self.n_parameters, dtype=dY.dtype)
        for step in self.backward_passes(dY, caches):
            self._write(gradient, step.number, step.gradients)
            dY = step.result
        return dY, gradient

    def gradient(self, dY: Array, caches: Sequence[Any]) -> Array:
        """Return the flat gradient alone: the walk back ends at the first layer that has parameters."""
        gradient = np.empty(self.n_parameters, dtype=dY.dtype)
        if not self.parameters:
            return gradient
        first = self.parameters[0].layer
        for number in range(len(self.layers) - 1, first, -1):
            dY, gradients = self.layers[number].backward(dY, caches[number])
            self._write(gradient, number, gradients)
        self._write(gradient, first, self.layers[first].parameter_gradients(dY, caches[first]))
        return gradient

    def _write(self, gradient: Array, layer: int, named: dict[str, Array]) -> None:
        """Put the gradients of one layer where its parameters stand."""
        for parameter in self.parameters:
            if parameter.layer == layer:
                gradient[parameter.span] = named[parameter.name].ravel()
