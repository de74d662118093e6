"""Linear maps with their adjoints, and pooling, which is linear once it is known which numbers won."""

from steepest.operators.convolution2d import Convolution2d
from steepest.operators.toeplitz import Convolution

__all__ = ["Convolution", "Convolution2d"]
