"""Layers that pool: each window of an image, or each channel, becomes its largest number, or its mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from steepest.exceptions import InvalidInputError
from steepest.layers.layer import Layer, Parameters, Shape
from steepest.operators.convolution2d.geometry import Stride
from steepest.operators.pooling2d import (
    PoolCache,
    Windows,
    avg_pool2d_backward,
    avg_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from steepest.typing import Array


class _Pooling(Layer):
    """What all pooling layers share: how images are pooled, and how slopes are spread back."""

    _pool: ClassVar[Callable[..., tuple[Array, PoolCache]]]
    _spread: ClassVar[Callable[..., Array]]

    def _check_images(self, input_shape: Shape) -> None:
        """Refuse vectors."""
        if len(input_shape) != 3:
            raise InvalidInputError(f"{type(self).__name__} takes images (C, H, W), not samples of shape {input_shape}")


@dataclass(frozen=True)
class _Pool(_Pooling):
    """What the pooling layers share that go by windows."""

    pool_size: Stride
    stride: Stride | None = None
    padding: Stride = 0

    def __post_init__(self) -> None:
        """Refuse windows that do not fit."""
        Windows.of(self.pool_size, self.stride, self.padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(C, H', W')``; vectors are refused."""
        self._check_images(input_shape)
        out = Windows.of(self.pool_size, self.stride, self.padding).out_size(input_shape[1], input_shape[2])
        return (input_shape[0], *out)

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, PoolCache]:
        """Return one number for every window, (N, C, H', W')."""
        return self._pool(X, self.pool_size, self.stride, self.padding)

    def backward(self, dY: Array, cache: PoolCache) -> tuple[Array, dict[str, Array]]:
        """Return dX."""
        return self._spread(dY, cache), {}


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """The largest number of every window.

    Parameters
    ----------
    pool_size : int or pair
        Rows and columns of a window.
    stride : int or pair, optional
        From one window to the next; ``pool_size`` if not given.
    padding : int or pair, default 0
        Rows and columns around.

    Examples
    --------
    >>> MaxPool2D(2).output_shape((3, 8, 6))
    (3, 4, 3)
    """

    formula: ClassVar[str] = "Y_ij = max of X over window (i, j)"
    latex: ClassVar[str] = r"Y_{ij} = \max_{(k, l) \in \mathrm{window}_{ij}} X_{kl}"

    _pool = staticmethod(max_pool2d_forward)
    _spread = staticmethod(max_pool2d_backward)


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """The mean of every window.

    Parameters
    ----------
    pool_size, stride, padding
        As in `MaxPool2D`; padding counts as zeros.

    Examples
    --------
    >>> AveragePool2D(2, stride=1).output_shape((3, 8, 6))
    (3, 7, 5)
    """

    formula: ClassVar[str] = "Y_ij = mean of X over window (i, j)"
    latex: ClassVar[str] = r"Y_{ij} = \frac{1}{n} \sum_{(k, l) \in \mathrm{window}_{ij}} X_{kl}"

    _pool = staticmethod(avg_pool2d_forward)
    _spread = staticmethod(avg_pool2d_backward)


class _GlobalPool(_Pooling):
    """What the pooling layers over whole images share."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(C,)``; vectors are refused."""
        self._check_images(input_shape)
        return input_shape[:1]

    def forward(
        self,
        X: Array,
        parameters: Parameters,
        *,
        state: dict[str, Array] | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, PoolCache]:
        """Return one number for every channel, (N, C)."""
        y, cache = self._pool(X, (X.shape[2], X.shape[3]))
        return y[:, :, 0, 0], cache

    def backward(self, dY: Array, cache: PoolCache) -> tuple[Array, dict[str, Array]]:
        """Return dX."""
        return self._spread(dY[:, :, None, None], cache), {}


@dataclass(frozen=True)
class GlobalMaxPool2D(_GlobalPool):
    """The largest number of every channel: a vector for an image.

    Examples
    --------
    >>> GlobalMaxPool2D().output_shape((3, 8, 6))
    (3,)
    """

    formula: ClassVar[str] = "y_c = max of X_c"
    latex: ClassVar[str] = r"y_c = \max_{k, l} X_{ckl}"

    _pool = staticmethod(max_pool2d_forward)
    _spread = staticmethod(max_pool2d_backward)


@dataclass(frozen=True)
class GlobalAveragePool2D(_GlobalPool):
    """The mean of every channel: a vector for an image.

    Examples
    --------
    >>> GlobalAveragePool2D().output_shape((3, 8, 6))
    (3,)
    """

    formula: ClassVar[str] = "y_c = mean of X_c"
    latex: ClassVar[str] = r"y_c = \frac{1}{H W} \sum_{k, l} X_{ckl}"

    _pool = staticmethod(avg_pool2d_forward)
    _spread = staticmethod(avg_pool2d_backward)
