"""Warnings of a run as notes of its report."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect what is warned of within the block; the list is filled at its end.

    Examples
    --------
    >>> with noted() as notes:
    ...     warnings.warn("it did not converge", stacklevel=1)
    >>> notes
    ['it did not converge']
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    texts = [str(warning.message) for warning in caught if not issubclass(warning.category, DeprecationWarning)]
    notes += dict.fromkeys(texts)
