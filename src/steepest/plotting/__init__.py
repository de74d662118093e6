"""Pictures of runs and models: each takes an ``ax``, returns it, and needs no display."""

from steepest.loading import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
