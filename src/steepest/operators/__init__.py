"""Linear maps with their adjoints."""

from steepest.operators.toeplitz import Convolution

__all__ = ["Convolution"]
