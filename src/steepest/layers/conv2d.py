"""The convolutional layer."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.initializers import Initializer, check_initializer, glorot_uniform
from steepest.layers.layer import Layer, Parameters, Shape
from steepest.operators.convolution2d import conv2d, conv2d_backward, conv2d_weight_gradient
from steepest.operators.convolution2d.functional import bias_gradient
from steepest.operators.convolution2d.geometry import Geometry, Padding, Stride, padding_pairs, pair
from steepest.typing import Array
from steepest.validation import check_count


class Settings(NamedTuple):
    """How the kernels slide."""

    stride: Stride = 1
    padding: Padding = 0
    dilation: Stride = 1
    groups: int = 1


class Conv2DCache(NamedTuple):
    """What the backward of a convolution needs."""

    X: Array
    W: Array
    settings: Settings


def conv2d_layer_forward(X: Array, W: Array, b: Array, settings: Settings) -> tuple[Array, Conv2DCache]:
    """Slide the kernels W (O, C / groups, kH, kW) over X (N, C, H, W): Y (N, O, H', W'), b (O,)."""
    return conv2d(X, W, b, **settings._asdict()), Conv2DCache(X, W, settings)


def conv2d_layer_backward(dY: Array, cache: Conv2DCache) -> tuple[Array, Array, Array]:
    r"""Pull ``dY = dL/dY`` back to dX, dW and db, in the shapes of X, W and b.

    Notes
    -----
    ``Y_noij = b_o + sum_ckl W_ockl X_{n, c, s i + d k - p, s j + d l - p}``, so the chain rule gives (derived in
    `steepest.operators.convolution2d.reference`)::

        dX    the places that a tap read get its weight times dY: a correlation of dY with the flipped kernels
        dW_ockl = sum_nij dY_noij X_{n, c, s i + d k - p, s j + d l - p}      a correlation of X with dY
        db_o  = sum_nij dY_noij

    Examples
    --------
    >>> import numpy as np
    >>> Y, cache = conv2d_layer_forward(np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 1), 3.0), np.zeros(1), Settings())
    >>> dX, dW, db = conv2d_layer_backward(np.ones((1, 1, 2, 2)), cache)
    >>> dX[0, 0], dW.item(), db
    (array([[3., 3.],
           [3., 3.]]), 4.0, array([4.]))
    """
    return conv2d_backward(dY, cache.X, cache.W, **cache.settings._asdict())


@dataclass(frozen=True, repr=False)
class Conv2D(Layer):
    """Convolution of images with kernels that are learnt.

    Parameters
    ----------
    filters : int
        Output channels O.
    kernel_size : int or pair
        Rows and columns of a kernel.
    stride, padding, dilation, groups
        As in `steepest.conv2d`.
    initializer : callable, default glorot_uniform
        Draws W; b starts at zero.

    Examples
    --------
    >>> layer = Conv2D(8, 3, padding="same")
    >>> layer.output_shape((3, 32, 32)), layer.parameter_shapes((3, 32, 32))
    ((8, 32, 32), {'W': (8, 3, 3, 3), 'b': (8,)})
    """

    filters: int
    kernel_size: Stride
    stride: Stride = 1
    padding: Padding = 0
    dilation: Stride = 1
    groups: int = 1
    initializer: Initializer = glorot_uniform
    formula: ClassVar[str] = "Y_o = b_o + sum over channels c of W_oc correlated with X_c"
    latex: ClassVar[str] = r"Y_o = b_o + \sum_c W_{oc} \star X_c"

    def __post_init__(self) -> None:
        """Refuse settings that no image would fit."""
        check_count("filters", self.filters)
        check_count("groups", self.groups)
        check_initializer(self.initializer)
        kernel, stride = pair("kernel_size", self.kernel_size, 1), pair("stride", self.stride, 1)
        padding_pairs(self.padding, kernel, stride, pair("dilation", self.dilation, 1))

    @property
    def _settings(self) -> Settings:
        return Settings(self.stride, self.padding, self.dilation, self.groups)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(filters, H', W')``; vectors are refused."""
        weights = self.parameter_shapes(input_shape)["W"]
        return Geometry.of((1, *input_shape), weights, *self._settings).output_shape[1:]

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of W and b."""
        if len(input_shape) != 3:
            raise InvalidInputError(f"Conv2D takes images (C, H, W), not samples of shape {input_shape}")
        if input_shape[0] % self.groups:
            raise InvalidInputError(
                f"the image has {input_shape[0]} channels: must be a multiple of groups={self.groups}"
            )
        kernel = pair("kernel_size", self.kernel_size, 1)
        return {"W": (self.filters, input_shape[0] // self.groups, *kernel), "b": (self.filters,)}

    def initial_parameters(self, input_shape: Shape, generator: np.random.Generator) -> dict[str, Array]:
        """Draw W, set b to zero."""
        shape = self.parameter_shapes(input_shape)["W"]
        taps = shape[2] * shape[3]
        fan_in, fan_out = shape[1] * taps, self.filters // self.groups * taps
        return {"W": self.initializer(shape, fan_in, fan_out, generator), "b": np.zeros(self.filters)}

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, Conv2DCache]:
        """Return the convolved images."""
        return conv2d_layer_forward(X, parameters["W"], parameters["b"], self._settings)

    def backward(self, dY: Array, cache: Conv2DCache) -> tuple[Array, dict[str, Array]]:
        """Return dX and the gradients of W and b."""
        dX, dW, db = conv2d_layer_backward(dY, cache)
        return dX, {"W": dW, "b": db}

    def parameter_gradients(self, dY: Array, cache: Conv2DCache) -> dict[str, Array]:
        """Return the gradients of W and b alone: a first layer need not tell the image's."""
        kernel = (cache.W.shape[2], cache.W.shape[3])
        dW = conv2d_weight_gradient(dY, cache.X, kernel, **cache.settings._asdict())
        return {"W": dW, "b": bias_gradient(dY)}
