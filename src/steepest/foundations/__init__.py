"""The mathematics underneath: vectors, probability, numeric derivatives."""

from steepest.loading import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
