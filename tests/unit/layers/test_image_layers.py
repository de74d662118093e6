"""Layers that take images: what they refuse, and gradients of parameters alone."""

from typing import Any

import numpy as np
import pytest

from steepest.exceptions import InvalidInputError
from steepest.layers import AveragePool2D, Conv2D, GlobalAveragePool2D, GlobalMaxPool2D, MaxPool2D


@pytest.mark.parametrize(
    "layer", [MaxPool2D(2), AveragePool2D(2), GlobalMaxPool2D(), GlobalAveragePool2D(), Conv2D(2, 3)]
)
def test_layers_of_images_refuse_vectors(layer: Any) -> None:
    with pytest.raises(InvalidInputError, match="takes images"):
        layer.output_shape((7,))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"filters": 0, "kernel_size": 3}, "filters=0"),
        ({"filters": 2, "kernel_size": 0}, "kernel_size=0: must be a positive integer"),
        ({"filters": 2, "kernel_size": 3, "padding": "same", "stride": 2}, "only with stride=1"),
    ],
)
def test_settings_of_a_convolution_are_checked_at_once(settings: Any, text: str) -> None:
    with pytest.raises(InvalidInputError, match=text):
        Conv2D(**settings)


def test_channels_that_groups_do_not_divide_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="the image has 3 channels: must be a multiple of groups=2"):
        Conv2D(4, 3, groups=2).output_shape((3, 8, 8))


def test_parameter_gradients_alone_are_those_of_the_backward() -> None:
    layer, rng = Conv2D(4, 3, stride=2, padding=1), np.random.default_rng(0)
    X = rng.standard_normal((2, 3, 8, 7))
    Y, cache = layer.forward(X, layer.initial_parameters((3, 8, 7), rng))
    gradients = layer.backward(Y, cache)[1]
    for name, alone in layer.parameter_gradients(Y, cache).items():
        np.testing.assert_array_equal(alone, gradients[name])
