"""steepest: machine learning you can check.

The public names stand in ``__init__.pyi``, the one list of them; each is imported when first used, so
that ``import steepest`` loads neither numba, matplotlib nor scikit-learn.
"""

from steepest.loading import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
__version__ = "0.1.0"
