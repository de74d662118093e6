"""Grading of learners' gradients: in a process of their own, with limits, with credit for each part."""

from steepest.loading import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
