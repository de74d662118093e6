"""Linear models under scikit-learn's own names."""

from steepest.loading import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
