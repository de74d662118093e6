"""What every layer offers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from steepest.typing import Array

Shape = tuple[int, ...]
Parameters = Mapping[str, Array]


class Layer(ABC):
    """A map ``Y = f(X; parameters)`` of a batch, with the backward that pulls ``dL/dY`` back.

    A layer is a description (a frozen dataclass of its settings): it holds neither parameters nor what it saw. The
    parameters come in by name, what the backward needs leaves as an explicit cache, and running statistics live in a
    ``state`` that the network owns. So each direction can be tested alone and shown to a learner.

    Shapes speak of one sample: ``(D,)`` for vectors, ``(C, H, W)`` for images; arrays have the batch axis N in front.

    Attributes
    ----------
    formula : str
        The forward map as mathematics in plain text.
    latex : str
        The same in LaTeX.

    Examples
    --------
    A layer of one's own needs a forward and a backward; the audit tells whether they belong together:

    >>> class Double(Layer):
    ...     formula, latex = "Y = 2 X", "Y = 2 X"
    ...
    ...     def forward(self, X, parameters, *, state=None, generator=None):
    ...         return 2.0 * X, None
    ...
    ...     def backward(self, dY, cache):
    ...         return 2.0 * dY, {}
    >>> Double().forward(np.array([[1.0, 2.0]]), {})[0]
    array([[2., 4.]])
    """

    formula: ClassVar[str]
    latex: ClassVar[str]

    def __repr__(self) -> str:
        """Return how the layer is made: functions by their names, without what is as it would be unasked."""
        asked = {name: value for name, value in vars(self).items() if value is not getattr(type(self), name, None)}
        shown = (f"{name}={getattr(value, '__name__', repr(value))}" for name, value in asked.items())
        return f"{type(self).__name__}({', '.join(shown)})"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output for the shape of one input; an input that does not fit is refused."""
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shape of every parameter by name."""
        return {}

    def initial_parameters(self, input_shape: Shape, generator: np.random.Generator) -> dict[str, Array]:
        """Return fresh parameters by name."""
        return {}

    def initial_state(self, input_shape: Shape) -> dict[str, Array]:
        """Return fresh running statistics by name, which ``forward`` updates in place while training."""
        return {}

    @abstractmethod
    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, Any]:
        """Return ``Y`` and the cache for ``backward``.

        With a ``generator`` the layer behaves as in training (units are dropped, batch statistics are used); without
        one, as in prediction.
        """

    @abstractmethod
    def backward(self, dY: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """Return ``dX`` and the gradients of the parameters by name."""

    def parameter_gradients(self, dY: Array, cache: Any) -> dict[str, Array]:
        """Return the gradients of the parameters alone: all that the first layer of a network has to tell."""
        return self.backward(dY, cache)[1]
