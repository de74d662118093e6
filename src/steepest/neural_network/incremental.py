"""What learning from one part of the data after another asks for."""

from typing import Any

import numpy as np

from steepest.exceptions import InvalidInputError


def check_one_pass(early_stopping: bool) -> None:
    """Refuse to hold rows out of a part of the data."""
    if early_stopping:
        raise InvalidInputError("early_stopping=True: partial_fit makes one pass and holds nothing out; use fit")


def check_named(classes: Any, known: Any) -> None:
    """Refuse a first call (``known`` is None) that names no classes, and a later one that names others.

    Examples
    --------
    >>> check_named(None, known=None)
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: classes=None: classes must be passed on the first call to partial_fit, ...
    """
    if known is None and classes is None:
        raise InvalidInputError("classes=None: classes must be passed on the first call to partial_fit, all of them")
    if known is not None and classes is not None and not np.array_equal(known, np.unique(classes)):
        raise InvalidInputError(f"classes={classes!r}: is not the same as on last call to partial_fit")


def check_labels(labels: Any, classes: Any) -> None:
    """Refuse labels that a network has no output for.

    Examples
    --------
    >>> check_labels(["a", "c"], np.array(["a", "b"]))
    Traceback (most recent call last):
        ...
    steepest.exceptions.InvalidInputError: y holds ['c']: not in classes ['a', 'b']
    """
    unknown = np.setdiff1d(labels, classes)
    if len(unknown):
        raise InvalidInputError(f"y holds {unknown.tolist()}: not in classes {classes.tolist()}")
