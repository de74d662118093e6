"""What a run says: its warnings are notes of its report, what it refuses is an error of the user."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from steepest.exceptions import InvalidInputError, SteepestError


@contextmanager
def noted(model: str) -> Iterator[list[str]]:
    """Collect what is warned of within the block; the list is filled at its end.

    Estimators raise ValueError, in scikit-learn's words too, for data and parameters that they cannot use.

    Examples
    --------
    >>> with noted("Lasso") as notes:
    ...     warnings.warn("it did not converge", stacklevel=1)
    >>> notes
    ['it did not converge']
    >>> with noted("Lasso"):
    ...     raise ValueError("too few rows")
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: Lasso: too few rows
    """
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield notes
        except SteepestError:
            raise
        except ValueError as error:
            raise InvalidInputError(f"{model}: {error}") from error
    texts = [str(warning.message) for warning in caught if not issubclass(warning.category, DeprecationWarning)]
    notes += dict.fromkeys(texts)
