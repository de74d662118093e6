"""Pictures of runs and models: each takes an ``ax``, returns it, and needs no display."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
