"""Convolution in one dimension, its matrix and its adjoint."""

from steepest.operators.toeplitz import Convolution, autocorrelation, convolution_matrix, convolve, correlate

__all__ = ["Convolution", "autocorrelation", "convolution_matrix", "convolve", "correlate"]
