"""The forms in which formulas are taught: plain loops, exported for reading and for comparison."""

from steepest.operators.convolution2d.loops import conv2d_backward_loops, conv2d_loops

__all__ = ["conv2d_backward_loops", "conv2d_loops"]
