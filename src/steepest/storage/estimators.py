"""What an estimator in a file must be: parameters of their kinds, and everything that a fit leaves behind.

Both are read off the annotations of the class: of the arguments of ``__init__``, and of the attributes that a fit sets.
"""

import inspect
from collections.abc import Mapping
from numbers import Real
from types import NoneType
from typing import Any, get_args, get_type_hints

import numpy as np
from scipy import sparse

from steepest.typing import Array

KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    float: ((Real,), "a number"),
    int: ((Real,), "a number"),
    bool: ((Real, np.bool_), "true or false"),
    str: ((str,), "text"),
    NoneType: ((), "None"),
}
SEEN = "n_features_in_"
REASON = "stopping_reason_"


def check_parameters(cls: type, parameters: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the kind of a parameter, or None; None itself is always allowed.

    Examples
    --------
    >>> from steepest.linear_model import Lasso
    >>> check_parameters(Lasso, {"alpha": "x", "tol": 1e-4})
    "alpha='x': must be a number"
    """
    hints = get_type_hints(cls.__init__)  # type: ignore[misc]  # asked of the class, as no instance is there
    for name, value in parameters.items():
        kinds = get_args(hints.get(name)) or (hints.get(name),)
        if value is None or any(kind not in KINDS for kind in kinds):
            continue
        if not any(isinstance(value, KINDS[kind][0]) for kind in kinds):
            allowed = " or ".join(dict.fromkeys(KINDS[kind][1] for kind in kinds))
            return f"{name}={str(value)[:40]!r}: must be {allowed}"
    return None


def check_fitted(model: Any) -> str | None:
    """Return which attribute a fitted model lacks, or which one is no array though it must be, or None."""
    needed = _left_by_fit(type(model))
    there = vars(model)
    if not any(name in there for name in (*needed, REASON)):
        return None  # never fitted
    missing = [name for name in (SEEN, *needed) if name not in there]
    if missing:
        return f"fitted, but without {', '.join(missing)}"
    for name, kind in needed.items():
        if (kind == Array or name == "coef_") and not (
            isinstance(there[name], np.ndarray) or sparse.issparse(there[name])
        ):
            return f"{name} is a {type(there[name]).__name__}: must be an array"
    return None


def _left_by_fit(cls: type) -> dict[str, Any]:
    """Return the attributes that every fit sets, with their annotations: declared by the class, yet not there."""
    parameters = inspect.signature(cls).parameters
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if base.__module__.startswith("steepest."):
            for name, kind in inspect.get_annotations(base).items():
                if name not in parameters and not hasattr(cls, name):
                    found.setdefault(name, kind)
    return found
