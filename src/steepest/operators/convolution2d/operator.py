"""Convolution in two dimensions as a linear map."""

from typing import Any

from steepest.operators.convolution2d.functional import conv2d, conv2d_input_gradient
from steepest.operators.convolution2d.geometry import Geometry
from steepest.typing import Array


class Convolution2d:
    """The linear map ``x -> conv2d(x, w)`` of images (N, C_in, H, W), with its adjoint.

    Examples
    --------
    >>> import numpy as np
    >>> A = Convolution2d(np.ones((1, 1, 2, 2)), (1, 1, 3, 3))
    >>> A.adjoint(A.forward(np.eye(3)[None, None]))[0, 0]
    array([[2., 3., 1.],
           [3., 6., 3.],
           [1., 3., 2.]])
    """

    def __init__(self, w: Array, input_shape: tuple[int, int, int, int], **settings: Any) -> None:
        self.w, self.settings = w, settings
        geometry = {name: value for name, value in settings.items() if name != "algorithm"}
        self.geometry = Geometry.of(input_shape, w.shape, **geometry)
        self.input_shape, self.output_shape = self.geometry.input_shape, self.geometry.output_shape

    def forward(self, x: Array) -> Array:
        """Return ``conv2d(x, w)``."""
        return conv2d(x, self.w, **self.settings)

    def adjoint(self, v: Array) -> Array:
        """Return the input gradient for ``dy = v``."""
        return conv2d_input_gradient(v, self.w, self.geometry.size, **self.settings)
