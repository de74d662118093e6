"""Linear maps with their adjoints."""

from steepest.operators.convolution2d import Convolution2d
from steepest.operators.toeplitz import Convolution

__all__ = ["Convolution", "Convolution2d"]
