"""The dense (fully connected) layer."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.initializers import Initializer, check_initializer, glorot_uniform
from steepest.layers.layer import Layer, Parameters, Shape
from steepest.typing import Array
from steepest.validation import check_count


class DenseCache(NamedTuple):
    """What the backward of a dense layer needs."""

    X: Array
    W: Array


def dense_forward(X: Array, W: Array, b: Array) -> tuple[Array, DenseCache]:
    """Affine map ``Y = X W + b``: X (N, D), W (D, K), b (K,), Y (N, K)."""
    return X @ W + b, DenseCache(X, W)


def dense_backward(dY: Array, cache: DenseCache) -> tuple[Array, Array, Array]:
    r"""Pull ``dY = dL/dY`` (N, K) back to ``dX`` (N, D), ``dW`` (D, K), ``db`` (K,).

    Notes
    -----
    ``Y_nk = sum_d X_nd W_dk + b_k``, so the chain rule gives::

        dX_nd = sum_k dY_nk W_dk        dX = dY W^T
        dW_dk = sum_n X_nd dY_nk        dW = X^T dY
        db_k  = sum_n dY_nk             db = 1^T dY

    Examples
    --------
    >>> import numpy as np
    >>> Y, cache = dense_forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([5.0]))
    >>> dX, dW, db = dense_backward(np.array([[10.0]]), cache)
    >>> Y, dX, dW.T, db
    (array([[16.]]), array([[30., 40.]]), array([[10., 20.]]), array([10.]))
    """
    dX = dY @ cache.W.T
    dW = cache.X.T @ dY
    db = dY.sum(axis=0)
    return dX, dW, db


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """Affine map of vectors, ``Y = X W + b`` with W (D, units) and b (units,).

    Parameters
    ----------
    units : int
        Length of an output.
    initializer : callable, default glorot_uniform
        Draws W; b starts at zero.

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dense(2)
    >>> layer.parameter_shapes((3,))
    {'W': (3, 2), 'b': (2,)}
    >>> from steepest.layers.initializers import he_normal
    >>> layer, Dense(8, he_normal)
    (Dense(units=2), Dense(units=8, initializer=he_normal))
    """

    units: int
    initializer: Initializer = glorot_uniform
    formula: ClassVar[str] = "Y = X W + b"
    latex: ClassVar[str] = r"Y = X W + b"

    def __post_init__(self) -> None:
        """Refuse a number of units that is no positive integer."""
        check_count("units", self.units)
        check_initializer(self.initializer)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(units,)``; images must be flattened first."""
        if len(input_shape) != 1:
            raise InvalidInputError(f"Dense takes vectors, not samples of shape {input_shape}: put Flatten() before it")
        return (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of W and b."""
        return {"W": (input_shape[0], self.units), "b": (self.units,)}

    def initial_parameters(self, input_shape: Shape, generator: np.random.Generator) -> dict[str, Array]:
        """Draw W, set b to zero."""
        fan_in, fan_out = input_shape[0], self.units
        return {"W": self.initializer((fan_in, fan_out), fan_in, fan_out, generator), "b": np.zeros(fan_out)}

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, DenseCache]:
        """Return ``X W + b``."""
        return dense_forward(X, parameters["W"], parameters["b"])

    def backward(self, dY: Array, cache: DenseCache) -> tuple[Array, dict[str, Array]]:
        """Return ``dY W^T`` and the gradients of W and b."""
        dX, dW, db = dense_backward(dY, cache)
        return dX, {"W": dW, "b": db}

    def parameter_gradients(self, dY: Array, cache: DenseCache) -> dict[str, Array]:
        """Return the gradients of W and b alone."""
        return {"W": cache.X.T @ dY, "b": dY.sum(axis=0)}
