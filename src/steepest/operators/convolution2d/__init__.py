"""Convolution in two dimensions: shapes, the loop form, the reference, the algorithms and the choice between them."""

from steepest.operators.convolution2d.functional import (
    conv2d,
    conv2d_backward,
    conv2d_input_gradient,
    conv2d_weight_gradient,
    conv_transpose2d,
)
from steepest.operators.convolution2d.operator import Convolution2d

__all__ = [
    "Convolution2d",
    "conv2d",
    "conv2d_backward",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "conv_transpose2d",
]
